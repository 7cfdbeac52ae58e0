/**
 * The words that findings and warnings are made of.
 *
 * @module
 */

import type { Op } from "../history.ts";

/** Longest JSON text that a sentence quotes. */
const MAX_SHOWN = 60;

/** A moment of the run, as `1.234 s`. */
export function moment(ns: number): string {
  return `${(ns / 1e9).toFixed(3)} s`;
}

/** When something was done, as `1.234 s`. */
export function seconds(op: Op): string {
  return moment(op.time);
}

/** Who did it: `process 3 on n1`. */
export function who(op: Op): string {
  const process = op.process === "nemesis" ? "the nemesis" : `process ${op.process}`;
  return op.node === undefined ? process : `${process} on ${op.node}`;
}

/** Who did it and when: `process 3 on n1 at 1.234 s`. */
export function whoAndWhen(op: Op): string {
  return `${who(op)} at ${seconds(op)}`;
}

/** A value's JSON, cut where it gets too long for a sentence. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}...`;
}

/** A count with its noun: `1 read`, `2 reads`. */
export function plural(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}

/** A list for a sentence: `1, 2 or 3`, and how many more when it is long. */
export function oneOf(texts: readonly string[], max = 8): string {
  if (texts.length > max) {
    return `${texts.slice(0, max).join(", ")} or ${texts.length - max} others`;
  }
  const last = texts.at(-1) ?? "nothing";
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(", ")} or ${last}`;
}

/** Some operations without repeats or gaps, in the history's order. */
export function inOrder(ops: Iterable<Op | undefined>): Op[] {
  const some = new Set<Op>();
  for (const op of ops) if (op !== undefined) some.add(op);
  return [...some].sort((a, b) => a.index - b.index);
}
