import { assert, assertEquals } from "@std/assert";
import { drawPartition, PARTITIONS, splitGroups } from "@eddy/workbench/faults.ts";
import type { PlanFault } from "@eddy/workbench/nemesis.ts";
import { randomBelow, seededRandom, shuffled } from "@eddy/workbench/random.ts";
import { type Interval, placeOf, segmentsOf } from "./connectivity.ts";

const three = ["n0", "n1", "n2"];
const five = ["n0", "n1", "n2", "n3", "n4"];

type Window = Pick<PlanFault, "fromMs" | "toMs">;

/** A fault of links. */
function cut(drops: PlanFault["drops"], window: Window): PlanFault {
  return { kind: "partition", drawn: "planned", drops, ...window };
}

/** A fault of nodes. */
function stop(kind: "kill" | "pause", nodes: readonly string[], window: Window): PlanFault {
  return { kind, drawn: "planned", nodes, ...window };
}

/** Where each node is in an interval. */
function places(
  nodeIds: readonly string[],
  faults: readonly PlanFault[],
  fromMs: number,
  toMs: number,
): (string | undefined)[] {
  const segments = segmentsOf(nodeIds, faults);
  return nodeIds.map((node) => placeOf(segments, node, { fromMs, toMs }));
}

const [inside, outside, neither] = ["inside", "outside", undefined];

Deno.test("without faults all are inside, from the beginning of the history on", () => {
  assertEquals(places(three, [], 0, 9), [inside, inside, inside]);
  assertEquals(places(three, [], -1, 9), [neither, neither, neither]);
});

Deno.test("a ring whose links work in one direction only is one component", () => {
  const ring = cut({ n0: ["n1"], n1: ["n2"], n2: ["n0"] }, { fromMs: 100, toMs: 200 });
  assertEquals(places(three, [ring], 100, 150), [inside, inside, inside]);
  // It has the same nodes as before.
  assertEquals(places(three, [ring], 50, 250), [inside, inside, inside]);
});

Deno.test("a node that is heard, or that hears, but not both is outside", () => {
  const deaf = cut({ n2: ["n0", "n1"] }, { fromMs: 0 });
  const mute = cut({ n0: ["n2"], n1: ["n2"] }, { fromMs: 0 });
  for (const fault of [deaf, mute]) {
    assertEquals(places(three, [fault], 0, 9), [inside, inside, outside]);
  }
});

Deno.test("of two groups the larger is inside, of halves none", () => {
  const groups = cut(splitGroups([["n0", "n1", "n4"], ["n2", "n3"]]), { fromMs: 0 });
  assertEquals(places(five, [groups], 1, 9), [inside, inside, outside, outside, inside]);
  const four = five.slice(0, 4);
  const halves = cut(splitGroups([["n0", "n1"], ["n2", "n3"]]), { fromMs: 0 });
  assertEquals(places(four, [halves], 1, 9), [outside, outside, outside, outside]);
});

Deno.test("who joins or leaves a majority changes it for all", () => {
  const alone = cut(splitGroups([["n0"], ["n1", "n2"]]), { fromMs: 100, toMs: 200 });
  assertEquals(places(three, [alone], 50, 99), [inside, inside, inside]);
  assertEquals(places(three, [alone], 50, 150), [neither, neither, neither]);
  assertEquals(places(three, [alone], 120, 150), [outside, inside, inside]);
  assertEquals(places(three, [alone], 150, 250), [neither, neither, neither]);
});

Deno.test("a cut that ends at the beginning is over, one that begins at the end is not", () => {
  const alone = cut(splitGroups([["n0"], ["n1", "n2"]]), { fromMs: 100, toMs: 200 });
  assertEquals(places(three, [alone], 200, 300), [inside, inside, inside]);
  assertEquals(places(three, [alone], 199, 300), [neither, neither, neither]);
  assertEquals(places(three, [alone], 0, 100), [neither, neither, neither]);
  assertEquals(places(three, [alone], 100, 199), [outside, inside, inside]);
  assertEquals(places(three, [alone], 100, 200), [neither, neither, neither]);
});

Deno.test("cuts that overlap are both on", () => {
  const first = cut(splitGroups([["n0"], ["n1", "n2"]]), { fromMs: 0, toMs: 200 });
  const second = cut({ n1: ["n2"] }, { fromMs: 100, toMs: 300 });
  assertEquals(places(three, [first, second], 0, 99), [outside, inside, inside]);
  assertEquals(places(three, [first, second], 100, 199), [outside, outside, outside]);
  // By way of n0 what n2 sends reaches n1.
  assertEquals(places(three, [first, second], 200, 299), [inside, inside, inside]);
});

Deno.test("one cut that takes another's place in the same moment changes nothing", () => {
  const drops = splitGroups([["n0"], ["n1", "n2"]]);
  const faults = [cut(drops, { fromMs: 100, toMs: 200 }), cut(drops, { fromMs: 200, toMs: 300 })];
  assertEquals(places(three, faults, 150, 250), [outside, inside, inside]);
  assertEquals(segmentsOf(three, faults).map(({ fromMs, toMs }) => [fromMs, toMs]), [
    [0, 100],
    [100, 300],
    [300, Infinity],
  ]);
});

