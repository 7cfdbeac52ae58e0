import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Node } from "@eddy/maelstrom";
import { ClientIds } from "../clients/client.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { createInProcessCluster } from "../cluster/in_process.ts";
import { NEMESES, type NemesisName } from "../types.ts";
import { type Arena, createVirtualWorld } from "../world/world.ts";
import { Faults } from "./faults.ts";
import { Nemesis, type NemesisEvent } from "./nemesis.ts";

interface Bench {
  readonly world: Arena;
  readonly cluster: Cluster;
  readonly faults: Faults;
  /** Who got what every node now says to all others, 10 ms later: `n0>n1`, ... */
  readonly gossip: () => Promise<string[]>;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Runs `main` beside a cluster whose nodes note what they get. */
async function bench(
  count: number,
  main: (bench: Bench) => Promise<void>,
  seed = 1,
): Promise<void> {
  const world = createVirtualWorld(seed, { latency: { meanMs: 10, distribution: "constant" } });
  const nodeIds = Array.from({ length: count }, (_, index) => `n${index}`);
  const heard: string[] = [];
  const setup = (node: Node) => {
    node.on("say", ({ src }) => void heard.push(`${src}>${node.id}`));
    node.on("gossip", () => node.broadcast({ type: "say" }));
  };
  const cluster = createInProcessCluster({ world, nodeIds, setup });
  const faults = new Faults({ world, cluster });
  const sleep = (ms: number) => new Promise<void>((resolve) => world.clock.schedule(ms, resolve));
  const gossip = async () => {
    heard.length = 0;
    for (const dest of nodeIds) world.network.send({ src: "c99", dest, body: { type: "gossip" } });
    await sleep(11);
    return heard.toSorted();
  };
  await world.run(async () => {
    await cluster.start(new ClientIds());
    world.network.open("c99", () => {});
    await main({ world, cluster, faults, gossip, sleep });
    await cluster.stop();
  });
}

const ALL = ["n0>n1", "n0>n2", "n1>n0", "n1>n2", "n2>n0", "n2>n1"];
const without = (...links: string[]) => ALL.filter((link) => !links.includes(link));

Deno.test("partitions cut what they say, add up, and are repaired together or alone", async () => {
  await bench(3, async ({ faults, gossip }) => {
    assertEquals(await gossip(), ALL);
    faults.partition([["n0"], ["n1", "n2"]]);
    assertEquals(await gossip(), ["n1>n2", "n2>n1"]);
    const heal = faults.oneWay("n1", ["n1", "n2"]);
    assertEquals(await gossip(), ["n2>n1"]);
    heal();
    heal();
    assertEquals(await gossip(), ["n1>n2", "n2>n1"]);
    faults.repair();
    assertEquals(await gossip(), ALL);
    faults.isolate("n2");
    assertEquals(await gossip(), ["n0>n1", "n1>n0"]);
    faults.repair();
    faults.drop({ n0: ["n1"], n1: ["n2"], n2: ["n0"] });
    assertEquals(await gossip(), without("n1>n0", "n2>n1", "n0>n2"));
  });
});

Deno.test("a hold keeps messages back until it is released", async () => {
  await bench(3, async ({ faults, gossip, sleep }) => {
    faults.hold("n0", "n1");
    assertEquals(await gossip(), without("n0>n1", "n1>n0"));
    const later = gossip();
    faults.release();
    await sleep(0);
    assertEquals(await later, ["n0>n1", "n1>n0", ...ALL].sort());
  });
});

Deno.test("loss, duplication and slowness last until they are healed", async () => {
  await bench(3, async ({ faults, gossip, sleep }) => {
    const lossEnds = faults.loss(1);
    assertEquals(await gossip(), []);
    lossEnds();
    faults.duplicate(1);
    assertEquals(await gossip(), [...ALL, ...ALL].sort());
    await faults.healAll();
    faults.slow(["n0"], { factor: 2, extraMs: 5 });
    assertEquals(await gossip(), ["n1>n2", "n2>n1"]);
    await sleep(15);
    await faults.healAll();
    assertEquals(await gossip(), ALL);
  });
});

Deno.test("nodes are killed, started, paused and resumed; the dead do not stand still", async () => {
  await bench(3, async ({ faults, cluster, gossip }) => {
    await faults.crash(["n0", "n1"]);
    await faults.crash("n0");
    assertEquals(cluster.nodeIds.map((name) => cluster.isUp(name)), [false, false, true]);
    await faults.restart("n0");
    assertEquals(cluster.isUp("n0"), true);
    faults.pause(["n0", "n1"]);
    assertEquals(await gossip(), []);
    faults.resume("n0");
    await faults.crash("n0");
    await faults.healAll();
    assertEquals(await gossip(), ALL);
    assertEquals(faults.windows.map(({ description }) => description), [
      "n0 is down",
      "n1 is down",
      "n0 stands still",
      "n0 is down",
    ]);
  });
});

Deno.test("what was on when is on record, in a history's time", async () => {
  await bench(3, async ({ faults, sleep, world, cluster }) => {
    await sleep(5);
    faults.startTime();
    const start = world.clock.now();
    const heal = faults.partition([["n0"], ["n1", "n2"]]);
    await sleep(1.5);
    heal();
    await faults.crash("n1");
    await sleep(1);
    faults.pause("n2");
    await cluster.crash("n2");
    assertEquals(faults.windows, [
      { fault: "partition", description: "n0 | n1 n2", fromNs: 0, toNs: 1_500_000 },
      { fault: "kill", description: "n1 is down", fromNs: 1_500_000, toNs: undefined },
      { fault: "pause", description: "n2 stands still", fromNs: 2_500_000, toNs: undefined },
    ]);
    assertEquals(faults.toNs(start + 1), 1_000_000);
  });
});

/** The history of a nemesis of some kinds: seconds, f, value. */
async function history(kinds: readonly NemesisName[], seconds: number, seed = 1) {
  const log: [seconds: number, event: NemesisEvent][] = [];
  let up = 0;
  await bench(5, async ({ world, cluster, faults, sleep, gossip }) => {
    const { nodeIds } = cluster;
    const nemesis = new Nemesis({ world, faults, nodeIds, kinds, intervalSeconds: 10 });
    const start = world.clock.now();
    nemesis.start((event) => log.push([(world.clock.now() - start) / 1000, event]));
    await sleep(seconds * 1000);
    nemesis.stop();
    const events = log.length;
    await sleep(100_000);
    assertEquals(log.length, events);
    await nemesis.heal();
    assertEquals(faults.windows.filter(({ toNs }) => toNs === undefined), []);
    up = (await gossip()).length;
  }, seed);
  return { log, up };
}

Deno.test("a nemesis starts at once, stops and starts in turn, and heals in the end", async () => {
  for (const kind of NEMESES) {
    const { log, up } = await history([kind], 1000);
    assertEquals(up, 20, kind);
    const fs = log.map(([, { f }]) => f);
    const expected = [`start-${kind}`, `start-${kind}`, `stop-${kind}`, `stop-${kind}`];
    assertEquals(fs, fs.map((_, index) => expected[index % 4]));
    assertEquals(log[0]?.[0], 0);
    assertEquals(fs.length % 4, 0);
    const times = log.filter((_, index) => index % 2 === 0).map(([seconds]) => seconds);
    const gaps = times.slice(1, -1).map((seconds, index) => seconds - (times[index] ?? 0));
    assert(gaps.every((gap) => gap >= 0 && gap < 20.001), `${gaps}`);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    assert(mean > 8 && mean < 12, `${kind}: ${mean}`);
  }
});

Deno.test("a nemesis's operations say what was drawn, and what was done", async () => {
  const { log } = await history(["partition", "kill"], 500);
  const kinds = log.filter(([, { f, value }]) =>
    f === "start-partition" && typeof value === "string"
  );
  assertEquals(
    [...new Set(kinds.map(([, { value }]) => value))].toSorted(),
    ["majorities-ring", "majority", "minority-third", "one"],
  );
  const kills = log.filter(([, { f }]) => f.endsWith("-kill")).map(([, { value }]) => value);
  assert(["one", "minority", "majority", "all"].includes(String(kills[0])));
  assertEquals(Object.values(kills[1] ?? {})[0], "killed");
  assertEquals(kills[2], null);
  assertEquals(Object.values(kills[3] ?? {})[0], "started");
  assertEquals(Object.keys(kills[1] ?? {}), Object.keys(kills[3] ?? {}));
});

Deno.test("each kind has a schedule and draws of its own", async () => {
  const of = ({ log }: Awaited<ReturnType<typeof history>>, kind: string) =>
    log.filter(([seconds, { f }]) => f.endsWith(`-${kind}`) && seconds < 200);
  const alone = await history(["partition"], 200);
  const together = await history(["kill", "partition", "loss"], 200);
  assertEquals(of(together, "partition"), of(alone, "partition"));
  assertEquals(together.up, 20);
});

Deno.test("the same seed gives the same faults, another one others", async () => {
  const kinds = NEMESES;
  assertEquals(await history(kinds, 200), await history(kinds, 200));
  const [one, other] = [await history(kinds, 200, 1), await history(kinds, 200, 2)];
  assert(JSON.stringify(one) !== JSON.stringify(other));
});

Deno.test("what a nemesis cannot do is noted, and the run goes on", async () => {
  const world = createVirtualWorld(1);
  let isFirst = true;
  const setup = (node: Node) => {
    if (!isFirst) node.onInit(() => new Promise(() => {}));
    isFirst = false;
  };
  const cluster = createInProcessCluster({ world, nodeIds: ["n0"], setup });
  const faults = new Faults({ world, cluster });
  const values: unknown[] = [];
  await world.run(async () => {
    await cluster.start(new ClientIds());
    const nemesis = new Nemesis({
      world,
      faults,
      nodeIds: ["n0"],
      kinds: ["kill"],
      intervalSeconds: 1,
      targets: ["one"],
    });
    nemesis.start(({ value }) => values.push(value));
    await new Promise<void>((resolve) => world.clock.schedule(500, resolve));
    await nemesis.heal();
    await cluster.stop();
  });
  assertEquals(values, [
    "one",
    { n0: "killed" },
    null,
    "Expected node n0 to respond to an init message, but node did not respond. " +
    "No reply to init from n0 in 10000 ms",
  ]);
  await assertRejects(() => faults.crash("n5"), RangeError, "n5");
});
