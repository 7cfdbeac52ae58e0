import { assert, assertEquals } from "@std/assert";
import { Totals, ValueSet } from "@eddy/handlers/gossip/crdts.ts";
import type { Json } from "@eddy/maelstrom";
import { breakAtRandom } from "./random_faults.ts";
import { seededRandom } from "@eddy/workbench/random.ts";
import { SimulatedCluster } from "./cluster.ts";

/** Runs more with `GOSSIP_SEEDS=300 deno test --allow-env --config lab/deno.json lab/gossip`. */
function seedCount(fallback: number): number {
  const granted = Deno.permissions.querySync({ name: "env", variable: "GOSSIP_SEEDS" }).state;
  return Number(granted === "granted" ? Deno.env.get("GOSSIP_SEEDS") ?? fallback : fallback);
}

/** Links of one run: from fast and even to slow and uneven. */
function latencyOf(seed: number): (random: { next(): number }) => number {
  const meanMs = [0, 5, 50, 100][seed % 4] ?? 0;
  return seed % 3 === 0
    ? () => meanMs
    : seed % 3 === 1
    ? (random) => 2 * meanMs * random.next()
    : (random) => -meanMs * Math.log(1 - random.next());
}

const FAULTS_END_MS = 15_000;
const sizes = [
  { count: 3, seeds: seedCount(40) },
  { count: 5, seeds: seedCount(30) },
  { count: 25, seeds: seedCount(6) },
];
const budgets = [0, 200, 550, 2200];

for (const { count, seeds } of sizes) {
  Deno.test(`whatever fails, ${count} nodes agree on a set 10 s after the heal, then fall silent`, () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const cluster = new SimulatedCluster({
        count,
        seed,
        maxLatencyMs: budgets[(seed >> 1) % 4] ?? 0,
        makeStore: () => new ValueSet(),
        latencyMs: latencyOf(seed),
      });
      const values: Json[] = [];
      for (let ms = 0; ms < FAULTS_END_MS; ms += 60) {
        const value = values.push(values.length) - 1;
        cluster.at(ms, () => {
          const place = Math.floor(cluster.random.next() * count);
          cluster.append(place, ({ store, core }) => store.add(core.stream, value));
        });
      }
      breakAtRandom(cluster, FAULTS_END_MS, 2000);
      cluster.runUntil(FAULTS_END_MS + 10_000);
      for (const { store } of cluster.nodes) {
        const held = [...store.values].sort((a, b) => Number(a) - Number(b));
        assertEquals(held, values, `seed ${seed}`);
      }
      cluster.runUntil(FAULTS_END_MS + 60_000);
      const { sent } = cluster;
      cluster.runUntil(FAULTS_END_MS + 1_000_000);
      assertEquals(cluster.sent, sent, `seed ${seed}: a node still sends`);
      for (const { store, core } of cluster.nodes) {
        assertEquals(store.kept, 0, `seed ${seed}: events are still kept`);
        assertEquals(core.wakeAtMs, Infinity, `seed ${seed}: a timer is still set`);
      }
    }
  });
}

Deno.test("whatever fails, totals agree 10 s after the heal", () => {
  for (let seed = 1; seed <= seedCount(30); seed++) {
    const count = seed % 2 === 0 ? 3 : 5;
    const cluster = new SimulatedCluster({
      count,
      seed,
      maxLatencyMs: 2200,
      makeStore: () => new Totals(),
      latencyMs: latencyOf(seed),
    });
    const random = seededRandom(seed, "additions");
    let sum = 0n;
    for (let ms = 0; ms < FAULTS_END_MS; ms += 40) {
      const delta = Math.floor(random.next() * 10) - 5;
      const place = Math.floor(random.next() * count);
      sum += BigInt(delta);
      cluster.at(ms, () => {
        cluster.append(place, ({ store, core }) => void store.add(core.stream, delta));
      });
    }
    breakAtRandom(cluster, FAULTS_END_MS, 2000);
    cluster.runUntil(FAULTS_END_MS + 10_000);
    for (const { store } of cluster.nodes) assertEquals(store.sum, sum, `seed ${seed}`);
  }
});

Deno.test("nodes that restart without memory do no harm, and get what the others have", () => {
  for (let seed = 1; seed <= seedCount(30); seed++) {
    const cluster = new SimulatedCluster({
      count: 5,
      seed,
      maxLatencyMs: 300,
      makeStore: () => new ValueSet(),
      latencyMs: latencyOf(seed),
    });
    // Values of a node that is not killed are never lost.
    const values: Json[] = [];
    for (let ms = 0; ms < FAULTS_END_MS; ms += 50) {
      const place = values.length % 5;
      const value = values.push(values.length) - 1;
      cluster.at(ms, () => {
        cluster.append(place, ({ store, core }) => store.add(core.stream, value));
      });
    }
    for (let ms = 1000; ms < FAULTS_END_MS; ms += 2500) {
      cluster.at(ms, () => cluster.restart(Math.floor(cluster.random.next() * 4)));
    }
    cluster.runUntil(FAULTS_END_MS + 15_000);
    const [first, ...others] = cluster.nodes.map(({ store }) =>
      new Set(store.values.map((value) => Number(value)))
    );
    assert(first !== undefined);
    for (const other of others) {
      assertEquals(other.symmetricDifference(first).size, 0, `seed ${seed}`);
    }
    for (const value of values) {
      if (Number(value) % 5 === 4) {
        assert(first.has(Number(value)), `seed ${seed}: ${value} is lost`);
      }
    }
  }
});
