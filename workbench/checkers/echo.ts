/**
 * Whether what was sent comes back: the checker of echo.
 *
 * @module
 */

import { isJsonObject, type Json, jsonEqual } from "@eddy/maelstrom";
import { type CheckResult, type Finding, MAX_FINDINGS, type Op } from "../history.ts";
import {
  type CompletedPair,
  endsOf,
  type PlacedPair,
  placedPairs,
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
export function checkEcho(history: readonly Op[]): EchoResult {
  const warnings = new Warnings();
  const wrong = placedPairs(history, warnings)
    .filter(({ invoke }) => invoke.f === "echo")
    .filter(isAnswered)
    .filter(({ invoke, completion }) => !isEchoOf(valueOf(invoke), completion));
  const errors = wrong.map(({ invoke, completion }) => [
    "Expected a message with :echo",
    valueOf(invoke),
    "But received",
    valueOf(completion),
  ]);
  const findings = wrong.slice(0, MAX_FINDINGS).map(wrongEcho);
  return resultOf(wrong.length === 0, { errors }, findings, warnings);
}

function isAnswered(pair: PlacedPair): pair is CompletedPair {
  return pair.completion?.type === "ok" || pair.completion?.type === "fail";
}

function isEchoOf(sent: Json, { type, value }: Op): boolean {
  const echo = isJsonObject(value) ? value.echo ?? null : null;
  // A failed operation keeps the value it was invoked with, in which Maelstrom looks for an echo.
  return jsonEqual(echo, sent) && (type === "fail" || isJsonObject(value)) ||
    type === "ok" && jsonEqual(value ?? null, sent);
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
