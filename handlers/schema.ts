/**
 * What the workloads' schemas are made of.
 *
 * Requests may carry keys that no schema names; replies are closed, as Maelstrom's are.
 *
 * @module
 */

import * as v from "valibot";
import { isJsonObject, type Json, type RawNumber, type Schema } from "@eddy/maelstrom";
import { isMsgId } from "@eddy/maelstrom/message";

/** An integer of any size; beyond 2^53 it is kept by its text. */
export type Integer = number | RawNumber;

/** A list; Maelstrom takes `null` for an empty one. */
export type List<T> = T[] | null;

/** Any value. */
export const json: v.GenericSchema<Json> = v.custom<Json>(
  (value) => value !== undefined,
  "Expected a value",
);

/** An integer of any size. */
export const integer: v.GenericSchema<Integer> = v.custom<Integer>(isMsgId, "Expected an integer");

/** An integer that a double holds exactly. */
export const safeInteger: v.GenericSchema<number> = v.pipe(
  v.number("Expected an integer"),
  v.safeInteger("Expected an integer"),
);

/** A list, each item of which is checked. */
export function list<T>(item: v.GenericSchema<T>): v.GenericSchema<List<T>> {
  return v.nullable(v.array(item, "Expected a list"));
}

/** A list of any values, which are neither checked nor copied. */
export const anyList: v.GenericSchema<List<Json>> = v.custom<List<Json>>(
  (value) => value === null || Array.isArray(value),
  "Expected a list",
);

/** An object with any keys, each value of which is checked; `v.record` passes over `__proto__`. */
export function dictionary<T>(value: v.GenericSchema<T>): v.GenericSchema<Record<string, T>> {
  return v.pipe(
    v.custom<Record<string, T>>(isJsonObject, "Expected an object"),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      for (const [key, item] of Object.entries(dataset.value)) {
        const [issue] = v.safeParse(value, item).issues ?? [];
        if (issue === undefined) continue;
        const { message, path = [] } = issue;
        const place = { type: "object", origin: "value", input: dataset.value, key, value: item };
        addIssue({ message, path: [place as v.ObjectPathItem, ...path] });
      }
    }),
  );
}

/** A request without keys of its own. */
export const noKeys: Schema<Record<never, never>> = v.object({});

/** A closed reply: the listed keys, those that every reply has, and no others. */
export function reply<E extends v.ObjectEntries>(
  type: string,
  entries: E,
): Schema<v.InferInput<v.ObjectSchema<E, undefined>>> {
  return v.strictObject({
    ...entries,
    type: v.literal(type),
    in_reply_to: integer,
    msg_id: v.optional(integer),
  });
}
