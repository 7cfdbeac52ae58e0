/**
 * The way out of a node: each line it writes is checked and put on the network.
 *
 * @module
 */

import { isClient } from "@eddy/maelstrom";
import type { SimulatedNetwork } from "../network/network.ts";
import { SERVICES } from "../network/services.ts";
import { EXPECTED_LINE, readOutputLine } from "./output_line.ts";
import { ProtocolError } from "./protocol_error.ts";
import { RecentLines } from "./recent_lines.ts";

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
