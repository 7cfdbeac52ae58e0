import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { oddThrown, settle, testNode } from "./testing.ts";
import { ErrorCode, RpcError } from "./errors.ts";
import { KV, LinTso } from "./kv.ts";
import { Node } from "./node.ts";
import { serve } from "./stdio.ts";

Deno.test("init names the node once; a repeated one is refused, and changes nothing", async () => {
  const { node, sent, receive } = await testNode({}, { init: false });
  const seen: string[] = [];
  node.onInit(() => void seen.push(node.id, ...node.otherNodes));
  const init = { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1", "n2"] };
  receive("c0", init);
  receive("c1", { ...init, msg_id: 2 });
  await settle();
  receive("c0", init);
  receive("c1", { ...init, msg_id: 3, node_id: "n2" });
  await settle();
  const refused = { type: "error", code: 12, text: "Node is n1 already" };
  assertEquals(sent.map(({ dest, body: { msg_id: _, ...body } }) => [dest, body]), [
    ["c1", { ...refused, in_reply_to: 2 }],
    ["c0", { type: "init_ok", in_reply_to: 1 }],
    ["c0", { ...refused, in_reply_to: 1 }],
    ["c1", { ...refused, in_reply_to: 3 }],
  ]);
  assertEquals([node.id, seen], ["n1", ["n1", "n2"]]);
});

Deno.test("init with names that name no node of a cluster is refused, and a right one still accepted", async () => {
  const { node, sent, receive } = await testNode({}, { init: false });
  receive("c0", { type: "init", msg_id: 1, node_id: 5, node_ids: [] });
  receive("c0", { type: "init", msg_id: 2, node_id: "n1", node_ids: "n1" });
  receive("c0", { type: "init", msg_id: 3, node_id: "n9", node_ids: ["n1", "n2"] });
  receive("c0", { type: "init", msg_id: 4, node_id: "n1", node_ids: ["n1", "n2", "n1"] });
  receive("c0", { type: "init", msg_id: 5, node_id: "n1", node_ids: ["n1", "n2", "n2"] });
  receive("c0", { type: "init", msg_id: 6, node_id: "n1", node_ids: [] });
  receive("c0", { type: "init", msg_id: 7, node_id: "", node_ids: [""] });
  await settle();
  assertEquals(
    sent.map(({ body }) => [body.code, body.in_reply_to]),
    [1, 2, 3, 4, 5, 6, 7].map((id) => [12, id]),
  );
  assertEquals([node.state.phase, node.id, node.nodeIds], ["new", "", []]);
  receive("c1", { type: "echo", msg_id: 8 });
  assertEquals(sent.at(-1)?.body.code, 11);
  receive("c0", { type: "init", msg_id: 9, node_id: "n1", node_ids: ["n1"] });
  await settle();
  assertEquals([node.id, sent.at(-1)?.body.type], ["n1", "init_ok"]);
});

Deno.test("a failing init hook answers an error", async () => {
  const { node, sent, receive } = await testNode({}, { init: false });
  node.onInit(() => Promise.reject(new Error("no disk")));
  receive("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1"] });
  await settle();
  assertEquals([sent[0]?.body.code, sent[0]?.body.text], [13, "no disk"]);
});

Deno.test("before init clients get error 11, peers wait and then run in order", async () => {
  const { node, sent, receive } = await testNode({}, { init: false });
  const order: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  node.onInit(() => gate.promise);
  node.on("note", ({ body }) => void order.push(body.n));
  receive("c3", { type: "note", msg_id: 1, n: 0 });
  assertEquals(sent[0]?.body.code, 11);
  receive("n2", { type: "note", n: 1 });
  receive("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1", "n2"] });
  receive("n2", { type: "note", n: 2 });
  await settle();
  assertEquals(order, []);
  gate.resolve();
  await settle();
  assertEquals(order, [1, 2]);
});

Deno.test("peers' messages that wait for init are bounded", async () => {
  const { node, receive } = await testNode({}, { init: false });
  for (let i = 0; i < 5000; i++) receive("n2", { type: "note" });
  assertEquals([node.state.early.length, node.state.counts.droppedEarly], [4096, 904]);
});

Deno.test("a type can have one handler", async () => {
  const { node } = await testNode();
  node.on("a", () => {});
  assertThrows(() => node.on("a", () => {}), Error, "Cannot handle a");
  assertThrows(() => node.on("init", () => {}), Error, "Cannot handle init");
});

