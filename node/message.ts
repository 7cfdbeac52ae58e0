/**
 * The envelope: what every message has, and what is wrong with a line that lacks it.
 *
 * @module
 */

import { errorText } from "./errors.ts";
import { isJsonObject, isRawNumber, type Json, type JsonObject, parseJson } from "./json.ts";

/** A message's body as it is sent; its type defines the further keys. */
export interface Body extends JsonObject {
  /** What kind of message this is. */
  type: string;
}

/** What every body has, whichever type or interface describes the rest. */
export interface Typed {
  /** What kind of message this is. */
  readonly type: string;
}

/** A message. */
export interface Message<B = Body> {
  /** The sender's name. */
  readonly src: string;
  /** The receiver's name. */
  readonly dest: string;
  /** The content. */
  readonly body: B & { readonly type: string; readonly msg_id?: Json; readonly in_reply_to?: Json };
}

/** A message as this node received it, with what the node must remember until it is answered. */
export class Received<B = Body> implements Message<B> {
  /** The sender's name. */
  readonly src: string;
  /** The receiver's name. */
  readonly dest: string;
  /** The content. */
  readonly body: Message<B>["body"];
  /** When it came, by the node's clock; unset while its handler may still answer at once. */
  receivedAtMs: number | undefined = undefined;
  /** Whether a reply or an error went out, or was dropped for coming too late. */
  answered = false;

  /** Makes a message that is not answered yet. */
  constructor(src: string, dest: string, body: Message<B>["body"]) {
    this.src = src;
    this.dest = dest;
    this.body = body;
  }
}

/** What {@linkcode parseMessage} gives for a line that is no message. */
export interface Malformed {
  /** What is wrong. */
  readonly problem: string;
  /** The request to answer with an error, where there is one. */
  readonly request?: Received<JsonObject>;
}

/** How much of an offending line is quoted. */
const QUOTE_CHARS = 120;

/** The beginning of a line, quoted for a log. */
export function quote(line: string): string {
  const start = JSON.stringify(line.slice(0, QUOTE_CHARS));
  return line.length > QUOTE_CHARS ? `${start}... (${line.length} characters)` : start;
}

/** Whether a value can be a `msg_id`: an integer, of any size. */
export function isMsgId(value: unknown): value is Json {
  return Number.isInteger(value) || (isRawNumber(value) && /^-?\d+$/.test(value.rawJSON));
}

/** Whether a name is a client's: `c` and a number. */
export function isClient(name: string): boolean {
  return /^c\d+$/.test(name);
}

/**
 * Parses one line into a message, or returns what is wrong with it.
 *
 * Keys that the envelope does not know (Maelstrom's own `id`, say) are ignored.
 */
export function parseMessage(line: string): Received | Malformed {
  let value: Json;
  let tooDeep = false;
  try {
    value = parseJson(line);
  } catch (error) {
    tooDeep = error instanceof RangeError;
    if (!tooDeep) return { problem: errorText(error) };
    value = JSON.parse(line);
  }
  if (!isJsonObject(value)) return { problem: "a message must be an object" };
  const { src, dest, body } = value;
  if (typeof src !== "string") return { problem: "src must be a string" };
  if (!isJsonObject(body)) return { problem: "body must be an object" };
  const problem = tooDeep ? "nested too deeply" : envelopeProblem(dest, body);
  const to = typeof dest === "string" ? dest : "";
  if (problem === undefined) return new Received(src, to, body as Body);
  if (!isMsgId(body.msg_id) || body.in_reply_to !== undefined) return { problem };
  const type = typeof body.type === "string" ? body.type : "";
  return { problem, request: new Received(src, to, { ...body, type }) };
}

function envelopeProblem(dest: Json | undefined, body: JsonObject): string | undefined {
  if (typeof dest !== "string") return "dest must be a string";
  if (typeof body.type !== "string") return "body.type must be a string";
  if (body.msg_id !== undefined && !isMsgId(body.msg_id)) return "body.msg_id must be an integer";
  return undefined;
}
