/**
 * What each workload makes of a transport that loses messages, brings some twice, and is away for a
 * while: each sequence of requests is made under loss, then after a restart of the server.
 */

import { assert, assertEquals } from "@std/assert";
import { type WorkloadName, workloads } from "@eddy/handlers/workloads";
import type { Json, JsonObject } from "@eddy/maelstrom";
import { LocalCluster, until } from "./cluster_testing.ts";
import { controlSubjectOf, subjectOf } from "./subjects.ts";
import { hasServer, NatsServer } from "./testing.ts";

const nodes = ["n1", "n2", "n3"];

/** What is done and checked twice, in rounds 0 and 1. */
type Round = (cluster: LocalCluster, round: number) => Promise<void>;

/** What all nodes answer, once they agree with what is expected. */
async function untilAll(
  cluster: LocalCluster,
  request: JsonObject,
  isRight: (reply: JsonObject) => boolean,
): Promise<void> {
  for (const node of nodes) {
    await until(
      `${node} answers rightly`,
      async () => isRight(await cluster.succeed(node, request)),
    );
  }
}

function sorted(values: Json | undefined): string {
  return (values as number[]).toSorted((a, b) => a - b).join();
}

/** A set of values that grows by three in each round. */
function growing(add: string, key: string, read: string): Round {
  return async (cluster, round) => {
    for (const [at, node] of nodes.entries()) {
      await cluster.succeed(node, { type: add, [key]: 10 * round + at });
    }
    const all = round === 0 ? "0,1,2" : "0,1,2,10,11,12";
    await untilAll(cluster, { type: "read" }, (reply) => sorted(reply[read]) === all);
  };
}

/** A sum that grows by some deltas in each round: neither lost nor counted twice. */
function counting(deltas: readonly number[]): Round {
  const sum = deltas.reduce((before, delta) => before + delta);
  return async (cluster, round) => {
    for (const [at, delta] of deltas.entries()) {
      const node = nodes[at % nodes.length] ?? "";
      await cluster.succeed(node, { type: "add", delta });
    }
    await untilAll(cluster, { type: "read" }, ({ value }) => value === sum * (round + 1));
  };
}

const ids = new Set<string>();

const rounds: Readonly<Record<WorkloadName, Round>> = {
  broadcast: growing("broadcast", "message", "messages"),
  "g-set": growing("add", "element", "value"),
  "g-counter": counting([1, 2, 3, 4]),
  "pn-counter": counting([1, -5, 3, 4]),
  async echo(cluster, round) {
    const { echo } = await cluster.succeed("n1", { type: "echo", echo: round });
    assertEquals(echo, round);
  },
  async "unique-ids"(cluster, round) {
    for (const node of nodes) {
      for (let count = 0; count < 5; count++) {
        ids.add(JSON.stringify((await cluster.succeed(node, { type: "generate" })).id));
      }
    }
    assertEquals(ids.size, 15 * (round + 1));
  },
  async "lin-kv"(cluster, round) {
    for (const [at, node] of nodes.entries()) {
      const value = 10 * round + at;
      await cluster.succeed(node, { type: "write", key: "k", value });
      const next = nodes[(at + 1) % nodes.length] ?? "";
      assertEquals((await cluster.succeed(next, { type: "read", key: "k" })).value, value);
      const cas = await cluster.request(next, { type: "cas", key: "k", from: -1, to: 0 });
      assert(cas.type === "error", JSON.stringify(cas));
    }
  },
  async kafka(cluster, round) {
    let last = -1;
    for (const [at, node] of nodes.entries()) {
      const { offset } = await cluster.succeed(node, {
        type: "send",
        key: "k",
        msg: 10 * round + at,
      });
      assert(Number(offset) > last);
      last = Number(offset);
    }
    // A send whose answer was lost may have been done twice.
    const sent = round === 0 ? "0,1,2" : "0,1,2,10,11,12";
    await untilAll(cluster, { type: "poll", offsets: { k: 0 } }, ({ msgs }) => {
      const all = (msgs as Record<string, number[][]>).k?.map(([, msg]) => msg) ?? [];
      return sorted([...new Set(all)] as Json) === sent;
    });
    await cluster.succeed("n1", { type: "commit_offsets", offsets: { k: last } });
    const list = { type: "list_committed_offsets", keys: ["k"] };
    await untilAll(cluster, list, ({ offsets }) => (offsets as JsonObject).k === last);
  },
  async "txn-list-append"(cluster, round) {
    for (const [at, node] of nodes.entries()) {
      await cluster.succeed(node, { type: "txn", txn: [["append", 1, 10 * round + at]] });
    }
    const { txn } = await cluster.succeed("n2", { type: "txn", txn: [["r", 1, null]] });
    const list = (txn as [string, number, number[]][])[0]?.[2];
    assertEquals([...new Set(list)].join(), round === 0 ? "0,1,2" : "0,1,2,10,11,12");
  },
  async "txn-rw-register"(cluster, round) {
    const value = round + 1;
    await cluster.succeed("n1", { type: "txn", txn: [["w", "a", value], ["w", "b", value]] });
    const read = { type: "txn", txn: [["r", "a", null], ["r", "b", null]] };
    await untilAll(cluster, read, ({ txn }) => {
      const [[, , a], [, , b]] = txn as [[string, string, Json], [string, string, Json]];
      return a === value && b === value;
    });
  },
};