Deno.test("replies deduce their type, keep the order of keys, and count msg_ids", async () => {
  const { node, lines, receive } = await testNode();
  node.on("get", () => ({ value: 1 }));
  node.on("ask", () => Promise.resolve({ type: "told", value: 2 }));
  receive("c1", { type: "get", msg_id: 0 });
  receive("c2", { type: "ask", msg_id: 7 });
  await settle();
  assertEquals(lines, [
    '{"src":"n1","dest":"c1","body":{"type":"get_ok","value":1,"in_reply_to":0,"msg_id":1}}',
    '{"src":"n1","dest":"c2","body":{"type":"told","value":2,"in_reply_to":7,"msg_id":2}}',
  ]);
});

Deno.test("what a handler throws becomes an error reply", async () => {
  const { node, sent, logs, receive } = await testNode();
  node.on("own", () => {
    throw new RpcError(1001, "my own");
  });
  node.on("bug", () => Promise.reject(new TypeError("a bug")));
  node.on("odd", () => {
    throw "just text";
  });
  node.on("blank", () => {
    throw Object.create(null);
  });
  node.on("cyclic", () => {
    const body: Record<string, unknown> = {};
    body.self = body;
    return body as never;
  });
  for (const [i, type] of ["own", "bug", "odd", "cyclic", "nowhere", "blank"].entries()) {
    receive("c1", { type, msg_id: i });
    await settle();
  }
  const errors = sent.map(({ body }) => [body.type, body.code, body.in_reply_to]);
  assertEquals(errors, [1001, 13, 13, 13, 10, 13].map((code, i) => ["error", code, i]));
  assertEquals(sent[1]?.body.text, "a bug");
  assert(logs.some((text) => text.includes("node_test.ts")), "the stack is logged");
});

Deno.test("a message without msg_id is handled and never answered", async () => {
  const { node, sent, logs, receive } = await testNode();
  node.on("get", () => ({ value: 1 }));
  receive("c1", { type: "get" });
  receive("c1", { type: "unknown" });
  await settle();
  assertEquals(sent, []);
  assertStringIncludes(logs.join(), "Unknown message type");
});

Deno.test("errors and replies are never answered", async () => {
  const { node, sent, receive } = await testNode();
  node.on("get", () => ({}));
  receive("n2", { type: "error", code: 10, text: "no", msg_id: 4 });
  receive("n2", { type: "get", msg_id: 5, in_reply_to: 0 });
  receive("lin-kv", { type: "read_ok", in_reply_to: null });
  await settle();
  assertEquals(sent, []);
  assertEquals(node.state.counts.unknownReplies, 2);
});

Deno.test("a message for another node is refused, under this node's own name", async () => {
  const { node, sent } = await testNode();
  node.on("get", () => ({}));
  for (const dest of ["n2", 5]) {
    node.receive(JSON.stringify({ src: "c1", dest, body: { type: "get", msg_id: 1 } }));
  }
  assertEquals(sent.map(({ src, body }) => [src, body.code]), [["n1", 12], ["n1", 12]]);
});

Deno.test("a reply goes out once, by hand or by return", async () => {
  const { node, sent, receive } = await testNode();
  node.on("twice", (message) => {
    node.reply(message, { n: 1 });
    return { n: 2 };
  });
  receive("c1", { type: "twice", msg_id: 1 });
  await settle();
  assertEquals(sent.map(({ body }) => body.n), [1]);
});

Deno.test("a client that has stopped waiting gets no reply; a peer does", async () => {
  const { node, sent, logs, clock, receive } = await testNode({ clientDeadlineMs: 100 });
  node.on("slow", async () => {
    await new Promise<void>((resolve) => void clock.schedule(150, resolve));
    return {};
  });
  receive("c1", { type: "slow", msg_id: 1 });
  receive("n2", { type: "slow", msg_id: 1 });
  await clock.advance(200);
  assertEquals(sent.map(({ dest }) => dest), ["n2"]);
  assertEquals(node.state.counts.lateReplies, 1);
  assertStringIncludes(logs.join(), "has stopped waiting");
});

