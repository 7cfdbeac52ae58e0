import * as fc from "fast-check";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { JsonObject } from "@eddy/maelstrom";
import { checkLatency, type Latency, toLatencyMs, toLinks } from "./links.ts";
import type { NetEvent } from "./journal.ts";
import { seededRandom } from "./random.ts";
import { createVirtualWorld, type World } from "./world.ts";

const constant = (meanMs: number): Latency => ({ meanMs, distribution: "constant" });

const sleep = ({ clock }: World, ms: number) =>
  new Promise<void>((resolve) => clock.schedule(ms, resolve));

/** A world with endpoints that note what they get: when, whom from, and the number in it. */
function listening(latency: Latency, names: readonly string[], seed = 1) {
  const world = createVirtualWorld(seed, { latency });
  const { network, clock } = world;
  const log: [ms: number, dest: string, src: string, n: unknown][] = [];
  for (const name of names) {
    network.open(name, ({ src, body }) => log.push([clock.now(), name, src, body.n]));
  }
  const send = (src: string, dest: string, n: number) =>
    network.send({ src, dest, body: { type: "note", n } });
  return { world, network, log, send };
}

Deno.test("nodes and services pay the latency, clients do not", async () => {
  const { world, send, log } = listening(constant(30), ["n1", "n2", "lin-kv", "c1"]);
  await world.run(async () => {
    send("n1", "n2", 1);
    send("n1", "lin-kv", 2);
    send("n1", "c1", 3);
    send("c1", "n1", 4);
    await sleep(world, 100);
  });
  assertEquals(log, [[0, "c1", "n1", 3], [0, "n1", "c1", 4], [29, "n2", "n1", 1], [
    29,
    "lin-kv",
    "n1",
    2,
  ]]);
});

Deno.test("endpoints share nothing: a body changed after it was sent arrives as it was", async () => {
  const world = createVirtualWorld(1);
  const { network } = world;
  const body: JsonObject = { type: "list", items: [1] };
  let got: JsonObject = {};
  network.open("n1", (message) => got = message.body);
  await world.run(async () => {
    network.send({ src: "n1", dest: "n1", body });
    body.items = [];
    await sleep(world, 1);
  });
  assertEquals(got, { type: "list", items: [1] });
});

Deno.test("a delivered line is one JSON object with the network's own id", async () => {
  const world = createVirtualWorld(1);
  const lines: string[] = [];
  world.network.open("n1", (message) => lines.push(message.toLine()));
  await world.run(async () => {
    world.network.send({ src: "n1", dest: "n1", body: { type: "a" } });
    world.network.sendText("n1", "n1", '{"type":"b","x":1.0}');
    await sleep(world, 1);
  });
  assertEquals(lines, [
    '{"id":0,"src":"n1","dest":"n1","body":{"type":"a"}}',
    '{"id":1,"src":"n1","dest":"n1","body":{"type":"b","x":1.0}}',
  ]);
});

Deno.test("messages from or to a name that is not open are refused", () => {
  const { network } = createVirtualWorld(1);
  network.open("n1", () => {});
  const body = { type: "x" };
  assertThrows(() => network.send({ src: "n1", dest: "n9", body }), RangeError, "no endpoint n9");
  assertThrows(() => network.send({ src: "n8", dest: "n1", body }), RangeError, "no endpoint n8");
  assertEquals(network.sendText("n1", "n9", "{}"), false);
  assertEquals(network.journal.stats().all.sendCount, 0);
});

Deno.test("a name is taken once at a time, and needs no escapes", () => {
  const { network } = createVirtualWorld(1);
  network.open("n1", () => {});
  assertThrows(() => network.open("n1", () => {}), Error, "taken");
  assertThrows(() => network.open('n"1', () => {}), RangeError, "escapes");
  network.close("n1");
  network.close("n1");
  assertEquals([network.has("n1"), network.wasClosed("n1"), network.wasClosed("n2")], [
    false,
    true,
    false,
  ]);
  network.open("n1", () => {});
  assertEquals(network.wasClosed("n1"), false);
});

Deno.test("a mean latency below 0 is refused", () => {
  assertThrows(() => createVirtualWorld(1, { latency: constant(-1) }), RangeError, "-1 ms");
});

Deno.test("a probability beyond 1 is refused", () => {
  const { network } = createVirtualWorld(1);
  for (const rule of [{ loss: 10 }, { duplication: -0.1 }, { loss: NaN }]) {
    assertThrows(() => network.addRule({ fault: "x", ...rule }), RangeError, "[0, 1]");
  }
});

