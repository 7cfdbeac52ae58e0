#!/usr/bin/env -S deno run
import { Node, serve } from "@eddy/maelstrom";

type Operation = ["r" | "w", key: number, value: number | null];
type Stamp = [count: number, id: string, place: number];
type Write = [key: number, value: number | null, stamp: Stamp];

const node = new Node();
const registers = new Map<number, Write>();
/** The highest count seen: a Lamport clock. */
let clock = 0;
/** The writes of each transaction of this node, in order, for the other nodes to fetch. */
const writeSets: Write[][] = [];
/** How many write sets this node has fetched from each other. */
const fetched = new Map<string, number>();

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

node.on("txn", ({ body }) => {
  const count = clock + 1;
  const writes: Write[] = [];
  const txn = (body.txn as Operation[]).map(([f, key, value], place): Operation => {
    if (f === "r") return [f, key, registers.get(key)?.[1] ?? null];
    const write: Write = [key, value, [count, node.id, place]];
    apply(write);
    writes.push(write);
    return [f, key, value];
  });
  if (writes.length > 0) writeSets.push(writes);
  return { txn };
});

node.on("fetch", ({ body }) => ({ writeSets: writeSets.slice(Number(body.from)) }));

async function fetchFrom(peer: string): Promise<void> {
  const from = fetched.get(peer) ?? 0;
  const reply = await node.rpc(peer, { type: "fetch", from });
  const news = reply.writeSets as Write[][];
  // No await from here on: whoever reads sees all writes of a transaction or none.
  news.flat().forEach(apply);
  fetched.set(peer, from + news.length);
}

node.onInit(() => {
  for (const peer of node.otherNodes) node.every(100, () => fetchFrom(peer));
});

await serve(node);
