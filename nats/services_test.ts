import { assert, assertEquals, assertMatch } from "@std/assert";
import { KV, LinTso, type Node } from "@eddy/maelstrom";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { CommandProcess, connectForTest, LocalCluster, until } from "./cluster_testing.ts";
import { hasServer, NatsServer } from "./testing.ts";

/** A node that uses each of the services. */
function userOfServices(node: Node): void {
  const counts = new KV<string, number>(node, "lin-kv");
  const texts = new KV<string, string>(node, "seq-kv");
  const latest = new KV<string, number>(node, "lww-kv");
  const tso = new LinTso(node);
  node.on("count", async () => ({
    count: await counts.update("count", (count) => count + 1, { initial: 0 }),
  }));
  node.on("note", async () => {
    await texts.write("text", "written");
    return { text: await texts.readLatest("text") };
  });
  node.on("set", async () => {
    await latest.write("value", 1);
    return {};
  });
  node.on("stamp", async () => ({ ts: await tso.ts() }));
}

Deno.test({
  name: "nodes use the services over the server, and those of each cluster are its own",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const common = { server, serve: userOfServices, services: true };
    await using blue = await LocalCluster.start({ ...common, nodes: ["n1", "n2"] });
    await using red = await LocalCluster.start({ ...common, cluster: "red" });
    const counts = await Promise.all(
      Array.from({ length: 10 }, (_, at) => blue.request(at % 2 ? "n1" : "n2", { type: "count" })),
    );
    assertEquals(counts.map(({ count }) => Number(count)).toSorted((a, b) => a - b), [
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ]);
    assertEquals((await red.request("n1", { type: "count" })).count, 1);
    assertEquals((await blue.request("n1", { type: "note" })).text, "written");
    assertEquals((await blue.request("n1", { type: "set" })).type, "set_ok");
    const stamps = [
      await blue.request("n1", { type: "stamp" }),
      await blue.request("n2", { type: "stamp" }),
    ];
    assertEquals(stamps.map(({ ts }) => ts), [0, 1]);
    // From a shell, too.
    assertEquals((await blue.request("lin-kv", { type: "read", key: "count" })).value, 10);
    assertEquals((await blue.request("lin-kv", { type: "read", key: "none" })).code, 20);
    assertEquals((await blue.request("lin-kv", { type: "reed", key: "none" })).code, 10);
    assertEquals((await blue.request("lin-kv", "x")).code, 12);
    blue.connection.publish("eddy.eddy.lin-kv", "x");
    await until("it is told", () => blue.logged(/Cannot take a message for lin-kv/) === 1);
    assertEquals((await blue.request("lin-tso", { type: "ts" })).ts, 2);
  },
});

Deno.test({
  name: "the services as a process are those that were asked for, and end when told to",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const args = ["services", "--nats", server.url];
    await using process = await CommandProcess.ready([...args, "--only", "lin-kv,lin-tso"]);
    const call = async (...words: string[]) =>
      await new CommandProcess(["call", "--nats", server.url, ...words]).result();
    assertEquals((await call("lin-kv", '{"type":"write","key":1,"value":2}')).code, 0);
    assertMatch((await call("lin-kv", '{"type":"read","key":1}')).stdout, /"value":2/);
    assertMatch((await call("seq-kv", '{"type":"read","key":1}')).stderr, /No node seq-kv in/);
    const second = await new CommandProcess(args).result();
    assertEquals(second.code, 255);
    assertMatch(second.stderr, /Cannot serve lin-kv in cluster eddy: another process does/);
    assertEquals((await process.end("SIGTERM")).code, 0);
    for (const wrong of [["--only", "kv"], ["lin-kv"], ["--cluster", "a.b"]]) {
      assertEquals((await new CommandProcess([...args, ...wrong]).result()).code, 254);
    }
    const help = await new CommandProcess(["services", "--help"]).result();
    assert(help.code === 0 && help.stdout.includes("--only"));
  },
});

Deno.test({
  name:
    "of revision-checked updates of a key in JetStream, one wins: docs/many_machines.md says so",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const connection = await connectForTest(server);
    const manager = await jetstreamManager(connection);
    // As a bucket of NATS KV is: one subject a key, of which some history is kept.
    await manager.streams.add({
      ...{
        name: "KV_test",
        subjects: ["$KV.test.>"],
        max_msgs_per_subject: 1,
        allow_direct: false,
      },
    });
    const stream = jetstream(connection);
    const update = (value: string, lastSubjectSequence: number) =>
      stream.publish("$KV.test.key", value, { expect: { lastSubjectSequence } })
        .then(({ seq }) => ({ seq, value }), () => undefined);
    let revision = 0;
    for (let round = 0; round < 5; round++) {
      const tries = Array.from({ length: 10 }, (_, at) => update(`${round}-${at}`, revision));
      const won = (await Promise.all(tries)).filter((each) => each !== undefined);
      assertEquals(won.length, 1);
      const read = await manager.streams.getMessage("KV_test", { last_by_subj: "$KV.test.key" });
      assertEquals([read?.seq, read?.string()], [won[0]?.seq, won[0]?.value]);
      revision = won[0]?.seq ?? -1;
    }
    await connection.close();
  },
});
