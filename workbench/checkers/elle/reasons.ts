/**
 * Why one transaction comes before another.
 *
 * @module
 */

import { PROCESS, REALTIME } from "./graph.ts";
import { seconds } from "../wording.ts";
import { whose } from "./render.ts";
import type { Transactions, Txn } from "./txns.ts";

/** Why one transaction comes before another. */
export interface Reason {
  readonly type: "ww" | "wr" | "rw" | "process" | "realtime";
  /** The key and values that show it, under Elle's names. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The reason in words, given what the transactions are called. */
  say(a: string, b: string): string;
}

/** Tells why `a` comes before `b`, if it does. */
export type Explain = (a: Txn, b: Txn) => Reason | undefined;

/** The first reason that any of several explanations gives. */
export function firstOf(...explanations: readonly Explain[]): Explain {
  return (a, b) => {
    for (const explain of explanations) {
      const reason = explain(a, b);
      if (reason !== undefined) return reason;
    }
  };
}

/**
 * Explains the order of time.
 *
 * @param kind {@linkcode PROCESS}, {@linkcode REALTIME}, or 0 for neither.
 */
export function explainOrder(transactions: Transactions, kind: number): Explain {
  if (kind === PROCESS) return explainProcess;
  return kind === REALTIME ? explainRealtime(transactions) : () => undefined;
}

function explainProcess(a: Txn, b: Txn): Reason | undefined {
  if (a.type !== "ok" || b.type !== "ok" || a.op.process !== b.op.process || a.id >= b.id) return;
  return {
    type: "process",
    facts: { process: a.op.process },
    say: (first, second) => `${whose(a)} ran ${first}, then ${second}`,
  };
}

function explainRealtime({ events, txns }: Transactions): Explain {
  const completed = new Int32Array(txns.length).fill(-1);
  const invoked = new Int32Array(txns.length).fill(-1);
  events.forEach((event, i) => {
    if (event < 0) completed[~event] = i;
    else invoked[event] = i;
  });
  return (a, b) => {
    const end = completed[a.id] ?? -1;
    if (end < 0 || end >= (invoked[b.id] ?? -1) || b.invoke === undefined) return;
    const invoke = b.invoke;
    return {
      type: "realtime",
      facts: { completed: a.op.index, invoked: invoke.index },
      say: (first, second) =>
        `${first} completed at ${seconds(a.op)}, before ${second} was invoked at ${
          seconds(invoke)
        }`,
    };
  };
}
