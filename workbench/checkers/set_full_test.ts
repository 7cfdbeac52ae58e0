import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import fc from "fast-check";
import { type Json, parseJson } from "@eddy/maelstrom";
import type { Op } from "../history.ts";
import { placedPairs } from "./checker.ts";
import { handmade, type Row } from "../testing.ts";
import { checkSetFull } from "./set_full.ts";

const add = (process: number, element: Json, ms?: number): Row[] => [
  [process, "invoke", "add", element, ms === undefined ? {} : { ms }],
  [process, "ok", "add", element, ms === undefined ? {} : { ms: ms + 1 }],
];
const read = (process: number, elements: Json, ms?: number): Row[] => [
  [process, "invoke", "read", null, ms === undefined ? {} : { ms }],
  [process, "ok", "read", elements, ms === undefined ? {} : { ms: ms + 1 }],
];
const check = (...rows: Row[]) => checkSetFull(handmade(...rows), "add");

Deno.test("checkSetFull() calls what is read to the end stable", () => {
  const result = check(...add(0, 0), ...add(1, 1), ...read(0, [0, 1]), ...read(1, [1, 0]));
  assertEquals(result, {
    valid: true,
    attemptCount: 2,
    stableCount: 2,
    lostCount: 0,
    lost: [],
    neverReadCount: 0,
    neverRead: [],
    staleCount: 0,
    stale: [],
    worstStale: [],
    stableLatencies: { "0": 0, "0.5": 0, "0.95": 0, "0.99": 0, "1": 0 },
    lostLatencies: undefined,
    duplicatedCount: 0,
    duplicated: {},
  });
});

Deno.test("checkSetFull() has no verdict where nothing was read", () => {
  for (const rows of [[], add(0, 0), [...add(0, 0), [1, "invoke", "read"] as Row], read(0, [])]) {
    const result = check(...rows);
    assertEquals(result.valid, "unknown");
    assertEquals(result.findings?.[0]?.anomaly, "never-read");
    assertEquals(result.stableLatencies, undefined);
  }
});

Deno.test("checkSetFull() tells of a lost element: who had it last, who missed it", () => {
  const history = handmade(
    ...add(0, 5, 100),
    ...read(1, [5], 200),
    ...read(2, [], 300),
    ...read(3, null, 400),
  );
  const result = checkSetFull(history, "add");
  assertEquals(result.valid, false);
  assertEquals(result.lostCount, 1);
  assertEquals(result.lost, [5]);
  assertEquals(result.stableCount, 0);
  // From its being known, at 101 ms, to just after the last read that had it, at 200 ms.
  assertEquals(result.lostLatencies, { "0": 99, "0.5": 99, "0.95": 99, "0.99": 99, "1": 99 });
  assertEquals(result.findings, [{
    anomaly: "lost",
    what:
      "Element 5 was acknowledged to process 0 on n0 at 0.101 s; the last read that had it was " +
      "by process 1 on n1 at 0.200 s, and 2 reads begun later missed it, from 0.300 s (process 2 " +
      "on n2) to 0.400 s (process 3 on n3)",
    ops: history,
  }]);
});

Deno.test("checkSetFull() tells of an element that was acknowledged and never seen", () => {
  const result = check(...add(0, "a"), ...read(1, []));
  assertEquals(
    result.findings?.[0]?.what,
    'Element "a" was acknowledged to process 0 on n0 at 0.001 s; no read ever had it, and 1 read ' +
      "begun later missed it, from 0.002 s (process 1 on n1)",
  );
  assertEquals(result.lostLatencies, { "0": 0, "0.5": 0, "0.95": 0, "0.99": 0, "1": 0 });
});

Deno.test("checkSetFull() calls an unknown add lost only once a read had it", () => {
  const unknown: Row[] = [[0, "invoke", "add", 1], [0, "info", "add", 1]];
  const stable = [...add(3, 9), ...read(3, [9])];
  assertEquals(check(...unknown, ...stable).valid, true);
  assertEquals(check(...unknown, ...stable).neverRead, [1]);
  const seen = check(...unknown, ...stable, ...read(1, [9, 1]), ...read(1, [9]));
  assertEquals(seen.valid, false);
  assertEquals(
    seen.findings?.[0]?.what.startsWith("Element 1 was first read by process 1 on n1 at"),
    true,
  );
});

Deno.test("checkSetFull() forgives a read that began before the element was known", () => {
  const result = check(
    [0, "invoke", "add", 1],
    [1, "invoke", "read"],
    [0, "ok", "add", 1],
    [1, "ok", "read", []],
    ...add(0, 2),
    ...read(1, [2, 1]).slice(0, 1),
    [1, "info", "read"],
  );
  assertEquals(result.valid, "unknown");
  assertEquals(result.neverRead, [1, 2]);
});

