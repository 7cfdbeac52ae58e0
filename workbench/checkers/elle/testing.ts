/**
 * Short notation for histories, for tests.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Op, OpType } from "../../history.ts";

/**
 * Reads micro-operations: `ax1` appends 1 to x, `wx1` writes it, `rx12` reads `[1, 2]`, `rx`
 * reads `[]`, `rx_` reads null.
 */
export function mops(text: string, register: boolean): Json[] {
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

interface Told {
  readonly type: OpType;
  readonly process: number;
  readonly value: Json[];
}

/** `3 fail: ax1` is a failed transaction of process 3; by default they are ok, one process each. */
function told(text: string, i: number, register: boolean): Told {
  const [, process = `${i}`, type = "ok", rest = ""] =
    /^(?:(\d+) )?(?:(ok|fail|info): ?)?(.*)$/.exec(text) ?? [];
  const value = mops(rest, register);
  return {
    type: type as OpType,
    process: Number(process),
    value: type === "ok" ? value : request(value),
  };
}

function history(events: readonly Told[]): Op[] {
  return events.map((event, index) => ({ ...event, index, time: index * 1e6, f: "txn" }));
}

/** Transactions that each complete before the next is invoked. */
export function sequential(texts: readonly string[], register = false): Op[] {
  return history(texts.flatMap((text, i) => {
    const end = told(text, i, register);
    return [{ ...end, type: "invoke" as const, value: request(end.value) }, end];
  }));
}

/** Transactions that are all invoked before the first completes. */
export function concurrent(texts: readonly string[], register = false): Op[] {
  const ends = texts.map((text, i) => told(text, i, register));
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
  const ends = texts.map((text, i) => told(text, i, register));
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
