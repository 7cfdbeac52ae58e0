/**
 * What a service is, and the operations that all stores share.
 *
 * @module
 */

import {
  canonical,
  ErrorCode,
  type Json,
  jsonEqual,
  type JsonObject,
  type Random,
} from "@eddy/maelstrom";

/** A service: takes one request at a time and answers at once. */
export interface Service {
  /**
   * Answers a request.
   *
   * @param client who asks
   * @param body the request
   * @param random decides what the service leaves open
   * @returns the reply without its `in_reply_to`, or nothing for a type that it does not know.
   */
  apply(client: string, body: JsonObject, random: Random): JsonObject | undefined;
}

/** What an operation on one key comes to. */
export interface Outcome {
  readonly reply: JsonObject;
  /** The key's new value, where it is written. */
  readonly write?: Json;
}

/** A request's key, as a text that equal keys share; a missing one is null. */
export function keyOf({ key = null }: JsonObject): string {
  return canonical(key);
}

/**
 * Works out what an operation does to a key, and changes nothing.
 *
 * @param body the request: `read`, `write` or `cas`
 * @param current the key's value; undefined where it does not exist
 * @param canCreate whether the store obeys `create_if_not_exists`
 * @returns the outcome, or nothing for a type that is no operation.
 */
export function operate(
  body: JsonObject,
  current: Json | undefined,
  canCreate: boolean,
): Outcome | undefined {
  switch (body.type) {
    case "read":
      return current === undefined ? missing() : { reply: { type: "read_ok", value: current } };
    case "write":
      return { reply: { type: "write_ok" }, write: body.value ?? null };
    case "cas":
      return compareAndSet(body, current, canCreate);
    default:
      return undefined;
  }
}

function compareAndSet(
  { from = null, to = null, create_if_not_exists: create = false }: JsonObject,
  current: Json | undefined,
  canCreate: boolean,
): Outcome {
  if (current === undefined) {
    // In Clojure everything but false and null is true.
    if (!canCreate || create === false || create === null) return missing();
  } else if (!jsonEqual(current, from)) {
    const text = `current value ${canonical(current)} is not ${canonical(from)}`;
    return { reply: { type: "error", code: ErrorCode.preconditionFailed, text } };
  }
  return { reply: { type: "cas_ok" }, write: to };
}

function missing(): Outcome {
  return {
    reply: { type: "error", code: ErrorCode.keyDoesNotExist, text: "key does not exist" },
  };
}
