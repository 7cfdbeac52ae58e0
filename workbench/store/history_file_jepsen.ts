/**
 * What Jepsen 0.3.7 prints in its own way: the errors of operations.
 *
 * Jepsen names errors where we carry codes, and keeps exceptions as maps of a hundred lines of which
 * the message says enough.
 *
 * @module
 */

import { ErrorCode, isJsonObject, type Json, type JsonObject } from "@eddy/maelstrom";
import type { OpError } from "../history.ts";
import type { Notation } from "./history_file_op.ts";

/** Maelstrom's error names in its own spelling, `key-does-not-exist`, and what it calls silence. */
const codes = new Map<string, number>([["net-timeout", ErrorCode.timeout]]);
for (const [name, code] of Object.entries(ErrorCode)) {
  codes.set(name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`), code);
}

/** What stands where an exception has no message. */
const UNEXPLAINED = "unexplained";

/**
 * How a `history.edn`, read as JSON, says what our lines say otherwise.
 *
 * `:net-timeout` becomes code 0, `[:txn-conflict "text"]` code 30, a sentence or an exception an
 * error without a code.
 */
export const jepsen: Notation = { finalKey: "final?", errorOf };

function errorOf({ error, exception }: JsonObject): OpError | undefined {
  if (error === undefined || error === null) {
    return exception === undefined || exception === null ? undefined : { text: cause(exception) };
  }
  if (typeof error === "string") return named(error, null);
  if (Array.isArray(error) && typeof error[0] === "string") return named(error[0], error[1]);
  return { text: isJsonObject(error) ? cause(error) : JSON.stringify(error) };
}

function named(name: string, detail: Json | undefined): OpError {
  const text = detail === undefined || detail === null
    ? name
    : typeof detail === "string"
    ? detail
    : JSON.stringify(detail);
  const code = codes.get(name);
  if (code !== undefined) return { code, text };
  return { text: text === name ? name : `${name}: ${text}` };
}

/** The message of an exception that was printed as `{:via [{:message ...}], :cause ...}`. */
function cause(exception: Json): string {
  if (typeof exception === "string") return exception;
  if (!isJsonObject(exception)) return UNEXPLAINED;
  if (typeof exception.cause === "string") return exception.cause;
  const via = Array.isArray(exception.via) ? exception.via : [];
  for (const step of via.toReversed()) {
    if (isJsonObject(step) && typeof step.message === "string") return step.message;
  }
  return typeof exception.type === "string" ? exception.type : UNEXPLAINED;
}
