/**
 * What a node did that no node may do.
 *
 * @module
 */

import { quote } from "../../node/message.ts";

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
   * Makes the sentence for people.
   *
   * @param details further lines for people: what else the node wrote
   */
  constructor({ node, line, lineNumber, why, expected }: Violation, details: string = "") {
    const where = lineNumber === 0 ? "before its first line" : `on line ${lineNumber}`;
    const text = lineNumber === 0 ? "" : `: ${quote(line)}`;
    super(
      `Node ${node} broke the protocol ${where} of standard output: ${why}${text}; expected ${expected}${details}`,
    );
    this.node = node;
    this.line = line;
    this.lineNumber = lineNumber;
    this.why = why;
    this.expected = expected;
  }
}
