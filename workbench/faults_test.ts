import * as fc from "fast-check";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Node } from "@eddy/maelstrom";
import { Client, ClientIds } from "./client.ts";
import type { Cluster } from "./cluster.ts";
import { Disks } from "./disk.ts";
import {
  describeFault,
  drawPartition,
  drawTargets,
  type Drops,
  Faults,
  majority,
  PARTITIONS,
  splitGroups,
  TARGETS,
} from "./faults.ts";
import { NEMESES, Nemesis, type NemesisEvent, type NemesisName } from "./nemesis.ts";
import { createInProcessCluster } from "./in_process.ts";
import type { ProtocolError } from "./protocol.ts";
import { seededRandom } from "./random.ts";
import { createVirtualWorld, type World } from "./world.ts";

interface Bench {
  readonly world: World;
  readonly cluster: Cluster;
  readonly faults: Faults;
  /** The messages that arrive when every node sends one to all others: `n0>n1`, ... */
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
  const cluster = createInProcessCluster({ world, nodeIds, setup, disks: new Disks(world) });
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

Deno.test("what is dropped is described by groups, else by pairs and directions", async () => {
  await bench(3, ({ faults }) => {
    faults.drop({ n2: ["n0", "n1"], n0: ["n2"], n1: ["n2"] });
    faults.drop({ n0: ["n1", "n2"], n1: ["n0", "n2"], n2: ["n0", "n1"] });
    faults.drop({ n0: ["n1"], n1: ["n2"], n2: ["n0"] });
    faults.drop({ n0: ["n1"], n1: ["n0"] });
    faults.drop({ n0: ["n1", "n2"], n1: ["n0"], n2: [] });
    faults.drop({ n0: ["n3"], n1: ["n2"], n2: ["n1"], n3: ["n0"] });
    faults.drop({ n1: ["n0"], n2: ["n0"] });
    assertEquals(faults.windows.map(({ description }) => description), [
      "n0 n1 | n2",
      "n0 | n1 | n2",
      "n1 -/-> n0, n2 -/-> n1, n0 -/-> n2",
      "n0 | n1",
      "n0 -/- n1, n2 -/-> n0",
      "n0 -/- n3, n1 -/- n2",
      "n0 -/-> n1 n2",
    ]);
    return Promise.resolve();
  });
});

Deno.test("a fault of a plan that cuts nothing off is not called a fault", () => {
  assertEquals(
    describeFault({ kind: "partition", drops: { n0: ["n1"], n1: ["n0"] } }),
    "partition n0 | n1",
  );
  assertEquals(
    describeFault({ kind: "partition", drops: { n0: [] } }),
    "no fault: a partition that cuts nothing off",
  );
});

Deno.test("a fault of clocks is told with what it does to them", () => {
  const clock = { rate: 0.5, jumpMs: -1250 };
  assertEquals(
    describeFault({ kind: "clock", nodes: ["n0", "n1"], clock }),
    "n0 n1: clock x 0.5, time of day - 1.25 s",
  );
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

/** Keeps a value in the node's storage. */
function serveWrites(node: Node): void {
  node.on("write", ({ body }) => {
    node.storage.set("value", Number(body.value));
    return {};
  });
  node.on("read", () => ({ value: node.storage.get("value") ?? null }));
}

/** Runs `main` beside two nodes with disks, and something that asks them. */
async function diskBench(
  main: (
    bench: Pick<Bench, "world" | "cluster" | "faults" | "sleep"> & {
      readonly ask: (dest: string, body: { type: string; value?: number }) => Promise<unknown>;
    },
  ) => Promise<void>,
): Promise<ProtocolError[]> {
  const world = createVirtualWorld(1);
  const disks = new Disks(world);
  const errors: ProtocolError[] = [];
  const cluster = createInProcessCluster({
    world,
    nodeIds: ["n0", "n1"],
    setup: serveWrites,
    disks,
    onProtocolError: (error) => errors.push(error),
  });
  const faults = new Faults({ world, cluster });
  const ids = new ClientIds();
  const sleep = (ms: number) => new Promise<void>((resolve) => world.clock.schedule(ms, resolve));
  const ask = async (dest: string, body: { type: string; value?: number }) => {
    const client = new Client({ network: world.network, clock: world.clock, ids });
    const reply = await client.send(dest, body, 1000).catch(() => undefined);
    client.close();
    return reply?.type === "read_ok" ? reply.value : reply?.type;
  };
  await world.run(async () => {
    await cluster.start(ids);
    await main({ world, cluster, faults, sleep, ask });
    await cluster.stop();
  });
  return errors;
}

Deno.test("a killed node has what it synced, and is started when the last kill of it ends", async () => {
  await diskBench(async ({ cluster, faults, sleep, ask }) => {
    assertEquals(await ask("n0", { type: "write", value: 1 }), "write_ok");
    await faults.crash("n0", "disk-torn");
    await faults.crash(["n0"], "kill");
    assertEquals(faults.windows.map(({ fault, description }) => `${fault}: ${description}`), [
      "disk-torn: n0 is down, its last append torn",
      "kill: n0 is down",
    ]);
    await faults.restart("n0", "disk-torn");
    assertEquals([cluster.isUp("n0"), faults.isKilled("n0")], [false, true]);
    await faults.restart("n0");
    assertEquals([cluster.isUp("n0"), faults.isKilled("n0")], [true, false]);
    assertEquals(await ask("n0", { type: "read" }), 1);
    await sleep(1);
  });
});

Deno.test("a node whose sync fails is down until the fault ends", async () => {
  for (const failure of ["disk-full", "disk-eio"] as const) {
    const errors = await diskBench(async ({ cluster, faults, ask }) => {
      assertEquals(await ask("n1", { type: "write", value: 1 }), "write_ok");
      const heal = faults.failSyncs(["n0", "n1"], failure);
      assertEquals(await ask("n1", { type: "read" }), 1, "it need not sync for that");
      assertEquals(await ask("n1", { type: "write", value: 2 }), undefined);
      assertEquals([cluster.isUp("n0"), cluster.isUp("n1")], [true, false]);
      // Another fault's end starts it, and it ends again.
      await faults.crash("n1");
      await faults.restart("n1");
      assertEquals(cluster.isUp("n1"), true);
      assertEquals(await ask("n1", { type: "write", value: 2 }), undefined);
      assertEquals(cluster.isUp("n1"), false);
      const [n0, n1] = faults.windows.filter(({ fault }) => fault === failure);
      const why = failure === "disk-full" ? "its disk is full" : "its disk fails";
      assertEquals(n0?.description, `n0 cannot sync: ${why}`);
      assertEquals(n1?.description, "n1 is down, as a sync of its disk has failed");
      await heal();
      assertEquals(faults.windows.filter(({ toNs }) => toNs === undefined), []);
      assertEquals(await ask("n1", { type: "write", value: 3 }), "write_ok");
      assertEquals(await ask("n1", { type: "read" }), 3);
    });
    assertEquals(errors, [], "the plan has ended it");
  }
});

Deno.test("a node that ends at a failed sync and is killed meanwhile waits for the kill's end", async () => {
  await diskBench(async ({ cluster, faults, ask }) => {
    const heal = faults.failSyncs("n0", "disk-eio");
    assertEquals(await ask("n0", { type: "write", value: 2 }), undefined);
    await faults.crash("n0");
    await heal();
    assertEquals(cluster.isUp("n0"), false);
    await faults.healAll();
    assertEquals(cluster.isUp("n0"), true);
  });
});

Deno.test("slow disks delay what was written, and nothing else", async () => {
  await diskBench(async ({ world, faults, ask }) => {
    const took = async (type: string) => {
      const beganMs = world.clock.now();
      assertEquals(await ask("n0", { type, value: 1 }), type === "read" ? 1 : "write_ok");
      return world.clock.now() - beganMs;
    };
    assert(await took("write") < 1);
    const heal = faults.slowDisk("n0");
    assertEquals(faults.windows[0]?.description, "n0: syncs take 20 to 500 ms");
    assert(await took("write") >= 20);
    assertEquals(await took("read"), 0);
    heal();
    assert(await took("write") < 1);
  });
});

Deno.test("faults of disks are refused where nodes have none", async () => {
  await bench(2, async ({ world, cluster }) => {
    const without = createInProcessCluster({ world, nodeIds: cluster.nodeIds, setup: () => {} });
    const faults = new Faults({ world, cluster: without });
    const why = "the nodes of this run have no simulated disks";
    assertThrows(() => faults.slowDisk("n0"), RangeError, `Cannot inject disk-slow: ${why}`);
    assertThrows(() => faults.failSyncs("n0", "disk-eio"), RangeError, why);
    await assertRejects(() => faults.crash("n0", "disk-lose"), RangeError, why);
    assertEquals(faults.windows, []);
  });
});

/** Runs `main` beside two nodes that tell what their clocks show, now and a second later. */
async function clockBench(
  main: (
    bench: Pick<Bench, "cluster" | "faults" | "sleep"> & {
      /** What a node's clock shows. */
      readonly now: (node: string) => number;
      /** In how many milliseconds of the world's a node's timer of 100 ms runs. */
      readonly timer: (node: string) => Promise<number>;
    },
  ) => Promise<void>,
): Promise<void> {
  const world = createVirtualWorld(1);
  const nodes = new Map<string, Node>();
  const setup = (node: Node) => node.onInit(() => void nodes.set(node.id, node));
  const cluster = createInProcessCluster({ world, nodeIds: ["n0", "n1"], setup });
  const faults = new Faults({ world, cluster });
  const sleep = (ms: number) => new Promise<void>((resolve) => world.clock.schedule(ms, resolve));
  const clockOf = (name: string) => {
    const node = nodes.get(name);
    assert(node !== undefined);
    return node.clock;
  };
  const timer = async (name: string) => {
    const fromMs = world.clock.now();
    await new Promise<void>((resolve) => clockOf(name).schedule(100, resolve));
    return Math.round(world.clock.now() - fromMs);
  };
  await world.run(async () => {
    await cluster.start(new ClientIds());
    await main({ cluster, faults, sleep, now: (name) => clockOf(name).now(), timer });
    await cluster.stop();
  });
}

Deno.test("the clocks of some nodes run at another rate, until the fault ends", async () => {
  await clockBench(async ({ faults, sleep, now, timer }) => {
    const heal = faults.skewClocks("n0", { rate: 4, jumpMs: 5000 });
    const fromMs = now("n0");
    await sleep(100);
    assertEquals(Math.round(now("n0") - fromMs), 400, "the time of day alone has jumped");
    assertEquals([await timer("n0"), await timer("n1")], [25, 100]);
    heal();
    assertEquals([await timer("n0"), await timer("n1")], [100, 100]);
    const [{ fault, description, toNs } = { fault: "" }] = faults.windows;
    assertEquals([fault, description], ["clock", "n0: clock x 4, time of day + 5 s"]);
    assert(toNs !== undefined);
  });
});

Deno.test("a clock is its machine's: a node that starts again finds it as it is", async () => {
  await clockBench(async ({ faults, now, timer, sleep }) => {
    faults.skewClocks(["n0", "n1"], { rate: 0.25 });
    const fromMs = now("n0");
    await faults.crash("n0");
    await sleep(400);
    await faults.restart("n0");
    assertEquals(Math.round(now("n0") - fromMs), 100);
    assertEquals(await timer("n0"), 400);
    faults.pause("n1");
    const waiting = timer("n1");
    await sleep(1000);
    faults.resume("n1");
    assertEquals(await waiting, 1000);
    await faults.healAll();
    assertEquals(await timer("n0"), 100);
  });
});

Deno.test("faults of clocks are refused where nodes have the machine's", async () => {
  await bench(1, ({ world, cluster: { nodeIds } }) => {
    const cluster = createInProcessCluster({ world, nodeIds, setup: () => {}, realClocks: true });
    const faults = new Faults({ world, cluster });
    const why = "Cannot inject clock: the nodes of this run have the machine's clock";
    assertThrows(() => faults.skewClocks("n0", { rate: 2 }), RangeError, why);
    assertEquals(faults.windows, []);
    return Promise.resolve();
  });
});

/** The faults that wait for the first operations, as they leave nodes without an answer. */
const STOPPING: readonly NemesisName[] = [
  "kill",
  "pause",
  "disk-lose",
  "disk-torn",
  "disk-full",
  "disk-eio",
];

Deno.test("a nemesis starts at once, stops and starts in turn, and heals in the end", async () => {
  for (const kind of NEMESES) {
    const { log, up } = await history([kind], 1000);
    assertEquals(up, 20, kind);
    const fs = log.map(([, { f }]) => f);
    const expected = [`start-${kind}`, `start-${kind}`, `stop-${kind}`, `stop-${kind}`];
    assertEquals(fs, fs.map((_, index) => expected[index % 4]));
    const waits = STOPPING.includes(kind);
    assert((log[0]?.[0] ?? 1) <= (waits ? 0.001 : 0));
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

const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);
const setups = { count: fc.integer({ min: 1, max: 12 }), seed: fc.nat() };
const RUNS = { numRuns: 200, seed: 1 };

function partition(kind: typeof PARTITIONS[number], count: number, seed: number): Drops {
  return drawPartition(kind, names(count), seededRandom(seed, "partition"));
}

const losses = (drops: Drops, node: string) => drops[node]?.length ?? 0;

function isSymmetric(drops: Drops): boolean {
  return Object.entries(drops).every(([dest, srcs]) =>
    srcs.every((src) => drops[src]?.includes(dest) ?? false)
  );
}

/** The sizes of the groups that a symmetric split leaves, smallest first. */
function groupSizes(drops: Drops, count: number): number[] {
  const groups = new Map<string, number>();
  for (const node of names(count)) {
    const lost = new Set(drops[node]);
    const group = names(count).filter((other) => !lost.has(other)).join();
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  for (const [group, size] of groups) assertEquals(group.split(",").length, size);
  return [...groups.values()].sort((a, b) => a - b);
}

Deno.test("splits cut as many nodes off as Maelstrom does", () => {
  const sizes = {
    one: [1, 1, 1, 1, 1, 1, 1, 1],
    majority: [0, 1, 1, 2, 2, 3, 3, 4],
    "minority-third": [0, 0, 0, 1, 1, 1, 2, 2],
  };
  for (const kind of ["one", "majority", "minority-third"] as const) {
    for (const [index, size] of sizes[kind].entries()) {
      const count = index + 1;
      const drops = partition(kind, count, 3);
      const whole = size === 0 || count === 1;
      const expected = whole ? [count] : [size, count - size].sort((a, b) => a - b);
      assertEquals(groupSizes(drops, count), expected, `${kind} of ${count}`);
      assert(isSymmetric(drops));
    }
  }
});

Deno.test("no node loses its own messages, and each can be affected", () => {
  fc.assert(
    fc.property(
      fc.record({ ...setups, kind: fc.constantFrom(...PARTITIONS) }),
      ({ count, seed, kind }) => {
        for (const [dest, srcs] of Object.entries(partition(kind, count, seed))) {
          assert(!srcs.includes(dest));
          assertEquals(new Set(srcs).size, srcs.length);
        }
      },
    ),
    RUNS,
  );
  const alone = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const drops = partition("one", 4, seed);
    for (const node of names(4)) if (losses(drops, node) === 3) alone.add(node);
  }
  assertEquals([...alone].sort(), names(4));
});

Deno.test("in a ring every node hears a majority", () => {
  fc.assert(
    fc.property(fc.record(setups), ({ count, seed }) => {
      const drops = partition("majorities-ring", count, seed);
      for (const node of names(count)) {
        const heard = count - losses(drops, node);
        assert(heard >= majority(count), `${node} hears ${heard} of ${count}`);
        if (count <= 5) assertEquals(heard, majority(count));
      }
      if (count > 3) assert(isSymmetric(drops));
    }),
    RUNS,
  );
});

Deno.test("rings of few nodes are Maelstrom's", () => {
  for (let seed = 0; seed < 20; seed++) {
    assertEquals([partition("majorities-ring", 1, seed), partition("majorities-ring", 2, seed)], [
      {},
      {},
    ]);
    // Three: each loses one, in a circle, one way.
    const three = partition("majorities-ring", 3, seed);
    assertEquals(Object.values(three).flat().sort(), names(3));
    assert(!isSymmetric(three));
    // Four: the two diagonals, both ways. Five: each loses two, and no two hear the same nodes.
    const four = partition("majorities-ring", 4, seed);
    assertEquals(Object.values(four).map((srcs) => srcs.length), [1, 1, 1, 1]);
    const five = partition("majorities-ring", 5, seed);
    assertEquals(Object.values(five).map((srcs) => srcs.length), [2, 2, 2, 2, 2]);
    assertEquals(new Set(Object.values(five).map((srcs) => [...srcs].sort().join())).size, 5);
  }
});

Deno.test("rings of many nodes cut a lot, and differ from draw to draw", () => {
  const drawn = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const drops = partition("majorities-ring", 9, seed);
    const lost = names(9).reduce((sum, node) => sum + losses(drops, node), 0);
    assert(lost >= 9 * 2, `${lost}`);
    drawn.add(JSON.stringify(drops));
  }
  assertEquals(drawn.size, 20);
});

Deno.test("groups are cut off from each other, and a single group is not", () => {
  assertEquals(splitGroups([["a"], ["b", "c"]]), { a: ["b", "c"], b: ["a"], c: ["a"] });
  assertEquals(splitGroups([["a", "b"]]), {});
  assertEquals(splitGroups([["a", "b"], []]), {});
});

Deno.test("targets are one, a minority, a majority or all, but never none", () => {
  const sizes = {
    one: [1, 1, 1, 1, 1],
    minority: [1, 1, 1, 2, 2],
    majority: [1, 2, 2, 3, 3],
    all: [1, 2, 3, 4, 5],
  };
  const random = seededRandom(1, "targets");
  for (const kind of TARGETS) {
    for (const [index, size] of sizes[kind].entries()) {
      const drawn = drawTargets(kind, names(index + 1), random);
      assertEquals(new Set(drawn).size, size, `${kind} of ${index + 1}`);
    }
  }
});
