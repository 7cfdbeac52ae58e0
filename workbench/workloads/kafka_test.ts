import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { type Json, type JsonObject, parseJson } from "@eddy/maelstrom";
import { ErrorReply } from "../client.ts";
import { type CompletedOp, CRASHED, type Invocation } from "../generator.ts";
import { defaultOptions } from "../options.ts";
import { seededRandom } from "../random.ts";
import { KafkaGenerator, kafkaSession } from "./kafka.ts";
import { emitted, ScriptedNode, ScriptedThreads, tally } from "../testing.ts";

function fixture(seed = 1) {
  const options = defaultOptions("kafka", { nodeCount: 3, concurrency: "1n" });
  const generator = new KafkaGenerator(options, seededRandom(seed, ""));
  const threads = new ScriptedThreads(options.concurrency);
  let nowMs = 0;
  const next = (): Invocation => {
    const { thread, op } = emitted(generator.next(threads, nowMs));
    threads.pass(thread);
    nowMs += 10;
    return op;
  };
  /** The next operation of a kind. */
  const find = (f: string): Invocation => {
    for (;;) {
      const op = next();
      if (op.f === f) return op;
    }
  };
  return { generator, threads, next, find, now: () => nowMs };
}

const sent = (key: string, offset: Json): CompletedOp => ({
  type: "ok",
  f: "send",
  value: [["send", key, [offset, 1]]],
});
const polled = (msgs: Record<string, Json>): CompletedOp => ({
  type: "ok",
  f: "poll",
  value: [["poll", msgs]],
});

Deno.test("half sends, half polls, one of 64 an assign, and a crash each 30 s of a thread", () => {
  const { next } = fixture();
  const total = 60_000; // 600 s, of three threads.
  const counts = tally(Array.from({ length: total }, () => next().f));
  const near = (f: string, wanted: number, within: number) =>
    assertLess(Math.abs((counts[f] ?? 0) - wanted), within, `${f}: ${counts[f]}`);
  near("assign", total / 64, 160);
  near("crash", 60, 22);
  // A write to a used-up key is drawn again, so reads are a little more than half.
  near("send", 28_600, 700);
  near("poll", 30_400, 700);
  assertEquals(Object.keys(counts).length, 4);
});

Deno.test("keys are texts, messages count up from 1 for each key", () => {
  const { next } = fixture();
  const messages = new Map<string, number[]>();
  for (let i = 0; i < 3000; i++) {
    const { f, value } = next();
    if (f === "poll") assertEquals(value, [["poll"]]);
    if (f === "crash") assertEquals(value, null);
    if (f !== "send") continue;
    const [[name, key, message]] = value as [[string, string, number]];
    assertEquals([name, typeof key], ["send", "string"]);
    messages.set(key, [...messages.get(key) ?? [], message]);
  }
  for (const [key, values] of messages) {
    assertEquals(values, Array.from(values, (_, i) => i + 1), key);
    assertLess(values.length, 17);
  }
});

Deno.test("an assign names the key of the operation that it comes before", () => {
  const { next } = fixture();
  let assigned: Json | undefined;
  let seen = 0;
  for (let i = 0; i < 5000; i++) {
    const { f, value } = next();
    if (f === "send" && assigned !== undefined) {
      assertEquals(assigned, [(value as Json[][])[0]?.[1] ?? null]);
      seen++;
    }
    if (f !== "crash") assigned = f === "assign" ? value : undefined;
  }
  assert(seen > 10);
});

Deno.test("one of three assigns includes every key with messages that no client polled", () => {
  const { generator, find } = fixture();
  generator.update(0, sent("1000", 4));
  generator.update(0, sent("1001", 9));
  generator.update(0, sent("1002", 9));
  generator.update(0, polled({ "1001": [[9, 1]], "1002": [[8, 1]] }));
  generator.update(0, { ...sent("1003", 1), type: "info" });
  const assigns = Array.from({ length: 300 }, () => find("assign").value as string[]);
  const wide = assigns.filter((keys) => keys.length > 1);
  for (const keys of wide) assertEquals(keys.slice(1), ["1000", "1002"]);
  for (const keys of assigns) assert(keys.length === 1 || keys.length === 3);
  assertLess(Math.abs(wide.length - 100), 42);
  generator.update(0, polled({ "1000": [[4, 1]], "1002": [[10, 1]] }));
  const caughtUp = Array.from({ length: 50 }, () => find("assign").value as string[]);
  assertEquals(new Set(caughtUp.map((keys) => keys.length)), new Set([1]));
});