Deno.test("rpc resolves with the reply's body and leaves nothing behind", async () => {
  const { node, sent, clock, receive } = await testNode();
  const reply = node.rpc("n2", { type: "get" });
  assertEquals(sent[0], { src: "n1", dest: "n2", body: { type: "get", msg_id: 1 } });
  receive("n3", { type: "get_ok", value: 0, in_reply_to: 1 });
  receive("n2", { type: "get_ok", value: 1, in_reply_to: 1 });
  receive("n2", { type: "get_ok", value: 2, in_reply_to: 1 });
  assertEquals((await reply).value, 1);
  assertEquals([node.state.calls.size, clock.timers], [0, 0]);
  assertEquals(node.state.counts.unknownReplies, 2);
});

Deno.test("rpc takes msg_id 0 for what it is", async () => {
  const { node, receive } = await testNode({}, { init: false });
  const reply = node.rpc("n2", { type: "get" });
  receive("n2", { type: "get_ok", in_reply_to: 0 });
  assertEquals((await reply).type, "get_ok");
});

Deno.test("rpc rejects on timeout, on the peer's error and on abort, leaving nothing", async () => {
  const { node, clock, receive } = await testNode();
  const late = assertRejects(() => node.rpc("n2", { type: "a" }, { timeoutMs: 50 }), RpcError);
  await clock.advance(60);
  assertEquals((await late).code, ErrorCode.timeout);

  const refused = assertRejects(() => node.rpc("n2", { type: "a" }), RpcError, "taken");
  receive("n2", { type: "error", code: 1234, text: "taken", in_reply_to: 2 });
  assertEquals((await refused).code, 1234);

  const controller = new AbortController();
  const { signal } = controller;
  const aborted = assertRejects(() => node.rpc("n2", { type: "a" }, { signal }), DOMException);
  controller.abort();
  await aborted;
  await assertRejects(() => node.rpc("n2", { type: "a" }, { signal }), DOMException);
  assertEquals([node.state.calls.size, clock.timers], [0, 0]);
});

Deno.test("a call that cannot be written leaves nothing behind", async () => {
  const { node, clock } = await testNode();
  const body = { type: "a", n: 1n as never };
  await assertRejects(() => node.rpc("n2", body), TypeError);
  assertEquals([node.state.calls.size, clock.timers], [0, 0]);
});

Deno.test("nodes that hand each other their lines at once can call each other", async () => {
  const asker: Node = new Node({ output: { write: (line) => answerer.receive(line) } });
  const answerer: Node = new Node({ output: { write: (line) => asker.receive(line) } });
  answerer.on("get", () => ({ value: 1 }));
  for (const [node, id] of [[asker, "n1"], [answerer, "n2"]] as const) {
    const body = { type: "init", node_id: id, node_ids: ["n1", "n2"] };
    node.receive(JSON.stringify({ src: "c0", dest: id, body }));
  }
  await settle();
  assertEquals((await asker.rpc("n2", { type: "get" })).value, 1);
});

Deno.test("retry sends each try under a fresh msg_id", async () => {
  const { node, sent, clock, receive } = await testNode();
  const reply = node.retry(() => node.rpc("lin-kv", { type: "a" }, { timeoutMs: 50 }));
  await clock.advance(150);
  receive("lin-kv", { type: "a_ok", in_reply_to: 2 });
  assertEquals((await reply).type, "a_ok");
  assertEquals(sent.map(({ body }) => body.msg_id), [1, 2]);
});

Deno.test("a handler that hangs does not delay the others", async () => {
  const { node, sent, receive } = await testNode();
  node.on("hang", () => new Promise(() => {}));
  node.on("get", () => ({}));
  receive("c1", { type: "hang", msg_id: 1 });
  receive("c2", { type: "get", msg_id: 1 });
  assertEquals(sent.map(({ dest }) => dest), ["c2"]);
});

Deno.test("maxInFlight makes requests wait in order while replies pass", async () => {
  const { node, sent, receive } = await testNode({ maxInFlight: 2 });
  node.on("ask", async ({ body }) => ({ n: body.n, got: await node.rpc("n2", { type: "x" }) }));
  for (let n = 1; n <= 4; n++) receive("c1", { type: "ask", msg_id: n, n });
  assertEquals([node.state.inFlight, node.state.held.length, node.busy], [2, 2, false]);
  receive("n2", { type: "x_ok", in_reply_to: 2 });
  await settle();
  assertEquals(sent.filter(({ dest }) => dest === "c1").map(({ body }) => body.n), [2]);
  assertEquals([node.state.inFlight, node.state.held.length], [2, 1]);
});

