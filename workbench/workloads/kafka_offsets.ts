/**
 * Which offsets operations of the `kafka` workload touched.
 *
 * @module
 */

import type { Integer } from "@eddy/handlers/schema";
import { isJsonObject, type Json } from "@eddy/maelstrom";
import { greater, isInteger } from "./integers.ts";
import type { CompletedOp } from "./spec.ts";

/** The highest offset of each key. */
export type Offsets = Map<string, Integer>;

/** Raises what is known of a key's highest offset. */
export function raise(offsets: Offsets, key: string, offset: Integer): void {
  offsets.set(key, greater(offsets.get(key) ?? offset, offset));
}

/** The offset at which each key was sent to, in a successful `send`. */
export function sentOffsets({ f, type, value }: CompletedOp): Offsets {
  const offsets: Offsets = new Map();
  if (f !== "send" || type !== "ok") return offsets;
  for (const [, key, sent] of list(value).map(list)) {
    const offset = list(sent)[0];
    if (typeof key === "string" && isInteger(offset)) raise(offsets, key, offset);
  }
  return offsets;
}

/** The highest offset that a successful `poll` returned of each key; -1 where it returned none. */
export function polledOffsets({ f, type, value }: CompletedOp): Offsets {
  const offsets: Offsets = new Map();
  if (f !== "poll" || type !== "ok") return offsets;
  for (const [, messages] of list(value).map(list)) {
    if (!isJsonObject(messages)) continue;
    for (const [key, pairs] of Object.entries(messages)) {
      raise(offsets, key, -1);
      for (const [offset] of list(pairs).map(list)) {
        if (isInteger(offset)) raise(offsets, key, offset);
      }
    }
  }
  return offsets;
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
