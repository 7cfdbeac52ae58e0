#!/usr/bin/env -S deno run
import { errorText, Node, serve } from "@eddy/maelstrom";

type Operation = ["r" | "w", key: number, value: number | null];
type Write = [key: number, value: number | null, count: number, id: string];

const node = new Node();
const registers = new Map<number, Write>();
/** The highest count seen: a Lamport clock. */
let clock = 0;

function isLater([, , count, id]: Write, [, , otherCount, otherId]: Write): boolean {
  return count > otherCount || (count === otherCount && id > otherId);
}

function apply(write: Write): void {
  const [key, , count] = write;
  const old = registers.get(key);
  if (old === undefined || isLater(write, old)) registers.set(key, write);
  clock = Math.max(clock, count);
}

function execute([f, key, value]: Operation): Operation {
  if (f === "r") return [f, key, registers.get(key)?.[1] ?? null];
  const write: Write = [key, value, clock + 1, node.id];
  apply(write);
  for (const peer of node.otherNodes) {
    node.retry(() => node.rpc(peer, { type: "write", write }), { timeoutMs: Infinity })
      .catch((error) => node.log(errorText(error)));
  }
  return [f, key, value];
}

node.on("txn", ({ body }) => ({ txn: (body.txn as Operation[]).map(execute) }));

node.on("write", ({ body }) => {
  apply(body.write as Write);
  return {};
});

await serve(node);
