import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { interleaved } from "../testing.ts";
import { linkRealtime } from "./elle/cycles.ts";
import { readTransactions } from "./elle/txn.ts";
import {
  at,
  components,
  cyclicComponents,
  type Graph,
  GraphBuilder,
  REALTIME,
  RW,
  shortestCycle,
  subgraph,
  THROUGH,
  WR,
  WW,
} from "./graph.ts";

/** The transactions that each transaction is linked to, waypoints seen through. */
function links(graph: Graph): Set<string> {
  const found = new Set<string>();
  for (let from = 0; from < graph.txns; from++) {
    const open = [from];
    const seen = new Set(open);
    for (const node of open) {
      for (let e = at(graph.start, node); e < at(graph.start, node + 1); e++) {
        const to = at(graph.to, e);
        if (node >= graph.txns) assertEquals(at(graph.kind, e), THROUGH);
        if (to < graph.txns) found.add(`${from}-${to}`);
        else if (!seen.has(to)) {
          seen.add(to);
          open.push(to);
        }
      }
    }
  }
  return found;
}

const some = fc.uniqueArray(fc.nat(39), { maxLength: 40 });

Deno.test("linkAll links each to each but none to itself, with few edges", () => {
  fc.assert(
    fc.property(some, some, (froms, tos) => {
      const builder = new GraphBuilder(40);
      builder.linkAll(froms, tos, RW);
      const expected = froms.flatMap((from) =>
        tos.filter((to) => to !== from).map((to) => `${from}-${to}`)
      );
      assertEquals(links(builder.build()), new Set(expected));
      assert(builder.edges <= 4 * (froms.length + tos.length));
    }),
    { numRuns: 200 },
  );
});

Deno.test("linkRealtime links a completion to what was invoked after it", () => {
  const texts = ["ax1", "fail: ax2", "info: ax3", "ax4", "rx1"];
  const all = readTransactions(interleaved(texts, "0 1 0 2 1 3 2 4 4 3"), "append");
  const id = texts.map((_, process) => [...all.txns].find((txn) => txn.op.process === process)?.id);
  const builder = new GraphBuilder(all.txns.length);
  linkRealtime(builder, all);
  const expected = [[0, 2], [0, 3], [0, 4]].map(([a = 0, b = 0]) => `${id[a]}-${id[b]}`);
  assertEquals(links(builder.build()), new Set(expected));
});

const edge = fc.tuple(fc.nat(7), fc.nat(7), fc.constantFrom(WW, WR, RW, REALTIME));

Deno.test("two nodes are in one component exactly when each reaches the other", () => {
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 20 }), (edges) => {
      const builder = new GraphBuilder(8);
      for (const [from, to, kind] of edges) builder.link(from, to, kind);
      const follow = WW | RW;
      const { of } = components(builder.build(), follow);
      const reaches = closure(edges.filter(([, , kind]) => kind & follow));
      for (let a = 0; a < 8; a++) {
        for (let b = 0; b < 8; b++) {
          assertEquals(of[a] === of[b], a === b || (reaches(a, b) && reaches(b, a)));
        }
      }
    }),
    { numRuns: 200 },
  );
});

function closure(edges: readonly (readonly [number, number, number])[]) {
  const reach = Array.from({ length: 8 }, () => new Set<number>());
  for (let round = 0; round < 8; round++) {
    for (const [from, to] of edges) {
      reach[from]?.add(to);
      reach[to]?.forEach((further) => reach[from]?.add(further));
    }
  }
  return (a: number, b: number) => reach[a]?.has(b) ?? false;
}

Deno.test("a part of a graph keeps the edges within it", () => {
  const builder = new GraphBuilder(5);
  builder.link(1, 3, WW);
  builder.link(3, 1, RW);
  builder.link(3, 4, WW);
  const graph = builder.build();
  const [nodes = []] = cyclicComponents(graph, WW | RW);
  assertEquals(nodes, [1, 3]);
  assertEquals(links(subgraph(graph, nodes)), new Set(["0-1", "1-0"]));
});

Deno.test("a path as long as a history does not overflow the stack", () => {
  const n = 200_000;
  const builder = new GraphBuilder(n);
  for (let i = 0; i < n; i++) builder.link(i, (i + 1) % n, WW);
  assertEquals(components(builder.build(), WW).count, 1);
});

// No vertex is its own successor: a graph has no such edge.
const graphs = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(fc.array(fc.nat(size - 1), { maxLength: 3 }), { minLength: size, maxLength: size })
).map((graph) => graph.map((successors, vertex) => successors.filter((each) => each !== vertex)));

/** The graph in which each vertex has some successors. */
function graphOf(successors: number[][]): Graph {
  const builder = new GraphBuilder(successors.length);
  for (const [vertex, each] of successors.entries()) {
    for (const successor of each) builder.link(vertex, successor, WR);
  }
  return builder.build();
}

/** Whether one vertex leads to another in one step or more. */
function leads(graph: number[][], start: number, end: number): boolean {
  const seen = new Set<number>();
  const queue = [start];
  for (const vertex of queue) {
    for (const next of graph[vertex] ?? []) {
      if (next === end) return true;
      if (!seen.has(next)) queue.push(next);
      seen.add(next);
    }
  }
  return false;
}

Deno.test("components hold what leads to each other, and nothing else", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const home = new Map<number, number>();
      for (const [i, component] of cyclicComponents(graphOf(graph), WR).entries()) {
        assert(component.length > 1);
        for (const vertex of component) {
          assert(!home.has(vertex));
          home.set(vertex, i);
        }
      }
      for (let a = 0; a < graph.length; a++) {
        for (let b = 0; b < a; b++) {
          const mutual = leads(graph, a, b) && leads(graph, b, a);
          assertEquals(home.has(a) && home.get(a) === home.get(b), mutual);
        }
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("a shortest cycle is a cycle, found where there is one", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      for (let start = 0; start < graph.length; start++) {
        const cycle = shortestCycle(graphOf(graph), WR, start, () => true);
        assertEquals(cycle !== undefined, leads(graph, start, start));
        for (const [i, vertex] of cycle?.entries() ?? []) {
          const next = cycle?.[i + 1] ?? start;
          assert(graph[vertex]?.includes(next));
        }
        assertEquals(cycle?.[0] ?? start, start);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("a shortest cycle is short, and keeps inside", () => {
  const graph = graphOf([[1, 3], [2], [0], [0]]);
  assertEquals(shortestCycle(graph, WR, 0, () => true), [0, 3]);
  assertEquals(shortestCycle(graph, WR, 0, (vertex) => vertex !== 3), [0, 1, 2]);
});

Deno.test("a long chain needs no deep stack", () => {
  const size = 200_000;
  const ring = Array.from({ length: size }, (_, i) => [(i + 1) % size]);
  assertEquals(cyclicComponents(graphOf(ring), WR).map(({ length }) => length), [size]);
});
