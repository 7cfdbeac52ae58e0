import { assert, assertEquals } from "@std/assert";
import { splitGroups } from "@eddy/workbench/faults.ts";
import { handmade, type Row } from "@eddy/workbench/testing.ts";
import { segmentsOf } from "./connectivity.ts";
import { isServed, leadMs, paceOf, serviceOf } from "./service.ts";

const pace = { electionMs: 500, roundTripMs: 25 };
const nodeIds = ["n0", "n1", "n2"];
/** From 2 s to 4 s n0 is alone. */
const segments = segmentsOf(nodeIds, [{
  kind: "partition",
  drawn: "one",
  fromMs: 2000,
  toMs: 4000,
  drops: splitGroups([["n0"], ["n1", "n2"]]),
}]);

/** An operation of a process of its own. */
function op(
  node: number,
  [fromMs, toMs]: readonly [number, number],
  type: "ok" | "fail" | "info" = "ok",
  code?: number,
): Row[] {
  const at = (ms: number) => ({ ms, node: `n${node}` });
  const process = 1000 * node + fromMs;
  const error = code === undefined ? {} : { error: { code, text: "" } };
  return [[process, "invoke", "read", null, at(fromMs)], [process, type, "read", null, {
    ...at(toMs),
    ...error,
  }]];
}

function serviceIn(...rows: Row[][]) {
  return serviceOf(handmade(...rows.flat()), segments, pace);
}

Deno.test("an operation is settled from an election and four round trips on", () => {
  assertEquals(leadMs(pace), 600);
  const early = serviceIn(op(1, [599, 650]), op(1, [2599, 2650]), op(1, [1990, 2000]));
  assertEquals([early.settled.count, early.possible.count], [0, 3]);
  const late = serviceIn(op(1, [600, 650]), op(1, [2600, 2650]), op(1, [1990, 1999]));
  assertEquals([late.settled.count, late.possible.count], [3, 3]);
});

Deno.test("served is what succeeded or failed by its own condition", () => {
  const { settled, gaps } = serviceIn(
    op(1, [1000, 1001]),
    op(1, [1010, 1011], "fail", 20),
    op(1, [1020, 1021], "fail", 22),
    op(1, [1030, 1031], "fail", 30),
    op(1, [1040, 1045], "fail", 11),
    op(1, [1050, 1051], "info", 0),
    op(1, [1060, 1061], "fail", 0),
    op(1, [1070, 1071], "info"),
  );
  assertEquals(settled, { count: 8, served: 4 });
  assertEquals(gaps, [
    { fromMs: 1040, toMs: 1070, nodes: ["n1"], codes: { 0: 2, 11: 1, none: 1 } },
  ]);
});

Deno.test("what is not served makes one gap unless it is far apart", () => {
  const { gaps } = serviceIn(
    op(1, [700, 701], "fail", 11),
    op(0, [1300, 1301], "fail", 11),
    op(2, [1901, 1902], "fail", 11),
  );
  assertEquals(gaps.map(({ fromMs, toMs, nodes }) => [fromMs, toMs, nodes]), [
    [700, 1300, ["n0", "n1"]],
    [1901, 1901, ["n2"]],
  ]);
});

Deno.test("an operation without an end is not served", () => {
  const [begin] = op(1, [1000, 0]);
  assert(begin !== undefined);
  const { settled } = serviceIn([begin], op(2, [1100, 1101]));
  assertEquals(settled, { count: 2, served: 1 });
  assertEquals(isServed(undefined), false);
});

Deno.test("outside of the majority it counts how soon an operation is refused", () => {
  const { outside, settled } = serviceIn(
    op(0, [2500, 2501], "fail", 11),
    op(0, [2600, 2603], "fail", 11),
    op(0, [2700, 3600], "fail", 11),
    op(0, [2800, 2801], "info", 0),
    op(0, [3900, 4001], "fail", 11),
  );
  assertEquals([settled.count, outside.count, outside.refusedMs], [0, 3, [3, 900]]);
});

Deno.test("service comes with the first answer, in the majority, to what was asked since", () => {
  const { changes } = serviceIn(
    op(1, [1990, 2005]),
    op(0, [2001, 2002]),
    op(1, [2010, 2400], "fail", 11),
    op(2, [2020, 2300]),
    op(1, [2350, 2360]),
    op(0, [4100, 4150], "fail", 22),
  );
  assertEquals(changes, { serviceMs: [300, 150], brief: 0, dead: 0 });
});

Deno.test("a change without service is brief if the next one comes before an operation is settled", () => {
  const until = (endMs: number) => serviceIn(op(1, [100, 110]), op(0, [endMs, endMs + 1])).changes;
  assertEquals(until(2598), { serviceMs: [], brief: 1, dead: 0 });
  assertEquals(until(2599), { serviceMs: [], brief: 0, dead: 1 });
});

Deno.test("an election and a round trip follow from the latency of links", () => {
  assertEquals(paceOf({ meanMs: 0, distribution: "constant" }), {
    electionMs: 509,
    roundTripMs: 9,
  });
  assertEquals(paceOf({ meanMs: 10, distribution: "uniform" }).roundTripMs, 49);
  assertEquals(paceOf({ meanMs: 100, distribution: "constant" }).electionMs, 6 * 209);
  const { roundTripMs } = paceOf({ meanMs: 10, distribution: "exponential" }, { spacingMs: 0 });
  assertEquals(roundTripMs.toFixed(1), "92.1");
  // Of two exponential latencies together one in a thousand is longer.
  const longer = Math.exp(-roundTripMs / 10) * (1 + roundTripMs / 10);
  assertEquals(longer.toFixed(3), "0.001");
});
