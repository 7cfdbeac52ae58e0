/**
 * What a node did that no node may do.
 *
 * @module
 */

import { isClient, isJsonObject, type Json, type JsonObject, parseJson } from "@eddy/maelstrom";
import { isMsgId, quote } from "@eddy/maelstrom/message";
import { RecentLines } from "./process.ts";
import { SERVICES, type SimulatedNetwork } from "./network.ts";

/** Where and how a node broke the protocol. */
export interface Violation {
  /** Which node. */
  readonly node: string;
  /** The offending line of standard output; the last one when the process ended. */
  readonly line: string;
  /** Its number, from 1; 0 before the first. */
  readonly lineNumber: number;
  /** What is wrong with it. */
  readonly why: string;
  /** What would have been right. */
  readonly expected: string;
}

/** A node broke the protocol. */
export class ProtocolError extends Error implements Violation {
  /** `ProtocolError`. */
  override readonly name = "ProtocolError";
  /** Which node. */
  readonly node: string;
  /** The offending line of standard output. */
  readonly line: string;
  /** Its number, from 1. */
  readonly lineNumber: number;
  /** What is wrong with it. */
  readonly why: string;
  /** What would have been right. */
  readonly expected: string;

  /**
   * Keeps a violation.
   *
   * @param message the sentence for people, if the offending line is not the point
   */
  constructor(violation: Violation, message: string = describe(violation)) {
    super(message);
    const { node, line, lineNumber, why, expected } = violation;
    this.node = node;
    this.line = line;
    this.lineNumber = lineNumber;
    this.why = why;
    this.expected = expected;
  }
}

function describe({ node, line, lineNumber, why, expected }: Violation): string {
  const where = `on line ${lineNumber} of standard output`;
  return `Node ${node} broke the protocol ${where}: ${why}: ${quote(line)}; expected ${expected}`;
}

/** What is expected of each line, for people. */
export const EXPECTED_LINE =
  'one JSON object per line with the keys "src", "dest" and "body", and nothing else on standard output';

/** A message as a node wrote it. */
export interface OutputMessage {
  readonly src: string;
  readonly dest: string;
  readonly body: JsonObject;
}

const KEYS: readonly string[] = ["src", "dest", "body", "id"];

/**
 * Reads a line of a node's standard output, as strictly as Maelstrom.
 *
 * @returns the message, or what is wrong with the line.
 */
export function readOutputLine(line: string): OutputMessage | string {
  if (line.trim() === "") return "the line is blank";
  let value: Json;
  try {
    value = parseJson(line);
  } catch (error) {
    return `the line is not JSON (${error instanceof Error ? error.message : error})`;
  }
  if (!isJsonObject(value)) return "the line is JSON, but no object";
  const { src, dest, body, id } = value;
  if (typeof src !== "string") return "src must be a string";
  if (typeof dest !== "string") return "dest must be a string";
  if (body === undefined || !isJsonObject(body)) return "body must be an object";
  if (id !== undefined && !isMsgId(id)) return "id must be an integer, if there is one";
  const extra = Object.keys(value).find((key) => !KEYS.includes(key));
  if (extra !== undefined) return `the key ${JSON.stringify(extra)} does not belong there`;
  return { src, dest, body };
}

/** What the standard output of a node needs of its cluster. */
export interface StdoutContext {
  readonly node: string;
  readonly network: SimulatedNetwork;
  /** Whether a breach only mutes the node, as under Maelstrom. */
  readonly strictMaelstrom: boolean;
  /** Told of the first breach. */
  readonly onBreach: (error: ProtocolError) => void;
  /** Told of a reply to a client that is gone. */
  readonly onLateReply: (node: string, client: string) => void;
}

/** The standard output of one process of a node. */
export class Stdout {
  /** The last lines, for reports. */
  readonly recent: RecentLines = new RecentLines();
  readonly #context: StdoutContext;
  /** How every line begins that this project's own `Node` writes. */
  readonly #prefix: string;
  #lineNumber = 0;
  #muted = false;

  constructor(context: StdoutContext) {
    this.#context = context;
    this.#prefix = `{"src":"${context.node}","dest":"`;
  }

  /** How many lines there were. */
  get lineNumber(): number {
    return this.#lineNumber;
  }

  /** Whether nothing more gets out. */
  get muted(): boolean {
    return this.#muted;
  }

  /** Lets nothing more out: the process is dead, or broke the protocol. */
  mute(): void {
    this.#muted = true;
  }

  /** Takes a line of which nothing is known. */
  accept(line: string): void {
    if (this.#muted) return;
    this.#lineNumber++;
    this.recent.add(line);
    const message = readOutputLine(line);
    if (typeof message === "string") return this.#breach(line, message);
    const { src, dest, body } = message;
    const { node, strictMaelstrom } = this.#context;
    if (src !== node && !strictMaelstrom) {
      return this.#breach(line, `src must be the node's own name, ${JSON.stringify(node)}`);
    }
    this.#send(line, src, dest, JSON.stringify(body));
  }

  /**
   * Takes a line that `JSON.stringify` made of `src`, `dest` and `body`, in that order; it need
   * not be parsed on its way.
   */
  acceptOwn(line: string): void {
    const { node } = this.#context;
    const start = this.#prefix.length;
    const end = line.indexOf('"', start);
    const dest = line.slice(start, end);
    const bodyStart = end + BODY_KEY.length;
    const plain = line.startsWith(this.#prefix) && line.startsWith(BODY_KEY, end) &&
      line.charCodeAt(bodyStart) === OPENING_BRACE && !dest.includes("\\");
    if (!plain) return this.accept(line);
    if (this.#muted) return;
    this.#lineNumber++;
    this.#send(line, node, dest, line.slice(bodyStart, -1));
  }

  #send(line: string, src: string, dest: string, text: string): void {
    const { node, network, strictMaelstrom, onLateReply } = this.#context;
    if (network.sendText(src, dest, text)) return;
    if (network.has(src) && isClient(dest) && network.wasClosed(dest)) {
      if (strictMaelstrom) this.#muted = true;
      onLateReply(node, dest);
      return;
    }
    const nobody = network.has(src) ? dest : src;
    const why = `there is nobody named ${JSON.stringify(nobody)} on the network`;
    this.#breach(line, why, EXPECTED_NAME);
  }

  #breach(line: string, why: string, expected: string = EXPECTED_LINE): void {
    this.#muted = true;
    const { node, onBreach } = this.#context;
    const lineNumber = this.#lineNumber;
    onBreach(new ProtocolError({ node, line, lineNumber, why, expected }));
  }
}

/** Who can be written to, for people. */
const EXPECTED_NAME = `a node of "node_ids", a service (${
  SERVICES.join(", ")
}), or a client that has asked something`;

const BODY_KEY = '","body":';
const OPENING_BRACE = "{".charCodeAt(0);
