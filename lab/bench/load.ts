/**
 * What is sent to a node, made before the clock starts, and the check of what came back, made
 * after it has stopped.
 *
 * @module
 */

import { ScriptError } from "../../scripts/support.ts";

const encoder = new TextEncoder();

/** The first line that a node gets. */
export const initLine: Uint8Array<ArrayBuffer> = encoder.encode(
  '{"id":0,"src":"c0","dest":"n0","body":{"type":"init","node_id":"n0","node_ids":["n0"],"msg_id":1}}\n',
);

/** What request number `index` says, as Maelstrom's echo workload words it. */
function echoOf(index: number): string {
  return `Please echo ${index % 128}`;
}

/** Request number `index` as a line, with the keys and their order as Maelstrom sends them. */
export function requestLine(index: number): string {
  const body = `{"echo":"${echoOf(index)}","type":"echo","msg_id":${index}}`;
  return `{"id":${index},"src":"c2","dest":"n0","body":${body}}\n`;
}

/** Requests `from` up to, not including, `to`, as bytes to write. */
export function requestBytes(from: number, to: number): Uint8Array<ArrayBuffer> {
  const lines: string[] = [];
  for (let index = from; index < to; index++) lines.push(requestLine(index));
  return encoder.encode(lines.join(""));
}

/** How many lines end in `bytes`; all that is done to output while the clock runs. */
export function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}

/** Bytes that were read, and when. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** By `performance.now()`. */
  readonly atMs: number;
}

/** What a check of replies needs to know. */
export interface Expected {
  /** The first request's number. */
  readonly from: number;
  /** One past the last request's number. */
  readonly to: number;
  /** Whether the program sends back its input as it is, as `cat` does. */
  readonly mirror: boolean;
}

/**
 * Checks that each request was answered, once, with what it said.
 *
 * @returns when the last byte of each request's reply was read, request by request.
 * @throws {ScriptError} naming the first line that is wrong.
 */
export function checkReplies(chunks: readonly Chunk[], expected: Expected): Float64Array {
  const { from, to } = expected;
  const repliedAtMs = new Float64Array(to - from);
  const decoder = new TextDecoder();
  let pending = "";
  let missing = to - from;
  for (const { bytes, atMs } of chunks) {
    const lines = (pending + decoder.decode(bytes, { stream: true })).split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) {
      const index = readReply(line, expected) - from;
      if (repliedAtMs[index] !== 0) throw new ScriptError(`Second reply: ${line}`);
      repliedAtMs[index] = atMs;
      missing--;
    }
  }
  if (pending !== "") throw new ScriptError(`Reply without a newline: ${pending}`);
  if (missing > 0) throw new ScriptError(`Missing replies: ${missing} of ${to - from}`);
  return repliedAtMs;
}

/** The number of the request that a line answers. */
function readReply(line: string, { from, to, mirror }: Expected): number {
  const { src, dest, body } = JSON.parse(line);
  const index = mirror ? body.msg_id : body.in_reply_to;
  const type = mirror ? "echo" : "echo_ok";
  const known = Number.isInteger(index) && index >= from && index < to;
  if (!known) throw new ScriptError(`Reply to no request: ${line}`);
  const addressed = mirror || (src === "n0" && dest === "c2");
  if (!addressed || body.type !== type || body.echo !== echoOf(index)) {
    throw new ScriptError(`Wrong reply: ${line}`);
  }
  return index;
}
