#!/usr/bin/env -S deno run
import { Node, serve } from "@eddy/maelstrom";

type Operation = ["r" | "w", key: number, value: number | null];

const node = new Node();
const registers = new Map<number, number | null>();

node.on("txn", ({ body }) => {
  const snapshot = new Map(registers);
  const txn = (body.txn as Operation[]).map(([f, key, value]): Operation => {
    if (f === "r") return [f, key, snapshot.get(key) ?? null];
    registers.set(key, value);
    return [f, key, value];
  });
  return { txn };
});

await serve(node);
