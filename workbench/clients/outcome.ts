/**
 * How an operation ended, by what its client met.
 *
 * @module
 */

import type { OpError } from "../history.ts";
import { ReplyTimeout } from "./client.ts";
import { ErrorReply, MalformedReply } from "./reply.ts";

/** What a workload makes of errors. */
export interface ErrorPolicy {
  /** Whether a definite error is a failure; without, nobody knows after any error. */
  readonly definiteFails: boolean;
  /** What may be done twice or not at all, so that an error is always a failure. */
  readonly idempotent: ReadonlySet<string>;
}

/** An end other than success. */
export interface Failure {
  readonly type: "fail" | "info";
  readonly error: OpError;
}

/**
 * The outcome of an operation that met an error.
 *
 * An error reply is a failure if it is definite or the operation idempotent, a timeout if the
 * operation is; a malformed reply leaves everything open.
 *
 * @param f what was done
 * @throws `error` itself, if it is nothing that a node or the network can cause.
 */
export function failureOf(error: unknown, f: string, policy: ErrorPolicy): Failure {
  const idempotent = policy.idempotent.has(f);
  if (error instanceof ReplyTimeout) {
    return { type: idempotent ? "fail" : "info", error: { code: 0, text: error.message } };
  }
  if (error instanceof ErrorReply) {
    const { code, message: text, definite } = error;
    return {
      type: idempotent || (policy.definiteFails && definite) ? "fail" : "info",
      error: code === undefined ? { text } : { code, text },
    };
  }
  if (error instanceof MalformedReply) return { type: "info", error: { text: error.message } };
  throw error;
}
