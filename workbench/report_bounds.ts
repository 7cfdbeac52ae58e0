/**
 * What of long values a page has: reads of long lists would make it larger than a browser can open.
 *
 * @module
 */

import { isClient, type Json } from "@eddy/maelstrom";
import type { Op } from "./history.ts";
import type { ReportMessage } from "./report_messages.ts";

/** Bodies up to so many characters, and lists up to so many items, are always whole. */
const SHORT_CHARS = 2000;
const SHORT_ITEMS = 200;

/** How many characters of longer bodies, and items of longer lists, a page has. */
const MAX_CHARS = 8e6;
const MAX_ITEMS = 1e6;

/** How near a long value must be to the place of interest for the second half of what there is. */
const NEAR_MS = 2000;

/** How much there is, of which half is for what is near a place. */
class Allowance {
  readonly #nearMs: number;
  #general: number;
  #near: number;

  constructor(amount: number, nearMs: number) {
    this.#nearMs = nearMs;
    this.#general = amount / 2;
    this.#near = amount / 2;
  }

  /** Takes some of it, and says whether it was there. */
  take(amount: number, atMs: number): boolean {
    if (amount <= this.#general) {
      this.#general -= amount;
      return true;
    }
    if (amount > this.#near || Math.abs(atMs - this.#nearMs) > NEAR_MS) return false;
    this.#near -= amount;
    return true;
  }
}

/**
 * Shortens long bodies of messages, but for the first and those near a moment.
 *
 * What takes the place of a body has its `type`, and says how long it is. What clients are sent does
 * not use up what there is for messages between nodes.
 */
export class BodyBound {
  readonly #clients: Allowance;
  readonly #others: Allowance;

  /** @param nearMs the moment, by the history's time */
  constructor(nearMs: number) {
    this.#clients = new Allowance(MAX_CHARS, nearMs);
    this.#others = new Allowance(MAX_CHARS, nearMs);
  }

  /** A body, or what stands for it. */
  shorten(body: string, { src, dest }: Pick<ReportMessage, "src" | "dest">, atMs: number): string {
    const { length } = body;
    if (length <= SHORT_CHARS) return body;
    const budget = isClient(src) || isClient(dest) ? this.#clients : this.#others;
    if (budget.take(length, atMs)) return body;
    const [, type] = /^\{"type":("(?:[^"\\]|\\.)*")/.exec(body) ?? [];
    const head = type === undefined ? "{" : `{"type":${type},`;
    return `${head}"left out":"${length} characters${LEFT_OUT_END}`;
  }
}

const LEFT_OUT_END = ', which messages.jsonl has"}';

/** Whether a body stands for a longer one. */
export function isShortened(body: string): boolean {
  return body.endsWith(LEFT_OUT_END);
}

/**
 * Shortens long lists of a history, but for the first and those near a moment.
 *
 * @returns the history, and whether it is whole
 */
export function boundLists(
  history: readonly Op[],
  nearMs: number,
): { readonly history: readonly Op[]; readonly isWhole: boolean } {
  const budget = new Allowance(MAX_ITEMS, nearMs);
  let isWhole = true;
  const bounded = history.map((op) => {
    // A long list may be made each time it is asked for.
    const { value } = op;
    if (!Array.isArray(value) || value.length <= SHORT_ITEMS) return op;
    if (budget.take(value.length, op.time / 1e6)) return op;
    isWhole = false;
    const items: Json[] = value.slice(0, SHORT_ITEMS);
    return { ...op, value: [...items, `and ${value.length - SHORT_ITEMS} more`] };
  });
  return { history: bounded, isWhole };
}
