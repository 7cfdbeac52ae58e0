import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { SimulatedCluster, type SimulatedClusterOptions } from "./cluster.ts";
import { ValueSet } from "@eddy/handlers/gossip/crdts.ts";

/** A cluster of sets whose messages take 100 ms. */
function cluster(
  options: Partial<SimulatedClusterOptions<ValueSet>> = {},
): SimulatedCluster<ValueSet> {
  return new SimulatedCluster({
    count: 25,
    seed: 1,
    maxLatencyMs: 550,
    makeStore: () => new ValueSet(),
    latencyMs: () => 100,
    ...options,
  });
}

/** Adds values at random nodes about every `everyMs`; returns when each was added. */
function addValues(
  nodes: SimulatedCluster<ValueSet>,
  { count, everyMs }: { count: number; everyMs: number },
): Map<number, number> {
  const addedAtMs = new Map<number, number>();
  for (let value = 0; value < count; value++) {
    const atMs = value * everyMs + everyMs * nodes.random.next();
    nodes.at(atMs, () => {
      const place = Math.floor(nodes.random.next() * nodes.names.length);
      addedAtMs.set(value, atMs);
      nodes.append(place, ({ store, core }) => store.add(core.stream, value));
    });
  }
  return addedAtMs;
}

/** The longest that any value took to be everywhere, looking every 5 ms. */
function worstLatencyMs(
  nodes: SimulatedCluster<ValueSet>,
  addedAtMs: ReadonlyMap<number, number>,
  endMs: number,
): number {
  const missing = new Set<number>();
  let worstMs = 0;
  let seen = 0;
  for (let ms = 0; ms <= endMs; ms += 5) {
    nodes.runUntil(ms);
    for (const value of [...addedAtMs.keys()].slice(seen)) missing.add(value);
    seen = addedAtMs.size;
    for (const value of missing) {
      if (nodes.nodes.some(({ store }) => !store.values.includes(value))) continue;
      missing.delete(value);
      worstMs = Math.max(worstMs, ms - (addedAtMs.get(value) ?? 0));
    }
  }
  return missing.size > 0 ? Infinity : worstMs;
}

Deno.test("a value is everywhere within the budget, for about a message a value", () => {
  const nodes = cluster();
  const addedAtMs = addValues(nodes, { count: 500, everyMs: 20 });
  assertLess(worstLatencyMs(nodes, addedAtMs, 12_000), 550 + 5);
  nodes.runUntil(60_000);
  assertLess(nodes.sent / 500, 2.6);
});

/** 25 processes that start on two processors, whose first messages take each of them long. */
function coldCluster(maxLatencyMs: number): SimulatedCluster<ValueSet> {
  return cluster({
    maxLatencyMs,
    busyMs: (count) => 0.5 + 4 * Math.exp(-count / 15),
    latencyMs: (random) => 100 - 2 * Math.log(1 - random.next()),
  });
}

Deno.test("what misses a hub's message, on busy processors, does not wait for the one after it", () => {
  for (const [maxLatencyMs, worstMs, messages] of [[550, 750, 2.75], [1500, 1650, 0.95]] as const) {
    const nodes = coldCluster(maxLatencyMs);
    const addedAtMs = addValues(nodes, { count: 1000, everyMs: 20 });
    assertLess(worstLatencyMs(nodes, addedAtMs, 24_000), worstMs);
    nodes.runUntil(60_000);
    assertLess(nodes.sent / 1000, messages);
  }
});

Deno.test("a larger budget costs fewer messages", () => {
  const costs = [300, 600, 1200, 2400].map((maxLatencyMs) => {
    const nodes = cluster({ maxLatencyMs });
    addValues(nodes, { count: 500, everyMs: 20 });
    nodes.runUntil(60_000);
    return nodes.sent;
  });
  assertEquals(costs, costs.toSorted((a, b) => b - a));
});

Deno.test("with a budget of 0 a value goes to all nodes at once", () => {
  const nodes = cluster({ maxLatencyMs: 0 });
  const addedAtMs = addValues(nodes, { count: 200, everyMs: 20 });
  assertLess(worstLatencyMs(nodes, addedAtMs, 6000), 100 + 6);
  nodes.runUntil(60_000);
  assertLess(nodes.sent / 200, 24.8);
});

