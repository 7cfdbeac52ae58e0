/**
 * A library for Maelstrom nodes.
 *
 * @example A node that echoes, and one handler that asks another node while others go on
 * ```ts
 * import { Node } from "@eddy/maelstrom";
 *
 * const node = new Node();
 * node.on("echo", ({ body }) => ({ echo: body.echo }));
 * node.on("relay", async ({ body }) => {
 *   const [neighbour = node.id] = node.otherNodes;
 *   const { echo } = await node.rpc(neighbour, { type: "echo", echo: body.echo ?? null });
 *   return { echo };
 * });
 * ```
 *
 * {@linkcode serve} then connects it to standard input and output.
 *
 * @module
 */

export {
  type Clock,
  drawName,
  pause,
  type Random,
  retry,
  type RetryOptions,
  systemClock,
  systemRandom,
} from "./clock.ts";
export {
  describeError,
  ErrorCode,
  errorText,
  isDefinite,
  RpcError,
  type RpcErrorOptions,
  withoutStack,
} from "./errors.ts";
export type {
  ExtraKeys,
  HandlerOptions,
  HandlerResult,
  LooseReply,
  NoExtraKeys,
  NotJson,
  OnlyJson,
  ReplyBody,
} from "./dispatcher.ts";
export {
  canonical,
  type Given,
  isJsonObject,
  isRawNumber,
  type Json,
  jsonEqual,
  type JsonInput,
  type JsonObject,
  parseJson,
  type RawNumber,
  type Sendable,
} from "./json.ts";
export { KV, type KvOptions, type KvService, LinTso, type UpdateOptions } from "./kv.ts";
export { KeyedMailbox, Mailbox } from "./mailbox.ts";
export { type Body, isClient, type Message, Received, type Typed } from "./message.ts";
export { Node, type NodeOptions, type RpcOptions } from "./node.ts";
export {
  lineObserver,
  type Observation,
  OBSERVATION_PREFIX,
  observationLine,
  type ObservedState,
  type Observer,
} from "./observe.ts";
export { type NextHop, ROUTED, type Routes } from "./routes.ts";
export type { RpcSchema, Schema, SchemaIssue, SchemaResult } from "./schema.ts";
export { type Call, type Counts, NodeState, type Phase } from "./state.ts";
export {
  MemoryStorage,
  type OpenStorage,
  type Storage,
  StorageError,
  type StorageWrite,
  type StoredLog,
} from "./storage.ts";
export { type GuardOptions, type Output, serve, stderrObserver } from "./stdio.ts";