Deno.test("too many waiting requests pause the input until one starts", async () => {
  const { node, receive } = await testNode({ maxInFlight: 1 });
  const gate = Promise.withResolvers<void>();
  node.on("ask", () => gate.promise);
  for (let n = 0; n <= 4096; n++) receive("c1", { type: "ask", msg_id: n });
  assert(node.busy);
  const ready = node.ready();
  gate.resolve();
  await ready;
  assert(!node.busy);
  await node.drain();
  assertEquals([node.state.inFlight, node.state.held.length], [0, 0]);
});

Deno.test("while a call waits for its reply, input never pauses, and requests are refused", async () => {
  const { node, clock, sent, receive } = await testNode({ maxInFlight: 1 });
  node.on("ask", async () => {
    await new Promise<void>((resolve) => void clock.schedule(10, resolve));
    return { got: (await node.rpc("n2", { type: "x" })).n };
  });
  for (let n = 0; n <= 4096; n++) receive("c1", { type: "ask", msg_id: n });
  assert(node.busy);
  const ready = node.ready();
  await clock.advance(10);
  await ready;
  receive("c1", { type: "ask", msg_id: 5000 });
  const [question, refusal] = sent;
  assertEquals([refusal?.body.code, refusal?.body.in_reply_to], [11, 5000]);
  assertEquals([node.busy, node.state.held.length], [false, 4096]);
  receive("n2", { type: "x_ok", n: 1, in_reply_to: question?.body.msg_id });
  await settle();
  assertEquals([sent.at(-1)?.body.in_reply_to, sent.at(-1)?.body.got], [0, 1]);
});

Deno.test("broadcast sends to every other node", async () => {
  const { node, sent } = await testNode();
  node.broadcast({ type: "hello" });
  assertEquals(sent, ["n2", "n3"].map((dest) => ({ src: "n1", dest, body: { type: "hello" } })));
});

Deno.test("every never overlaps itself, survives errors, and stops at shutdown", async () => {
  const { node, clock, logs } = await testNode();
  let runs = 0;
  const gate = Promise.withResolvers<void>();
  node.every(100, async () => {
    if (++runs === 2) throw new Error("once");
    if (runs === 3) await gate.promise;
  });
  await clock.advance(1000);
  assertEquals(runs, 3);
  assertStringIncludes(logs.join(), "once");
  gate.resolve();
  await clock.advance(250);
  assertEquals(runs, 5);
  await node.drain();
  await clock.advance(1000);
  assertEquals([runs, clock.timers], [5, 0]);
});

Deno.test("settings under which nothing would ever run are refused", async () => {
  const { node, clock } = await testNode();
  for (const ms of [0, -1, NaN]) assertThrows(() => node.every(ms, () => {}), RangeError);
  assertThrows(() => node.every("5" as never, () => {}), RangeError);
  assertEquals(clock.timers, 0);
});

Deno.test("drain waits for handlers and calls, and gives up in the end", async () => {
  const { node, sent, clock, logs, receive } = await testNode({ drainTimeoutMs: 5000 });
  node.on("ask", async () => {
    await node.rpc("n2", { type: "x" }, { timeoutMs: 300 }).catch(() => {});
    return {};
  });
  node.on("hang", () => new Promise(() => {}));
  receive("c1", { type: "ask", msg_id: 1 });
  let drained = false;
  const done = node.drain().then(() => drained = true);
  await clock.advance(200);
  assert(!drained);
  await clock.advance(200);
  await done;
  assertEquals(sent.at(-1)?.body.type, "ask_ok");

  receive("c1", { type: "hang", msg_id: 2 });
  const given = node.drain();
  await clock.advance(5000);
  await given;
  assertStringIncludes(logs.join(), "Gave up on 1 handlers");
});

