import { assert, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import type { Json } from "@eddy/maelstrom";
import type { Op } from "@eddy/workbench";
import { checkKafka } from "@eddy/workbench/checkers/kafka/kafka.ts";
import { type Fault, simulate } from "./kafka_log.ts";

const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });

Deno.test("a right log is never blamed", () => {
  fc.assert(
    fc.property(seed, fc.integer({ min: 0, max: 800 }), (seed, operations) => {
      const { findings, warnings, errorTypes: types } = checkKafka(
        simulate({ seed, operations }).ops,
      );
      assertEquals({ findings, warnings, types }, {
        findings: undefined,
        warnings: undefined,
        types: [],
      });
    }),
    { numRuns: 300 },
  );
});

/** What each fault is blamed for, always when it struck often enough. */
const blame: Record<Exclude<Fault, "commit ahead">, string> = {
  "lose": "lost-write",
  "store twice": "duplicate",
  "same offset": "inconsistent-offsets",
  "store failed": "G1a",
  "skip": "int-poll-skip",
  "skip first": "poll-skip",
  "reverse": "int-nonmonotonic-poll",
  "reread": "nonmonotonic-poll",
  "insert": "nonmonotonic-send",
  "invent": "no-writer-of-value",
};

for (const [fault, anomaly] of Object.entries(blame) as [Fault, string][]) {
  Deno.test(`a log that may ${fault} is blamed for ${anomaly}`, () => {
    let struck = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const { ops, faults } = simulate({ seed, operations: 1500, fault });
      if (faults < 5) continue;
      struck++;
      const result = checkKafka(ops);
      const types = result.errorTypes;
      assert(types.includes(anomaly), `Seed ${seed}: ${types}`);
      assert(result.valid !== true, `Seed ${seed}`);
      assert(result.findings?.some((finding) => finding.anomaly === anomaly), `Seed ${seed}`);
    }
    assertGreater(struck, 20);
  });
}

Deno.test("a committed offset that runs ahead is warned of, and nothing else", () => {
  let warned = 0;
  for (let seed = 1; seed <= 25; seed++) {
    const { ops } = simulate({ seed, operations: 1500, fault: "commit ahead" });
    const result = checkKafka(ops);
    assertEquals(result.valid, true, `Seed ${seed}`);
    if (result.warnings?.some((line) => line.includes("beyond what could be committed"))) warned++;
  }
  assertGreater(warned, 5);
});

Deno.test("junk never throws, nor does the order of events matter for that", () => {
  const json: fc.Arbitrary<Json> = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
  const key = fc.oneof(fc.constantFrom("a", "b", 1, "__proto__"), json);
  const pair = fc.oneof(fc.tuple(fc.oneof(fc.nat(3), json), fc.nat(3)), json);
  const reply = fc.dictionary(fc.constantFrom("a", "b", "1"), fc.oneof(fc.array(pair), json));
  const step = fc.oneof(
    fc.tuple(fc.constant("send"), key, pair),
    fc.tuple(fc.constant("poll"), reply),
    json,
  );
  const op = fc.record({
    index: fc.nat(30),
    time: fc.nat(),
    type: fc.constantFrom("invoke" as const, "ok" as const, "fail" as const, "info" as const),
    process: fc.oneof(fc.nat(3), fc.constant("nemesis" as const)),
    f: fc.constantFrom("send", "poll", "txn", "assign", "crash", "other"),
    value: fc.oneof(fc.array(step), fc.array(key), json),
  });
  fc.assert(
    fc.property(fc.array(op, { maxLength: 30 }), (ops) => {
      JSON.stringify(checkKafka(ops as Op[]));
    }),
    { numRuns: 600 },
  );
});

Deno.test("a long history is checked in one go", () => {
  const { ops } = simulate({ seed: 5, operations: 30_000 });
  assertEquals(checkKafka(ops).valid, true);
});
