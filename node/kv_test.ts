import { assert, assertEquals, assertRejects } from "@std/assert";
import { settle, testNode } from "./testing.ts";
import { RpcError } from "./errors.ts";
import { jsonEqual, type JsonObject } from "./json.ts";
import { KV, type KvService, LinTso } from "./kv.ts";

/** A node whose calls to a service are answered by `serve`, one after the other. */
async function withService(
  serve: (body: JsonObject) => JsonObject | undefined,
  service: KvService | "lin-tso" = "lin-kv",
) {
  const test = await testNode();
  const requests: JsonObject[] = [];
  let stopped = false;
  const loop = (async () => {
    while (!stopped) {
      for (const { dest, body } of test.sent.splice(0)) {
        assertEquals(dest, service);
        const { msg_id, ...request } = body as JsonObject;
        requests.push(request);
        const reply = serve(request);
        if (reply !== undefined) test.receive(service, { ...reply, in_reply_to: msg_id });
      }
      await test.clock.advance(10);
      await settle();
    }
  })();
  return {
    ...test,
    requests,
    async stop() {
      stopped = true;
      await loop;
    },
  };
}

/** A store that behaves as Maelstrom's does. */
function store(entries: [string, unknown][] = []) {
  const map = new Map<unknown, unknown>(entries);
  const serve = (body: JsonObject): JsonObject => {
    const present = map.has(body.key);
    if (body.type === "read") {
      if (present) return { type: "read_ok", value: map.get(body.key) as never };
      return { type: "error", code: 20, text: "key does not exist" };
    }
    if (body.type === "cas" && !present && body.create_if_not_exists !== true) {
      return { type: "error", code: 20, text: "key does not exist" };
    }
    if (
      body.type === "cas" && present && !jsonEqual(map.get(body.key) as never, body.from as never)
    ) {
      return { type: "error", code: 22, text: "expected something else" };
    }
    map.set(body.key, body.type === "cas" ? body.to : body.value);
    return { type: `${body.type}_ok` };
  };
  return { map, serve };
}

Deno.test("KV reads, writes and compares as the service does", async () => {
  const { map, serve } = store([["a", 1]]);
  const service = await withService(serve);
  const kv = new KV<string, number>(service.node, "lin-kv");
  assertEquals(await kv.read("a"), 1);
  await kv.write("b", 2);
  await kv.cas("b", 2, 3);
  assertEquals(map.get("b"), 3);
  assertEquals((await assertRejects(() => kv.read("z"), RpcError)).code, 20);
  assertEquals((await assertRejects(() => kv.cas("b", 2, 4), RpcError)).code, 22);
  assertEquals(await kv.readOr("z", 7), 7);
  await service.stop();
});

Deno.test("createIfMissing tells whether it was first, even where null is stored", async () => {
  const { map, serve } = store([["a", null]]);
  const service = await withService(serve);
  const kv = new KV(service.node, "seq-kv");
  const lin = new KV(service.node, "lin-kv");
  assertEquals(await lin.createIfMissing("a", 1), false);
  assertEquals(await lin.createIfMissing("b", 1), true);
  assertEquals([map.get("a"), map.get("b")], [null, 1]);
  assertEquals(kv.service, "seq-kv");
  const lww = new KV(service.node, "lww-kv");
  await assertRejects(() => lww.createIfMissing("c", 1), Error, "lww-kv");
  await service.stop();
});

Deno.test("update tries again when others come first, at creation too", async () => {
  const { map, serve } = store();
  let interference = 3;
  const service = await withService((body) => {
    if (body.type === "cas" && interference-- > 0) map.set("n", Number(map.get("n") ?? 0) + 10);
    return serve(body);
  });
  const kv = new KV<string, number>(service.node, "lin-kv");
  assertEquals(await kv.update("n", (n) => n + 1, { initial: 0 }), 31);
  assertEquals(map.get("n"), 31);
  await service.stop();
});

Deno.test("update gives up in the end, and needs an initial value for a missing key", async () => {
  const { map, serve } = store([["n", 0]]);
  const service = await withService((body) => {
    map.set("n", Number(map.get("n")) + 1);
    return serve(body);
  });
  const kv = new KV<string, number>(service.node, "lin-kv");
  const lost = await assertRejects(() => kv.update("n", (n) => n + 1, { maxTries: 3 }), RpcError);
  assertEquals(lost.code, 14);
  assertEquals(service.requests.filter(({ type }) => type === "cas").length, 3);
  const missing = await assertRejects(() => kv.update("z", (n) => n + 1), RpcError);
  assertEquals(missing.code, 20);
  await service.stop();
});

Deno.test("reads are tried again when no answer comes; writes are not", async () => {
  let silent = 1;
  const { serve } = store([["a", 1]]);
  const service = await withService((body) => silent-- > 0 ? undefined : serve(body));
  const kv = new KV<string, number>(service.node, "lin-kv", { timeoutMs: 50 });
  assertEquals(await kv.read("a"), 1);
  silent = 1;
  assertEquals((await assertRejects(() => kv.write("a", 2), RpcError)).code, 0);
  assertEquals(service.requests.map(({ type }) => type), ["read", "read", "write"]);
  await service.stop();
});

Deno.test("readLatest writes a fresh value, then reads", async () => {
  const { map, serve } = store([["a", 1]]);
  const service = await withService(serve, "seq-kv");
  const kv = new KV<string, number>(service.node, "seq-kv");
  assertEquals(await kv.readLatest("a"), 1);
  const first = map.get("eddy-sync-n1");
  assertEquals(await kv.readLatest("a"), 1);
  assert(first !== undefined && map.get("eddy-sync-n1") !== first);
  assertEquals(service.requests.map(({ type }) => type), ["write", "read", "write", "read"]);
  await service.stop();
});

Deno.test("LinTso gives timestamps", async () => {
  let next = 0;
  const service = await withService(() => ({ type: "ts_ok", ts: next++ }), "lin-tso");
  const tso = new LinTso(service.node);
  assertEquals([await tso.ts(), await tso.ts()], [0, 1]);
  await service.stop();
});