Deno.test("a latency is slept in whole milliseconds, and begun ones do not count", async () => {
  const { world, send, log } = listening(constant(100), ["n1", "n2"]);
  await world.run(async () => {
    // A double that cannot be added to and subtracted from without a trace.
    await sleep(world, 0.123456789);
    send("n1", "n2", 1);
    await sleep(world, 98.5);
    send("n1", "n2", 2);
    await sleep(world, 200);
  });
  // The second is looked at when the first has been delivered, with 99.5 ms left: 99 are slept.
  assertEquals(log.map(([ms, , , n]) => [n, Math.round(Number(ms) * 10) / 10]), [
    [1, 99.1],
    [2, 198.1],
  ]);
});

Deno.test("what is due earlier waits while the consumer sleeps on its head", async () => {
  const { world, send, log } = listening(constant(100), ["n1", "n2", "c1"]);
  await world.run(async () => {
    send("n2", "n1", 1);
    send("c1", "n1", 2);
    send("n1", "n1", 3);
    await sleep(world, 200);
  });
  assertEquals(log, [[99, "n1", "n2", 1], [99, "n1", "c1", 2], [99, "n1", "n1", 3]]);
});

Deno.test("a slow message makes no other wait", async () => {
  const { world, network, send, log } = listening(constant(10), ["n1", "n2", "n3"]);
  network.addRule({ fault: "slow", slow: { nodes: new Set(["n2"]), factor: 10, extraMs: 0 } });
  await world.run(async () => {
    send("n2", "n1", 1);
    send("n3", "n1", 2);
    send("n1", "n2", 3);
    network.close("n2");
    await sleep(world, 200);
  });
  assertEquals(log, [[9, "n1", "n3", 2], [99, "n1", "n2", 1]]);
  assertEquals(network.journal.dropCounts, new Map([["closed", 1]]));
});

Deno.test("a partition drops what comes to the head while it lasts, and nothing else", async () => {
  const { world, network, send, log } = listening(constant(100), ["n1", "n2"]);
  await world.run(async () => {
    send("n1", "n2", 1);
    send("n1", "n2", 2);
    await sleep(world, 50);
    const end = network.addRule({ fault: "partition", drops: toLinks({ n2: ["n1"] }) });
    send("n2", "n1", 3);
    send("n1", "n2", 4);
    await sleep(world, 60);
    end();
    end();
    send("n1", "n2", 5);
    await sleep(world, 200);
  });
  // 1 was slept on when the partition came; 2 and 4 were polled during it.
  assertEquals(log, [[99, "n2", "n1", 1], [149, "n1", "n2", 3], [209, "n2", "n1", 5]]);
  assertEquals(
    network.journal.dropped.map(({ timeMs, id, why, type }) => [timeMs, id, why, type]),
    [
      [99, 1, "partition", "note"],
      [99, 3, "partition", "note"],
    ],
  );
  assertEquals(network.journal.dropCounts, new Map([["partition", 2]]));
});

Deno.test("a hold keeps messages back and gives them out in order when it ends", async () => {
  const { world, network, send, log } = listening(constant(10), ["n1", "n2", "n3"]);
  await world.run(async () => {
    const end = network.addRule({ fault: "hold", holds: toLinks({ n2: ["n1"] }) });
    send("n1", "n2", 1);
    send("n1", "n2", 2);
    send("n3", "n2", 3);
    await sleep(world, 50);
    end();
    await sleep(world, 50);
  });
  assertEquals(log, [[9, "n2", "n3", 3], [50, "n2", "n1", 1], [50, "n2", "n1", 2]]);
});

Deno.test("what is held back for an endpoint never reaches the next one of its name", async () => {
  const { world, network, send, log } = listening(constant(0), ["n1", "n2"]);
  await world.run(async () => {
    const end = network.addRule({ fault: "hold", holds: toLinks({ n2: ["n1"] }) });
    send("n1", "n2", 1);
    await sleep(world, 1);
    network.close("n2", "restart");
    network.open("n2", () => log.push([0, "n2 again", "", 0]));
    end();
    await sleep(world, 1);
  });
  assertEquals(log, []);
  assertEquals(network.journal.dropCounts, new Map([["restart", 1]]));
});

Deno.test("an endpoint on hold gets its messages afterwards, also the one slept on", async () => {
  const { world, network, send, log } = listening(constant(10), ["n1", "n2"]);
  await world.run(async () => {
    send("n1", "n2", 1);
    const [first, second] = [network.hold("n2"), network.hold("n2")];
    send("n1", "n2", 2);
    await sleep(world, 20);
    first();
    first();
    await sleep(world, 20);
    assertEquals([log.length, network.queued("n2")], [0, 2]);
    second();
    await sleep(world, 20);
  });
  assertEquals(log, [[40, "n2", "n1", 1], [40, "n2", "n1", 2]]);
});

