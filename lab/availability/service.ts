/**
 * What clients were served in a run, of what connectivity made possible.
 *
 * @module
 */

import { ErrorCode } from "@eddy/maelstrom";
import { type PlacedPair, placedPairs } from "@eddy/workbench/checkers/checker.ts";
import type { Op } from "@eddy/workbench/history.ts";
import type { Latency } from "@eddy/workbench/links.ts";
import { placeOf, type Segment } from "./connectivity.ts";

/** How long consensus may take over a change. */
export interface Pace {
  /** How long until a leader is given up and another is elected, at most. */
  readonly electionMs: number;
  /** How long a message and its answer take between two nodes, at most. */
  readonly roundTripMs: number;
}

/** What Eddy's Raft documents of its times (`handlers/raft/raft.ts`). */
export interface RaftTimes {
  /**
   * How often a leader is heard of while clients ask something (`Timing.heartbeatMs`); every round
   * trip, if that is longer.
   *
   * @default 100
   */
  readonly heartbeatMs?: number | undefined;
  /**
   * After how many heartbeats and a round trip a node stands for election at the latest: three, and
   * up to two more that are drawn (`electionMs`, `drawElectionMs`).
   *
   * @default 5
   */
  readonly heartbeats?: number | undefined;
  /**
   * How long a message may wait so that others share it (`Timing.spacingMs`).
   *
   * @default 4.5
   */
  readonly spacingMs?: number | undefined;
}

/** How much longer than the mean the longest latency is, by distribution. */
const LONGEST_LATENCY: Readonly<Record<Latency["distribution"], number>> = {
  constant: 1,
  uniform: 2,
  // 1 of 100 messages takes longer, but only 1 of 1000 round trips takes twice as long.
  exponential: Math.log(100),
  uneven: 5,
};

/**
 * How long an election and a round trip take at most, by the latency of the links.
 *
 * @param times defaults are those of a cluster that is not idle; after two seconds without a request
 * Eddy's heartbeats are twice as far apart
 */
export function paceOf(
  { meanMs, distribution }: Latency,
  { heartbeatMs = 100, heartbeats = 5, spacingMs = 4.5 }: RaftTimes = {},
): Pace {
  const roundTripMs = 2 * (meanMs * LONGEST_LATENCY[distribution] + spacingMs);
  const electionMs = heartbeats * Math.max(heartbeatMs, roundTripMs) + roundTripMs;
  return { electionMs, roundTripMs };
}

/** How many round trips a request may take after an election, before it is settled. */
const ROUND_TRIPS = 4;

/** How long before an operation its node must have been where it is, for the operation to be settled. */
export function leadMs({ electionMs, roundTripMs }: Pace): number {
  return electionMs + ROUND_TRIPS * roundTripMs;
}

/** The errors that are a workload's own answer: the operation was looked at, and its condition is not met. */
const ANSWERS: ReadonlySet<number | undefined> = new Set([
  ErrorCode.keyDoesNotExist,
  ErrorCode.keyAlreadyExists,
  ErrorCode.preconditionFailed,
  ErrorCode.txnConflict,
]);

/** Whether an operation succeeded, or failed by its own condition. */
export function isServed(completion: Op | undefined): boolean {
  return completion?.type === "ok" || ANSWERS.has(completion?.error?.code ?? NO_CODE);
}

const NO_CODE = -1;

/** How many of some operations were served. */
export interface Share {
  readonly count: number;
  readonly served: number;
}

/** Settled operations that were not served, one soon after the other. */
export interface Gap {
  /** When the first was invoked. */
  readonly fromMs: number;
  /** When the last was invoked. */
  readonly toMs: number;
  readonly nodes: readonly string[];
  /** How many ended with each error code; `none` for those without a code. */
  readonly codes: Readonly<Record<string, number>>;
}

/** What clients were served in a run. */
export interface Service {
  /** Operations whose node was in a majority when they were invoked. */
  readonly possible: Share;
  /** Operations whose node was in the same majority from {@linkcode leadMs} before until their end. */
  readonly settled: Share;
  /** When settled operations were not served. */
  readonly gaps: readonly Gap[];
  /** Operations whose node ran outside of any majority for as long. */
  readonly outside: {
    readonly count: number;
    /** Of those refused with error 11: how long each took. */
    readonly refusedMs: readonly number[];
  };
  readonly changes: ChangeFigures;
}

