import { assert, assertEquals } from "@std/assert";
import { layColumns } from "./columns.ts";
import type { Lane } from "./lanes.ts";
import { Viewport } from "./viewport.ts";

Deno.test("a view moves until its end, and says whether it moved", () => {
  const view = new Viewport(0, 1000, 8);
  view.show(100, 200);
  assertEquals([view.pan(50), view.from, view.to], [true, 150, 250]);
  assertEquals([view.pan(5000), view.to], [true, 1005]);
  assertEquals([view.pan(10), view.pan(-10)], [false, true]);
  view.show(-500, -450);
  assertEquals(view.from, -2.5);
});

Deno.test("zooming keeps the place under the pointer, up to a least and to all", () => {
  const view = new Viewport(0, 1000, 8);
  view.show(400, 500);
  view.zoom(2, 425);
  assertEquals([view.from, view.to], [412.5, 462.5]);
  view.zoom(1e6);
  assert(Math.abs(view.span - 8) < 1e-6);
  view.zoom(1e-6);
  assert(view.from < 0 && view.to > 1000 && view.span < 1200);
});

const lanesOf = (clients: number, nodes: number): Lane[] => [
  ...Array.from({ length: clients }, (_, i): Lane => ({
    kind: "client",
    name: `c${i}`,
    endpoints: [],
    processes: [],
  })),
  ...Array.from(
    { length: nodes },
    (_, i): Lane => ({ kind: "node", name: `n${i}`, endpoints: [], processes: [] }),
  ),
];

Deno.test("columns share the width; many clients are drawn narrow, many nodes are moved", () => {
  const none = new Set<number>();
  const wide = layColumns(lanesOf(3, 3), none, 1000, 0);
  assertEquals([wide.folded.size, wide.maxOffset], [0, 0]);
  const narrow = layColumns(lanesOf(6, 3), none, 400, 0);
  assertEquals([narrow.folded.size, narrow.maxOffset], [6, 0]);
  const many = layColumns(lanesOf(25, 25), none, 1000, 100);
  assert(many.folded.size === 25 && many.maxOffset > 200 && many.offset === 100);
  const alone = layColumns(lanesOf(5, 0), none, 1000, 0);
  assertEquals([alone.folded.size, Math.round(alone.maxOffset)], [0, 0]);
});

Deno.test("of folded clients those that are selected have room for their names", () => {
  const none = new Set<number>();
  const { folded, widths, maxOffset } = layColumns(lanesOf(6, 3), none, 500, 0, new Set([2, 7]));
  assertEquals([[...folded], maxOffset], [[0, 1, 3, 4, 5], 0]);
  assert((widths[2] ?? 0) >= 70 && (widths[1] ?? 0) < 20, widths.join());
});

Deno.test("a hidden column leaves its width to the others", () => {
  const all = layColumns(lanesOf(0, 3), new Set(), 500, 0);
  const two = layColumns(lanesOf(0, 3), new Set([1]), 500, 0);
  assertEquals([two.xs[1], two.xs.length], [undefined, 3]);
  assert((two.widths[0] ?? 0) > (all.widths[0] ?? 0));
});
