import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type JsonObject, type Node, parseJson, RpcError } from "@eddy/maelstrom";
import { LocalCluster, until } from "./cluster_testing.ts";
import { controlSubjectOf, subjectOf } from "./subjects.ts";
import { hasServer, NatsServer } from "./testing.ts";

const nodes = ["n1", "n2", "n3"];

function natsTest(name: string, fn: (server: NatsServer) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasServer,
    async fn() {
      await using server = await NatsServer.start();
      await fn(server);
    },
  });
}

/** Handlers that send what they are asked to, and tell what has come. */
function relay(node: Node): void {
  const heard: JsonObject[] = [];
  node.on("tell", ({ body: { dest, text } }) => {
    node.send(String(dest), { type: "text", text: text ?? null });
    return {};
  });
  node.on("text", ({ src, body: { text } }) => void heard.push({ src, text: text ?? null }));
  node.on("heard", () => ({ heard }));
  node.on("big", ({ body: { length } }) => ({ text: "x".repeat(Number(length)) }));
  node.on("ask", async ({ body: { dest, ask } }) => ({
    reply: await node.rpc(String(dest), ask as JsonObject & { type: string }, { timeoutMs: 500 }),
  }));
  node.on("echo", ({ body: { echo } }) => ({ echo: echo ?? null }));
}

/** Messages that come to a client of the test's own. */
function listenAs(cluster: LocalCluster, client: string): JsonObject[] {
  const got: JsonObject[] = [];
  cluster.connection.subscribe(subjectOf(cluster.cluster, client), {
    callback: (_error, msg) => void got.push(parseJson(msg.string()) as JsonObject),
  });
  return got;
}

natsTest(
  "a request comes back as it went, whoever makes it and however it names it",
  async (server) => {
    await using cluster = await LocalCluster.start({ server, serve: "echo" });
    const echo = async (text: string) =>
      (await cluster.connection.request("eddy.eddy.n1.rpc", text)).string();
    assertMatch(await echo('{"type":"echo","echo":[5.0,"ä"]}'), /"echo":\[5\.0,"ä"\]/);
    const named = parseJson(await echo('{"type":"echo","echo":1,"msg_id":0}')) as JsonObject;
    assertEquals([named.type, named.in_reply_to], ["echo_ok", 0]);
    const both = await Promise.all(
      [1, 2].map((value) => cluster.request("n1", { type: "echo", echo: value, msg_id: 5 })),
    );
    assertEquals(both.map(({ echo, in_reply_to }) => [echo, in_reply_to]), [[1, 5], [2, 5]]);

    const got = listenAs(cluster, "c7");
    const message = { src: "c7", dest: "n1", body: { type: "echo", echo: "hi", msg_id: 3 } };
    cluster.connection.publish("eddy.eddy.n1", JSON.stringify(message));
    await until("the echo has come", () => got.length === 1);
    const { src, dest, body } = got[0] as unknown as {
      src: string;
      dest: string;
      body: JsonObject;
    };
    assertEquals([src, dest, body.echo, body.in_reply_to], ["n1", "c7", "hi", 3]);

    const init = { type: "init", node_id: "n2", node_ids: ["n2"] };
    const again = await cluster.request("n1", init);
    assertEquals([again.code, again.text], [12, "Node is n1 already"]);
  },
);

natsTest("two clusters on one server do not meet", async (server) => {
  await using blue = await LocalCluster.start({ server, serve: relay, nodes, cluster: "blue" });
  await using red = await LocalCluster.start({ server, serve: relay, nodes, cluster: "red" });
  await blue.request("n1", { type: "tell", dest: "n2", text: "to blue" });
  await red.request("n1", { type: "tell", dest: "n2", text: "to red" });
  const heard = async (cluster: LocalCluster) =>
    (await cluster.succeed("n2", { type: "heard" })).heard;
  await until(
    "both have come",
    async () =>
      [await heard(blue), await heard(red)].every((each) => (each as JsonObject[]).length > 0),
  );
  assertEquals(await heard(blue), [{ src: "n1", text: "to blue" }]);
  assertEquals(await heard(red), [{ src: "n1", text: "to red" }]);
});

