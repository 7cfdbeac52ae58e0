/**
 * What an event costs: all its messages among all nodes, JSON included, nothing but the network.
 *
 * `deno bench --config lab/deno.json lab/gossip`; one iteration spreads 1000 values, 1000 a second.
 *
 * @module
 */

import { SimulatedCluster } from "./cluster.ts";
import { Totals, ValueSet } from "@eddy/handlers/gossip/crdts.ts";

const EVENTS = 1000;

/** A cluster of sets that takes a thousand values a second, already holding some. */
function feed(count: number, held: number): () => void {
  const nodes = new SimulatedCluster({
    count,
    seed: 1,
    maxLatencyMs: 550,
    makeStore: () => new ValueSet(),
    latencyMs: () => 20,
  });
  let value = 0;
  const run = (events: number) => {
    const startMs = nodes.nowMs;
    for (let i = 0; i < events; i++) {
      nodes.at(startMs + i, () => {
        nodes.append(value % count, ({ store, core }) => store.add(core.stream, value));
        value++;
      });
    }
    nodes.runUntil(startMs + events);
  };
  for (let done = 0; done < held; done += EVENTS) run(EVENTS);
  return () => run(EVENTS);
}

for (const count of [3, 25, 100]) {
  const run = feed(count, 0);
  Deno.bench(`spread 1000 values among ${count} nodes`, { group: "nodes" }, run);
}

for (const held of [0, 100_000, 1_000_000]) {
  let run: (() => void) | undefined;
  Deno.bench(`spread 1000 values among 3 nodes that hold ${held}`, { group: "history" }, (b) => {
    run ??= feed(3, held);
    b.start();
    run();
    b.end();
  });
}

{
  const nodes = new SimulatedCluster({
    count: 3,
    seed: 1,
    maxLatencyMs: 2400,
    makeStore: () => new Totals(),
    latencyMs: () => 20,
  });
  Deno.bench("spread 1000 additions among 3 nodes", { group: "counter" }, () => {
    const startMs = nodes.nowMs;
    for (let i = 0; i < EVENTS; i++) {
      nodes.at(startMs + i, () => {
        nodes.append(i % 3, ({ store, core }) => void store.add(core.stream, 1));
      });
    }
    nodes.runUntil(startMs + EVENTS);
  });
}
