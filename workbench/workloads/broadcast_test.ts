import { assertEquals } from "@std/assert";
import type { RunOptions } from "../options.ts";
import { topologyOf } from "./broadcast.ts";

const nodes = (n: number) => Array.from({ length: n }, (_, i) => `n${i}`);

/** Neighbours as they would be drawn: `0: 1 3`, one node a line. */
function drawn(name: RunOptions["topology"], n: number): string[] {
  return Object.entries(topologyOf(name, nodes(n)))
    .map(([node, others]) => `${node}: ${others.join(" ")}`.replaceAll("n", ""));
}

Deno.test("a line is a chain, and leaves a single node out", () => {
  assertEquals(drawn("line", 4), ["0: 1", "1: 0 2", "2: 1 3", "3: 2"]);
  assertEquals(drawn("line", 2), ["0: 1", "1: 0"]);
  assertEquals(topologyOf("line", nodes(1)), {});
});

Deno.test("a grid is as square as its nodes allow", () => {
  // 0 1 2
  // 3 4 5
  // 6 7
  assertEquals(drawn("grid", 8), [
    "0: 3 1",
    "1: 4 2 0",
    "2: 5 1",
    "3: 6 0 4",
    "4: 7 1 5 3",
    "5: 2 4",
    "6: 3 7",
    "7: 4 6",
  ]);
  // 0 1 2
  // 3 4
  assertEquals(drawn("grid", 5), ["0: 3 1", "1: 4 2 0", "2: 1", "3: 0 4", "4: 1 3"]);
  assertEquals(topologyOf("grid", nodes(1)), { n0: [] });
});

Deno.test("a tree is a heap", () => {
  const binary = ["0: 1 2", "1: 0 3 4", "2: 0 5", "3: 1", "4: 1", "5: 2"];
  assertEquals(drawn("tree", 6), binary);
  assertEquals(drawn("tree2", 6), binary);
  assertEquals(drawn("tree3", 6), ["0: 1 2 3", "1: 0 4 5", "2: 0", "3: 0", "4: 1", "5: 1"]);
  assertEquals(drawn("tree4", 6), ["0: 1 2 3 4", "1: 0 5", "2: 0", "3: 0", "4: 0", "5: 1"]);
  assertEquals(topologyOf("tree4", nodes(1)), { n0: [] });
});

Deno.test("in total, everyone is everyone's neighbour", () => {
  assertEquals(drawn("total", 3), ["0: 1 2", "1: 0 2", "2: 0 1"]);
});

Deno.test("neighbours see each other", () => {
  for (const name of ["line", "grid", "tree", "tree3", "tree4", "total"] as const) {
    for (let n = 1; n <= 30; n++) {
      const edges = Object.entries(topologyOf(name, nodes(n)))
        .flatMap(([node, others]) => others.map((other) => `${node} ${other}`));
      const back = edges.map((edge) => edge.split(" ").reverse().join(" "));
      assertEquals(edges.toSorted(), back.toSorted(), `${name} of ${n}`);
    }
  }
});