Deno.test("checkSetFull() measures stale elements to the last read that missed them", () => {
  const result = check(
    ...add(0, 1, 0),
    ...add(0, 2, 10),
    ...read(1, [], 50),
    ...read(1, [1], 90),
    ...read(1, [2, 1], 95),
  );
  assertEquals(result.valid, true);
  assertEquals(result.stale, [1, 2]);
  assertEquals(result.staleCount, 2);
  // 1: known at 1 ms, missed at 50; 2: known at 11 ms, missed at 90; one nanosecond more each.
  assertEquals(result.stableLatencies, {
    "0": 49,
    "0.5": 79,
    "0.95": 79,
    "0.99": 79,
    "1": 79,
  });
  const [worst] = result.worstStale;
  assertEquals(worst?.element, 2);
  assertEquals(worst?.outcome, "stable");
  assertEquals(worst?.stableLatency, 79);
  assertEquals(worst?.known?.index, 3);
  assertEquals(worst?.lastAbsent?.index, 6);
});

Deno.test("checkSetFull() counts a nanosecond past the read that missed, and whole milliseconds", () => {
  for (const [missedAt, latency] of [[2.999999, 2], [2.999998, 1]] as const) {
    const result = check(...add(0, 1, 0), ...read(1, [], missedAt), ...read(1, [1], 9));
    assertEquals(result.stableLatencies?.["1"], latency);
  }
});

Deno.test("checkSetFull() goes by the read invoked last, not the one that came back last", () => {
  const rows = (late: Json): Row[] => [
    ...add(0, 1),
    [1, "invoke", "read"],
    [2, "invoke", "read"],
    [2, "ok", "read", late === null ? [1] : []],
    [1, "ok", "read", late === null ? [] : [1]],
  ];
  assertEquals(check(...rows(null)).valid, true);
  assertEquals(check(...rows([])).valid, false);
});

Deno.test("checkSetFull() starts over when an element is added again, as Maelstrom does", () => {
  const again = check(...add(0, 1), ...read(1, []), ...add(0, 1), ...read(1, [1]));
  assertEquals(again.attemptCount, 1);
  assertEquals(again.staleCount, 0);
});

Deno.test("checkSetFull() tells 7 from 7.0, and finds objects whatever the order of their keys", () => {
  assertEquals(check(...add(0, 7), ...read(1, parseJson("[7.0]"))).lost, [7]);
  assertEquals(check(...add(0, { a: 1, b: 2 }), ...read(1, [{ b: 2, a: 1 }])).valid, true);
  assertEquals(check(...add(0, "7"), ...read(1, [7])).lost, ["7"]);
  const big = "[9007199254740993]";
  const [element = null] = parseJson(big) as Json[];
  assertEquals(check(...add(0, element), ...read(1, parseJson(big))).valid, true);
  assertEquals(check(...add(0, element), ...read(1, [2 ** 53])).valid, false);
});

Deno.test("checkSetFull() warns of elements twice in a read, and of those never added", () => {
  const result = check(...read(2, [1]), ...add(0, 1), ...read(1, [1, 1, 1, 8]), ...read(1, [1, 1]));
  assertEquals(result.valid, true);
  assertEquals(result.duplicatedCount, 1);
  assertEquals(result.duplicated, { "1": 3 });
  assertEquals(result.warnings, [
    "Element more than once in one read: 1 stands 2 times in the read by process 1 on n1 at " +
    "0.007 s, and 1 more",
    "Element read that was never added: 8, by process 1 on n1 at 0.005 s, and 1 more",
  ]);
});

Deno.test("checkSetFull() warns of a read that is no list and leaves it out", () => {
  const result = check(...add(0, 1), ...read(1, [1]), ...read(1, "1"));
  assertEquals(result.valid, true);
  assertEquals(result.warnings, ['Read that returned no list: "1", by process 1 on n1 at 0.005 s']);
});

Deno.test("checkSetFull() looks at broadcasts when asked to", () => {
  const history = handmade(
    [0, "invoke", "broadcast", 1],
    [0, "ok", "broadcast", 1],
    ...read(1, [1]),
  );
  assertEquals(checkSetFull(history, "broadcast").valid, true);
  assertEquals(checkSetFull(history, "add").attemptCount, 0);
});

/** Maelstrom's definitions word for word, element by element and read by read. */
function byDefinition(history: Op[]): { element: Json; outcome: string; latency: number }[] {
  const all = placedPairs(history);
  const last = new Map<Json, Op>();
  for (const op of history) if (op.f === "add" && op.type === "invoke") last.set(op.value, op);
  return [...last].sort(([a], [b]) => Number(a) - Number(b)).map(([element, added]) => {
    let [known, present, absent]: (Op | undefined)[] = [];
    for (const op of history.slice(added.index)) {
      if (op.type !== "ok") continue;
      if (op.f === "add" && op.value === element) known ??= op;
      const invoke = all.find(({ completion }) => completion === op)?.invoke;
      if (op.f !== "read" || invoke === undefined) continue;
      if ((op.value as Json[]).includes(element)) {
        known ??= op;
        if (present === undefined || present.index < invoke.index) present = invoke;
      } else if (absent === undefined || absent.index < invoke.index) absent = invoke;
    }
    const after = (op: Op | undefined) =>
      Math.trunc(Math.max(0, (op === undefined ? 0 : op.time + 1) - (known?.time ?? 0)) / 1e6);
    if (present && (absent?.index ?? -1) < present.index) {
      return { element, outcome: "stable", latency: after(absent) };
    }
    if (known && absent && (present?.index ?? -1) < absent.index && known.index < absent.index) {
      return { element, outcome: "lost", latency: after(present) };
    }
    return { element, outcome: "never-read", latency: -1 };
  });
}