async function control(cluster: LocalCluster, node: string, text: string): Promise<void> {
  await cluster.connection.request(controlSubjectOf(cluster.cluster, node), text);
}

for (const name of Object.keys(workloads) as WorkloadName[]) {
  Deno.test({
    name: `${name} bears lost and repeated messages, and that the server is away`,
    ignore: !hasServer,
    async fn() {
      await using server = await NatsServer.start();
      await using cluster = await LocalCluster.start({
        ...{ server, nodes, serve: name, controlled: true },
      });
      for (const node of nodes) await control(cluster, node, '{"loss":0.2,"duplicate":0.2}');
      await rounds[name](cluster, 0);
      await server.stop("SIGKILL");
      await until("all nodes know", () => cluster.logged(/Lost the NATS server/) === nodes.length);
      await using _again = await NatsServer.start({ port: server.port });
      await until("all are back", () => cluster.logged(/Reached the NATS/) === nodes.length);
      await rounds[name](cluster, 1);
      await cluster.stop();
    },
  });
}

Deno.test({
  name: "what a node has missed fits messages, if no value is longer than it may be",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    await using cluster = await LocalCluster.start({
      ...{ server, nodes, serve: "broadcast", controlled: true },
    });
    await control(cluster, "n3", '{"drop":["n1","n2"]}');
    const subject = subjectOf(cluster.cluster, "n1");
    const count = 3000;
    for (let at = 0; at < count; at++) {
      const message = `${at} ${"x".repeat(180)}`;
      const body = { type: "broadcast", message };
      cluster.connection.publish(subject, JSON.stringify({ src: "c1", dest: "n1", body }));
    }
    const has = async (node: string) =>
      ((await cluster.request(node, { type: "read" })).messages as Json[] | undefined)?.length;
    await until("n2 has all", async () => await has("n2") === count);
    assertEquals(await has("n3"), 0);
    await control(cluster, "n3", '{"drop":[]}');
    await until("n3 has all", async () => await has("n3") === count);
    assertEquals(cluster.logged(/max_payload/), 0);
  },
});

Deno.test({
  name: "a node that has lost its memory gets all that others have, if no value is longer",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const common = { server, nodes, serve: "broadcast" };
    await using others = await LocalCluster.start({ ...common, only: ["n1", "n2"] });
    const count = 5500;
    const has = async (node: string) =>
      ((await others.request(node, { type: "read" })).messages as Json[] | undefined)?.length;
    {
      await using _first = await LocalCluster.start({ ...common, only: ["n3"] });
      for (let at = 0; at < count; at++) {
        const message = `${at} ${"x".repeat(140)}`;
        const body = { type: "broadcast", message };
        const line = JSON.stringify({ src: "c1", dest: "n1", body });
        others.connection.publish(subjectOf(others.cluster, "n1"), line);
      }
      await until("n3 has all", async () => await has("n3") === count);
    }
    await using again = await LocalCluster.start({ ...common, only: ["n3"] });
    await until("n3 has all again", async () => await has("n3") === count);
    assertEquals([...others.log, ...again.log].filter((line) => /max_payload/.test(line)), []);
  },
});

Deno.test({
  name: "messages from one node to another come in the order in which they were sent",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    const heard: Json[] = [];
    await using cluster = await LocalCluster.start({
      server,
      nodes: ["n1", "n2"],
      serve(node) {
        node.on("count", ({ body: { to } }) => {
          for (let at = 0; at < Number(to); at++) node.send("n2", { type: "at", at });
          return {};
        });
        node.on("at", ({ body: { at } }) => void heard.push(at ?? null));
      },
    });
    await cluster.request("n1", { type: "count", to: 3000 });
    await until("all have come", () => heard.length === 3000);
    assertEquals(heard, Array.from({ length: 3000 }, (_, at) => at));
  },
});
