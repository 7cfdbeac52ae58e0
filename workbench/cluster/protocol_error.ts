/**
 * What a node did that no node may do.
 *
 * @module
 */

import { quote } from "@eddy/maelstrom/message";

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
