import { assert, assertEquals, assertLess } from "@std/assert";
import type { Json } from "@eddy/maelstrom";
import { defaultOptions } from "../run/options.ts";
import { seededRandom } from "../world/random.ts";
import { KafkaGenerator } from "./kafka_generator.ts";
import type { CompletedOp, Invocation } from "./spec.ts";
import { emitted, ScriptedThreads, tally } from "./testing.ts";

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

Deno.test("one of three assigns takes in every key with messages that nobody polled", () => {
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
  const { generator: final, limitMs } = generator.final();
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
  const { generator: final } = generator.final();
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
