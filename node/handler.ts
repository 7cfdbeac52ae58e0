/**
 * What a handler is: its types, and how what it throws becomes an error reply.
 *
 * @module
 */

import { ErrorCode, errorText, RpcError } from "./errors.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Message } from "./message.ts";
import type { RpcSchema, Schema } from "./schema.ts";

/** A reply that no schema describes; a key that is undefined is left out. */
export type LooseReply = { [key: string]: Json | undefined };

/** What a handler may return: a reply's own keys, or nothing for no reply. */
export type ReplyBody<Reply = LooseReply> = (Reply & { type?: string }) | undefined | void;

/** {@linkcode ReplyBody}, now or later. */
export type HandlerResult<Reply = LooseReply> = ReplyBody<Reply> | Promise<ReplyBody<Reply>>;

/** A handler as the node keeps it. */
export interface Entry {
  // A method, not a function property: bivariance lets one map hold handlers of any request type.
  /** Answers a message. */
  handle(message: Message<JsonObject>): HandlerResult<object>;
  /** What a request must look like, if that is known. */
  readonly request: Schema<unknown> | undefined;
}

/** The keys of a handler's result that its reply schema does not have. */
export type ExtraKeys<Result, Reply> = Result extends undefined | void ? never
  : Exclude<keyof Result, keyof Reply | "type">;

/** Nothing for a result that fits the reply schema; otherwise what no handler can be. */
export type NoExtraKeys<Result, Reply> = [ExtraKeys<Awaited<Result>, Reply>] extends [never]
  ? unknown
  : { "not in the reply schema": ExtraKeys<Awaited<Result>, Reply> };

/** Settings of a handler. */
export interface HandlerOptions<Request, Reply> {
  /** What a request must look like, and what a reply looks like. */
  schema: RpcSchema<Request, Reply>;
}

/** What to answer when a handler throws `error`. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError(ErrorCode.crash, errorText(error), { cause: error });
}
