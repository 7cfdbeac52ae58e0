/**
 * How long polls lag behind what was known to be in the logs.
 *
 * @module
 */

import type { Op } from "../../history.ts";
import { type Act, isTransaction, type Offset } from "./acts.ts";

/** The poll that lagged most. */
export interface Lag {
  /** When the poll began, in seconds. */
  readonly time: number;
  readonly process?: Op["process"];
  readonly key?: string;
  /** At least how long the first message it did not see had been there by then, in seconds. */
  readonly lag: number;
}

/** From when on a key's log was known to reach an offset: both grow along the list. */
interface Reach {
  readonly offset: Offset;
  readonly time: number;
}

/** How far a process has read a key, and when more was first known to be there. */
interface Position {
  readonly offset: Offset;
  readonly outdated: number;
}

/**
 * Finds the poll that began longest after something it did not return was known to be in the log.
 *
 * Every key counts that the process is assigned or has polled, whether or not the poll returned it.
 */
export function worstLag(acts: readonly Act[]): Lag {
  const reaches = readReaches(acts);
  const positions = new Map<unknown, Map<string, Position>>();
  let worst: Lag = { time: 0, lag: 0 };
  let longest = -1;
  for (const act of acts) {
    if (act.type !== "ok") continue;
    const { process } = act.op;
    let ofProcess = positions.get(process);
    if (ofProcess === undefined) positions.set(process, ofProcess = new Map());
    if (act.assigned !== undefined) {
      positions.set(process, reassigned(ofProcess, act.assigned, reaches));
    } else if (isTransaction(act) && act.op.f !== "send" && act.invoke !== undefined) {
      advance(ofProcess, act, reaches);
      const began = act.invoke.time;
      for (const [key, { outdated }] of ofProcess) {
        const lag = Math.max(0, began - outdated);
        if (lag <= longest) continue;
        longest = lag;
        worst = { time: began / 1e9, process, key, lag: lag / 1e9 };
      }
    }
  }
  return worst;
}

function readReaches(acts: readonly Act[]): Map<string, Reach[]> {
  const reaches = new Map<string, Reach[]>();
  for (const act of acts) {
    for (const [key, offset] of highest(act)) {
      const list = reaches.get(key);
      const last = list?.at(-1);
      if (list === undefined) reaches.set(key, [{ offset, time: act.op.time }]);
      else if (last === undefined || last.offset < offset) list.push({ offset, time: act.op.time });
    }
  }
  return reaches;
}

/** The highest offset of each key in an operation, sent or polled; -1 for an empty list. */
function highest(act: Act): Map<string, Offset> {
  const found = new Map<string, Offset>();
  if (act.type === "fail") return found;
  const note = (key: string, offset: Offset | undefined) => {
    const known = found.get(key);
    if (offset !== undefined && (known === undefined || known < offset)) found.set(key, offset);
  };
  for (const { message, offset } of act.sends) note(message.key, offset);
  for (const [key, list] of act.reads) {
    note(key, -1);
    for (const { offset } of list) note(key, offset);
  }
  return found;
}

function advance(
  positions: Map<string, Position>,
  act: Act,
  reaches: ReadonlyMap<string, Reach[]>,
): void {
  for (const [key, offset] of highest(act)) {
    const known = positions.get(key);
    if (known !== undefined && known.offset >= offset) continue;
    positions.set(key, { offset, outdated: outdatedAt(reaches.get(key), offset) });
  }
}

function reassigned(
  positions: ReadonlyMap<string, Position>,
  keys: readonly string[],
  reaches: ReadonlyMap<string, Reach[]>,
): Map<string, Position> {
  const kept = new Map<string, Position>();
  for (const key of keys) {
    const fresh = () => ({ offset: -1, outdated: outdatedAt(reaches.get(key), -1) });
    kept.set(key, positions.get(key) ?? fresh());
  }
  return kept;
}

/** When the log was first known to reach beyond an offset; never, if it was not. */
function outdatedAt(reaches: readonly Reach[] = [], offset: Offset): number {
  let low = 0;
  let high = reaches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const reach = reaches[middle];
    if (reach !== undefined && reach.offset > offset) high = middle;
    else low = middle + 1;
  }
  return reaches[low]?.time ?? Infinity;
}