Deno.test("nothing that a handler throws or returns escapes receive: its request gets error 13", async () => {
  const { node, sent, receive } = await testNode();
  const odd = oddThrown();
  const refuse = (): never => {
    throw new Error("looked at");
  };
  const results: Record<string, unknown> = {
    getter: Object.defineProperty({}, "value", { get: refuse, enumerable: true }),
    toJSON: { toJSON: refuse },
    proxy: odd["revoked proxy"],
    then: Object.defineProperty({}, "then", { get: refuse }),
    "then of a promise": Object.assign(Promise.resolve({}), { then: refuse }),
  };
  for (const [what, thrown] of Object.entries(odd)) {
    node.on(`throw ${what}`, () => {
      throw thrown;
    });
    node.on(`reject ${what}`, () => Promise.reject(thrown));
  }
  for (const [what, result] of Object.entries(results)) {
    node.on(`return ${what}`, () => result as never);
    node.on(`resolve ${what}`, () => Promise.resolve().then(() => result as never));
  }
  const schema = { request: { "~standard": { version: 1, vendor: "test", validate: refuse } } };
  node.on("validate", () => ({}), { schema: schema as never });
  const types = [
    ...Object.keys(odd).flatMap((what) => [`throw ${what}`, `reject ${what}`]),
    ...Object.keys(results).flatMap((what) => [`return ${what}`, `resolve ${what}`]),
    "validate",
  ];
  for (const [id, type] of types.entries()) {
    sent.length = 0;
    receive("c1", { type, msg_id: id });
    await settle();
    assertEquals(sent.map(({ body }) => [body.code, body.in_reply_to]), [[13, id]], type);
  }
  assertEquals(node.state.inFlight, 0);
});

Deno.test("an output, a clock or a log that fails stops no node", async () => {
  let broken = false;
  const lines: string[] = [];
  const failing = <T>(use: () => T): T => {
    if (broken) throw new Error("broken");
    return use();
  };
  const parts = {
    output: { write: (line: string) => failing(() => void lines.push(line)) },
    log: () => failing(() => {}),
    clock: { now: () => failing(() => 0), schedule: () => failing(() => () => {}) },
  };
  for (const name of ["output", "log", "clock"] as const) {
    broken = false;
    const { node, receive } = await testNode({ output: parts.output, [name]: parts[name] });
    node.on("get", () => ({}));
    node.on("wait", async () => await Promise.resolve({}));
    node.on("throw", () => {
      throw new Error("a bug");
    });
    node.on("ask", async () => ({ got: await node.rpc("n2", { type: "x" }) }));
    broken = true;
    // What a log refuses is on standard error; once is enough.
    for (const type of name === "log" ? ["throw"] : ["get", "wait", "throw", "ask", "nowhere"]) {
      receive("c1", { type, msg_id: 1 });
      receive("c1", { type });
      await settle();
    }
    node.receive("{");
    node.receive('{"src":"c1","dest":5,"body":{"type":"get","msg_id":1}}');
    broken = false;
    lines.length = 0;
    receive("c1", { type: "get", msg_id: 2 });
    assertEquals(lines.length, 1, name);
  }
});

Deno.test("every goes on after whatever its task throws; a hook's init gets error 13", async () => {
  const { node, clock, sent, receive } = await testNode({}, { init: false });
  const thrown = Object.values(oddThrown());
  let runs = 0;
  node.every(100, () => {
    if (++runs <= thrown.length) throw thrown[runs - 1];
  });
  await clock.advance(110 * (thrown.length + 2));
  assertGreater(runs, thrown.length);
  const hooks = [...thrown];
  node.onInit(() => {
    if (hooks.length > 0) throw hooks.pop();
  });
  for (const _ of thrown) {
    receive("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1"] });
    await settle();
  }
  assertEquals(sent.map(({ body }) => body.code), thrown.map(() => 13));
  receive("c0", { type: "init", msg_id: 2, node_id: "n1", node_ids: ["n1"] });
  await settle();
  assertEquals(sent.at(-1)?.body.type, "init_ok");
});

Deno.test("what would be no message is not sent: the caller gets a TypeError", async () => {
  const { node, sent, receive } = await testNode();
  const wrong: [dest: unknown, body: unknown, says: string][] = [
    [undefined, { type: "a" }, "Cannot send a: its dest must be a string, not undefined"],
    [5, { type: "a" }, "its dest must be a string, not number"],
    ["n2", { type: undefined }, "Cannot send to n2: body.type must be a string, not undefined"],
    ["n2", {}, "body.type must be a string, not undefined"],
    ["n2", { type: 1 }, "body.type must be a string, not number"],
    ["n2", undefined, "body must be an object, not undefined"],
    ["n2", null, "body must be an object, not null"],
    ["n2", "text", "body must be an object, not string"],
  ];
  for (const [dest, body, says] of wrong) {
    assertThrows(() => node.send(dest as never, body as never), TypeError, says);
    await assertRejects(() => node.rpc(dest as never, body as never), TypeError);
  }
  assertThrows(() => node.broadcast({ type: 7 } as never), TypeError, "body.type");
  node.on("typeless", () => ({ type: undefined }) as never);
  receive("c1", { type: "typeless", msg_id: 1 });
  const codes = sent.map(({ dest, body }) => [dest, body.type, body.code]);
  assertEquals([codes, node.state.calls.size], [[["c1", "error", 13]], 0]);
});