Deno.test("a single value does not wait for others", () => {
  const nodes = cluster();
  addValues(nodes, { count: 100, everyMs: 20 });
  nodes.runUntil(30_000);
  nodes.append(7, ({ store, core }) => store.add(core.stream, "late"));
  nodes.runUntil(30_000 + 201);
  assert(nodes.nodes.every(({ store }) => store.values.includes("late")));
});

Deno.test("nodes without events send no messages", () => {
  const nodes = cluster();
  nodes.runUntil(1_000_000);
  assertEquals(nodes.sent, 0);
});

Deno.test("a node alone keeps no events, and sends nothing", () => {
  const nodes = cluster({ count: 1 });
  for (const value of [1, 2, 3]) {
    nodes.append(0, ({ store, core }) => store.add(core.stream, value));
  }
  nodes.runUntil(100_000);
  assertEquals([nodes.sent, nodes.nodes[0]?.store.kept], [0, 0]);
});

Deno.test("more than fits in one message comes in several, one after the other", () => {
  const nodes = cluster({ count: 3 });
  for (const other of ["n0", "n1"]) nodes.cuts.add(`n2>${other}`).add(`${other}>n2`);
  addValues(nodes, { count: 9000, everyMs: 1 });
  nodes.runUntil(12_000);
  assertGreater(9000, nodes.nodes[2]?.store.values.length ?? 9000);
  nodes.cuts.clear();
  nodes.runUntil(12_000 + 3000 + 2500);
  for (const { store } of nodes.nodes) assertEquals(store.values.length, 9000);
});

Deno.test("a node that lost its memory reads a long archive in parts", () => {
  const nodes = cluster({ count: 3 });
  addValues(nodes, { count: 12_000, everyMs: 1 });
  nodes.runUntil(30_000);
  nodes.restart(0);
  nodes.append(0, ({ store, core }) => store.add(core.stream, "again"));
  // In the middle of it: what it has is not yet what it says.
  nodes.runUntil(30_000 + 601);
  const [restarted] = nodes.nodes;
  const length = restarted?.store.values.length ?? 0;
  assert(length > 1 && length < 12_001, String(length));
  assertEquals(restarted?.store.have.filter((seq) => seq > 0), [1]);
  nodes.runUntil(40_000);
  for (const { store } of nodes.nodes) assertEquals(store.values.length, 12_001);
});

Deno.test("events that are repeated, since their acknowledgement was lost, are acknowledged again", () => {
  const nodes = cluster({ count: 2, latencyMs: () => 10 });
  nodes.cuts.add("n0>n1");
  nodes.append(1, ({ store, core }) => store.add(core.stream, "x"));
  nodes.runUntil(300);
  assertEquals(nodes.nodes[0]?.store.values, ["x"]);
  nodes.cuts.clear();
  nodes.runUntil(2000);
  const { sent } = nodes;
  nodes.runUntil(1_000_000);
  assertEquals(nodes.sent, sent);
  assertEquals(nodes.nodes[1]?.core.stable, nodes.nodes[1]?.store.have);
});

Deno.test("a topology is followed while nothing fails", () => {
  const nodes = cluster({ count: 4, latencyMs: () => 10 });
  const line = [["n1"], ["n0", "n2"], ["n1", "n3"], ["n2"]];
  const pairs = new Set<string>();
  nodes.onSend = (src, dest) => void pairs.add(`${src}>${dest}`);
  nodes.nodes.forEach(({ core }, place) => core.follow(line[place] ?? [], 3, 0));
  addValues(nodes, { count: 50, everyMs: 10 });
  nodes.runUntil(1500);
  for (const { store } of nodes.nodes) assertEquals(store.values.length, 50);
  assertEquals([...pairs].sort(), ["n0>n1", "n1>n0", "n1>n2", "n2>n1", "n2>n3", "n3>n2"]);
});

Deno.test("a hundred nodes agree", () => {
  const nodes = cluster({ count: 100 });
  addValues(nodes, { count: 300, everyMs: 10 });
  nodes.runUntil(8000);
  for (const { store } of nodes.nodes) assertEquals(store.values.length, 300);
});
