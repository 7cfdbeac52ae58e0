/**
 * What every workload's requests and replies look like: handlers check requests with it, the
 * workbench checks replies with it, and both get their types from it.
 *
 * Requests may carry keys of no concern; replies are closed, as Maelstrom's are.
 *
 * @module
 */

import * as v from "valibot";
import type { Json, RawNumber, RpcSchema, Schema } from "@eddy/maelstrom";
import { isMsgId } from "@eddy/maelstrom/message";

/** An integer of any size; beyond 2^53 it is kept by its text. */
export type Integer = number | RawNumber;

/** A list; Maelstrom takes `null` for an empty one. */
export type List<T> = T[] | null;

/** A micro-operation of a transaction: read, append, or write. */
export type MicroOp<F extends string> = [f: "r", key: Json, value: Json] | [
  f: F,
  key: Json,
  value: Json,
];

const json = v.custom<Json>((value) => value !== undefined, "Expected a value");
const integer = v.custom<Integer>(isMsgId, "Expected an integer");
const smallInteger = v.pipe(v.number("Expected an integer"), v.safeInteger("Expected an integer"));
const offset = v.pipe(smallInteger, v.minValue(0, "Expected an offset of 0 or more"));
const list = <T>(item: v.GenericSchema<T>) => v.nullable(v.array(item, "Expected a list"));
/** A list of whatever JSON there is: what is in it need not be looked at, nor copied. */
const anyList = v.custom<List<Json>>(
  (value) => value === null || Array.isArray(value),
  "Expected a list",
);
const dictionary = <T>(value: v.GenericSchema<T>) => v.record(v.string(), value);
const dictionaryOf = {
  offsets: dictionary(offset),
  entries: dictionary(list(v.tuple([integer, json]))),
  names: dictionary(v.array(v.string())),
};

/** A closed reply: the listed keys, those that every reply has, and no others. */
function reply<E extends v.ObjectEntries>(type: string, entries: E) {
  return v.strictObject({
    ...entries,
    type: v.literal(type),
    in_reply_to: integer,
    msg_id: v.optional(integer),
  });
}

const nothing: Schema<Record<never, never>> = v.object({});

/** The `echo` workload. */
export const echo: { echo: RpcSchema<{ echo: Json }, { echo: Json }> } = {
  echo: { request: v.object({ echo: json }), reply: reply("echo_ok", { echo: json }) },
};

/** The `unique-ids` workload. */
export const uniqueIds: { generate: RpcSchema<object, { id: Json }> } = {
  generate: { request: nothing, reply: reply("generate_ok", { id: json }) },
};

/** The `broadcast` workload. */
export const broadcast: {
  topology: RpcSchema<{ topology: Record<string, string[]> }, object>;
  broadcast: RpcSchema<{ message: Json }, object>;
  read: RpcSchema<object, { messages: List<Json> }>;
} = {
  topology: {
    request: v.object({ topology: dictionaryOf.names }),
    reply: reply("topology_ok", {}),
  },
  broadcast: { request: v.object({ message: json }), reply: reply("broadcast_ok", {}) },
  read: { request: nothing, reply: reply("read_ok", { messages: anyList }) },
};

/** The `g-set` workload. */
export const gSet: {
  add: RpcSchema<{ element: Json }, object>;
  read: RpcSchema<object, { value: List<Json> }>;
} = {
  add: { request: v.object({ element: json }), reply: reply("add_ok", {}) },
  read: { request: nothing, reply: reply("read_ok", { value: anyList }) },
};

/** The `g-counter` and `pn-counter` workloads; deltas beyond 2^53 are refused. */
export const counter: {
  add: RpcSchema<{ delta: number }, object>;
  read: RpcSchema<object, { value: Integer }>;
} = {
  add: { request: v.object({ delta: smallInteger }), reply: reply("add_ok", {}) },
  read: { request: nothing, reply: reply("read_ok", { value: integer }) },
};

/** The `lin-kv` workload. */
export const linKv: {
  read: RpcSchema<{ key: Json }, { value: Json }>;
  write: RpcSchema<{ key: Json; value: Json }, object>;
  cas: RpcSchema<{ key: Json; from: Json; to: Json }, object>;
} = {
  read: { request: v.object({ key: json }), reply: reply("read_ok", { value: json }) },
  write: { request: v.object({ key: json, value: json }), reply: reply("write_ok", {}) },
  cas: { request: v.object({ key: json, from: json, to: json }), reply: reply("cas_ok", {}) },
};

/** The `kafka` workload. */
export const kafka: {
  send: RpcSchema<{ key: string; msg: Json }, { offset: Integer }>;
  poll: RpcSchema<
    { offsets: Record<string, number> },
    { msgs: Record<string, List<[offset: Integer, msg: Json]>> }
  >;
  commit_offsets: RpcSchema<{ offsets: Record<string, number> }, object>;
  list_committed_offsets: RpcSchema<{ keys: string[] }, { offsets: Record<string, Integer> }>;
} = {
  send: {
    request: v.object({ key: v.string(), msg: json }),
    reply: reply("send_ok", { offset: integer }),
  },
  poll: {
    request: v.object({ offsets: dictionaryOf.offsets }),
    reply: reply("poll_ok", { msgs: dictionaryOf.entries }),
  },
  commit_offsets: {
    request: v.object({ offsets: dictionaryOf.offsets }),
    reply: reply("commit_offsets_ok", {}),
  },
  list_committed_offsets: {
    request: v.object({ keys: v.array(v.string()) }),
    reply: reply("list_committed_offsets_ok", { offsets: dictionary(integer) }),
  },
};

const readOp = <T>(value: v.GenericSchema<T>) => v.tuple([v.literal("r"), json, value]);

/** The `txn-list-append` workload. */
export const txnListAppend: {
  txn: RpcSchema<{ txn: MicroOp<"append">[] }, { txn: List<MicroOp<"append">> }>;
} = {
  txn: {
    request: v.object({
      txn: v.array(v.union([readOp(json), v.tuple([v.literal("append"), json, json])])),
    }),
    reply: reply("txn_ok", {
      txn: list(
        v.union([readOp(anyList), v.tuple([v.literal("append"), json, json])]),
      ),
    }),
  },
};

/** The `txn-rw-register` workload. */
export const txnRwRegister: {
  txn: RpcSchema<{ txn: MicroOp<"w">[] }, { txn: List<MicroOp<"w">> }>;
} = {
  txn: {
    request: v.object({
      txn: v.array(v.union([readOp(json), v.tuple([v.literal("w"), json, json])])),
    }),
    reply: reply("txn_ok", {
      txn: list(v.union([readOp(json), v.tuple([v.literal("w"), json, json])])),
    }),
  },
};
