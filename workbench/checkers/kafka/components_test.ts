import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { components, shortestCycle } from "./components.ts";

const graphs = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(fc.array(fc.nat(size - 1), { maxLength: 3 }), { minLength: size, maxLength: size })
);

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
      for (const [i, component] of components(graph).entries()) {
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
        const cycle = shortestCycle(graph, start, () => true);
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
  const graph = [[1, 3], [2], [0], [0]];
  assertEquals(shortestCycle(graph, 0, () => true), [0, 3]);
  assertEquals(shortestCycle(graph, 0, (vertex) => vertex !== 3), [0, 1, 2]);
});

Deno.test("a long chain needs no deep stack", () => {
  const size = 200_000;
  const ring = Array.from({ length: size }, (_, i) => [(i + 1) % size]);
  assertEquals(components(ring).map(({ length }) => length), [size]);
});
