import { assertEquals, assertRejects } from "@std/assert";
import * as v from "valibot";
import { testNode } from "./testing.ts";
import { RpcError } from "./errors.ts";
import { Node } from "./node.ts";
import type { RpcSchema, SchemaIssue } from "./schema.ts";

/** A schema of one required field, to see what flows from it. */
function fieldSchema<K extends string, T>(key: K, type: "number" | "string") {
  return {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown): { value: Record<K, T> } | { issues: SchemaIssue[] } => {
        const found = (value as Record<string, unknown>)[key];
        const isRight = type === "number" ? typeof found === "number" : typeof found === "string";
        if (isRight) return { value: value as Record<K, T> };
        return { issues: [{ message: `Expected ${type}`, path: [{ key }] }] };
      },
    },
  };
}
const schema: RpcSchema<{ delta: number }, { total: number }> = {
  request: fieldSchema<"delta", number>("delta", "number"),
  reply: fieldSchema<"total", number>("total", "number"),
};

Deno.test("a request that does not fit its schema gets error 12 naming the field", async () => {
  const { node, sent, receive } = await testNode();
  node.on("add", ({ body }) => ({ total: body.delta + 1 }), { schema });
  receive("c1", { type: "add", msg_id: 1, delta: "one" });
  receive("c1", { type: "add", msg_id: 2, delta: 1 });
  assertEquals([sent[0]?.body.code, sent[0]?.body.text], [
    12,
    "Malformed add: delta: Expected number",
  ]);
  assertEquals(sent[1]?.body.total, 2);
});

Deno.test("schemas check and change nothing, whatever they would fill in, leave out or convert", async () => {
  const { node, receive } = await testNode();
  const request = v.object({ by: v.optional(v.number(), 1), names: v.record(v.string(), v.any()) });
  const seen: unknown[] = [];
  node.on("add", ({ body }) => void seen.push(body), { schema: { request, reply: v.object({}) } });
  const text = '{"type":"add","msg_id":7,"names":{"constructor":[]},"unknown":1}';
  receive("c1", JSON.parse(text));
  const reply = node.rpc("n2", { type: "add" }, { schema: request });
  receive("n2", { ...JSON.parse(text), in_reply_to: 1 });
  seen.push(await reply);
  assertEquals(seen.map((body) => JSON.stringify(body)), [
    text,
    `${text.slice(0, -1)},"in_reply_to":1}`,
  ]);
});

Deno.test("a reply that does not fit its schema fails the call", async () => {
  const { node, receive } = await testNode();
  const call = assertRejects(
    () => node.rpc("n2", { type: "sum" }, { schema: schema.reply }),
    RpcError,
    "Malformed sum_ok from n2: total: Expected number",
  );
  receive("n2", { type: "sum_ok", total: "x", in_reply_to: 1 });
  assertEquals((await call).code, 13);
});

Deno.test("types: request and reply flow from the schema", () => {
  const node = new Node({ output: { write() {} } });
  node.on("a", async ({ body }) => ({ total: await Promise.resolve(body.delta) }), { schema });
  // @ts-expect-error: a reply key that the schema does not have
  node.on("b", () => ({ total: 1, extra: 2 }), { schema });
  // @ts-expect-error: a reply without a required key
  node.on("c", () => ({}), { schema });
  // @ts-expect-error: a reply key of the wrong type
  node.on("d", () => Promise.resolve({ total: "1" }), { schema });
  // @ts-expect-error: a request key that the schema does not have
  node.on("e", ({ body }) => ({ total: body.other }), { schema });
  const sized = v.pipe(v.object({ text: v.string() }), v.transform(({ text }) => text.length));
  // @ts-expect-error: a schema that makes something else of what it checks
  node.on("g", () => ({}), { schema: { request: sized, reply: v.object({}) } });
  const total = v.object({ total: v.pipe(v.string(), v.transform(Number)) });
  // @ts-expect-error: the same, deeper in
  void (() => node.rpc("n2", { type: "x" }, { schema: total }));
  const filled = v.object({ by: v.optional(v.number(), 1) });
  // @ts-expect-error: what a schema would fill in may be missing
  node.on("h", ({ body }) => ({ total: 1 + body.by }), { schema: { ...schema, request: filled } });
  const ask = async () => {
    const checked: { total: number } = await node.rpc("n2", { type: "x" }, {
      schema: schema.reply,
    });
    // @ts-expect-error: a reply that no schema has checked can be anything
    const unchecked: { total: number } = await node.rpc("n2", { type: "x" });
    return [checked, unchecked];
  };
  node.on("f", async () => ({ total: (await ask()).length }), { schema });
});
