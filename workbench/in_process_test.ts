import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { findWorkload } from "@eddy/handlers/workloads";
import type { Node } from "@eddy/maelstrom";
import { Client, ClientIds } from "./client.ts";
import type { Cluster } from "./cluster.ts";
import type { FaultVerbs } from "./faults.ts";
import { createInProcessCluster, type InProcessOptions } from "./in_process.ts";
import { simulate } from "./simulate.ts";
import type { Latency } from "./links.ts";
import { createVirtualWorld, type World } from "./world.ts";

const serveEcho = (await findWorkload("echo")).configure([]);

interface Bench {
  readonly world: World;
  readonly cluster: Cluster;
  readonly ids: ClientIds;
  readonly client: () => Client;
  readonly sleep: (ms: number) => Promise<void>;
}

const constant = (meanMs: number): Latency => ({ meanMs, distribution: "constant" });

/** Runs `main` beside a cluster of three nodes that has started, and stops the cluster. */
async function bench(
  options: Partial<InProcessOptions> & { readonly latency?: Latency },
  main: (bench: Bench) => Promise<void>,
): Promise<void> {
  const world = createVirtualWorld(1, { latency: options.latency ?? constant(0) });
  const nodeIds = ["n0", "n1", "n2"];
  const cluster = createInProcessCluster({ world, nodeIds, setup: serveEcho, ...options });
  const ids = new ClientIds();
  const { network, clock } = world;
  const sleep = (ms: number) => new Promise<void>((resolve) => clock.schedule(ms, resolve));
  await world.run(async () => {
    await cluster.start(ids);
    await main({ world, cluster, ids, client: () => new Client({ network, clock, ids }), sleep });
    await cluster.stop();
    assertEquals(["n0", "lin-kv"].map((name) => network.has(name)), [false, false]);
  });
}

const echo = (text: string) => ({ type: "echo", echo: text });

Deno.test("nodes answer clients, after init by clients of their own", async () => {
  await bench({}, async ({ client, cluster, world }) => {
    const asking = client();
    assertEquals(asking.id, "c3");
    const reply = await asking.send("n1", echo("hi"));
    assertEquals([reply.type, reply.echo, reply.in_reply_to], ["echo_ok", "hi", 1]);
    assertEquals(world.network.journal.stats().clients.sendCount, 8);
    assertEquals([cluster.protocolErrors, cluster.warnings], [[], []]);
  });
});

Deno.test("numbers cross as they were written", async () => {
  await bench(
    { setup: (node) => node.on("same", ({ body }) => ({ x: body.x ?? null })) },
    async (b) => {
      const got: string[] = [];
      b.world.network.open("c99", ({ text }) => got.push(text));
      b.world.network.sendText(
        "c99",
        "n0",
        '{"type":"same","msg_id":1,"x":[1.0,9007199254740993]}',
      );
      await b.sleep(1);
      assertEquals(got, [
        '{"type":"same_ok","x":[1.0,9007199254740993],"in_reply_to":1,"msg_id":1}',
      ]);
    },
  );
});

/** Counts requests, and ticks every 10 ms. */
function serveCount(ticks: string[]) {
  return (node: Node) => {
    let count = 0;
    node.on("count", () => ({ count: ++count }));
    node.onInit(() => {
      node.every(10, () => void ticks.push(node.id), { jitter: 0 });
    });
  };
}

Deno.test("a crash ends timers and output; a restart begins with nothing", async () => {
  const ticks: string[] = [];
  await bench({ setup: serveCount(ticks) }, async ({ cluster, client, sleep, world }) => {
    const asking = client();
    assertEquals((await asking.send("n0", { type: "count" })).count, 1);
    await cluster.crash("n0");
    await cluster.crash("n0");
    assertEquals([cluster.isUp("n0"), cluster.isUp("n1")], [false, true]);
    ticks.length = 0;
    const waiting = asking.send("n0", { type: "count" }, 105);
    await assertRejects(() => waiting, Error, "No reply");
    assertEquals([ticks.includes("n0"), ticks.filter((node) => node === "n1").length], [false, 10]);
    assertEquals(world.network.queued("n0"), 1);
    await cluster.restart("n0");
    await cluster.restart("n0");
    assertEquals((await asking.send("n0", { type: "count" })).count, 1);
    assertEquals(world.network.journal.dropCounts, new Map([["restart", 1]]));
    ticks.length = 0;
    await sleep(105);
    assertEquals(ticks.filter((node) => node === "n0").length, 10);
  });
});