Deno.test("in the end every thread crashes, assigns all keys, and polls until it has seen all", () => {
  const { generator, threads, now } = fixture();
  generator.update(0, sent("9", 4));
  generator.update(0, sent("10", 2));
  generator.update(0, polled({ "9": [[3, 1]], "11": [[7, 1], [6, 1]], "12": [] }));
  const { generator: final, limitMs } = generator.final(seededRandom(2, ""));
  assertEquals(limitMs, 10_000);
  const ops: [number, Invocation][] = [];
  let nowMs = now();
  const drain = () => {
    for (;;) {
      const next = final.next(threads, nowMs);
      if (typeof next === "string" || "untilMs" in next) return next;
      ops.push([next.thread, next.op]);
    }
  };
  const first = drain();
  const keys = ["9", "10", "11", "12"];
  for (const thread of [0, 1, 2]) {
    assertEquals(ops.filter(([t]) => t === thread).map(([, op]) => op), [
      { f: "crash", value: null },
      { f: "assign", value: keys, seekToBeginning: true },
      { f: "poll", value: [["poll"]] },
    ]);
  }
  assert(typeof first === "object" && first.untilMs > nowMs && first.untilMs < nowMs + 400);
  // Thread 1 sees everything in two polls and is done; the others' polls are their own.
  final.update?.(1, polled({ "9": [[4, 1]], "10": [[3, 1]] }));
  final.update?.(0, polled({ "9": [[4, 1]], "11": [[7, 1]] }));
  final.update?.(1, polled({ "11": [[7, 1]] }));
  ops.length = 0;
  nowMs += 400;
  drain();
  assertEquals(ops.map(([thread]) => thread).toSorted(), [0, 2]);
  final.update?.(0, { ...polled({ "10": [[2, 1]] }), type: "info" });
  assert(final.next(threads, nowMs) !== "done");
  final.update?.(0, polled({ "10": [[2, 1]] }));
  final.update?.(2, polled({ "9": [[4, 1]], "10": [[2, 1]], "11": [[7, 1]] }));
  assertEquals(final.next(threads, nowMs), "done");
});

Deno.test("final polls wait for busy threads, and are 0.2 s apart on average", () => {
  const { generator, threads } = fixture();
  generator.update(0, sent("1", 1));
  const { generator: final } = generator.final(seededRandom(2, ""));
  threads.busy = new Set([0, 1, 2]);
  assertEquals(final.next(threads, 0), "pending");
  threads.busy = new Set([1, 2]);
  let polls = 0;
  for (let nowMs = 0; nowMs < 100_000;) {
    const next = final.next(threads, nowMs);
    assert(typeof next === "object");
    if ("untilMs" in next) nowMs = next.untilMs;
    else if (next.op.f === "poll") polls++;
  }
  assertLess(Math.abs(polls - 500), 65);
});

const poll = { f: "poll", value: [["poll"]] };

/** A node that has `logs` and knows `committed`, and a client that talks to it. */
function sessionFixture(logs: JsonObject = {}, committed: JsonObject = {}) {
  const node = new ScriptedNode((body) => {
    switch (body.type) {
      case "poll":
        return { type: "poll_ok", msgs: logs };
      case "list_committed_offsets":
        return { type: "list_committed_offsets_ok", offsets: committed };
      case "send":
        return { type: "send_ok", offset: 7 };
      default:
        return { type: "commit_offsets_ok" };
    }
  });
  return { node, invoke: kafkaSession(node.call) };
}

Deno.test("a send returns its offset", async () => {
  const { node, invoke } = sessionFixture();
  const value = await invoke({ f: "send", value: [["send", "3", 1]] });
  assertEquals(value, [["send", "3", [7, 1]]]);
  assertEquals(node.requests, [{ type: "send", key: "3", msg: 1 }]);
});

Deno.test("a fresh client polls nothing, and commits nothing when it gets nothing", async () => {
  const { node, invoke } = sessionFixture({ "1": [], "2": null });
  assertEquals(await invoke(poll), [["poll", { "1": [], "2": null }]]);
  assertEquals(node.requests, [{ type: "poll", offsets: {} }]);
  // What a node returns unasked is read on from all the same.
  await invoke(poll);
  assertEquals(node.requests[1], { type: "poll", offsets: { "1": 0, "2": 0 } });
});

