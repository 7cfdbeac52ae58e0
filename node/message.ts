/**
 * The envelope: what every message has, and what is wrong with a line that lacks it.
 *
 * @module
 */

import { errorText } from "./errors.ts";
import {
  isJsonObject,
  isPlain,
  isRawNumber,
  type Json,
  type JsonObject,
  parseJson,
} from "./json.ts";

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

/** How many levels of lists and objects a line of a client's may have. */
export const MAX_DEPTH = 1024;

/** How many a node's or a service's may have: it wraps what a client sent. */
const MAX_WRAPPED_DEPTH = 2 * MAX_DEPTH;

/**
 * Whether a line can be deeper than {@linkcode MAX_DEPTH}. A short one cannot, at no cost; a long one
 * is searched for so many opening brackets first, which takes little beside its parsing.
 */
function mayBeDeep(line: string): boolean {
  if (line.length <= 2 * MAX_DEPTH) return false;
  let count = 0;
  for (const bracket of "[{") {
    for (let at = line.indexOf(bracket); at !== -1; at = line.indexOf(bracket, at + 1)) {
      if (++count > MAX_DEPTH) return true;
    }
  }
  return false;
}

/**
 * How many values a line may have of which a number is kept by its text. Such a line takes some
 * 30 times as long as another of its length, as each of its values is looked at: this many, 0.4 s.
 */
const MAX_INSPECTED_VALUES = 500_000;
const TOO_MANY_VALUES =
  `more than ${MAX_INSPECTED_VALUES} values, and a number such as 1.0 or -0 beside them`;

/** Whether a line can have more. A short one cannot, at no cost: a value takes two characters. */
function mayBeSlow(line: string): boolean {
  return line.length > 2 * MAX_INSPECTED_VALUES && !isPlain(line);
}

const [QUOTE, BACKSLASH, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [...'"\\,[]{}']
  .map(
    (char) => char.charCodeAt(0),
  );

/**
 * How deep a line is, how many values it has, and the line with `null` for each list and object
 * inside of its body.
 */
function outline(line: string): { depth: number; values: number; text: string } {
  let level = 0;
  let depth = 0;
  let values = 1;
  let text = "";
  let keptTo = 0;
  for (let at = 0; at < line.length; at++) {
    const char = line.charCodeAt(at);
    if (char === QUOTE) {
      at = endOfText(line, at);
    } else if (char === OPEN_LIST || char === OPEN_OBJECT) {
      depth = Math.max(depth, ++level);
      if (level === 3) text += line.slice(keptTo, at) + "null";
    } else if (char === CLOSE_LIST || char === CLOSE_OBJECT) {
      if (level-- === 3) keptTo = at + 1;
      const before = line.charCodeAt(at - 1);
      if (before !== OPEN_LIST && before !== OPEN_OBJECT) values++;
    } else if (char === COMMA) {
      values++;
    }
  }
  return { depth, values, text: text + line.slice(keptTo) };
}

/** Where the text ends that begins at a quote. */
function endOfText(line: string, start: number): number {
  for (let at = start + 1; at < line.length; at++) {
    const char = line.charCodeAt(at);
    if (char === QUOTE) return at;
    if (char === BACKSLASH) at++;
  }
  return line.length;
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
  const slow = mayBeSlow(line);
  if (!slow && !mayBeDeep(line)) return readMessage(line);
  const { depth, values, text } = outline(line);
  const tooMany = slow && values > MAX_INSPECTED_VALUES;
  if (!tooMany && depth <= MAX_DEPTH) return readMessage(line);
  // In a body's own keys they are in the outline, too.
  if (tooMany && outline(text).values > MAX_INSPECTED_VALUES) return { problem: TOO_MANY_VALUES };
  const message = readMessage(text);
  if (!(message instanceof Received)) return message;
  const { src, dest, body } = message;
  const maxDepth = isClient(src) ? MAX_DEPTH : MAX_WRAPPED_DEPTH;
  if (depth > maxDepth) return malformed("nested too deeply", src, dest, body);
  if (tooMany) return malformed(TOO_MANY_VALUES, src, dest, body);
  return readMessage(line);
}

function readMessage(line: string): Received | Malformed {
  let value: Json;
  try {
    value = parseJson(line);
  } catch (error) {
    return { problem: errorText(error) };
  }
  if (!isJsonObject(value)) return { problem: "a message must be an object" };
  const { src, dest, body } = value;
  if (typeof src !== "string") return { problem: "src must be a string" };
  if (!isJsonObject(body)) return { problem: "body must be an object" };
  const problem = envelopeProblem(dest, body);
  const to = typeof dest === "string" ? dest : "";
  if (problem === undefined) return new Received(src, to, body as Body);
  return malformed(problem, src, to, body);
}

function malformed(problem: string, src: string, dest: string, body: JsonObject): Malformed {
  if (!isMsgId(body.msg_id) || body.in_reply_to !== undefined) return { problem };
  const type = typeof body.type === "string" ? body.type : "";
  return { problem, request: new Received(src, dest, { ...body, type }) };
}

function envelopeProblem(dest: Json | undefined, body: JsonObject): string | undefined {
  if (typeof dest !== "string") return "dest must be a string";
  if (typeof body.type !== "string") return "body.type must be a string";
  if (body.msg_id !== undefined && !isMsgId(body.msg_id)) return "body.msg_id must be an integer";
  return undefined;
}