/** What followed changes of connectivity after which there was a majority. */
interface ChangeFigures {
  /**
   * The times from such a change to the first answer, at a node of the majority, to an operation
   * invoked since.
   */
  readonly serviceMs: readonly number[];
  /** After how many of them there was none before the next change, which came soon. */
  readonly brief: number;
  /** The same where there was time enough: {@linkcode leadMs} at least. */
  readonly dead: number;
}

/** An operation of a client. */
interface Operation {
  readonly pair: PlacedPair;
  readonly node: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Compares what clients were served with what was possible.
 *
 * @param history of the main phase; an operation without an end counts as one that ends with it
 * @param segments of the whole run
 */
export function serviceOf(
  history: readonly Op[],
  segments: readonly Segment[],
  pace: Pace,
): Service {
  const lead = leadMs(pace);
  const endMs = (history.at(-1)?.time ?? 0) / 1e6;
  const operations = placedPairs(history).map((pair): Operation => ({
    pair,
    node: pair.invoke.node ?? "",
    fromMs: pair.invoke.time / 1e6,
    toMs: pair.completion === undefined ? endMs : pair.completion.time / 1e6,
  }));
  const places = operations.map(({ node, fromMs, toMs }) =>
    placeOf(segments, node, { fromMs: fromMs - lead, toMs })
  );
  const settled = operations.filter((_, index) => places[index] === "inside");
  const outside = operations.filter((_, index) => places[index] === "outside");
  const possible = operations.filter(({ node, fromMs }) =>
    placeOf(segments, node, { fromMs, toMs: fromMs }) === "inside"
  );
  return {
    possible: shareOf(possible),
    settled: shareOf(settled),
    gaps: gapsOf(settled.filter(({ pair }) => !isServed(pair.completion)), lead),
    outside: {
      count: outside.length,
      refusedMs: outside
        .filter(({ pair }) => pair.completion?.error?.code === ErrorCode.temporarilyUnavailable)
        .map(({ fromMs, toMs }) => toMs - fromMs),
    },
    changes: changesOf(operations, segments, { lead, endMs }),
  };
}

function shareOf(operations: readonly Operation[]): Share {
  const served = operations.filter(({ pair }) => isServed(pair.completion)).length;
  return { count: operations.length, served };
}

/** Puts together what was invoked no further apart than a time. */
function gapsOf(operations: readonly Operation[], apartMs: number): Gap[] {
  const groups: Operation[][] = [];
  for (const operation of operations) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    if (last !== undefined && operation.fromMs - last.fromMs <= apartMs) group?.push(operation);
    else groups.push([operation]);
  }
  return groups.map((group) => {
    const codes = Object.groupBy(
      group,
      ({ pair }) => String(pair.completion?.error?.code ?? "none"),
    );
    return {
      fromMs: group[0]?.fromMs ?? 0,
      toMs: group.at(-1)?.fromMs ?? 0,
      nodes: [...new Set(group.map(({ node }) => node))].sort(),
      codes: Object.fromEntries(
        Object.entries(codes).map(([code, those = []]) => [code, those.length]),
      ),
    };
  });
}

/** What followed each change; the beginning of the run is none. */
function changesOf(
  operations: readonly Operation[],
  segments: readonly Segment[],
  { lead, endMs }: { readonly lead: number; readonly endMs: number },
): ChangeFigures {
  const serviceMs: number[] = [];
  let [brief, dead] = [0, 0];
  for (const { fromMs, majority, toMs } of segments.slice(1)) {
    if (majority.size === 0 || fromMs >= endMs) continue;
    const answers = operations.filter((operation) =>
      operation.fromMs >= fromMs && operation.toMs < toMs && majority.has(operation.node) &&
      isServed(operation.pair.completion)
    );
    const firstMs = answers.reduce((first, answer) => Math.min(first, answer.toMs), Infinity);
    if (firstMs < Infinity) serviceMs.push(firstMs - fromMs);
    else if (Math.min(toMs, endMs) - fromMs < lead) brief++;
    else dead++;
  }
  return { serviceMs, brief, dead };
}