Deno.test("what a dead process still does gets nowhere", async () => {
  const logs: string[] = [];
  const setup = (node: Node) => {
    node.on("slow", async () => {
      await node.retry(() => node.rpc("n2", { type: "never" }, { timeoutMs: 50 })).catch(() => {});
      node.log("still here");
      return {};
    });
    node.on("never", () => {});
  };
  await bench(
    { setup, onLog: (_node, text) => logs.push(text) },
    async ({ cluster, client, sleep, world }) => {
      const waiting = client().send("n0", { type: "slow" }, 1000);
      await sleep(10);
      const before = world.network.journal.stats().all.sendCount;
      await cluster.crash("n0");
      await assertRejects(() => waiting, Error, "No reply");
      assertEquals(world.network.journal.stats().all.sendCount, before);
      assertEquals(logs, []);
    },
  );
});

Deno.test("a pause holds timers and messages, and a resume lets them all through", async () => {
  const ticks: string[] = [];
  await bench({ setup: serveCount(ticks) }, async ({ cluster, client, sleep, world }) => {
    const asking = client();
    cluster.pause("n0");
    cluster.pause("n0");
    ticks.length = 0;
    const start = world.clock.now();
    const reply = asking.send("n0", { type: "count" });
    await sleep(95);
    assertEquals(ticks.includes("n0"), false);
    cluster.resume("n0");
    cluster.resume("n0");
    assertEquals((await reply).count, 1);
    assertEquals(world.clock.now() - start, 95);
    await sleep(1);
    assertEquals(ticks.filter((node) => node === "n0").length, 1);
    await sleep(50);
    assertEquals(ticks.filter((node) => node === "n0").length, 6);
  });
});

Deno.test("a paused node can be killed, and what is down cannot be resumed", async () => {
  const ticks: string[] = [];
  await bench({ setup: serveCount(ticks) }, async ({ cluster, client }) => {
    cluster.pause("n0");
    await cluster.crash("n0");
    cluster.resume("n0");
    cluster.pause("n0");
    assertEquals(cluster.isUp("n0"), false);
    await cluster.restart("n0");
    assertEquals((await client().send("n0", { type: "count" })).count, 1);
  });
});

Deno.test("a node that is killed during its init is no failure", async () => {
  await bench({ latency: constant(10) }, async ({ cluster, sleep }) => {
    await cluster.crash("n0");
    const again = cluster.restart("n0");
    await cluster.crash("n0");
    await again;
    await cluster.restart("n0");
    await sleep(1);
    assertEquals(cluster.isUp("n0"), true);
  });
});

Deno.test("a node that does not exist cannot be touched", async () => {
  await bench({}, async ({ cluster }) => {
    await assertRejects(() => cluster.crash("n9"), RangeError, "n9");
    assertThrows(() => cluster.pause("n9"), RangeError, "n9");
  });
});

async function startError(setup: (node: Node) => void): Promise<Error> {
  return await assertRejects(() => bench({ setup }, () => Promise.resolve()), Error);
}

Deno.test("a node that does not answer init, or with an error, breaks the start", async () => {
  const silent = await startError((node) => node.onInit(() => new Promise(() => {})));
  assertEquals(
    silent.message,
    "Expected node n0 to respond to an init message, but node did not respond. " +
      "No reply to init from n0 in 10000 ms",
  );
  const failing = await startError((node) =>
    node.onInit(() => {
      throw new Error("No disk");
    })
  );
  assertStringIncludes(failing.message, "Expected node n0 to respond to an init message, but node");
  assertStringIncludes(failing.message, "No disk");
});

const shout = (dest: string) => (node: Node) =>
  node.on("shout", () => node.send(dest, { type: "hey" }));

