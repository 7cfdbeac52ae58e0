import { assert, assertEquals, assertRejects } from "@std/assert";
import { connectForTest, LocalCluster, until } from "./cluster_testing.ts";
import { ServerLink } from "./server_link.ts";
import { hasServer, NatsServer } from "./testing.ts";

Deno.test({
  name: "what is sent without a connection is dropped, and never comes later",
  ignore: !hasServer,
  async fn() {
    const log: string[] = [];
    const got: string[] = [];
    const encoder = new TextEncoder();
    await using server = await NatsServer.start();
    const link = new ServerLink(await connectForTest(server), (text) => log.push(text));
    const send = (text: string) => link.send("eddy.eddy.n1", encoder.encode(text));
    const hear = async () => {
      const other = await connectForTest(server);
      other.subscribe("eddy.eddy.n1", { callback: (_error, msg) => void got.push(msg.string()) });
      await other.flush();
      return other;
    };
    await using first = await hear();
    send("before");
    await until("it has come", () => got.length === 1);
    await server.stop("SIGKILL");
    await until("the link knows", () => !link.isConnected);
    for (let count = 0; count < 100; count++) send("while it is away");
    assertEquals(link.full, false);
    await link.flush();

    await using _again = await NatsServer.start({ port: server.port });
    await until("the link is back", () => link.isConnected);
    await first.close();
    await using second = await hear();
    await until("it comes", () => {
      send("after");
      return got.includes("after");
    });
    assertEquals(got.filter((text) => text.startsWith("while")), []);
    assertEquals(log.filter((text) => text.startsWith("Dropped a message")).length, 1);
    assert(log.includes("Dropped 99 more messages: there is no connection to the NATS server"));
    assert(log.includes("Reached the NATS server again"));
    await second.close();
    await link.close();
    assertEquals(link.lost.aborted, false);
  },
});

Deno.test({
  name: "input pauses while the server has not confirmed what was sent, and goes on when it has",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const log: string[] = [];
    const link = new ServerLink(await connectForTest(server), (text) => log.push(text));
    const bytes = new Uint8Array(1 << 20);
    for (let count = 0; count < 8; count++) link.send("eddy.eddy.n1", bytes);
    assertEquals(link.full, true);
    await link.drained();
    assertEquals(link.full, false);
    // Beyond a bound in one turn, messages are dropped.
    for (let count = 0; count < 65; count++) link.send("eddy.eddy.n1", bytes);
    assertEquals(log, ["Dropped a message: the NATS server takes them too slowly"]);
    await link.drained();
    link.send("eddy.eddy.n1", bytes);
    assertEquals(log.length, 1);
    await link.close();
  },
});

Deno.test({
  name: "a server that is silent is left, and reached again",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const log: string[] = [];
    const link = new ServerLink(await connectForTest(server), (text) => log.push(text), 100);
    server.stop("SIGSTOP");
    await until("the link has broken off", () => !link.isConnected);
    server.stop("SIGCONT");
    await until("the link is back", () => link.isConnected);
    assert(log.includes("The NATS server is silent: its connection is broken off"));
    await link.close();
  },
});

Deno.test({
  name: "a connection that ends for good ends what uses it",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const connection = await connectForTest(server);
    const link = new ServerLink(connection, () => {});
    await connection.close();
    await until("it is known", () => link.lost.aborted);
    assertEquals(link.isConnected, false);
  },
});

Deno.test({
  name: "three lin-kv nodes go on when the server comes back",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const nodes = ["n1", "n2", "n3"];
    await using cluster = await LocalCluster.start({ server, serve: "lin-kv", nodes });
    await cluster.succeed("n1", { type: "write", key: 1, value: 1 });
    await server.stop("SIGKILL");
    await until("all nodes know", () => cluster.logged(/Lost the NATS server/) === nodes.length);
    await assertRejects(() => cluster.request("n1", { type: "read", key: 1 }, 50));
    await using _again = await NatsServer.start({ port: server.port });
    for (const node of nodes) {
      assertEquals((await cluster.succeed(node, { type: "read", key: 1 })).value, 1);
    }
    await cluster.succeed("n2", { type: "write", key: 1, value: 2 });
    assertEquals((await cluster.succeed("n3", { type: "read", key: 1 })).value, 2);
    assertEquals(cluster.logged(/Reached the NATS server again/), nodes.length);
  },
});
