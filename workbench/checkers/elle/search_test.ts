import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CYCLE_TYPES, impliedAnomalies } from "./consistency_model.ts";
import { classify } from "./cycles.ts";
import { GraphBuilder, PROCESS, REALTIME, RW, WR, WW } from "../graph.ts";
import { findCycle, SHAPES, simple } from "./search.ts";

const kinds = [WW, WR, RW, PROCESS, REALTIME] as const;
type Kind = typeof kinds[number];
const names = ["ww", "wr", "rw", "process", "realtime"] as const;
type Edge = readonly [number, number, Kind];

const nodes = 5;
// A graph has the order of processes or that of time, not both.
const edges = fc.constantFrom<Kind>(PROCESS, REALTIME).chain((order) =>
  fc.uniqueArray(
    fc.tuple(fc.nat(nodes - 1), fc.nat(nodes - 1), fc.constantFrom<Kind>(WW, WR, RW, order)),
    { minLength: 5, maxLength: 14, selector: ([a, b, kind]) => `${a} ${b} ${kind}` },
  )
);

/** What a cycle through some nodes can be, whichever of their edges it takes. */
function typesOf(cycle: readonly number[], all: readonly Edge[]): Set<string> {
  let ways: (typeof names[number])[][] = [[]];
  for (const [i, node] of cycle.entries()) {
    const next = cycle[(i + 1) % cycle.length];
    const here = all.filter(([from, to]) => from === node && to === next)
      .flatMap(([, , kind]) => names[kinds.indexOf(kind)] ?? []);
    ways = ways.flatMap((way) => here.map((name) => [...way, name]));
  }
  return new Set(ways.flatMap((way) => classify(way) ?? []));
}

/** Every cycle, each from its lowest node. */
function allCycles(all: readonly Edge[]): number[][] {
  const found: number[][] = [];
  const walk = (path: number[]) => {
    const [start = 0] = path;
    for (const next of new Set(all.filter(([from]) => from === path.at(-1)).map(([, to]) => to))) {
      if (next === start && path.length > 1) found.push(path);
      if (next > start && !path.includes(next)) walk([...path, next]);
    }
  };
  for (let start = 0; start < nodes; start++) walk([start]);
  return found;
}

Deno.test("a search finds a shortest cycle of its kind, unless there are ones looked for earlier", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(edges, (all) => {
      const builder = new GraphBuilder(nodes);
      for (const [from, to, kind] of all) builder.link(from, to, kind);
      const graph = builder.build();
      const cycles = allCycles(all).map((cycle) => ({ cycle, types: typesOf(cycle, all) }));
      for (const type of CYCLE_TYPES) {
        const shape = SHAPES.get(type);
        assert(shape !== undefined);
        const { cycle, exhausted } = findCycle(graph, shape, { steps: 1e6 }, (path) => {
          return typesOf(path, all).has(type) ? path : undefined;
        });
        assert(!exhausted);
        const matching = cycles.filter(({ types }) => types.has(type));
        const shortest = Math.min(...matching.map((each) => each.cycle.length));
        if (cycle !== undefined) {
          seen.add(type);
          assert(cycle.length >= shortest);
        }
        if ((cycle?.length ?? Infinity) === shortest) continue;
        // The search met a shorter walk that falls apart into cycles of types that are looked for earlier.
        const others = cycles.flatMap(({ types }) => [...types]);
        assert(others.some((each) => CYCLE_TYPES.indexOf(each) < CYCLE_TYPES.indexOf(type)));
      }
    }),
    { numRuns: 1000 },
  );
  assertEquals([...seen].sort(), [...CYCLE_TYPES].sort());
});

Deno.test("a search stops when its budget is spent, and says so", () => {
  const builder = new GraphBuilder(100);
  for (let i = 0; i < 100; i++) builder.link(i, (i + 1) % 100, i === 0 ? WR : WW);
  const shape = SHAPES.get("G1c");
  assert(shape !== undefined);
  const run = (steps: number) => findCycle(builder.build(), shape, { steps }, (path) => path);
  assertEquals(run(10), { exhausted: true });
  assertEquals(run(1000).cycle?.length, 100);
});

Deno.test("classify names a cycle by its edges", () => {
  assertEquals(classify(["ww", "ww"]), "G0");
  assertEquals(classify(["ww", "wr"]), "G1c");
  assertEquals(classify(["rw", "wr"]), "G-single-item");
  assertEquals(classify(["rw", "wr", "rw", "ww"]), "G-nonadjacent-item");
  assertEquals(classify(["rw", "rw"]), "G2-item");
  assertEquals(classify(["rw", "wr", "rw"]), "G2-item");
  assertEquals(classify(["ww", "process"]), "G0-process");
  assertEquals(classify(["rw", "process", "realtime"]), "G-single-item-realtime");
  assertEquals(classify(["realtime", "realtime"]), undefined);
});

Deno.test("simple cuts a walk at the nodes that it meets again", () => {
  assertEquals(simple([1, 2, 3]), [[1, 2, 3]]);
  assertEquals(simple([1, 2, 3, 4, 2, 5]), [[2, 3, 4], [1, 2, 5]]);
});

Deno.test("every kind of cycle has a shape, and implies what it is a special case of", () => {
  assertEquals([...SHAPES.keys()].sort(), [...CYCLE_TYPES].sort());
  assert(impliedAnomalies(["G-single-item"]).has("G2-item-realtime"));
});
