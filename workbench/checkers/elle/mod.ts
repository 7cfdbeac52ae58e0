/**
 * Elle in TypeScript: finds out which isolation a transactional store really gives, from what its
 * clients saw.
 *
 * @example
 * ```ts
 * import { checkListAppend, parseConsistencyModels } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { time: 0, f: "txn" } as const;
 * const x = ["r", "x", []];
 * const y = ["r", "y", []];
 * // Write skew: each reads both keys as empty and appends to one of them.
 * const result = checkListAppend([
 *   { ...op, index: 0, process: 0, type: "ok", value: [x, y, ["append", "x", 1]] },
 *   { ...op, index: 1, process: 1, type: "ok", value: [x, y, ["append", "y", 1]] },
 * ], { consistencyModels: parseConsistencyModels("serializable") });
 * assertEquals(result["valid?"], false);
 * assertEquals(result["anomaly-types"], ["G2-item"]);
 * assertEquals(result["not"], ["repeatable-read"]);
 * ```
 *
 * @module
 */

export { type Effort } from "./cycle_anomalies.ts";
export { checkListAppend } from "./list_append.ts";
export { MODEL_NAMES, parseConsistencyModels } from "./models.ts";
export { checkRwRegister } from "./rw_register.ts";
export { type ElleOptions } from "./verdict.ts";
