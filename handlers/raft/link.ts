/**
 * The link to one other node: how long it takes, and whether anybody hears us there.
 *
 * @module
 */

import type { Stamp } from "./message.ts";

/** What a round trip is taken to be before one was measured, in milliseconds. */
const ASSUMED_ROUND_TRIP_MS = 100;
/** A round trip is never taken to be longer: it says more about a fault than about the link. */
const MAX_ROUND_TRIP_MS = 1000;
/** What an answer may take on top of what the link does: turns, spacing, a busy machine. */
const SLACK_MS = 50;

/** The link to one other node. */
export class Link {
  /** When something was last sent. */
  sentMs = -Infinity;
  /** When something last came. */
  heardMs = -Infinity;
  /** Since when the other side has owed us a sign of having heard a message that wants an answer. */
  awaitingSinceMs: number | undefined;

  #sent = 0;
  #received = 0;
  #lastPrompt = 0;
  #firstPrompt = 0;
  #lastPromptMs = 0;
  #sample: { readonly number: number; readonly atMs: number } | undefined;
  #roundTripMs: number | undefined;
  #deviationMs = 0;

  /** The stamp of the next message. `prompt` says that it wants an answer soon. */
  stamp(nowMs: number, prompt: boolean): Stamp {
    const number = ++this.#sent;
    this.sentMs = nowMs;
    if (prompt) {
      this.#lastPrompt = number;
      this.#lastPromptMs = nowMs;
      if (this.awaitingSinceMs === undefined) {
        this.awaitingSinceMs = nowMs;
        this.#firstPrompt = number;
      }
    }
    this.#sample ??= { number, atMs: nowMs };
    const heldMs = this.#received === 0 ? 0 : Math.max(0, nowMs - this.heardMs);
    return [number, this.#received, Math.round(heldMs * 100) / 100];
  }

  /** Takes note of a message's stamp. */
  receive([number, echo, heldMs]: Stamp, nowMs: number): void {
    this.#received = number;
    this.heardMs = nowMs;
    // A restarted node counts from 1 again: an echo of a number not yet given is of its past life.
    if (echo > this.#sent) return;
    if (this.#sample !== undefined && echo >= this.#sample.number) {
      if (echo === this.#sample.number) this.#learn(nowMs - this.#sample.atMs - heldMs);
      this.#sample = undefined;
    }
    if (this.awaitingSinceMs === undefined || echo < this.#firstPrompt) return;
    this.#firstPrompt = this.#lastPrompt;
    this.awaitingSinceMs = echo >= this.#lastPrompt ? undefined : this.#lastPromptMs;
  }

  /** The smoothed round trip with four deviations on top (RFC 6298), in milliseconds. */
  get roundTripMs(): number {
    const smoothedMs = this.#roundTripMs ?? ASSUMED_ROUND_TRIP_MS;
    return Math.min(smoothedMs + 4 * this.#deviationMs, MAX_ROUND_TRIP_MS);
  }

  /** How long to wait for an answer before doubting the link; it may take two trips. */
  get patienceMs(): number {
    return SLACK_MS + 2 * this.roundTripMs;
  }

  /** Whether an answer has been owed for too long. */
  overdue(nowMs: number): boolean {
    return this.awaitingSinceMs !== undefined && nowMs - this.awaitingSinceMs > this.patienceMs;
  }

  #learn(sampleMs: number): void {
    // One message that was held up somewhere tells little; several in a row are believed.
    const sample = Math.min(Math.max(0, sampleMs), SLACK_MS + 2 * this.roundTripMs);
    if (this.#roundTripMs === undefined) {
      this.#roundTripMs = sample;
      this.#deviationMs = sample / 4;
      return;
    }
    const error = sample - this.#roundTripMs;
    if (error < -2 * this.#deviationMs) {
      // The link is fast again, which is no sign that it varies: do not be patient for long.
      this.#roundTripMs += error / 2;
      return;
    }
    this.#deviationMs += (Math.abs(error) - this.#deviationMs) / 4;
    this.#roundTripMs += error / 8;
  }
}
