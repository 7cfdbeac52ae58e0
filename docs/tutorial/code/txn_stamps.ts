#!/usr/bin/env -S deno run
import { errorText, Node, serve } from "@eddy/maelstrom";

type Operation = ["r" | "w", key: number, value: number | null];
type Stamp = [count: number, id: string, place: number];
type Write = [key: number, value: number | null, stamp: Stamp];

const node = new Node();
const registers = new Map<number, Write>();
/** The highest count seen: a Lamport clock. */
let clock = 0;

function isLater([count, id, place]: Stamp, [otherCount, otherId, otherPlace]: Stamp): boolean {
  if (count !== otherCount) return count > otherCount;
  return id === otherId ? place > otherPlace : id > otherId;
}

function apply(write: Write): void {
  const [key, , stamp] = write;
  const old = registers.get(key);
  if (old === undefined || isLater(stamp, old[2])) registers.set(key, write);
  clock = Math.max(clock, stamp[0]);
}

function replicate(write: Write): void {
  for (const peer of node.otherNodes) {
    node.retry(() => node.rpc(peer, { type: "write", write }), { timeoutMs: Infinity })
      .catch((error) => node.log(errorText(error)));
  }
}

node.on("txn", ({ body }) => {
  const count = clock + 1;
  const txn = (body.txn as Operation[]).map(([f, key, value], place): Operation => {
    if (f === "r") return [f, key, registers.get(key)?.[1] ?? null];
    const write: Write = [key, value, [count, node.id, place]];
    apply(write);
    replicate(write);
    return [f, key, value];
  });
  return { txn };
});

node.on("write", ({ body }) => {
  apply(body.write as Write);
  return {};
});

await serve(node);
