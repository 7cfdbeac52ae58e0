import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { broadcastSchema, counterSchema, kafkaSchema, txnListAppendSchema } from "@eddy/handlers";
import { type Json, type JsonObject, parseJson } from "@eddy/maelstrom";
import {
  Client,
  type ClientContext,
  ClientIds,
  ErrorReply,
  failureOf,
  MalformedReply,
  readReply,
  ReplyTimeout,
} from "./client.ts";
import { Packet } from "./network.ts";

/** A network that only records, and a clock that the test moves. */
function fixture() {
  const sent: { src: string; dest: string; body: JsonObject }[] = [];
  const open = new Map<string, (message: Packet) => void>();
  const network: ClientContext["network"] = {
    open: (name, deliver) => void open.set(name, deliver),
    close: (name) => void open.delete(name),
    send: (message) => {
      if (message.dest === "n9") throw new RangeError("No such endpoint");
      sent.push(message);
    },
  };
  const timers = new Map<() => void, number>();
  let nowMs = 0;
  const clock = {
    now: () => nowMs,
    schedule(delayMs: number, callback: () => void) {
      timers.set(callback, nowMs + delayMs);
      return () => void timers.delete(callback);
    },
  };
  const advance = (ms: number) => {
    nowMs += ms;
    for (const [callback, at] of [...timers]) {
      if (at > nowMs) continue;
      timers.delete(callback);
      callback();
    }
  };
  const reply = (dest: string, body: JsonObject) =>
    open.get(dest)?.(new Packet(0, "n1", dest, JSON.stringify(body)));
  return { context: { network, clock, ids: new ClientIds() }, sent, open, timers, advance, reply };
}

Deno.test("clients count up from c0, and their requests from 1", async () => {
  const { context, sent, reply } = fixture();
  const [a, b] = [new Client(context), new Client(context)];
  assertEquals([a.id, b.id], ["c0", "c1"]);
  for (let msgId = 1; msgId <= 2; msgId++) {
    const answer = b.send("n1", { type: "read" });
    reply("c1", { type: "read_ok", in_reply_to: msgId });
    await answer;
  }
  assertEquals(sent.map(({ src, dest, body }) => [src, dest, body]), [
    ["c1", "n1", { type: "read", msg_id: 1 }],
    ["c1", "n1", { type: "read", msg_id: 2 }],
  ]);
});

Deno.test("a reply that names no request is quoted when its client gives up", async () => {
  const { context, reply, advance } = fixture();
  const client = new Client(context);
  const textOf = async (answer: JsonObject) => {
    const asked = client.send("n1", { type: "read" });
    reply("c0", answer);
    advance(5000);
    return (await assertRejects(() => asked, ReplyTimeout)).message;
  };
  const none = "No reply to read from n1 in 5000 ms";
  const other = `${none}, but a message whose in_reply_to is not`;
  assertEquals(await textOf({ type: "read_ok" }), `${other} 1: {"type":"read_ok"}`);
  const float = parseJson('{"in_reply_to":2.0}') as JsonObject;
  assertStringIncludes(await textOf(float), `${other} 2: `);
  assertEquals(await textOf({ type: "read_ok", in_reply_to: 1 }), none);
});

Deno.test("a client skips what does not answer its request", async () => {
  const { context, reply, timers, advance } = fixture();
  const client = new Client(context);
  reply("c0", { type: "read_ok", in_reply_to: 1 });
  const first = client.send("n1", { type: "read" });
  advance(5000);
  await assertRejects(() => first, ReplyTimeout, "No reply to read from n1 in 5000 ms");
  const second = client.send("n1", { type: "read" });
  reply("c0", { type: "late", in_reply_to: 1 });
  reply("c0", { type: "no reply" });
  reply("c0", { type: "exact", in_reply_to: parseJson("2.0") });
  reply("c0", { type: "good", in_reply_to: 2 });
  reply("c0", { type: "again", in_reply_to: 2 });
  assertEquals((await second).type, "good");
  assertEquals(timers.size, 0);
});

Deno.test("a client has one request outstanding, and none once it is closed", async () => {
  const { context, open, timers } = fixture();
  const client = new Client(context);
  const first = client.send("n1", { type: "read" });
  await assertRejects(() => client.send("n1", { type: "read" }), Error, "still waits");
  client.close();
  client.close();
  await assertRejects(() => first, Error, "was closed");
  await assertRejects(() => client.send("n1", { type: "read" }), Error, "is closed");
  assertEquals([open.size, timers.size], [0, 0]);
});

Deno.test("a send that the network refuses leaves the client free", async () => {
  const { context, timers } = fixture();
  const client = new Client(context);
  await assertRejects(() => client.send("n9", { type: "read" }), RangeError);
  assertEquals(timers.size, 0);
  client.send("n1", { type: "read" });
  assertEquals(timers.size, 1);
});

Deno.test("a timeout may be set", () => {
  const { context, timers } = fixture();
  new Client(context).send("n1", { type: "read" }, 1234);
  assertEquals([...timers.values()], [1234]);
});

const from = { type: "read", node: "n1" };

function malformed(schema: Parameters<typeof readReply>[1], body: JsonObject): string {
  try {
    readReply(body, schema, from);
  } catch (error) {
    assertInstanceOf(error, MalformedReply);
    return error.message;
  }
  throw new Error("The reply was accepted");
}

