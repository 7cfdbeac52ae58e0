/**
 * Histories made by hand, for tests.
 *
 * @module
 */

import type { Json, JsonObject } from "@eddy/maelstrom";
import { readReply } from "./client.ts";
import type { ClientCall, Generator, Invocation, Next, Threads } from "./generator.ts";
import type { Op, OpError, OpType } from "./history.ts";
import { defaultOptions, type RunSettings } from "./options.ts";
import { seededRandom } from "./random.ts";
import { type WorkloadName, workloads } from "./workloads/mod.ts";

/** An event: who, what, and what else differs from the default. */
export type Row = readonly [
  process: Op["process"],
  type: OpType,
  f: string,
  value?: Json,
  rest?: {
    readonly ms?: number;
    readonly node?: string;
    readonly final?: boolean;
    readonly error?: OpError;
  },
];

/**
 * Makes a history of rows: numbered from 0 and a millisecond apart, unless a row says when.
 *
 * Process `p` talks to node `n<p>`, unless a row says otherwise.
 */
export function handmade(...rows: Row[]): Op[] {
  return rows.map(([process, type, f, value = null, { ms, ...rest } = {}], index) => ({
    index,
    time: Math.round((ms ?? index) * 1e6),
    type,
    process,
    f,
    value,
    ...(process !== "nemesis" && { node: `n${process}` }),
    ...rest,
  }));
}

/**
 * Reads micro-operations: `ax1` appends 1 to x, `wx1` writes it, `rx12` reads `[1, 2]`, `rx`
 * reads `[]`, `rx_` reads null.
 */
function mops(text: string, register: boolean): Json[] {
  return text.split(" ").filter((each) => each !== "").map((each): Json => {
    const [f, key = "", ...digits] = each;
    const values = digits.map(Number);
    if (f === "a") return ["append", key, values[0] ?? null];
    if (f === "w") return ["w", key, values[0] ?? null];
    if (digits[0] === "_") return ["r", key, null];
    return ["r", key, register ? values[0] ?? null : values];
  });
}

/** What was asked for, given what came back. */
export function request(value: readonly Json[]): Json[] {
  return value.map((mop) =>
    Array.isArray(mop) && mop[0] === "r" ? ["r", mop[1] ?? null, null] : mop
  );
}

interface Completion {
  readonly type: OpType;
  readonly process: number;
  readonly value: Json[];
}

/** `3 fail: ax1` is a failed transaction of process 3; by default they are ok, one process each. */
function readTxn(text: string, i: number, register: boolean): Completion {
  const [, process = `${i}`, type = "ok", rest = ""] =
    /^(?:(\d+) )?(?:(ok|fail|info): ?)?(.*)$/.exec(text) ?? [];
  const value = mops(rest, register);
  return {
    type: type as OpType,
    process: Number(process),
    value: type === "ok" ? value : request(value),
  };
}

function history(events: readonly Completion[]): Op[] {
  return events.map((event, index) => ({ ...event, index, time: index * 1e6, f: "txn" }));
}

/** Transactions that each complete before the next is invoked. */
export function sequential(texts: readonly string[], register = false): Op[] {
  return history(texts.flatMap((text, i) => {
    const end = readTxn(text, i, register);
    return [{ ...end, type: "invoke" as const, value: request(end.value) }, end];
  }));
}

/** Transactions that are all invoked before the first completes. */
export function concurrent(texts: readonly string[], register = false): Op[] {
  const ends = texts.map((text, i) => readTxn(text, i, register));
  const begins = ends.map((end) => ({
    ...end,
    type: "invoke" as const,
    value: request(end.value),
  }));
  return history([...begins, ...ends]);
}

/**
 * Transactions in a given order of events.
 *
 * @param order the transactions' places in `texts`: first for the invocation, then the completion.
 */
export function interleaved(texts: readonly string[], order: string, register = false): Op[] {
  const ends = texts.map((text, i) => readTxn(text, i, register));
  const begun = new Set<number>();
  return history(
    order.split(" ").map(Number).flatMap((i) => {
      const end = ends[i];
      if (end === undefined) return [];
      if (begun.has(i)) return [end];
      begun.add(i);
      return [{ ...end, type: "invoke" as const, value: request(end.value) }];
    }),
  );
}

/** Key to what a poll returned. */
export type Reply = { [key: string]: Json };

/** Builds a history operation by operation, a second apart. */
export class Run {
  readonly ops: Op[] = [];

  /** One event, as it stands. */
  event(process: number, type: OpType, f: string, value: Json, error?: OpError): this {
    const index = this.ops.length;
    const node = `n${process % 3}`;
    this.ops.push({
      index,
      time: index * 1e9,
      type,
      process,
      f,
      value,
      ...(error !== undefined && { error }),
      node,
    });
    return this;
  }

  /** An acknowledged send. */
  send(process: number, key: Json, value: Json, offset: Json): this {
    this.event(process, "invoke", "send", [["send", key, value]]);
    return this.event(process, "ok", "send", [["send", key, [offset, value]]]);
  }

