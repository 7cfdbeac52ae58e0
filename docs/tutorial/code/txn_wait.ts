#!/usr/bin/env -S deno run
import { Node, serve } from "@eddy/maelstrom";

type Operation = ["r" | "w", key: number, value: number | null];

const node = new Node();
const registers = new Map<number, number | null>();

async function execute([f, key, value]: Operation): Promise<Operation> {
  if (f === "r") return [f, key, registers.get(key) ?? null];
  registers.set(key, value);
  await Promise.all(
    node.otherNodes.map((peer) => node.rpc(peer, { type: "write", key, value })),
  );
  return [f, key, value];
}

node.on("txn", async ({ body }) => {
  const txn: Operation[] = [];
  for (const operation of body.txn as Operation[]) txn.push(await execute(operation));
  return { txn };
});

node.on("write", ({ body }) => {
  registers.set(Number(body.key), body.value as number | null);
  return {};
});

await serve(node);
