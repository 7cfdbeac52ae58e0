/**
 * Histories of the kafka workload written by hand, for tests.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Op, OpError, OpType } from "../../history.ts";

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

  /** A send that failed, or of which nobody knows. */
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
