/**
 * Run and check any Maelstrom node in seconds, without a JVM, from a seed.
 *
 * @example
 * ```ts
 * import { simulate } from "@eddy/maelstrom/workbench";
 * import { assertEquals } from "@std/assert";
 *
 * const { results } = await simulate({
 *   workload: "unique-ids",
 *   nodeCount: 3,
 *   rate: 100,
 *   timeLimitSeconds: 10,
 *   nemesis: ["partition"],
 *   availability: "total",
 *   seed: 1,
 * });
 * assertEquals(results["valid?"], true);
 * ```
 *
 * @module
 */

export {
  type Program,
  type RunHooks,
  runProgram,
  type RunResult,
  simulate,
  type SimulateOptions,
} from "./simulate.ts";
