/**
 * Whether what was sent comes back: the checker of echo.
 *
 * @module
 */

import { isJsonObject, type Json, jsonEqual } from "@eddy/maelstrom";
import { type CheckResult, type Finding, type History, MAX_FINDINGS } from "../history.ts";
import {
  type CompletedPair,
  endsOf,
  Pairs,
  resultOf,
  show,
  valueOf,
  Warnings,
  whoAndWhen,
} from "./checker.ts";

/** The verdict on echoes. */
export interface EchoResult extends CheckResult {
  /** Each wrong echo in Maelstrom's words: what was sent, and what came back. */
  readonly errors: readonly (readonly Json[])[];
}

/**
 * Checks that each echo was answered with what it sent.
 *
 * As in Maelstrom, a definite error is a wrong echo, while a timeout is passed over: ask for
 * total availability to catch those. The value of an acknowledged echo is the reply's body, as in
 * Maelstrom's histories, or what the reply echoed.
 */
export function checkEcho(history: History): EchoResult {
  const warnings = new Warnings();
  const pairs = new Pairs(history, warnings);
  const wrong: CompletedPair[] = [];
  const errors: Json[][] = [];
  for (let number = 0; number < pairs.length; number++) {
    if (pairs.fOf(number) !== "echo") continue;
    const type = pairs.endOf(number);
    if (type !== "ok" && type !== "fail") continue;
    const [sent, value] = [pairs.valueOf(number), pairs.resultOf(number)];
    if (isEchoOf(sent, type, value)) continue;
    errors.push(["Expected a message with :echo", sent, "But received", value]);
    if (wrong.length < MAX_FINDINGS) wrong.push(pairs.at(number) as CompletedPair);
  }
  return resultOf(errors.length === 0, { errors }, wrong.map(wrongEcho), warnings);
}

function isEchoOf(sent: Json, type: "ok" | "fail", value: Json): boolean {
  const echo = isJsonObject(value) ? value.echo ?? null : null;
  // A failed operation keeps the value it was invoked with, in which Maelstrom looks for an echo.
  return jsonEqual(echo, sent) && (type === "fail" || isJsonObject(value)) ||
    type === "ok" && jsonEqual(value, sent);
}

function wrongEcho(pair: CompletedPair): Finding {
  const { invoke, completion } = pair;
  const value = valueOf(completion);
  const got = completion.type === "fail"
    ? `got an error (${completion.error?.text ?? "no text"})`
    : `got ${show(isJsonObject(value) ? value.echo ?? value : value)} back`;
  return {
    anomaly: "wrong-echo",
    what: `The echo of ${show(valueOf(invoke))} by ${whoAndWhen(invoke)} ${got}`,
    ops: endsOf([pair]),
  };
}