Deno.test("a message to an unknown name is reported at once, with its line", async () => {
  const errors: Error[] = [];
  await bench({ setup: shout("n7"), onProtocolError: (error) => errors.push(error) }, async (b) => {
    b.client().send("n1", { type: "shout" }).catch(() => {});
    await b.sleep(1);
    const [error] = b.cluster.protocolErrors;
    assert(error !== undefined);
    assertEquals(errors, [error]);
    assertEquals([error.node, error.lineNumber], ["n1", 2]);
    assertEquals(error.why, 'there is no endpoint named "n7" on the network');
    assertEquals(error.line, '{"src":"n1","dest":"n7","body":{"type":"hey"}}');
    assertStringIncludes(error.message, "Node n1 broke the protocol on line 2");
  });
});

Deno.test("a message to an unknown name mutes a node under strict Maelstrom", async () => {
  const errors: Error[] = [];
  const setup = (node: Node) => {
    shout("n7")(node);
    serveEcho(node);
  };
  const options = { setup, strictMaelstrom: true, onProtocolError: (e: Error) => errors.push(e) };
  await bench(options, async ({ client, cluster }) => {
    const asking = client();
    await assertRejects(() => asking.send("n1", { type: "shout" }, 10), Error, "No reply");
    await assertRejects(() => asking.send("n1", echo("hi"), 10), Error, "No reply");
    assertEquals((await asking.send("n2", echo("hi"))).echo, "hi");
    assertEquals([errors.length, cluster.protocolErrors.length], [0, 1]);
  });
});

Deno.test("a late reply is a warning, and mutes a node under strict Maelstrom", async () => {
  for (const strictMaelstrom of [false, true]) {
    const setup = (node: Node) => {
      serveEcho(node);
      node.on("late", async () => {
        await node.rpc("n2", { type: "never" }, { timeoutMs: 50 }).catch(() => {});
        return {};
      });
      node.on("never", () => {});
    };
    await bench({ setup, strictMaelstrom }, async ({ client, cluster, sleep }) => {
      const impatient = client();
      await assertRejects(() => impatient.send("n1", { type: "late" }, 10), Error, "No reply");
      impatient.close();
      await sleep(100);
      assertEquals([cluster.lateReplies, cluster.protocolErrors], [1, []]);
      assertStringIncludes(cluster.warnings[0] ?? "", "would silence this node under Maelstrom");
      const reply = client().send("n1", echo("hi"), 10).then(() => "answers", () => "is mute");
      assertEquals(await reply, strictMaelstrom ? "is mute" : "answers");
    });
  }
});

Deno.test("what a node's timer throws is logged, and has no other effect", async () => {
  const logs: string[] = [];
  const setup = (node: Node) => {
    serveEcho(node);
    node.clock.schedule(5, () => {
      throw new Error("Oops");
    });
  };
  await bench(
    { setup, onLog: (node, text) => logs.push(`${node}: ${text}`) },
    async ({ client, sleep }) => {
      await sleep(10);
      assertEquals((await client().send("n0", echo("hi"))).echo, "hi");
    },
  );
  assertEquals(logs.length, 3);
  assertStringIncludes(logs[0] ?? "", "n0: Uncaught error: Error: Oops");
});

Deno.test("services are there for nodes, empty for each cluster", async () => {
  const setup = (node: Node) => {
    node.on("next", async () => {
      const { ts = null } = await node.rpc("lin-tso", { type: "ts" });
      return { ts };
    });
    node.on("odd", () => node.send("lin-kv", { type: "odd" }));
  };
  await bench({ setup, latency: constant(7) }, async ({ client, cluster, world, sleep }) => {
    const start = world.clock.now();
    assertEquals((await client().send("n0", { type: "next" })).ts, 0);
    assertEquals(world.clock.now() - start, 12);
    client().send("n0", { type: "odd" }).catch(() => {});
    await sleep(10);
    assertStringIncludes(cluster.warnings.join(), 'lin-kv does not know the type "odd"');
  });
});

