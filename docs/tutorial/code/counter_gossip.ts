#!/usr/bin/env -S deno run
import { Node, serve } from "@eddy/maelstrom";

const node = new Node();
/** What each node has added, as far as this one knows. */
const totals = new Map<string, number>();

function totalOf(id: string): number {
  return totals.get(id) ?? 0;
}

node.on("add", ({ body }) => {
  totals.set(node.id, totalOf(node.id) + Number(body.delta));
  return {};
});

node.on("read", () => ({ value: [...totals.values()].reduce((sum, total) => sum + total, 0) }));

node.on("total", ({ src, body }) => {
  totals.set(src, Math.max(totalOf(src), Number(body.total)));
});

node.every(1000, () => node.broadcast({ type: "total", total: totalOf(node.id) }));

await serve(node);