natsTest(
  "what is malformed is answered where it can be, and the next is served",
  async (server) => {
    await using cluster = await LocalCluster.start({ server, serve: relay });
    const malformed = [
      "",
      "x",
      "[]",
      "{}",
      '{"type":1}',
      '{"type":"echo","msg_id":"a"}',
      '{"type":"echo","in_reply_to":1}',
      '{"type":"error","code":1}',
      '{"type":"heard"},"src":"n2","body":{"type":"heard"}',
    ];
    for (const text of malformed) {
      assertEquals((await cluster.request("n1", text)).code, 12, text);
    }
    const got = listenAs(cluster, "c1");
    const subject = subjectOf("eddy", "n1");
    const send = (text: string | Uint8Array) => cluster.connection.publish(subject, text);
    send("no message");
    send(new Uint8Array([0xff, 0x00, 0xfe]));
    send('{"src":"c1","dest":"n1","body":{"msg_id":1}}');
    send('{"src":"c1","dest":"n2","body":{"type":"heard","msg_id":2}}');
    send('{"src":"c 1.>","dest":"n1","body":{"type":"heard","msg_id":3}}');
    send('{"src":"c1","dest":"n1","body":{"type":"heard","msg_id":4}}');
    await until("the last is answered", () => got.length === 3);
    const codes = got.map((
      { body },
    ) => [(body as JsonObject).in_reply_to, (body as JsonObject).code]);
    assertEquals(codes, [[1, 12], [2, 12], [4, undefined]]);
    assertEquals(cluster.logged(/Cannot parse line/), 3);
    assertEquals(cluster.logged(/"c 1\.>" cannot be a part of a subject/), 1);
    // Without a reply subject, there is nobody to tell.
    cluster.connection.publish("eddy.eddy.n1.rpc", "x");
    await until("it is told", () => cluster.logged(/Cannot take a request/) === 1);
  },
);

natsTest(
  "what is too long for the server is not sent, and who waits for it is told",
  async (server) => {
    await using cluster = await LocalCluster.start({ server, serve: relay, nodes: ["n1", "n2"] });
    const length = 3 << 20;
    const reply = await cluster.request("n1", { type: "big", length, msg_id: 4 });
    assertEquals([reply.code, reply.in_reply_to], [13, 4]);
    assertMatch(String(reply.text), /Reply has \d+ bytes, and the NATS server takes 1048576/);

    const got = listenAs(cluster, "c1");
    const message = { src: "c1", dest: "n1", body: { type: "big", length, msg_id: 5 } };
    cluster.connection.publish(subjectOf("eddy", "n1"), JSON.stringify(message));
    await until("an error has come", () => got.length === 1);
    const body = got[0]?.body as JsonObject;
    assertEquals([body.type, body.code, body.in_reply_to], ["error", 13, 5]);

    // Between nodes: the error comes as the reply.
    const ask = { type: "ask", dest: "n2", ask: { type: "big", length } };
    assertEquals((await cluster.request("n1", ask)).code, 13);
    assertEquals((await cluster.request("n1", { type: "big", length: 10 })).text, "x".repeat(10));
    // One line, however many there are in a few seconds.
    const lines = cluster.log.filter((line) =>
      line.includes("max_payload") && !line.includes("more")
    );
    assert(lines.length <= 2, lines.join("\n"));
  },
);

natsTest(
  "a message that is no reply is lost when it is too long, as others are",
  async (server) => {
    const serve = (node: Node) => {
      relay(node);
      node.on("grow", async ({ body: { dest } }) => {
        const echo = "x".repeat(2 << 20);
        return await node.rpc(String(dest), { type: "echo", echo }, { timeoutMs: 300 })
          .then(() => ({ lost: false }), (error) => ({ lost: (error as RpcError).code === 0 }));
      });
    };
    await using cluster = await LocalCluster.start({ server, serve, nodes: ["n1", "n2"] });
    assertEquals((await cluster.request("n1", { type: "grow", dest: "n2" })).lost, true);
    assertEquals(cluster.logged(/the NATS server takes 1048576 bytes/), 1);
  },
);

natsTest(
  "messages beyond a bound are dropped while a node is busy, and counted",
  async (server) => {
    const work = Promise.withResolvers<void>();
    let done = 0;
    const serve = (node: Node) =>
      node.on("work", async () => {
        await work.promise;
        done++;
      });
    await using cluster = await LocalCluster.start({ server, serve, maxInFlight: 1 });
    const text = JSON.stringify({ src: "c1", dest: "n1", body: { type: "work" } });
    for (let sent = 0; sent < 10_000; sent++) cluster.connection.publish("eddy.eddy.n1", text);
    // Answered by the transport, when all of them have come.
    await cluster.request("n1", { type: "eddy_present" });
    const refused = await cluster.request("n1", { type: "work" });
    assertEquals(refused.code, 11);
    work.resolve();
    // One in its handler, what waits in the node, and what waits before it.
    await until("all that was kept is done", () => done === 1 + 2 * 4096);
    assertEquals(cluster.logged(/slow consumer/), 1);
    assertEquals((await cluster.request("n1", { type: "other" })).code, 10);
    await cluster.stop();
    assertEquals(done, 1 + 2 * 4096);
    assertEquals(cluster.logged(/Dropped 1807 more messages: .*slow consumer/), 1);
  },
);

