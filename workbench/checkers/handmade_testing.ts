/**
 * Histories made by hand, for tests.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Op, OpError, OpType } from "../history.ts";

/** An event: who, what, and what else differs from the default. */
export type Row = readonly [
  process: Op["process"],
  type: OpType,
  f: string,
  value?: Json,
  rest?: {
    readonly ms?: number;
    readonly node?: string;
    readonly final?: boolean;
    readonly error?: OpError;
  },
];

/**
 * Makes a history of rows: numbered from 0 and a millisecond apart, unless a row says when.
 *
 * Process `p` talks to node `n<p>`, unless a row says otherwise.
 */
export function handmade(...rows: Row[]): Op[] {
  return rows.map(([process, type, f, value = null, { ms, ...rest } = {}], index) => ({
    index,
    time: Math.round((ms ?? index) * 1e6),
    type,
    process,
    f,
    value,
    ...(process !== "nemesis" && { node: `n${process}` }),
    ...rest,
  }));
}
