/**
 * Histories read property by property, be they arrays or columns.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { History, Op, OpType } from "./history.ts";

/**
 * What a checker asks of a history, operation by operation: a single property costs less than a whole
 * operation, which is made anew each time. Positions count from 0, whatever `index` says.
 */
export interface OpReader {
  /** How many operations there are. */
  readonly length: number;
  /** The whole operation. */
  opAt(position: number): Op;
  /** Its type. */
  typeAt(position: number): OpType;
  /** Its process. */
  processAt(position: number): Op["process"];
  /** The node that its process talked to, where that is known. */
  nodeAt(position: number): string | undefined;
  /** What it did. */
  fAt(position: number): string;
  /** Its time, in nanoseconds. */
  timeAt(position: number): number;
  /** Whether it belongs to a final phase, where that is said. */
  finalAt(position: number): boolean | undefined;
  /** Its value; `null` where a history left it out. */
  valueAt(position: number): Json;
}

/** Reads any history by its properties. */
export function readerOf(history: History): OpReader {
  return "typeAt" in history ? history as History & OpReader : new OpsReader(history);
}

class OpsReader implements OpReader {
  readonly length: number;
  readonly #ops: readonly Op[];

  constructor(history: History) {
    this.#ops = Array.isArray(history) ? history : [...history];
    this.length = history.length;
  }

  opAt(position: number): Op {
    const op = this.#ops[position];
    if (op === undefined) throw new RangeError(`Cannot read operation ${position}: there is none`);
    return op;
  }

  typeAt(position: number): OpType {
    return this.opAt(position).type;
  }

  processAt(position: number): Op["process"] {
    return this.opAt(position).process;
  }

  nodeAt(position: number): string | undefined {
    return this.opAt(position).node;
  }

  fAt(position: number): string {
    return this.opAt(position).f;
  }

  timeAt(position: number): number {
    return this.opAt(position).time;
  }

  finalAt(position: number): boolean | undefined {
    return this.opAt(position).final;
  }

  valueAt(position: number): Json {
    return (this.opAt(position).value as Json | undefined) ?? null;
  }
}