natsTest("a controlled node loses what it is told to", async (server) => {
  await using cluster = await LocalCluster.start({ server, serve: relay, nodes, controlled: true });
  const control = async (text: string) =>
    (await cluster.connection.request(controlSubjectOf("eddy", "n3"), text)).json<JsonObject>();
  const hear = async (...texts: string[]) => {
    for (const node of ["n1", "n2"]) {
      for (const text of texts) await cluster.request(node, { type: "tell", dest: "n3", text });
    }
    // Its own connection's order is kept: this comes after what the other nodes have sent before.
    await cluster.request("n1", { type: "tell", dest: "n3", text: "end" });
    const { heard } = await cluster.request("n3", { type: "heard" });
    return (heard as JsonObject[]).filter(({ text }) => texts.includes(String(text)))
      .map(({ src }) => src);
  };
  assertEquals(await control('{"drop":["n1"]}'), { type: "control_ok" });
  assertEquals(await hear("a"), ["n2"]);
  assertEquals(await control('{"drop":["n2"],"loss":0}'), { type: "control_ok" });
  assertEquals(await hear("b"), ["n1"]);
  await control('{"drop":[],"duplicate":1}');
  assertEquals(await hear("c"), ["n1", "n1", "n2", "n2"]);
  await control('{"loss":1}');
  assertEquals(await hear("d"), []);
  await control('{"loss":0,"duplicate":0}');
  assertEquals(await hear("e"), ["n1", "n2"]);
  for (const wrong of ["x", "[]", '{"drop":"n1"}', '{"loss":2}', '{"duplicate":"1"}']) {
    assertEquals((await control(wrong)).code, 12, wrong);
  }
  await using plain = await LocalCluster.start({ server, serve: relay, cluster: "plain" });
  await assertRejects(
    () => plain.connection.request(controlSubjectOf("plain", "n1"), "{}"),
    Error,
    "no responders",
  );
});

natsTest(
  "a node that is told to end finishes what is in flight, and takes replies for it",
  async (server) => {
    const asked = Promise.withResolvers<void>();
    const serve = (node: Node) => {
      node.on("wait", async () => await node.rpc("c1", { type: "go" }, { timeoutMs: 20_000 }));
    };
    const cluster = await LocalCluster.start({ server, serve });
    let question: JsonObject = {};
    cluster.connection.subscribe("eddy.eddy.c1", {
      callback(_error, msg) {
        question = parseJson(msg.string()) as JsonObject;
        asked.resolve();
      },
    });
    await cluster.connection.flush();
    const answer = cluster.request("n1", { type: "wait" });
    await asked.promise;
    const stopped = cluster.stop();
    assertEquals((await cluster.request("n1", { type: "wait" })).code, 11);
    const { msg_id } = question.body as JsonObject;
    const reply = {
      src: "c1",
      dest: "n1",
      body: { type: "go_ok", far: true, in_reply_to: msg_id },
    };
    cluster.connection.publish("eddy.eddy.n1", JSON.stringify(reply));
    assertEquals((await answer).far, true);
    await stopped;
    await assertRejects(() => cluster.request("n1", { type: "wait" }), Error, "no responders");
    await cluster[Symbol.asyncDispose]();
  },
);

natsTest("two processes of one name find out", async (server) => {
  await using _first = await LocalCluster.start({ server, serve: "echo" });
  const error = await assertRejects(() => LocalCluster.start({ server, serve: "echo" }), Error);
  assertMatch(error.message, /Cannot serve n1 in cluster eddy: another process does already/);
});

natsTest("a request that no node could pass on is refused, and nothing happens", async (server) => {
  await using cluster = await LocalCluster.start({ server, serve: "lin-kv" });
  const write = (length: number) => ({ type: "write", key: 1, value: "x".repeat(length) });
  await cluster.succeed("n1", write(500_000));
  const refused = await cluster.request("n1", write(600_000));
  assertEquals(refused.code, 12);
  assertMatch(String(refused.text), /more than 524288, half of the server's max_payload/);
  const got = listenAs(cluster, "c1");
  const message = { src: "c1", dest: "n1", body: { ...write(600_000), msg_id: 1 } };
  cluster.connection.publish(subjectOf("eddy", "n1"), JSON.stringify(message));
  await until("it is answered", () => got.length === 1);
  const { code, in_reply_to } = got[0]?.body as JsonObject;
  assertEquals([code, in_reply_to], [12, 1]);
  const { value } = await cluster.request("n1", { type: "read", key: 1 });
  assertEquals(String(value).length, 500_000);
});
