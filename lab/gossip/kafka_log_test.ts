import { assert, assertEquals } from "@std/assert";
import { LogStore } from "@eddy/handlers/kafka_log.ts";
import type { Json } from "@eddy/maelstrom";
import { breakAtRandom } from "./random_faults.ts";
import { SimulatedCluster } from "./cluster.ts";

type Run = [offset: number, msg: Json][];

/** A poll, to be compared with what the log came to be. */
interface Poll {
  readonly key: string;
  readonly from: number;
  readonly got: Run;
}

function cluster(count: number, seed: number): SimulatedCluster<LogStore> {
  return new SimulatedCluster({
    count,
    seed,
    maxLatencyMs: 250,
    eager: true,
    makeStore: () => new LogStore(),
    onStart: ({ store, core }, place) => store.begin(core.stream, place, count),
    latencyMs: (random) => (seed % 3) * 20 * random.next(),
  });
}

/** Polls on from where the poller is, by key. */
function poll(store: LogStore, next: Map<string, number>, polls: Poll[]): void {
  for (const [key, from] of next) {
    const got = store.poll(key, from, 5);
    polls.push({ key, from, got });
    const last = got.at(-1)?.[0];
    if (last === undefined) continue;
    next.set(key, last + 1);
    store.commit(key, last);
  }
}

const END_MS = 12_000;
const keys = ["a", "b", "c"];

Deno.test("whatever fails, polls skip nothing that appears later, and all is shown in the end", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const count = [1, 2, 3, 5][seed % 4] ?? 3;
    const nodes = cluster(count, seed);
    const { random } = nodes;
    const sent = new Map<string, Map<number, number>>(keys.map((key) => [key, new Map()]));
    const polls: Poll[] = [];
    const pollers = nodes.names.map(() => new Map(keys.map((key) => [key, 0])));
    for (let ms = 0, msg = 0; ms < END_MS; ms += 20, msg++) {
      const place = Math.floor(random.next() * count);
      const key = keys[Math.floor(random.next() * keys.length)] ?? "a";
      nodes.at(ms, () => {
        nodes.append(place, ({ store }) => {
          const offset = store.send(key, msg);
          assert(!sent.get(key)?.has(offset), `seed ${seed}: offset ${offset} is given out twice`);
          sent.get(key)?.set(offset, msg);
        });
        nodes.append((place + 1) % count, ({ store }) => {
          poll(store, pollers[(place + 1) % count] ?? new Map(), polls);
        });
      });
    }
    breakAtRandom(nodes, END_MS, 2000);
    nodes.runUntil(END_MS + 10_000);
    for (const key of keys) {
      const log: Run = [...sent.get(key) ?? []].sort(([a], [b]) => a - b);
      for (const { store } of nodes.nodes) {
        assertEquals(store.poll(key, 0, Infinity), log, `seed ${seed}`);
      }
      for (const { from, got } of polls.filter((each) => each.key === key)) {
        const start = log.findIndex(([offset]) => offset >= from);
        if (got.length > 0) assertEquals(log.slice(start, start + got.length), got, `seed ${seed}`);
      }
      const committed = Math.max(...pollers.map((next) => next.get(key) ?? 0)) - 1;
      for (const { store } of nodes.nodes) {
        assertEquals(store.committed(key) ?? -1, committed, `seed ${seed}`);
      }
    }
  }
});

Deno.test("the parts of a cut cluster go on taking entries, and show none before no lower one can appear", () => {
  const nodes = cluster(3, 3);
  for (const other of ["n0", "n1"]) nodes.cuts.add(`n2>${other}`).add(`${other}>n2`);
  nodes.append(0, ({ store }) => store.send("k", "left"));
  nodes.append(2, ({ store }) => store.send("k", "right"));
  nodes.runUntil(5000);
  for (const { store } of nodes.nodes) assertEquals(store.poll("k", 0, 9), []);
  nodes.cuts.clear();
  nodes.runUntil(10_000);
  for (const { store } of nodes.nodes) {
    assertEquals(store.poll("k", 0, 9), [[0, "left"], [2, "right"]]);
  }
});

Deno.test("offsets stay dense: no more than one for each node and entry", () => {
  const nodes = cluster(3, 3);
  for (let i = 0; i < 300; i++) {
    nodes.at(i * 50, () => nodes.append(i % 3, ({ store }) => store.send("k", i)));
  }
  nodes.runUntil(20_000);
  const log = nodes.nodes[0]?.store.poll("k", 0, Infinity) ?? [];
  assertEquals(log.length, 300);
  assert((log.at(-1)?.[0] ?? Infinity) < 3 * 300);
});

Deno.test("nothing is committed that cannot be seen", () => {
  const store = new LogStore();
  store.begin(0, 0, 2);
  assert(!store.commit("k", 5));
  store.send("k", "x");
  store.send("k", "y");
  assert(!store.commit("k", 0), "sent, but not everywhere yet");
  store.settle([1]);
  assert(store.commit("k", 1000));
  assertEquals(store.committed("k"), 0);
  assertEquals(store.committed("other"), undefined);
});

Deno.test("commits that wait for a message share one event", () => {
  const store = new LogStore();
  store.begin(0, 0, 2);
  for (const key of keys) store.send(key, 1);
  store.settle([3]);
  for (const key of keys) store.commit(key, 0);
  assertEquals(store.have, [4]);
  assertEquals(store.since(0, 3, 9)?.events, [{ a: 0, b: 0, c: 0 }]);
  store.send("a", 2);
  store.settle([5]);
  store.commit("a", 2);
  assertEquals(store.have, [6]);
});

Deno.test("a node that lost its memory gets entries and commits from another's archive", () => {
  const nodes = cluster(3, 4);
  for (let i = 0; i < 20; i++) nodes.append(i % 2, ({ store }) => store.send("k", i));
  nodes.runUntil(3000);
  nodes.append(0, ({ store }) => store.commit("k", 6));
  nodes.runUntil(6000);
  nodes.restart(2);
  nodes.append(2, ({ store }) => store.send("other", "again"));
  nodes.runUntil(20_000);
  const [first, , last] = nodes.nodes.map(({ store }) => store);
  assertEquals(last?.poll("k", 0, 99), first?.poll("k", 0, 99));
  assertEquals(last?.poll("k", 0, 99).length, 20);
  assertEquals(last?.committed("k"), first?.committed("k"));
  assertEquals(first?.poll("other", 0, 9), [[2, "again"]]);
});