Deno.test("a poll goes on behind the highest offset that it got, and commits that", async () => {
  const { node, invoke } = sessionFixture({ "1": [[4, 1], [9, 2], [6, 3]] });
  await invoke({ f: "assign", value: ["1", "2"], seekToBeginning: true });
  await invoke(poll);
  await invoke(poll);
  assertEquals(node.requests, [
    { type: "poll", offsets: { "1": 0, "2": 0 } },
    { type: "commit_offsets", offsets: { "1": 9 } },
    { type: "poll", offsets: { "1": 10, "2": 0 } },
    { type: "commit_offsets", offsets: { "1": 9 } },
  ]);
});

Deno.test("offsets never go back", async () => {
  const logs: JsonObject = { "1": [[9, 1]] };
  const { node, invoke } = sessionFixture(logs);
  await invoke({ f: "assign", value: ["1"], seekToBeginning: true });
  await invoke(poll);
  logs["1"] = [[3, 2]];
  await invoke(poll);
  await invoke(poll);
  assertEquals(node.requests.at(-2), { type: "poll", offsets: { "1": 10 } });
});

Deno.test("offsets beyond doubles stay exact", async () => {
  const { node, invoke } = sessionFixture({ "1": parseJson("[[9007199254740993, 1]]") });
  await invoke({ f: "assign", value: ["1"], seekToBeginning: true });
  await invoke(poll);
  await invoke(poll);
  assertEquals(
    node.requests.slice(1, 3).map((request) => JSON.stringify(request)),
    [
      '{"type":"commit_offsets","offsets":{"1":9007199254740993}}',
      '{"type":"poll","offsets":{"1":9007199254740994}}',
    ],
  );
});

Deno.test("an assign goes on where it was, or at the committed offset, or at 0", async () => {
  const { node, invoke } = sessionFixture({ a: [[4, 1]] }, { a: 1, b: 2, z: 3 });
  await invoke({ f: "assign", value: ["a"], seekToBeginning: true });
  await invoke(poll);
  assertEquals(await invoke({ f: "assign", value: ["a", "b", "c"] }), ["a", "b", "c"]);
  await invoke(poll);
  await invoke({ f: "assign", value: ["b", "constructor"] });
  await invoke(poll);
  await invoke({ f: "assign", value: ["a"], seekToBeginning: true });
  await invoke(poll);
  const asked = node.requests.filter(({ type }) => type !== "commit_offsets");
  assertEquals(asked.slice(1), [
    { type: "list_committed_offsets", keys: ["a", "b", "c"] },
    { type: "poll", offsets: { a: 5, b: 2, c: 0 } },
    { type: "list_committed_offsets", keys: ["b", "constructor"] },
    { type: "poll", offsets: { b: 2, constructor: 0 } },
    { type: "poll", offsets: { a: 0 } },
  ]);
});

Deno.test("a failed commit fails the poll, but what was read is not read again", async () => {
  const { node, invoke } = sessionFixture({ "1": [[4, 1]] });
  await invoke({ f: "assign", value: ["1"], seekToBeginning: true });
  const { answer } = node;
  node.answer = (body) =>
    body.type === "commit_offsets" ? { type: "error", code: 11, text: "no" } : answer(body);
  await assertRejects(async () => void await invoke(poll), ErrorReply, "no");
  node.answer = answer;
  await invoke(poll);
  assertEquals(node.requests[2], { type: "poll", offsets: { "1": 5 } });
});

Deno.test("a failed assign leaves the offsets as they were", async () => {
  const { node, invoke } = sessionFixture();
  await invoke({ f: "assign", value: ["a"], seekToBeginning: true });
  const { answer } = node;
  node.answer = () => ({ type: "error", code: 13 });
  await assertRejects(async () => void await invoke({ f: "assign", value: ["b"] }), ErrorReply);
  node.answer = answer;
  await invoke(poll);
  assertEquals(node.requests.at(-1), { type: "poll", offsets: { a: 0 } });
});

Deno.test("a crash sends no request", async () => {
  const { node, invoke } = sessionFixture();
  assertEquals(await invoke({ f: "crash", value: null }), CRASHED);
  assertEquals(node.requests, []);
});