  /** A send that failed, or whose outcome is unknown. */
  trySend(process: number, type: "fail" | "info", key: Json, value: Json): this {
    this.event(process, "invoke", "send", [["send", key, value]]);
    const error = { code: type === "fail" ? 11 : 0, text: "Busy" };
    return this.event(process, type, "send", [["send", key, value]], error);
  }

  /** An acknowledged poll. */
  poll(process: number, reply: Reply): this {
    this.event(process, "invoke", "poll", [["poll"]]);
    return this.event(process, "ok", "poll", [["poll", reply]]);
  }

  assign(process: number, keys: Json, type: "ok" | "info" | "fail" = "ok"): this {
    this.event(process, "invoke", "assign", keys);
    return this.event(process, type, "assign", keys);
  }

  crash(process: number): this {
    this.event(process, "invoke", "crash", null);
    return this.event(process, "info", "crash", null);
  }

  /** Several micro-operations at once, which Maelstrom does not do but its checker understands. */
  txn(process: number, type: "ok" | "info" | "fail", steps: Json): this {
    this.event(process, "invoke", "txn", steps);
    return this.event(process, type, "txn", steps);
  }
}

/** Messages 1, 2, ... `count` of a key at offsets 0, 1, ..., each sent by process 0. */
export function sent(key: string, count: number): Run {
  const run = new Run();
  for (let i = 0; i < count; i++) run.send(0, key, i + 1, i);
  return run;
}

/** What a poll returns of the messages of {@linkcode sent} from one offset up to another. */
export function from(start: number, end: number): Json {
  return Array.from({ length: end - start }, (_, i) => [start + i, start + i + 1]);
}

/** Threads that are busy, and run processes, as the test says. */
export class ScriptedThreads implements Threads {
  busy: Set<number> = new Set();
  readonly processes: number[];
  #turn = 0;

  constructor(readonly count: number) {
    this.processes = Array.from({ length: count }, (_, thread) => thread);
  }

  process(thread: number): number {
    return this.processes[thread] ?? -1;
  }

  nextFree(from = 0, to = this.count): number | undefined {
    const free = Array.from({ length: to - from }, (_, i) => from + i)
      .filter((thread) => !this.busy.has(thread));
    return free.find((thread) => thread >= this.#turn) ?? free[0];
  }

  /** Passes the turn on, as an operation on a thread does. */
  pass(thread: number): void {
    this.#turn = (thread + 1) % this.count;
  }
}

/** An emitted operation and who does it. */
type Emitted = { readonly thread: number; readonly op: Invocation };

/** What a generator emitted, or an error if it emitted nothing. */
export function emitted(next: Next): Emitted {
  if (typeof next === "string" || "untilMs" in next) {
    throw new Error(`Nothing was emitted: ${JSON.stringify(next)}`);
  }
  return next;
}

/** The first operations of a workload, none of which ever takes time. */
export function take(workload: WorkloadName, n: number, settings: RunSettings = {}): Emitted[] {
  const options = defaultOptions(workload, settings);
  const random = seededRandom(options.seed, "generator");
  const generator = workloads[workload].generator(options, random);
  return takeFrom(generator, n, new ScriptedThreads(options.concurrency));
}

/** The next operations of a generator, a millisecond apart. */
export function takeFrom(generator: Generator, n: number, threads: ScriptedThreads): Emitted[] {
  return Array.from({ length: n }, (_, i) => {
    const each = emitted(generator.next(threads, i));
    threads.pass(each.thread);
    return each;
  });
}

/** How often each text occurs. */
export function tally(texts: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

/** A node that answers at once, and remembers what it was asked and how long one would wait. */
export class ScriptedNode {
  readonly requests: JsonObject[] = [];
  readonly timeouts: (number | undefined)[] = [];
  /** Answers a request, or throws what the client is to meet. */
  answer: (body: JsonObject) => JsonObject;

  constructor(answer: (body: JsonObject) => JsonObject) {
    this.answer = answer;
  }

  readonly call: ClientCall = (request, schema, timeoutMs) => {
    this.requests.push(request);
    this.timeouts.push(timeoutMs);
    return new Promise((resolve) => {
      const body = { in_reply_to: 1, ...this.answer(request) };
      resolve(readReply(body, schema, { type: request.type, node: "n1" }));
    });
  };
}

/** Whether a process runs; one that has ended and was not waited for does not. */
export async function isRunning(pid: number | string): Promise<boolean> {
  const args = ["-o", "stat=", "-p", String(pid)];
  const { stdout } = await new Deno.Command("ps", { args, stderr: "null" }).output();
  return /^[^Z\s]/.test(new TextDecoder().decode(stdout).trim());
}

/**
 * Waits until a process has ended.
 *
 * @throws {Error} if it still runs after a thousand looks; it is then killed.
 */
export async function ended(pid: number | string): Promise<void> {
  for (let looks = 0; await isRunning(pid); looks++) {
    if (looks === 1000) {
      Deno.kill(Number(pid), "SIGKILL");
      throw new Error(`Process ${pid} still runs`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
