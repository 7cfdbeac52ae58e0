import { assert } from "@std/assert";
import fc from "fast-check";
import { parseJson } from "@eddy/maelstrom";
import { MAX_FINDINGS, type Op } from "../history.ts";
import { checkAvailability } from "./availability.ts";
import { checkCounter } from "./counter.ts";
import { checkEcho } from "./echo.ts";
import { checkExceptions } from "./exceptions.ts";
import { checkLinearizable } from "./linearizable.ts";
import { checkSetFull } from "./set_full.ts";
import { checkStats } from "./stats.ts";
import { checkUniqueIds } from "./unique_ids.ts";

const checkers = {
  "set-full, broadcast": (history: Op[]) => checkSetFull(history, { addF: "broadcast" }),
  "set-full, add": (history: Op[]) => checkSetFull(history, { addF: "add" }),
  counter: checkCounter,
  "unique-ids": checkUniqueIds,
  echo: checkEcho,
  stats: checkStats,
  availability: (history: Op[]) => checkAvailability(history, "total"),
  exceptions: checkExceptions,
  linearizable: (history: Op[]) => checkLinearizable(history, { maxSteps: 10_000 }),
};

/** Values that fit somewhere, and values that fit nowhere, `undefined` among them. */
const value = fc.oneof(
  fc.constantFrom(undefined, null, 0, 1, 1.5, "x", true, {}, [], [null], [0, 1], [0, null]),
  fc.constantFrom([0, [0, 1]], [0, [1]], [1, {}], { echo: 1 }, { __proto__: null, echo: [] }),
  fc.constantFrom("9007199254740993", "1.0", "-0", "1e400", "[1.0, 1]").map(parseJson),
  fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.string(), fc.constant(null))),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Ops that do not follow one another. */
const oddOp = fc.record({
  index: fc.oneof(fc.integer({ min: -1, max: 20 }), fc.constant(NaN)),
  time: fc.oneof(fc.integer({ min: -5, max: 2e9 }), fc.constant(NaN)),
  type: fc.constantFrom("invoke", "ok", "fail", "info"),
  process: fc.oneof(fc.nat(3), fc.constantFrom("nemesis", -1)),
  f: fc.constantFrom(
    "read",
    "read",
    "write",
    "cas",
    "add",
    "broadcast",
    "generate",
    "echo",
    "__proto__",
    "",
  ),
  value,
  final: fc.boolean(),
  node: fc.constantFrom("n0", "n1"),
  error: fc.record({ code: fc.nat(30), text: fc.string() }, { requiredKeys: ["text"] }),
}, { requiredKeys: ["index", "time", "type", "process", "f"] });

Deno.test("No checker throws on a history out of joint, or says more than it may", () => {
  fc.assert(
    fc.property(fc.array(oddOp, { maxLength: 40 }), (ops) => {
      const history = ops as unknown as Op[];
      for (const [name, check] of Object.entries(checkers)) {
        const result = check(history);
        assert([true, false, "unknown"].includes(result["valid?"]), name);
        assert((result.findings?.length ?? 0) <= MAX_FINDINGS, name);
        for (const { ops } of result.findings ?? []) assert(ops.length <= 40, name);
        JSON.stringify(result);
      }
    }),
    { numRuns: 2000 },
  );
});