Deno.test("what serializes to no message is not sent: its request gets error 13", async () => {
  const { node, sent, receive, logs } = await testNode();
  class Keyless {
    readonly #value = 1;
    get value() {
      return this.#value;
    }
  }
  const results: [result: object, says: string][] = [
    [{ toJSON: () => "text" }, "Cannot send"],
    [{ toJSON: () => undefined }, "Cannot send"],
    [{ toJSON: () => ({ type: "other" }) }, "Cannot send"],
    [new Date(0), "an instance of Date, which has no keys"],
    [new Map([["a", 1]]), "an instance of Map, which has no keys"],
    [new Set([1]), "an instance of Set, which has no keys"],
    [new Error("no"), "an instance of Error, which has no keys"],
    [new Keyless(), "an instance of Keyless, which has no keys"],
    [[1], "a list"],
  ];
  for (const [id, [result, says]] of results.entries()) {
    node.on(`return ${id}`, () => result as never);
    node.on(`reply ${id}`, (message) => void node.reply(message, result));
    for (const type of [`return ${id}`, `reply ${id}`]) {
      sent.length = logs.length = 0;
      receive("c1", { type, msg_id: id });
      const replies = sent.map(({ body }) => [body.type, body.code, body.in_reply_to]);
      assertEquals(replies, [["error", 13, id]], says);
      assertStringIncludes(String(sent[0]?.body.text), says);
      assertStringIncludes(logs.join(), says);
    }
  }
  const typed = Object.assign(Object.create({ toJSON: () => "text" }), { type: "a" });
  const inherited = Object.create({ type: "a" }, { value: { value: 1, enumerable: true } });
  let reads = 0;
  const changing = {
    get type() {
      return reads++ === 0 ? "a" : 5;
    },
  };
  sent.length = 0;
  for (const send of [node.broadcast, node.send.bind(node, "n2"), node.rpc.bind(node, "n2")]) {
    const attempt = async (body: unknown) => await send.call(node, body as never, {} as never);
    await assertRejects(() => attempt({ type: "a", toJSON: () => "text" }), TypeError, "toJSON");
    await assertRejects(() => attempt(inherited), TypeError, "body.type must be a string");
  }
  node.send("n2", typed);
  node.send("n2", changing as never);
  assertEquals(sent.map(({ body }) => body), [{ type: "a" }, { type: "a" }]);
  node.on("empty", () => ({}));
  node.on("bare", () => Object.create(null));
  sent.length = 0;
  for (const type of ["empty", "bare"]) receive("c1", { type, msg_id: 1 });
  assertEquals(sent.map(({ body }) => body.type), ["empty_ok", "bare_ok"]);
});

Deno.test("an error's code and text are read once", async () => {
  const { node, sent, receive } = await testNode();
  const changing = (name: string, first: unknown, later: unknown) => {
    let reads = 0;
    return Object.defineProperty(new RpcError(ErrorCode.abort, "a text"), name, {
      get: () => reads++ === 0 ? first : later,
    });
  };
  const cases: [make: () => RpcError, code: number, text: string][] = [
    [() => changing("code", 20, "x"), 20, "a text"],
    [() => changing("code", 20, 10n), 20, "a text"],
    [() => changing("message", "once", 10n), 14, "once"],
    [() => changing("message", "once", { toJSON: () => undefined }), 14, "once"],
    [() => changing("code", "x", 20), 13, "a text"],
    [() => changing("message", 10n, "later"), 13, "later"],
  ];
  for (const [id, [make, code, text]] of cases.entries()) {
    node.on(`throw ${id}`, () => {
      throw make();
    });
    node.on(`reply ${id}`, (message) => void node.replyError(message, make()));
    for (const type of [`throw ${id}`, `reply ${id}`]) {
      sent.length = 0;
      receive("c1", { type, msg_id: id });
      const replies = sent.map(({ body }) => [body.code, body.text, body.in_reply_to]);
      assertEquals(replies, [[code, text, id]], type);
    }
  }
});