Deno.test("a killed or paused node is nowhere, and what is left may be a majority", () => {
  const pause = stop("pause", ["n1"], { fromMs: 100, toMs: 200 });
  const kill = stop("kill", ["n1"], { fromMs: 100, toMs: 200 });
  for (const fault of [pause, kill]) {
    assertEquals(places(three, [fault], 50, 99), [inside, inside, inside]);
    assertEquals(places(three, [fault], 50, 150), [neither, neither, neither]);
    assertEquals(places(three, [fault], 100, 199), [inside, neither, inside]);
    assertEquals(places(three, [fault], 200, 300), [inside, inside, inside]);
  }
  const two = stop("pause", ["n1", "n2"], { fromMs: 100, toMs: 200 });
  assertEquals(places(three, [two], 100, 199), [outside, neither, neither]);
});

Deno.test("a node that is started again is another, even if it is down for no time", () => {
  const kill = stop("kill", ["n1"], { fromMs: 100, toMs: 100 });
  assertEquals(places(three, [kill], 50, 150), [neither, neither, neither]);
  assertEquals(places(three, [kill], 100, 150), [inside, inside, inside]);
});

Deno.test("what cuts nothing off is no change", () => {
  const loss: PlanFault = { kind: "loss", drawn: "everywhere", probability: 1, fromMs: 100 };
  assertEquals(segmentsOf(three, [loss, cut({}, { fromMs: 50, toMs: 70 })]).length, 1);
});

// The reference: looks at single moments, and walks from each node to all it reaches.

/** Whether a fault is on at a moment. */
function isOn({ fromMs, toMs = Infinity }: PlanFault, atMs: number): boolean {
  return fromMs <= atMs && atMs < toMs;
}

function reachable(
  start: string,
  nodes: readonly string[],
  isCut: (a: string, b: string) => boolean,
) {
  const found = new Set([start]);
  for (const from of found) {
    for (const to of nodes) if (!isCut(from, to)) found.add(to);
  }
  return found;
}

/** The component of a node at a moment, with how often each of its nodes was killed before. */
function componentAt(
  nodeIds: readonly string[],
  faults: readonly PlanFault[],
  node: string,
  atMs: number,
): string[] | undefined {
  const on = faults.filter((fault) => isOn(fault, atMs));
  const nodes = nodeIds.filter((each) => !on.some((fault) => fault.nodes?.includes(each)));
  if (!nodes.includes(node)) return undefined;
  const isCut = (src: string, dest: string) => on.some(({ drops }) => drops?.[dest]?.includes(src));
  const around = nodes.filter((other) =>
    reachable(node, nodes, isCut).has(other) && reachable(other, nodes, isCut).has(node)
  );
  return around.map((each) => {
    const kills = faults.filter(({ kind, nodes, fromMs }) =>
      kind === "kill" && nodes?.includes(each) && fromMs <= atMs
    );
    return `${each} ${kills.length}`;
  });
}

function placeByMoments(
  nodeIds: readonly string[],
  faults: readonly PlanFault[],
  node: string,
  { fromMs, toMs }: Interval,
): string | undefined {
  if (fromMs < 0) return undefined;
  const times = faults.flatMap(({ fromMs, toMs = fromMs }) => [fromMs, toMs]);
  const moments = [fromMs, ...times.filter((time) => time > fromMs && time <= toMs)];
  const found = moments.map((atMs) => componentAt(nodeIds, faults, node, atMs));
  const isMajority = (component: string[]) => 2 * component.length > nodeIds.length;
  if (found.some((component) => component === undefined)) return undefined;
  const components = found.filter((component) => component !== undefined);
  if (!components.some(isMajority)) return "outside";
  const names = new Set(components.map((component) => component.join()));
  return components.every(isMajority) && names.size === 1 ? "inside" : undefined;
}

/** Faults and an interval at times so few that they often coincide. */
function drawSchedule(seed: number) {
  const random = seededRandom(seed, "schedule");
  const below = (bound: number) => randomBelow(random, bound);
  const nodeIds = five.slice(0, 1 + below(5));
  const faults = Array.from({ length: below(6) }, (): PlanFault => {
    const fromMs = below(20);
    const toMs = below(4) === 0 ? undefined : fromMs + below(10);
    const some = shuffled(random, nodeIds).slice(0, 1 + below(2));
    const kind = PARTITIONS[below(PARTITIONS.length)] ?? "one";
    switch (below(4)) {
      case 0:
        return stop("kill", some, { fromMs, toMs });
      case 1:
        return stop("pause", some, { fromMs, toMs });
      case 2:
        return cut(drawPartition(kind, nodeIds, random), { fromMs, toMs });
      default: {
        const lists = nodeIds.map((dest) => [dest, nodeIds.filter(() => below(3) === 0)]);
        return cut(Object.fromEntries(lists), { fromMs, toMs });
      }
    }
  });
  const fromMs = below(24) - 2;
  return { nodeIds, faults, interval: { fromMs, toMs: fromMs + below(8) } };
}

Deno.test("random schedules are judged as moment by moment", () => {
  const seen = new Map<string | undefined, number>();
  for (let seed = 0; seed < 1000; seed++) {
    const { nodeIds, faults, interval } = drawSchedule(seed);
    const segments = segmentsOf(nodeIds, faults);
    for (const node of nodeIds) {
      const place = placeOf(segments, node, interval);
      const expected = placeByMoments(nodeIds, faults, node, interval);
      assertEquals(place, expected, JSON.stringify({ seed, node, faults, interval }));
      seen.set(place, (seen.get(place) ?? 0) + 1);
    }
  }
  for (const place of ["inside", "outside", undefined]) assert((seen.get(place) ?? 0) > 200);
});
