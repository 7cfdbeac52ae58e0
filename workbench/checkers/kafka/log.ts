/**
 * Each key's log as everybody's sends and polls together tell it.
 *
 * @module
 */

import type { Act, Acts, Message, Offset, Placed } from "./acts.ts";

/** One offset of a log, and who first put each of its messages there. */
export interface Slot {
  readonly offset: Offset;
  /** One message, unless the log contradicts itself. */
  readonly messages: ReadonlyMap<Message, Act>;
}

/** A key's log with its gaps squeezed out: an index counts offsets that hold something. */
export interface Log {
  readonly key: string;
  readonly slots: readonly Slot[];
  /** Message to the index where it stands; where several claim an offset, the first alone does. */
  readonly indexes: ReadonlyMap<Message, number>;
  /** Message to every index where it was seen, lowest first. */
  readonly places: ReadonlyMap<Message, readonly number[]>;
}

/**
 * Gathers the logs from all polls, and from sends that happened: acknowledged ones, and indefinite
 * ones of which a poll returned something.
 *
 * Offsets may leave gaps of any size; time and space go by how many are used.
 */
export function readLogs({ acts, messages }: Acts): Map<string, Log> {
  const slots = new Map<string, Map<Offset, Map<Message, Act>>>();
  for (const key of messages.keys()) slots.set(key, new Map());
  for (const act of acts) {
    if (happened(act)) { for (const placed of act.sends) place(slots, placed, act); }
    for (const list of act.reads.values()) for (const placed of list) place(slots, placed, act);
  }
  const logs = new Map<string, Log>();
  for (const [key, ofKey] of slots) logs.set(key, logOf(key, ofKey));
  return logs;
}

/** Whether a send took place: it was acknowledged, or somebody polled something of it. */
export function happened(act: Act): boolean {
  if (act.type === "ok") return true;
  return act.type === "info" && act.sends.some(({ message }) => message.reader !== undefined);
}

function place(
  slots: Map<string, Map<Offset, Map<Message, Act>>>,
  { message, offset }: Placed,
  act: Act,
): void {
  if (offset === undefined) return;
  const ofKey = slots.get(message.key);
  const there = ofKey?.get(offset);
  if (there === undefined) ofKey?.set(offset, new Map([[message, act]]));
  else if (!there.has(message)) there.set(message, act);
}

function logOf(key: string, ofKey: Map<Offset, Map<Message, Act>>): Log {
  const offsets = [...ofKey.keys()].sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
  const slots: Slot[] = [];
  const indexes = new Map<Message, number>();
  const places = new Map<Message, number[]>();
  for (const [index, offset] of offsets.entries()) {
    const messages = ofKey.get(offset) ?? new Map<Message, Act>();
    slots.push({ offset, messages });
    let isFirst = true;
    for (const message of messages.keys()) {
      if (isFirst) indexes.set(message, index);
      isFirst = false;
      const known = places.get(message);
      if (known === undefined) places.set(message, [index]);
      else known.push(index);
    }
  }
  return { key, slots, indexes, places };
}