Deno.test("a short hold leaves the deadline of the head as it was", async () => {
  const { world, network, send, log } = listening(constant(10), ["n1", "n2"]);
  await world.run(async () => {
    send("n1", "n2", 1);
    const release = network.hold("n2");
    await sleep(world, 5);
    release();
    await sleep(world, 20);
  });
  assertEquals(log, [[9, "n2", "n1", 1]]);
});

Deno.test("closing drops what is queued, and delivers nothing more", async () => {
  const { world, network, send, log } = listening(constant(10), ["n1", "n2"]);
  await world.run(async () => {
    send("n1", "n2", 1);
    send("n1", "n2", 2);
    const release = network.hold("n2");
    network.close("n2");
    release();
    network.hold("n2")();
    await sleep(world, 20);
  });
  assertEquals([log, network.journal.dropCounts], [[], new Map([["closed", 2]])]);
});

Deno.test("loss and duplication touch messages between nodes, about as often as asked", async () => {
  const { world, network, send, log } = listening(constant(0), ["n1", "n2", "lin-kv", "c1"]);
  network.addRule({ fault: "loss", loss: 0.25 });
  network.addRule({ fault: "duplicate", duplication: 0.5 });
  await world.run(async () => {
    for (let n = 0; n < 4000; n++) {
      for (const dest of ["n2", "lin-kv", "c1"]) send("n1", dest, n);
    }
    await sleep(world, 1);
  });
  const count = (name: string) => log.filter(([, dest]) => dest === name).length;
  assertEquals([count("lin-kv"), count("c1")], [4000, 4000]);
  const lost = network.journal.dropCounts.get("loss") ?? 0;
  assert(lost > 900 && lost < 1100, `${lost}`);
  const doubled = count("n2") - (4000 - lost);
  assert(doubled > 1400 && doubled < 1600, `${doubled}`);
});

Deno.test("slowness multiplies and adds, on the links of its nodes", async () => {
  const { world, network, send, log } = listening(constant(10), ["n1", "n2", "n3", "lin-kv", "c1"]);
  network.addRule({ fault: "slow", slow: { nodes: new Set(["n1"]), factor: 2.5, extraMs: 7 } });
  await world.run(async () => {
    send("n1", "n2", 1);
    send("n2", "n3", 2);
    send("n1", "lin-kv", 3);
    send("c1", "n1", 4);
    await sleep(world, 100);
  });
  assertEquals(log.map(([ms, , , n]) => [n, ms]), [[4, 0], [2, 9], [3, 9], [1, 31]]);
});

Deno.test("figures are Maelstrom's: by clients and servers, sent, received, distinct", async () => {
  const { world, network, send } = listening(constant(10), ["n1", "n2", "lin-kv", "c1"]);
  network.addRule({ fault: "partition", drops: toLinks({ n2: ["n1"] }) });
  network.addRule({ fault: "duplicate", duplication: 1 });
  await world.run(async () => {
    send("c1", "n1", 1);
    send("n1", "c1", 2);
    send("n1", "n2", 3);
    send("n2", "n1", 4);
    send("n1", "lin-kv", 5);
    await sleep(world, 100);
  });
  const figures = (sent: number, received: number) => ({
    sendCount: sent,
    recvCount: received,
    msgCount: sent,
  });
  assertEquals(network.journal.stats(), {
    all: figures(5, 5),
    clients: figures(2, 2),
    servers: figures(3, 3),
  });
});

Deno.test("an observer gets every event in order", async () => {
  const { world, network, send } = listening(constant(10), ["n1", "n2"]);
  const events: NetEvent[] = [];
  network.journal.observer = (event) => events.push(event);
  network.addRule({ fault: "partition", drops: toLinks({ n1: ["n2"] }) });
  await world.run(async () => {
    send("n1", "n2", 1);
    send("n2", "n1", 2);
    await sleep(world, 100);
  });
  assertEquals(events.map(({ type, timeMs, message, why }) => [type, timeMs, message.id, why]), [
    ["send", 0, 0, undefined],
    ["send", 0, 1, undefined],
    ["drop", 0, 1, "partition"],
    ["recv", 9, 0, undefined],
  ]);
});

