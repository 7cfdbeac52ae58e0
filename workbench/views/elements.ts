/**
 * Which reads had the elements that a run of broadcast or g-set lost, or took longest to show.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { isOk, keyOf, type PlacedPair, placedPairs, show, valueOf } from "../checkers/checker.ts";
import type { ReportData } from "../report_data.ts";

/** Elements of a run, the lost ones first. */
export interface ElementsView {
  readonly kind: "elements";
  readonly elements: readonly ElementView[];
  /** How many elements were lost or late in all. */
  readonly count: number;
}

/** An element, and the reads that were begun after it was to be added. */
export interface ElementView {
  /** Its text. */
  readonly element: string;
  readonly outcome: "lost" | "late";
  /** The index of the operation that was to add it, and when that began, in ms. */
  readonly op: number;
  readonly atMs: number;
  readonly nodes: readonly NodeReads[];
}

/** The reads at a node: runs of those that had the element and of those that did not. */
export interface NodeReads {
  /** The node, or the process where nodes have no names. */
  readonly node: string;
  readonly runs: readonly AgreeingReads[];
}

/** Reads in a row that all had an element, or all missed it. */
export interface AgreeingReads {
  readonly has: boolean;
  /** When the first and the last of them began, in ms. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
  /** The index of the first one's completion. */
  readonly op: number;
}

/** How many elements are shown at most. */
const MAX_ELEMENTS = 8;

/** The elements of a run that its checker names; undefined where it names none. */
export function elementsView(
  { report: { workload }, history }: Pick<ReportData, "report" | "history">,
): ElementsView | undefined {
  if (!("worstStale" in workload)) return undefined;
  const lost = new Set(workload.lost.map(keyOf));
  const late = workload.worstStale.map(({ element }) => element);
  const named = [...workload.lost, ...late.filter((element) => !lost.has(keyOf(element)))];
  const pairs = placedPairs(history);
  const adds = new Map(
    pairs.filter(({ invoke }) => invoke.f !== "read").map((pair) => [
      keyOf(valueOf(pair.invoke)),
      pair,
    ]),
  );
  const shown = new Map<number | string, FollowedElement>();
  for (const element of named.slice(0, MAX_ELEMENTS)) {
    const add = adds.get(keyOf(element));
    if (add !== undefined) shown.set(keyOf(element), { element, add, nodes: new Map() });
  }
  if (shown.size === 0) return undefined;
  for (const pair of pairs) if (pair.invoke.f === "read") note(shown, pair);
  return {
    kind: "elements",
    elements: [...shown].map(([key, { element, add, nodes }]) => ({
      element: show(element),
      outcome: lost.has(key) ? "lost" : "late",
      op: add.invoke.index,
      atMs: add.invoke.time / 1e6,
      nodes: [...nodes].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
        .map(([node, runs]) => ({ node, runs })),
    })),
    count: workload.lostCount + workload.staleCount,
  };
}

/** An element, and what was read of it so far. */
interface FollowedElement {
  readonly element: Json;
  readonly add: PlacedPair;
  readonly nodes: Map<string, AgreeingReads[]>;
}

/** Notes for each element that could be in a read whether it is. */
function note(shown: ReadonlyMap<number | string, FollowedElement>, read: PlacedPair): void {
  if (!isOk(read)) return;
  const { invoke, completion } = read;
  const value = valueOf(completion);
  const held = new Set<number | string>();
  for (const element of Array.isArray(value) ? value : []) {
    const key = keyOf(element);
    if (shown.has(key)) held.add(key);
  }
  const node = invoke.node ?? `process ${invoke.process}`;
  const atMs = invoke.time / 1e6;
  for (const [key, { add, nodes }] of shown) {
    if (read.invokedAt < add.invokedAt) continue;
    const has = held.has(key);
    const runs = nodes.get(node) ?? [];
    nodes.set(node, runs);
    const last = runs.at(-1);
    if (last?.has === has) {
      runs[runs.length - 1] = { ...last, toMs: atMs, count: last.count + 1 };
    } else runs.push({ has, fromMs: atMs, toMs: atMs, count: 1, op: completion.index });
  }
}