Deno.test("a thenable that is no promise is waited for", async () => {
  const { node, sent, receive } = await testNode();
  const later = { then: (resolve: (body: object) => void) => resolve({ value: 1 }) };
  node.on("get", () => later as never);
  receive("c1", { type: "get", msg_id: 1 });
  await settle();
  assertEquals(sent.map(({ body }) => [body.type, body.value]), [["get_ok", 1]]);
  assertEquals(node.state.inFlight, 0);
});

Deno.test("options that nothing reads are refused, with the names of those that are", async () => {
  const { node } = await testNode();
  const wrong: [use: (options: never) => unknown, accepted: string][] = [
    [(options) => new Node(options), "output, clock, random, log, observer, "],
    [(options) => node.rpc("n2", { type: "a" }, options), "timeoutMs, signal, schema"],
    [(options) => node.retry(() => Promise.resolve(1), options), "codes, minDelayMs, maxDelayMs, "],
    [(options) => node.every(10, () => {}, options), "jitter"],
    [(options) => node.on("a", () => {}, options), "schema"],
    [(options) => new KV(node, "lin-kv", options), "timeoutMs, schema"],
    [(options) => new KV(node, "lin-kv").update("k", (n) => n, options), "initial, maxTries"],
    [(options) => new LinTso(node, options), "timeoutMs"],
    [(options) => serve(node, options), "graceMs"],
  ];
  for (const [use, accepted] of wrong) {
    const says = `Unknown option "deadlineMs": accepted are ${accepted}`;
    const attempt = async () => await use({ deadlineMs: 5 } as never);
    await assertRejects(attempt, TypeError, says);
  }
  assertEquals(node.state.calls.size, 0);
  await node.retry(() => Promise.resolve(1), { signal: undefined });
});

Deno.test("options of values that mean nothing are refused, with what is accepted", async () => {
  const { node, clock } = await testNode();
  const fail = () => Promise.reject(new RpcError(ErrorCode.timeout, "no"));
  const uses: [name: string, accepts: string, use: (options: never) => unknown][] = [
    ["clientDeadlineMs", "a number of 0 or more", (options) => new Node(options)],
    ["drainTimeoutMs", "a number of 0 or more", (options) => new Node(options)],
    ["maxInFlight", "a number of 1 or more", (options) => new Node(options)],
    ["timeoutMs", "a number of 0 or more", (options) => node.rpc("n2", { type: "a" }, options)],
    ["minDelayMs", "a number of 0 or more", (options) => node.retry(fail, options)],
    ["maxDelayMs", "a number of 0 or more", (options) => node.retry(fail, options)],
    ["timeoutMs", "a number of 0 or more", (options) => node.retry(fail, options)],
    ["maxTries", "a number of 1 or more", (options) => node.retry(fail, options)],
    ["codes", "a list of error codes", (options) => node.retry(fail, options)],
    ["jitter", "a number from 0 to 1", (options) => node.every(10, () => {}, options)],
    ["timeoutMs", "a number of 0 or more", (options) => new KV(node, "lin-kv", options)],
    [
      "maxTries",
      "a number of 1 or more",
      (options) => new KV(node, "lin-kv").update("k", (n) => n, options),
    ],
    ["timeoutMs", "a number of 0 or more", (options) => new LinTso(node, options)],
    ["graceMs", "a number of 0 or more", (options) => serve(node, options)],
  ];
  for (const [name, accepts, use] of uses) {
    const attempt = async (options: unknown) => await use(options as never);
    for (const value of [NaN, -1, -Infinity, "5", null]) {
      const kind = name !== "codes" && typeof value === "number" ? RangeError : TypeError;
      const says = `Cannot use ${value} for ${name}: expected ${accepts}`;
      await assertRejects(() => attempt({ [name]: value }), kind, says);
    }
    for (const options of [5, "timeoutMs", null]) {
      await assertRejects(() => attempt(options), TypeError, `Cannot use ${options} for options`);
    }
  }
  for (const codes of [5, ["11"], [NaN]]) {
    await assertRejects(
      () => node.retry(fail, { codes } as never),
      TypeError,
      "for codes: expected",
    );
  }
  assertThrows(() => node.every(10, () => {}, { jitter: 1.5 }), RangeError, "from 0 to 1");
  assertEquals([node.state.calls.size, clock.timers], [0, 0]);
});