Deno.test("a node whose early messages are too many makes the network wait", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const world = createVirtualWorld(1);
  const { network, clock } = world;
  const sleep = (ms: number) => new Promise<void>((done) => clock.schedule(ms, done));
  const setup = (node: Node) => {
    node.on("note", () => {});
    node.onInit(() => promise);
  };
  const cluster = createInProcessCluster({ world, nodeIds: ["n0"], setup });
  await world.run(async () => {
    const started = cluster.start(new ClientIds());
    network.open("n1", () => {});
    await sleep(1);
    for (let count = 0; count < 5000; count++) network.sendText("n1", "n0", '{"type":"note"}');
    await sleep(1);
    assertEquals(network.queued("n0"), 5000 - 4096);
    resolve();
    await started;
    await sleep(1);
    assertEquals(network.queued("n0"), 0);
    await cluster.stop();
  });
});

Deno.test("the same seed gives the same messages, faults of processes included", async () => {
  const run = async () => {
    const trace: string[] = [];
    const setup = (node: Node) => {
      node.on("hop", ({ body }) => {
        const hops = Number(body.hops);
        const dest = `n${Math.floor(node.random.next() * 3)}`;
        if (hops > 0) node.send(dest, { type: "hop", hops: hops - 1 });
      });
    };
    const latency: Latency = { meanMs: 20, distribution: "exponential" };
    await bench({ setup, latency }, async ({ world, cluster, sleep }) => {
      const { network, clock } = world;
      network.journal.observer = ({ type, message }) => {
        trace.push(`${clock.now()} ${type} ${message.toLine()}`);
      };
      for (const dest of cluster.nodeIds) {
        for (let i = 0; i < 10; i++) {
          network.send({ src: dest, dest, body: { type: "hop", hops: 50 } });
        }
      }
      await sleep(200);
      await cluster.crash("n1");
      await sleep(10);
      await cluster.restart("n1");
      cluster.pause("n2");
      await sleep(100);
      cluster.resume("n2");
      await sleep(5000);
    });
    return trace;
  };
  const [first, second] = [await run(), await run()];
  assert(first.length > 100, `${first.length}`);
  assertEquals(first, second);
});

Deno.test("where computing takes time, a node does one thing after the other", async () => {
  const run = (jitter: number) =>
    simulate({
      workload: "echo",
      nodeCount: 1,
      concurrency: 10,
      rate: 1000,
      timeLimitSeconds: 20,
      compute: { meanMs: 10, jitter },
      seed: 1,
      install: (node) => node.on("echo", ({ body }) => ({ echo: body.echo })),
    });
  const steady = await run(0);
  assertEquals(steady.results.valid, true);
  // A hundred a second, and ten clients at a time.
  assertEquals(Math.round(steady.results.stats.okCount / 20), 100);
  assertEquals(Math.round(steady.results.latencies.p50 ?? 0), 100);
  const shaky = await run(0.5);
  const perSecond = shaky.results.stats.okCount / 20;
  assert(perSecond > 85 && perSecond < 105, `${perSecond}`);
  assert((shaky.results.latencies.max ?? 0) > 400, "something stalls now and then");
  assertEquals((await run(0.5)).history, shaky.history);
});

Deno.test("a paused node goes on with what it was computing, a killed one does not", async () => {
  const run = (stop: (faults: FaultVerbs) => void, goOn: (faults: FaultVerbs) => void) =>
    simulate({
      workload: "echo",
      nodeCount: 1,
      rate: 10,
      timeLimitSeconds: 3,
      compute: { meanMs: 50, jitter: 0 },
      install: (node) => node.on("echo", ({ body }) => ({ echo: body.echo })),
      script(faults, clock) {
        clock.schedule(1010, () => stop(faults));
        clock.schedule(2000, () => goOn(faults));
      },
    });
  const paused = await run((faults) => faults.pause("n0"), (faults) => faults.resume("n0"));
  assertEquals(paused.results.stats.infoCount, 0);
  assert((paused.results.latencies.max ?? 0) > 900);
  const killed = await run(
    (faults) => void faults.crash("n0"),
    (faults) => void faults.restart("n0"),
  );
  assert(killed.results.stats.infoCount > 0);
});
