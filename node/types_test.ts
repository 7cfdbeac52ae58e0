/**
 * What the compiler accepts and refuses in messages; a line that it should refuse is marked.
 */

import { assertEquals } from "@std/assert";
import * as v from "valibot";
import type { Json, JsonObject } from "./json.ts";
import type { Body } from "./message.ts";
import { Node } from "./node.ts";
import type { RpcSchema } from "./schema.ts";
import { settle, testNode } from "./testing.ts";

interface Point {
  readonly x: number;
  readonly label?: string;
}

/** A body typed by an interface, as its sender keeps it. */
interface Gossip {
  type: "gossip";
  seen: readonly Point[];
  origin: Point;
}

const gossip: Gossip = { type: "gossip", seen: [{ x: 1 }], origin: { x: 2, label: "two" } };

const pair = [1, "one"] as const;

interface ReadOk {
  ids: readonly string[];
  points: ReadonlyArray<Point>;
}

const schema: RpcSchema<
  object,
  { ids: string[]; points: { x: number }[]; pair: [number, string] }
> = {
  request: v.object({}),
  reply: v.object({
    ids: v.array(v.string()),
    points: v.array(v.object({ x: v.number() })),
    pair: v.tuple([v.number(), v.string()]),
  }),
};
const anySchema: RpcSchema<object, { value: Json; list: Json[] | null; map: JsonObject }> = {
  request: v.object({}),
  reply: v.object({ value: v.any(), list: v.any(), map: v.any() }),
};

Deno.test("readonly lists, interfaces and optional keys are messages, with and without schema", async () => {
  const { node, sent, receive } = await testNode();
  const readOk: ReadOk = { ids: node.nodeIds, points: gossip.seen };
  const json: Json = { a: [1, null] };
  const body: Body = { type: "json", json };

  node.send("n2", gossip);
  node.broadcast(gossip);
  node.send("n2", body);
  node.send("n2", { type: "ids", ids: node.nodeIds, others: node.otherNodes, json });
  node.broadcast({ type: "ids", ids: node.nodeIds, nothing: undefined });
  node.send("n2", { type: "ids", ...readOk });
  void node.rpc("n2", gossip).catch(() => {});
  void node.rpc("n2", gossip, { schema: schema.reply }).catch(() => {});
  void node.rpc("n2", { type: "ids", ids: node.nodeIds }).catch(() => {});

  node.on("a", () => ({ ids: node.nodeIds }));
  node.on("b", () => readOk);
  node.on("c", async () => await Promise.resolve(readOk));
  node.on("d", (message) => void node.reply(message, readOk));
  node.on("e", ({ body }) => ({ echo: body.echo }));
  node.on("f", ({ body }) => body.echo === undefined ? undefined : readOk);
  node.on("g", () => ({ ...readOk, pair }), { schema });
  node.on("h", () => Promise.resolve({ ...readOk, pair }), { schema });
  node.on("i", () => ({ ids: [], points: [], pair }), { schema });
  const value: Point = { x: 1 };
  node.on("j", () => ({ value, list: gossip.seen, map: value }), { schema: anySchema });
  node.on("k", () => ({ value: node.nodeIds, list: null, map: {} }), { schema: anySchema });
  node.on("l", ({ body }) => ({ value: json, list: [json], map: body }), { schema: anySchema });

  sent.length = 0;
  for (const type of "abcdefghijkl") receive("c1", { type, msg_id: 1, echo: 1 });
  await settle();
  const types = sent.map(({ body }) => body.type);
  assertEquals(types.toSorted(), [..."abcdefghijkl"].map((type) => `${type}_ok`));
});

Deno.test("what JSON cannot carry is refused by the compiler", () => {
  const node = new Node({ output: { write() {} } });
  const refused = () => {
    // @ts-expect-error: a function
    node.send("n2", { type: "a", call: () => 1 });
    // @ts-expect-error: a Map, which JSON writes as {}
    node.send("n2", { type: "a", map: new Map([[1, 2]]) });
    // @ts-expect-error: a Set, deeper in
    node.broadcast({ type: "a", in: { list: [new Set([1])] } });
    // @ts-expect-error: a BigInt
    void node.rpc("n2", { type: "a", n: 1n });
    // @ts-expect-error: a value of which nothing is known
    node.send("n2", { type: "a", n: JSON.parse as unknown });
    // @ts-expect-error: no type
    node.send("n2", { n: 1 });
    // @ts-expect-error: undefined in a list, which JSON writes as null
    node.send("n2", { type: "a", list: [1, undefined] });
    // @ts-expect-error: a promise that was not awaited
    node.on("a", () => ({ value: Promise.resolve(1) }));
    // @ts-expect-error: a list is no reply
    node.on("b", () => node.nodeIds);
    // @ts-expect-error: nor is a text
    node.on("c", () => "text");
    // @ts-expect-error: a Map in a promised reply
    node.on("d", () => Promise.resolve({ value: new Map() }));
    // @ts-expect-error: a Set where the schema takes any value
    node.on("e", () => ({ value: new Set([1]), list: null, map: {} }), { schema: anySchema });
    // @ts-expect-error: a list of what the schema has not
    node.on("f", () => ({ ids: [1], points: [], pair }), { schema });
    // @ts-expect-error: a number where the schema has a pair
    node.on("g", () => ({ ids: [], points: [], pair: pair[0] }), { schema });
  };
  assertEquals(typeof refused, "function");
});
