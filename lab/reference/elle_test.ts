import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Json } from "@eddy/maelstrom";
import { check as checkHistory, type Op } from "@eddy/workbench";
import type { ElleResult } from "@eddy/workbench/checkers/elle/check.ts";
import { MODEL_NAMES } from "@eddy/workbench/checkers/elle/consistency_model.ts";
import { checkListAppend } from "@eddy/workbench/checkers/elle/list_append.ts";
import { checkRwRegister } from "@eddy/workbench/checkers/elle/rw_register.ts";
import { type Level, type Load, simulate } from "./database.ts";

const lists: Load = { txns: 60, clients: 5, keys: 3, writesPerKey: 12, register: false };
// A register shows its order best where it begins.
const registers: Load = { ...lists, txns: 80, writesPerKey: 4, register: true };

function check(history: readonly Op[], load: Load, model: string): ElleResult {
  const options = { consistencyModels: [model] };
  return load.register ? checkRwRegister(history, options) : checkListAppend(history, options);
}

function types(result: ElleResult): string[] {
  return [...result.anomalyTypes];
}

/** What a database at some level does: models that it never breaks, one that it often does. */
interface Claim {
  readonly level: Level;
  readonly keeps: readonly string[];
  readonly breaks?: { readonly model: string; readonly only?: RegExp; readonly some: RegExp };
}

const claims: readonly Claim[] = [
  { level: "strict", keeps: MODEL_NAMES },
  {
    level: "stale",
    keeps: ["serializable", "snapshot-isolation", "read-committed"],
    breaks: {
      model: "strict-serializable",
      only: /-realtime$/,
      some: /^G-(single|nonadjacent)-item-realtime$/,
    },
  },
  {
    level: "snapshot",
    keeps: ["strong-snapshot-isolation", "snapshot-isolation", "read-committed"],
    breaks: { model: "serializable", only: /^G2-item$/, some: /^G2-item$/ },
  },
  {
    level: "committed",
    keeps: ["read-committed", "monotonic-atomic-view", "read-uncommitted"],
    breaks: { model: "snapshot-isolation", some: /^G-single-item$/ },
  },
  {
    level: "uncommitted",
    keeps: ["read-uncommitted"],
    breaks: { model: "read-committed", some: /^G1[bc]$/ },
  },
];

for (const load of [lists, registers]) {
  for (const { level, keeps, breaks } of claims) {
    const kind = load.register ? "registers" : "lists";
    Deno.test(`a database of ${kind} at level ${level} passes and fails where it must`, () => {
      let broken = 0;
      const runs = 40;
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const history = simulate(level, seed, load);
          for (const model of keeps) {
            const result = check(history, load, model);
            assertEquals(result.valid, true, summary(model, result));
            assertEquals(result.warnings, undefined);
          }
          if (breaks === undefined) return;
          const result = check(history, load, breaks.model);
          const found = types(result);
          for (const type of found) {
            assert(breaks.only === undefined || breaks.only.test(type), summary(type, result));
          }
          if (found.some((type) => breaks.some.test(type))) broken++;
        }),
        { numRuns: runs },
      );
      if (breaks !== undefined) assert(broken > 0, `None of ${runs} broke`);
    });
  }
}

function summary(about: string, result: ElleResult): string {
  return `${about}: ${types(result)} ${result.findings?.map(({ what }) => what).join("\n")}`;
}

Deno.test("the same history gives the same result", () => {
  const history = simulate("committed", 7, lists);
  assertEquals(
    check(history, lists, "strict-serializable"),
    check(history, lists, "strict-serializable"),
  );
});

const scalar = fc.constantFrom<Json>(1, 2, 3, 1.5, -0, "1", null, true, [], [1], { a: 1 });
const mop = fc.oneof(
  fc.tuple(fc.constantFrom("r", "append", "w"), scalar, fc.oneof(scalar, fc.array(scalar))),
  fc.array(scalar, { maxLength: 4 }),
  scalar,
);
const junk = fc.array(fc.record({
  index: fc.integer({ min: -1, max: 30 }),
  time: fc.integer({ min: -1, max: 1e9 }),
  type: fc.constantFrom("invoke", "ok", "fail", "info"),
  process: fc.constantFrom<number | "nemesis">(0, 1, 2, "nemesis"),
  f: fc.constantFrom("txn", "txn", "txn", "read"),
  value: fc.oneof({ weight: 9, arbitrary: fc.array(mop, { maxLength: 4 }) }, {
    weight: 1,
    arbitrary: scalar as fc.Arbitrary<Json>,
  }),
}));

/** Like junk, but of the right form, so that it gets past the first look. */
const shaped = (register: boolean) => {
  const value = fc.integer({ min: 1, max: 6 });
  const read = register ? fc.option(value) : fc.option(fc.array(value, { maxLength: 5 }));
  const key = fc.integer({ min: 1, max: 3 });
  const step = fc.oneof(
    fc.tuple(fc.constant("r"), key, read),
    fc.tuple(fc.constant(register ? "w" : "append"), key, value),
  );
  return fc.array(
    fc.record({
      type: fc.constantFrom("invoke", "ok", "fail", "info"),
      process: fc.integer({ min: 0, max: 3 }),
      value: fc.array(step, { maxLength: 4 }),
    }).map((op) => ({ ...op, index: 0, time: 0, f: "txn" })),
    { maxLength: 24 },
  );
};

for (const load of [lists, registers]) {
  Deno.test(`junk ${load.register ? "of registers" : "of lists"} is reported, not thrown`, () => {
    const judge = (history: readonly unknown[]) => {
      for (const model of ["read-uncommitted", "strong-session-serializable", "PL-SS"]) {
        const result = check(history as readonly Op[], load, model);
        assert(result.valid === true || result.findings !== undefined, summary("", result));
      }
    };
    fc.assert(fc.property(junk, judge), { numRuns: 200 });
    fc.assert(fc.property(shaped(load.register), judge), { numRuns: 400 });
  });
}

Deno.test("values too deep to compare make the verdict unknown", () => {
  const deep = JSON.parse("[".repeat(50_000) + "]".repeat(50_000));
  const op: Op = {
    index: 0,
    time: 0,
    type: "ok",
    process: 0,
    f: "txn",
    value: [["append", 1, deep]],
  };
  const options = { workload: "txn-list-append", consistencyModels: ["serializable"] } as const;
  const { workload } = checkHistory([op], options);
  assertEquals(workload.valid, "unknown");
  assertEquals(workload.warnings?.length, 1);
});
