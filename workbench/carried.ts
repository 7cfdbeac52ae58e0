/**
 * Which messages carry a value that a client wrote, for nodes of any protocol.
 *
 * Bodies of foreign nodes have no schema. A field carries clients' values if, in the whole run, all that
 * ever stood in it had been written by then: counters and clocks soon have a number that nobody wrote.
 *
 * @module
 */

import { isJsonObject, type Json, parseJson } from "@eddy/maelstrom";
import { keyOf } from "./checkers/checker.ts";
import { type ReportMessage, routedBody } from "./report_messages.ts";

/** Fields of the protocol itself. */
const ENVELOPE: ReadonlySet<string> = new Set(["type", "msg_id", "in_reply_to"]);

/** How far the times of operations and of messages may differ by rounding, in ms. */
const ROUNDED_MS = 0.001;

/** A value, and when a client began to write it, in ms. */
export interface Written {
  readonly value: Json;
  readonly atMs: number;
}

/**
 * The messages between nodes that carry certain values, in the order in which they were sent.
 *
 * @param messages those of the run, in the order in which they were sent
 * @param nodes the names of the nodes
 * @param written all that clients wrote
 * @param wanted the values that are looked for
 */
export function messagesThatCarry(
  messages: readonly ReportMessage[],
  nodes: ReadonlySet<string>,
  written: readonly Written[],
  wanted: readonly Json[],
): ReadonlyMap<number | string, readonly ReportMessage[]> {
  const writtenAt = new Map(written.map(({ value, atMs }) => [keyOf(value), atMs]));
  const wantedKeys = new Set(wanted.map(keyOf));
  const other = new Set<string>();
  /** By field and by value. */
  const carriers = new Map<string, Map<number | string, ReportMessage[]>>();
  for (const message of messages) {
    if (!nodes.has(message.src) || !nodes.has(message.dest)) continue;
    const body = parseJson(message.body);
    const inner = isJsonObject(body) ? routedBody(body) : undefined;
    for (const [field, value] of scalarsOf(inner ?? body, "")) {
      if (other.has(field)) continue;
      const key = keyOf(value);
      const at = writtenAt.get(key);
      if (at === undefined || at > message.sentMs + ROUNDED_MS) {
        other.add(field);
        carriers.delete(field);
      } else if (wantedKeys.has(key)) {
        const byValue = carriers.get(field) ?? new Map<number | string, ReportMessage[]>();
        carriers.set(field, byValue);
        const known = byValue.get(key) ?? [];
        byValue.set(key, known);
        if (known.at(-1) !== message) known.push(message);
      }
    }
  }
  return merged([...carriers.values()]);
}

/** Texts and numbers in a body, each with the names of the fields that lead to it. */
function* scalarsOf(json: Json, field: string): Generator<[field: string, value: Json]> {
  if (Array.isArray(json)) { for (const each of json) yield* scalarsOf(each, `${field}[]`); }
  else if (isJsonObject(json)) {
    for (const [name, each] of Object.entries(json)) {
      if (field !== "" || !ENVELOPE.has(name)) yield* scalarsOf(each, `${field}.${name}`);
    }
  } else if (json !== null && typeof json !== "boolean") yield [field, json];
}

function merged(
  parts: readonly ReadonlyMap<number | string, readonly ReportMessage[]>[],
): ReadonlyMap<number | string, readonly ReportMessage[]> {
  const all = new Map<number | string, ReportMessage[]>();
  for (const part of parts) {
    for (const [key, messages] of part) {
      const known = new Set([...all.get(key) ?? [], ...messages]);
      all.set(key, [...known].sort((a, b) => a.sentMs - b.sentMs || a.id - b.id));
    }
  }
  return all;
}
