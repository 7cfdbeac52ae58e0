/**
 * The check of what a node sent, made after the clock has stopped.
 *
 * @module
 */

import { isJsonObject, type Json } from "@eddy/maelstrom";
import { printableLine } from "@eddy/workbench/explain.ts";
import { ScriptError } from "../../scripts/support.ts";
import { type Chunk, type Load, type LoadBody, requestLine } from "./load.ts";

/** What a check of replies needs to know. */
export interface Expected {
  readonly load: Load;
  /** The first request's number. */
  readonly from: number;
  /** One past the last request's number. */
  readonly to: number;
  /** Whether the program sends back its input as it is, as `cat` does. */
  readonly mirror: boolean;
}

/** The most of a line that an error shows. */
const SHOWN_CHARS = 200;

/** An error about a line that a node sent. */
export function wrongLine(what: string, line: string): ScriptError {
  const shown = line.length > SHOWN_CHARS ? `${line.slice(0, SHOWN_CHARS)}...` : line;
  return new ScriptError(`${what}: ${printableLine(shown)}`);
}

/** What a node says, less what nobody here needs. */
export interface Reply {
  readonly src: Json | undefined;
  readonly dest: Json | undefined;
  readonly body: LoadBody & { readonly [key: string]: Json };
}

/**
 * Reads a line of a node.
 *
 * @throws {ScriptError} if it is no message.
 */
export function readLine(line: string): Reply {
  let message: Json = null;
  try {
    message = JSON.parse(line);
  } catch {
    // It is no message, either.
  }
  const body = isJsonObject(message) ? message["body"] : undefined;
  if (!isJsonObject(message) || !isJsonObject(body) || typeof body["type"] !== "string") {
    throw wrongLine("no message", line);
  }
  return message as unknown as Reply;
}

/**
 * Checks that each request was answered, once, with what it asks for.
 *
 * @returns when the last byte of each request's reply was read, request by request.
 * @throws {ScriptError} naming the first line that is wrong.
 */
export function checkReplies(chunks: readonly Chunk[], expected: Expected): Float64Array {
  const { from, to } = expected;
  const repliedAtMs = new Float64Array(to - from);
  let missing = to - from;
  const pending = eachLine(chunks, (line, atMs) => {
    const index = readReply(line, expected) - from;
    if (repliedAtMs[index] !== 0) throw wrongLine("second reply", line);
    repliedAtMs[index] = atMs;
    missing--;
  });
  if (pending !== "") throw wrongLine("reply without a newline", pending);
  if (missing > 0) throw new ScriptError(`missing replies: ${missing} of ${to - from}`);
  return repliedAtMs;
}

/**
 * Checks the reply to `init`, which comes first; what a node tells others may follow it.
 *
 * @throws {ScriptError} if it is none.
 */
export function checkInit(chunks: readonly Chunk[], mirror: boolean): void {
  let isFirst = true;
  const pending = eachLine(chunks, (line) => {
    const { type } = readLine(line).body;
    const isReply = type === (mirror ? "init" : "init_ok");
    if (isFirst && !isReply) throw wrongLine("wrong reply to init", line);
    isFirst = false;
  });
  if (pending !== "") throw wrongLine("reply without a newline", pending);
}

/** Calls `use` with each whole line; returns what follows the last. */
function eachLine(chunks: readonly Chunk[], use: (line: string, atMs: number) => void): string {
  const decoder = new TextDecoder();
  let pending = "";
  for (const { bytes, atMs } of chunks) {
    const lines = (pending + decoder.decode(bytes, { stream: true })).split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) use(line, atMs);
  }
  return pending;
}

/** The number of the request that a line answers. */
function readReply(line: string, { load, from, to, mirror }: Expected): number {
  const { src, dest, body } = readLine(line);
  const index = mirror ? body["msg_id"] : body["in_reply_to"];
  const isKnown = typeof index === "number" && Number.isInteger(index) && index >= from &&
    index < to;
  if (!isKnown) throw wrongLine("reply to no request", line);
  const right = mirror
    ? `${line}\n` === requestLine(index, load.request(index))
    : src === "n0" && dest === "c2" && body.type !== "error" && answers(load, body, index);
  if (!right) throw wrongLine("wrong reply", line);
  return index;
}

/** Whether a body is the answer; one that lacks what the load looks into is none. */
function answers({ isAnswer }: Load, body: LoadBody, index: number): boolean {
  try {
    return isAnswer(body, index);
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