Deno.test("the error of a malformed reply names its extra, missing and wrong fields", () => {
  const text = malformed(broadcastSchema.read.reply, {
    type: "read_okk",
    msgs: [],
    when: "now",
    in_reply_to: 1,
  });
  assertStringIncludes(text, "Malformed reply to read from n1: ");
  assertStringIncludes(text, "extra field msgs ([])");
  assertStringIncludes(text, 'extra field when ("now")');
  assertStringIncludes(text, "missing field messages");
  assertStringIncludes(text, 'wrong value at type: expected "read_ok", got "read_okk"');
  assertStringIncludes(text, 'it was {"type":"read_okk"');
});

Deno.test("a wrong field deep down is named by its path", () => {
  const reply = { type: "poll_ok", in_reply_to: 1, msgs: { k: [[0, 1], ["1", 2]] } };
  assertStringIncludes(
    malformed(kafkaSchema.poll.reply, reply),
    'wrong value at msgs.k.1.0: expected an integer, got "1"',
  );
  const txn = { type: "txn_ok", in_reply_to: 1, txn: [["w", 1, 2]] };
  assertStringIncludes(malformed(txnListAppendSchema.txn.reply, txn), "txn.0");
});

Deno.test("a float is no integer, null is an empty list", () => {
  const five = { type: "read_ok", in_reply_to: 1, value: parseJson("5.0") };
  assertStringIncludes(
    malformed(counterSchema.read.reply, five),
    "wrong value at value: expected an integer, got 5.0",
  );
  const none = { type: "read_ok", in_reply_to: 1, msg_id: 3, messages: null };
  assertEquals(readReply(none, broadcastSchema.read.reply, from).messages, null);
});

Deno.test("what is no list is called so, and a list of anything is handed on as it is", () => {
  const read = (messages: Json) => ({ type: "read_ok", in_reply_to: 1, messages });
  const wrong = "wrong value at messages: expected a list, got {}";
  assertStringIncludes(malformed(broadcastSchema.read.reply, read({})), wrong);
  const txn = { type: "txn_ok", in_reply_to: 1, txn: {} };
  assertStringIncludes(
    malformed(txnListAppendSchema.txn.reply, txn),
    "txn: expected a list, got {}",
  );
  const messages = [1, [2], { three: null }];
  assert(
    readReply(read(messages), broadcastSchema.read.reply, from).messages === messages,
    "a copy",
  );
});

Deno.test("of many wrong fields not all are named", () => {
  const extra = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x${i}`, i]));
  const text = malformed(broadcastSchema.broadcast.reply, {
    type: "broadcast_ok",
    in_reply_to: 1,
    ...extra,
  });
  assertStringIncludes(text, "extra field x7 (7); and 12 more");
  assert(!text.includes("extra field x8"));
});

Deno.test("errors map to fail and info", () => {
  const mapped = { definiteFails: true, idempotent: new Set(["read"]) };
  const unmapped = { definiteFails: false, idempotent: new Set<string>() };
  const types = (error: Error) => [
    failureOf(error, "write", mapped).type,
    failureOf(error, "read", mapped).type,
    failureOf(error, "write", unmapped).type,
  ];
  const table: Record<string, string[]> = {};
  for (const code of [0, 1, 10, 11, 12, 13, 14, 20, 21, 22, 30, 2, 999, 1000, -1]) {
    table[code] = types(ErrorReply.of({ type: "error", code }));
  }
  const definite = ["fail", "fail", "info"];
  const indefinite = ["info", "fail", "info"];
  assertEquals(table, {
    0: indefinite,
    1: definite,
    10: definite,
    11: definite,
    12: definite,
    13: indefinite,
    14: definite,
    20: definite,
    21: definite,
    22: definite,
    30: definite,
    2: indefinite,
    999: indefinite,
    1000: indefinite,
    [-1]: indefinite,
  });
  assertEquals(types(new ReplyTimeout("Late")), indefinite);
  assertEquals(types(new MalformedReply("Odd")), ["info", "info", "info"]);
});

Deno.test("an error's code and text reach the operation; only malformed ones lack a code", () => {
  const policy = { definiteFails: true, idempotent: new Set<string>() };
  const errorOf = (error: Error) => failureOf(error, "write", policy).error;
  const reply = (fields: JsonObject) => ErrorReply.of({ type: "error", ...fields });
  assertEquals(errorOf(reply({ code: 22, text: "no", extra: 1 })), { code: 22, text: "no" });
  assertEquals(errorOf(reply({ code: 22 })), { code: 22, text: "Error 22" });
  assertEquals(errorOf(reply({ code: 22, text: ["a"] })), { code: 22, text: '["a"]' });
  assertEquals(errorOf(reply({ code: "22", text: "no" })), {
    text: 'Error without an integer code: code is "22", no',
  });
  assertEquals(errorOf(reply({ code: parseJson("22.0") })).code, undefined);
  assertEquals(errorOf(new ReplyTimeout("Late")), { code: 0, text: "Late" });
  assertEquals(errorOf(new MalformedReply("Odd")), { text: "Odd" });
});

Deno.test("what no node can cause is thrown on", () => {
  const policy = { definiteFails: true, idempotent: new Set<string>() };
  let thrown: unknown;
  try {
    failureOf(new TypeError("Our bug"), "read", policy);
  } catch (error) {
    thrown = error;
  }
  assertInstanceOf(thrown, TypeError);
});