Deno.test("a delivery that throws ends the run", async () => {
  const { world, network, send } = listening(constant(0), ["n1"]);
  network.open("n2", () => {
    throw new Error("Broken endpoint");
  });
  const main = () => {
    send("n1", "n2", 1);
    return sleep(world, 10);
  };
  await assertRejects(() => world.run(main), Error, "Broken endpoint");
});

const NAMES = ["n1", "n2", "n3", "lin-kv", "c1"] as const;
const sends = fc.array(
  fc.record({
    src: fc.constantFrom(...NAMES),
    dest: fc.constantFrom(...NAMES),
    afterMs: fc.integer({ min: 0, max: 30 }),
  }),
  { maxLength: 60 },
);
const latencies = fc.record({
  meanMs: fc.integer({ min: 0, max: 50 }),
  distribution: fc.constantFrom("constant", "uniform", "exponential"),
});

/** Sends by a plan, and returns when each message was sent and delivered. */
async function trace(
  plan: { src: string; dest: string; afterMs: number }[],
  latency: Latency,
  seed: number,
) {
  const { world, network, send, log } = listening(latency, NAMES, seed);
  const sent: number[] = [];
  await world.run(async () => {
    for (const { src, dest, afterMs } of plan) {
      await sleep(world, afterMs);
      sent.push(world.clock.now());
      send(src, dest, sent.length - 1);
    }
    await sleep(world, 1e6);
  });
  return { sent, log, journal: network.journal };
}

Deno.test("without faults every message is delivered once, at most a ms before it is due", async () => {
  await fc.assert(
    fc.asyncProperty(sends, latencies, fc.nat(1000), async (plan, latency, seed) => {
      const { sent, log, journal } = await trace(plan, latency, seed);
      assertEquals(log.map(([, , , n]) => Number(n)).sort((a, b) => a - b), sent.map((_, n) => n));
      for (const [ms, dest, src, n] of log) {
        const { src: from, dest: to } = plan[Number(n)] ?? {};
        assertEquals([src, dest], [from, to]);
        const isClients = src === "c1" || dest === "c1";
        const least = isClients || latency.distribution !== "constant" ? 0 : latency.meanMs;
        assert(ms + 1 + 1e-6 >= (sent[Number(n)] ?? Infinity) + least);
      }
      assertEquals(journal.dropped, []);
    }),
    { numRuns: 100, seed: 1 },
  );
});

Deno.test("the same seed delivers the same way", async () => {
  await fc.assert(
    fc.asyncProperty(sends, latencies, fc.nat(1000), async (plan, latency, seed) => {
      const [first, second] = [await trace(plan, latency, seed), await trace(plan, latency, seed)];
      assertEquals(first.log, second.log);
    }),
    { numRuns: 30, seed: 1 },
  );
});

function sample(latency: Latency): number[] {
  const random = seededRandom(1, "latency");
  return Array.from({ length: 20_000 }, () => toLatencyMs(latency, () => random.next()));
}

const mean = (all: number[]) => all.reduce((sum, one) => sum + one, 0) / all.length;

Deno.test("a constant latency is its mean, cut off", () => {
  assertEquals(new Set(sample({ meanMs: 100.9, distribution: "constant" })), new Set([100]));
});

Deno.test("a uniform latency lies in [0, 2 x mean)", () => {
  const all = sample({ meanMs: 10, distribution: "uniform" });
  assertEquals([...new Set(all)].sort((a, b) => a - b), Array.from({ length: 20 }, (_, ms) => ms));
  assert(Math.abs(mean(all) - 9.5) < 0.2, `${mean(all)}`);
});

Deno.test("an exponential latency is an integer and has its mean, but for the cut", () => {
  const all = sample({ meanMs: 100, distribution: "exponential" });
  assert(all.every((ms) => Number.isInteger(ms) && ms >= 0));
  assert(Math.abs(mean(all) - 99.5) < 3, `${mean(all)}`);
  const below = all.filter((ms) => ms < 100).length / all.length;
  assert(Math.abs(below - (1 - 1 / Math.E)) < 0.02, `${below}`);
});

Deno.test("a mean of 0 is no latency under any distribution", () => {
  for (const distribution of ["constant", "uniform", "exponential"] as const) {
    assertEquals(new Set(sample({ meanMs: 0, distribution })), new Set([0]));
  }
});

Deno.test("a mean that is no number of 0 or more is refused", () => {
  for (const meanMs of [-1, NaN, Infinity]) {
    const check = () => checkLatency({ meanMs, distribution: "constant" });
    assertThrows(check, RangeError, "not a number of 0 or more");
  }
});