/** Random adds (some of them again) and reads of four processes. */
const histories = fc.array(
  fc.record({
    process: fc.nat(3),
    element: fc.nat(15),
    held: fc.shuffledSubarray(Array.from({ length: 16 }, (_, element) => element)),
    isRead: fc.boolean(),
    end: fc.constantFrom("ok" as const, "ok" as const, "info" as const),
  }),
  { minLength: 10, maxLength: 50 },
).map((steps) => {
  const open = new Map<number, Row>();
  const rows: Row[] = [];
  for (const { process, element, held, isRead, end } of steps) {
    const begun = open.get(process);
    if (begun !== undefined) {
      const [, , f, value = null] = begun;
      open.delete(process);
      rows.push([process, end, f, f === "read" && end === "ok" ? held : value]);
    } else {
      const row: Row = isRead ? [process, "invoke", "read"] : [process, "invoke", "add", element];
      open.set(process, row);
      rows.push(row);
    }
  }
  return handmade(...rows);
});

Deno.test("checkSetFull() agrees with the definitions, element by element", () => {
  const tally: Record<string, number> = { stable: 0, lost: 0, "never-read": 0 };
  fc.assert(
    fc.property(histories, (history) => {
      const expected = byDefinition(history);
      for (const { outcome } of expected) tally[outcome] = (tally[outcome] ?? 0) + 1;
      const of = (wanted: string) =>
        expected.filter(({ outcome }) => outcome === wanted).map(({ element }) => element);
      const result = checkSetFull(history, "add");
      assertEquals(result.attemptCount, expected.length);
      assertEquals(result.stableCount, of("stable").length);
      assertEquals(result.lost, of("lost"));
      assertEquals(result.neverRead, of("never-read"));
      for (const outcome of ["stable", "lost"]) {
        const latencies = expected.filter((one) => one.outcome === outcome)
          .map(({ latency }) => latency).sort((a, b) => a - b);
        const figures = outcome === "stable" ? result.stableLatencies : result.lostLatencies;
        assertEquals(figures?.["0"], latencies[0]);
        assertEquals(figures?.["0.5"], latencies[Math.floor(latencies.length / 2)]);
        assertEquals(figures?.["1"], latencies.at(-1));
      }
    }),
    { numRuns: 1500 },
  );
  for (const outcome of Object.keys(tally)) assertGreater(tally[outcome] ?? 0, 200);
});

Deno.test("checkSetFull() takes ten thousand elements and as many short reads in its stride", () => {
  const rows: Row[] = [];
  for (let i = 0; i < 10_000; i++) rows.push(...add(0, i), ...read(1, [i]));
  const result = check(...rows);
  assertEquals(result.lostCount, 9_999);
  assertEquals(result.findings?.length, 8);
});

Deno.test("checkSetFull() warns of an element that some of the last reads miss", () => {
  const added = [...add(0, 5, 100), ...add(1, 6, 200)];
  const missed = [...read(1, [6], 10_201), ...read(2, [5, 6], 10_300)];
  const result = check(...added, ...missed);
  assertEquals([result.valid, result.warnings], [true, [
    "Some of the last reads miss an element that others have, which Maelstrom may overlook: " +
    "element 5, added by process 0 on n0 at 0.100 s, is not in the read by process 1 on n1 at " +
    "10.202 s",
  ]]);
  const neither = check(...added, ...read(1, [], 10_201), ...read(2, [5, 6], 10_300));
  assertMatch(neither.warnings?.[0] ?? "", /10\.202 s; the same holds for 1 more element$/);
  const quiet = (...rows: Row[]) => assertEquals(check(...rows).warnings, undefined);
  // Too early after the last add, or the end of the last fault.
  quiet(...added, ...read(1, [6], 10_200), ...read(2, [5, 6], 10_300));
  quiet(...added, ["nemesis", "info", "stop-partition", null, { ms: 300 }], ...missed);
  // What was not acknowledged may be anywhere.
  const open: Row[] = [[3, "invoke", "add", 7, { ms: 150 }], [3, "info", "add", 7, { ms: 160 }]];
  quiet(...open, ...added, ...read(1, [5, 6], 10_201), ...read(2, [5, 6, 7], 10_300));
  // What none of them has is lost, and needs no warning.
  const lost = check(...added, ...read(1, [6], 10_201), ...read(2, [6], 10_300));
  assertEquals([lost.valid, lost.warnings], [false, undefined]);
});
