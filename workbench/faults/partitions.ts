/**
 * Ways to cut a cluster, as Maelstrom draws them.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";
import { randomBelow, shuffled } from "../world/random.ts";

/** For each node, the nodes whose messages it loses. */
export type Drops = Readonly<Record<string, readonly string[]>>;

/** The kinds of partitions that a nemesis draws from. */
export const PARTITIONS = ["one", "majority", "minority-third", "majorities-ring"] as const;

/** A kind of partition. */
export type PartitionKind = typeof PARTITIONS[number];

/** Draws a partition of a kind; what it leaves whole has no entry. */
export function drawPartition(
  kind: PartitionKind,
  nodeIds: readonly string[],
  random: Random,
): Drops {
  const nodes = shuffled(random, nodeIds);
  const count = nodes.length;
  const split = (size: number) => splitGroups([nodes.slice(0, size), nodes.slice(size)]);
  switch (kind) {
    case "one":
      return split(1);
    case "majority":
      return split(Math.floor(count / 2));
    case "minority-third":
      return split(Math.floor((count - 1) / 3));
    case "majorities-ring":
      return count <= 5 ? perfectRing(nodes) : randomRing(nodes, random);
  }
}

/** Cuts groups off from each other, in both directions. */
export function splitGroups(groups: readonly (readonly string[])[]): Drops {
  const drops: Record<string, string[]> = {};
  for (const group of groups) {
    const others = groups.filter((other) => other !== group).flat();
    if (others.length === 0) continue;
    for (const node of group) drops[node] = others;
  }
  return drops;
}

/** How many nodes are a majority. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** Each run of a majority of successive nodes is what the one in its middle hears. */
function perfectRing(nodes: readonly string[]): Drops {
  const count = nodes.length;
  const size = majority(count);
  const drops: Record<string, string[]> = {};
  for (let start = 0; start < count; start++) {
    const run = Array.from({ length: size }, (_, step) => nodes[(start + step) % count] as string);
    const dropped = nodes.filter((node) => !run.includes(node));
    if (dropped.length > 0) drops[run[Math.floor(size / 2)] as string] = dropped;
  }
  return drops;
}

/** Links the nodes with the fewest links until each hears a majority, itself included. */
function randomRing(nodes: readonly string[], random: Random): Drops {
  const links = new Map(nodes.map((node) => [node, new Set([node])]));
  const degree = (node: string) => links.get(node)?.size ?? 0;
  const enough = majority(nodes.length);
  for (;;) {
    // Sorting is stable: those of one degree stay in the order drawn.
    const byDegree = shuffled(random, nodes).sort((a, b) => degree(a) - degree(b));
    const [first] = byDegree;
    if (first === undefined || degree(first) >= enough) break;
    const second = byDegree.find((node) => !links.get(first)?.has(node));
    if (second === undefined) break;
    links.get(first)?.add(second);
    links.get(second)?.add(first);
  }
  const drops: Record<string, string[]> = {};
  for (const node of nodes) drops[node] = nodes.filter((other) => !links.get(node)?.has(other));
  return drops;
}

/** How many of the nodes a fault takes. */
export const TARGETS = ["one", "minority", "majority", "all"] as const;

/** A choice of {@linkcode TARGETS}. */
export type TargetKind = typeof TARGETS[number];

/** Draws nodes for a fault, at least one; a minority is the largest one. */
export function drawTargets(
  kind: TargetKind,
  nodeIds: readonly string[],
  random: Random,
): readonly string[] {
  const count = nodeIds.length;
  const size =
    { one: 1, minority: majority(count) - 1, majority: majority(count), all: count }[kind];
  const drawn = new Set(shuffled(random, nodeIds).slice(0, Math.max(1, size)));
  return nodeIds.filter((node) => drawn.has(node));
}

/** Draws one of several. */
export function drawOf<T>(random: Random, choices: readonly T[]): T {
  return choices[randomBelow(random, choices.length)] as T;
}
