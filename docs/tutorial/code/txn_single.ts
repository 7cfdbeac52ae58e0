#!/usr/bin/env -S deno run
import { Node, serve } from "@eddy/maelstrom";

type Operation = ["r" | "w", key: number, value: number | null];

const node = new Node();
const registers = new Map<number, number | null>();

function execute([f, key, value]: Operation): Operation {
  if (f === "r") return [f, key, registers.get(key) ?? null];
  registers.set(key, value);
  return [f, key, value];
}

node.on("txn", ({ body }) => ({ txn: (body.txn as Operation[]).map(execute) }));

await serve(node);
