/**
 * Long lists of integers, of which a history of sets has one for each read, in little memory.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Op } from "./history.ts";

/** Shorter lists are not worth it. */
const MIN_LENGTH = 64;

/**
 * Keeps lists that mostly begin with what the one before began with, as the reads of a node do whose
 * set grows: such lists share one array. Others take two or four bytes an element.
 */
export class KeptLists {
  /** The longest list of each node so far, which others are the beginnings of. */
  readonly #longest = new Map<string, number[]>();

  /**
   * Keeps a list.
   *
   * @param node whose list it is
   * @returns what gives the list back, a copy each time; undefined if it is better kept as it is.
   */
  keep(node: string, list: Json): (() => Json) | undefined {
    if (!Array.isArray(list) || list.length < MIN_LENGTH || !list.every(isInt32)) return undefined;
    const longest = this.#longest.get(node);
    const { length } = list;
    const shared = Math.min(length, longest?.length ?? 0);
    let same = 0;
    while (same < shared && longest?.[same] === list[same]) same++;
    if (longest !== undefined && same === shared) {
      for (let i = same; i < length; i++) longest.push(list[i] as number);
      return () => longest.slice(0, length);
    }
    this.#longest.set(node, [...list] as number[]);
    const packed = list.every(isUint16)
      ? Uint16Array.from(list as number[])
      : Int32Array.from(list as number[]);
    return () => [...packed];
  }
}

function isInt32(value: Json): boolean {
  return typeof value === "number" && (value | 0) === value && !Object.is(value, -0);
}

function isUint16(value: Json): boolean {
  return typeof value === "number" && value >= 0 && value < 2 ** 16;
}

/** An operation whose value is made when it is asked for. */
export function withValue(op: Op, value: () => Json): Op {
  return Object.defineProperty(op, "value", { get: value });
}
