/**
 * The workbench's network over NATS, with nodes that the tests play: what they are told, what is
 * counted of what they send.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { delay } from "@std/async/delay";
import { toLinks } from "@eddy/workbench/links.ts";
import { Stdout } from "@eddy/workbench/protocol.ts";
import { createRealWorld } from "@eddy/workbench/world.ts";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectTo } from "./connect.ts";
import { NatsNetwork } from "./nats_cluster.ts";
import { controlSubjectOf, subjectOf } from "./subjects.ts";
import { hasServer, NatsServer } from "./testing.ts";

const NODES = ["n1", "n2", "n3"];
const CLUSTER = "played";

/** Lends a network of three nodes, of which no process is started, and a second connection for them. */
async function inNetwork(
  use: (network: NatsNetwork, nodes: NatsConnection) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  await using server = await NatsServer.start({ args });
  const connection = await connectTo({ nats: server.url }, "workbench");
  const nodes = await connectTo({ nats: server.url }, "nodes");
  const network = new NatsNetwork(createRealWorld(1), {
    ...{ connection, cluster: CLUSTER, nodeIds: NODES },
  });
  try {
    await network.joined();
    await use(network, nodes);
  } finally {
    network.leave();
    await Promise.all([connection.close(), nodes.close()]);
  }
}

function stdoutOf(network: NatsNetwork, node: string): Stdout {
  return new Stdout({
    ...{ node, network, strictMaelstrom: false },
    onError: (error) => {
      throw error;
    },
    onLateReply: () => {},
    onForeignSource: () => {},
  });
}

/** Plays the control subject of a node, and returns what it is told. */
function listen(nodes: NatsConnection, node: string): string[] {
  const told: string[] = [];
  const callback = (_error: Error | null, msg: { string(): string; respond(): boolean }) => {
    told.push(msg.string());
    // Of what is told the first time the answer is lost.
    if (told.length > 1) msg.respond();
  };
  nodes.subscribe(controlSubjectOf(CLUSTER, node), { callback });
  return told;
}

/** Waits for something that comes soon, if it comes at all. */
async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await delay(5);
}

Deno.test({
  name: "a node is told what it loses when it subscribes, at each change, and until it answers",
  ignore: !hasServer,
  fn: () =>
    inNetwork(async (network, nodes) => {
      const heal = network.addRule({ fault: "partition", drops: toLinks({ n1: ["n2", "n3"] }) });
      const stdout = stdoutOf(network, "n1");
      const attached = network.attach("n1", stdout);
      await delay(50);
      const told = listen(nodes, "n1");
      await attached;
      const cut = '{"drop":["n2","n3"],"loss":0,"duplicate":0}';
      assertEquals(told.splice(0), [cut, cut]);
      // The answers to these come.
      told.push("");
      heal();
      const calm = network.addRule({ fault: "loss", loss: 0.25 });
      // Changes that follow each other may be told as one.
      await until(() => told.at(-1) === '{"drop":[],"loss":0.25,"duplicate":0}');
      // Nobody tells a process that has ended.
      stdout.mute();
      const count = told.length;
      calm();
      await delay(50);
      assertEquals(told.length, count);
    }),
});

Deno.test({
  name: "what a node waits for is given up when it ends before it has subscribed",
  ignore: !hasServer,
  fn: () =>
    inNetwork(async (network) => {
      const stdout = stdoutOf(network, "n1");
      const attached = network.attach("n1", stdout);
      stdout.mute();
      await attached;
    }),
});

Deno.test({
  name:
    "messages of nodes are counted, dropped where their receiver drops them, and given to clients",
  ignore: !hasServer,
  fn: () =>
    inNetwork(async (network, nodes) => {
      const received: string[] = [];
      for (const name of [...NODES, "c1"]) {
        network.open(name, ({ src, dest, text }) => {
          if (name === "c1") received.push(`${src} ${text}`);
          else network.publish({ src, dest, text } as Parameters<NatsNetwork["publish"]>[0]);
        });
      }
      const told = NODES.map((node) => listen(nodes, node));
      told.forEach((each) => each.push(""));
      await nodes.flush();
      await Promise.all(NODES.map((node) => network.attach(node, stdoutOf(network, node))));
      network.addRule({ fault: "partition", drops: toLinks({ n2: ["n1"] }) });
      const request = new Promise<string>((resolve) => {
        nodes.subscribe(subjectOf(CLUSTER, "n3"), {
          callback: (_error, msg) => {
            // What nodes publish, too, comes here: the network does not publish it again.
            if (msg.string().startsWith('{"src":"c1"')) resolve(msg.string());
          },
        });
      });
      await nodes.flush();
      const publish = (src: string, dest: string, body: object) => {
        nodes.publish(subjectOf(CLUSTER, dest), JSON.stringify({ src, dest, body }));
      };
      network.send({ src: "c1", dest: "n3", body: { type: "read", msg_id: 1 } });
      assertEquals(await request, '{"src":"c1","dest":"n3","body":{"type":"read","msg_id":1}}');
      publish("n1", "n2", { type: "lost" });
      publish("n1", "n3", { type: "kept" });
      publish("stranger", "n3", { type: "kept" });
      publish("n3", "c1", { type: "read_ok", in_reply_to: 1 });
      await until(() => received.length > 0);
      assertEquals(received, ['n3 {"type":"read_ok","in_reply_to":1}']);
      const { clients, servers } = network.journal.stats();
      assertEquals([clients.sendCount, clients.recvCount], [2, 2]);
      assertEquals([servers.sendCount, servers.recvCount], [2, 1]);
      assertEquals([...network.journal.dropCounts], [["partition", 1]]);
    }),
});

Deno.test({
  name: "nothing can be held back, and a server that lets nobody watch ends the run",
  ignore: !hasServer,
  async fn() {
    await inNetwork((network) => {
      const holds = toLinks({ n1: ["n2"] });
      assertThrows(
        () => network.addRule({ fault: "hold", holds }),
        RangeError,
        "Cannot inject hold over NATS: messages between nodes do not go by way of the workbench",
      );
      return Promise.resolve();
    });
    const config = await Deno.makeTempFile();
    try {
      const anyone =
        '{ permissions: { subscribe: "_INBOX.>", publish: ">" }, user: a, password: b }';
      await Deno.writeTextFile(config, `authorization { users: [${anyone}] }\nno_auth_user: a\n`);
      await assertRejects(
        () => inNetwork(() => Promise.resolve(), ["--config", config]),
        Error,
        "Cannot watch the cluster's messages: Permissions Violation",
      );
    } finally {
      await Deno.remove(config);
    }
  },
});
