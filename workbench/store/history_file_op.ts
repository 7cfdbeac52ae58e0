/**
 * What the two notations of a history have in common.
 *
 * @module
 */

import { isJsonObject, type Json, type JsonObject } from "@eddy/maelstrom";
import type { Op, OpError } from "../history.ts";

/** Where a notation keeps what each writes in its own way. */
export interface Notation {
  /** The key that marks an operation of the final phase. */
  readonly finalKey: string;
  /** Reads the error out of an operation; undefined if it has none. */
  readonly errorOf: (op: JsonObject) => OpError | undefined;
}

/**
 * Checks one operation, and leaves out the keys that an {@linkcode Op} has no place for.
 *
 * @param position the index of an operation that carries none
 * @throws {Error} if it is no operation, saying what about it is wrong.
 */
export function readOp(form: Json, position: number, { finalKey, errorOf }: Notation): Op {
  if (!isJsonObject(form)) throw new Error("it is no operation");
  const { index = position, time, type, process, f, value = null, node } = form;
  if (typeof index !== "number") throw new Error("its index is no number");
  if (typeof time !== "number") throw new Error("its time is no number");
  if (type !== "invoke" && type !== "ok" && type !== "fail" && type !== "info") {
    throw new Error("its type is none of invoke, ok, fail and info");
  }
  if (typeof process !== "number" && process !== "nemesis") {
    throw new Error("its process is neither a number nor the nemesis");
  }
  if (typeof f !== "string") throw new Error("its f is no text");
  const error = errorOf(form);
  return {
    index,
    time,
    type,
    process,
    f,
    value,
    ...(error === undefined ? {} : { error }),
    ...(form[finalKey] === true ? { final: true } : {}),
    ...(typeof node === "string" ? { node } : {}),
  };
}
