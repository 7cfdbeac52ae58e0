/**
 * What is replicated: a state machine that every node runs over the same log.
 *
 * @module
 */

import type { Json, RpcError } from "@eddy/maelstrom";

/** What an operation came to: a reply's keys, or why it did nothing. */
export type Outcome = object | RpcError;

/** A state machine. Everything it does follows from its state and the operation alone. */
export interface Machine {
  /**
   * Does an operation.
   *
   * @param isWanted whether anybody here waits for the outcome; it need not be made up if not
   */
  apply(operation: Json, isWanted: boolean): Outcome | undefined;
  /** Answers an operation that changes nothing. */
  query(operation: Json): Outcome;
  /** A copy of the whole state, in pieces. */
  snapshot(): Json[];
  /** Takes over a state that {@linkcode Machine.snapshot} gave. */
  restore(items: readonly Json[]): void;
}
