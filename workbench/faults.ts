/**
 * Faults as verbs, for a nemesis and for tests that script them.
 *
 * @module
 */

import { isRawNumber, type Json, type JsonObject, type Random } from "@eddy/maelstrom";
import { show } from "./checkers/checker.ts";
import type { Cluster } from "./cluster.ts";
import { type Loss, LOSSES, type SimulatedDisk, type SyncFailure } from "./disk.ts";
import { type LinkRule, type Slowness, toLinks } from "./links.ts";
import { describeSkew, type Skew } from "./machine_clock.ts";
import { randomBelow, shuffled } from "./random.ts";
import type { World } from "./world.ts";

/** A fault, and how long it was on. */
export interface FaultWindow {
  /** What kind of fault: `partition`, `kill`, ... */
  readonly fault: string;
  /** What it did: `n1 | n2 n3`. */
  readonly description: string;
  /** When it began, in a history's time. */
  readonly fromNs: number;
  /** When it ended; undefined while it is on. */
  readonly toNs: number | undefined;
}

/** What faults are injected into. */
interface FaultsOptions {
  readonly world: World;
  readonly cluster: Cluster;
}

interface Active {
  readonly window: { -readonly [K in keyof FaultWindow]: FaultWindow[K] };
  /** The node it affects, for faults of a single node. */
  readonly node: string | undefined;
  readonly undo: () => void | Promise<void>;
}

/** A node, or several. */
export type Nodes = string | readonly string[];

/**
 * The faults that can be injected into a cluster and its network.
 *
 * Faults on links return a function that ends this one; several may be on at a time.
 */
export interface FaultVerbs {
  /** Cuts groups of nodes off from each other; those in no group are not affected. */
  partition(groups: readonly (readonly string[])[]): () => void;
  /** Drops messages: for each node those of the sources that are given with it. */
  drop(drops: Drops, fault?: string): () => void;
  /** Cuts a node off from all others. */
  isolate(node: string): () => void;
  /** Loses what some nodes send to others; the other direction works. */
  oneWay(from: Nodes, to: Nodes): () => void;
  /** Ends all partitions, one-way ones included. */
  repair(): void;
  /** Keeps back what two nodes send to each other, until it is released. */
  hold(a: string, b: string): () => void;
  /** Delivers all that is kept back. */
  release(): void;
  /** Loses messages between nodes with a probability. */
  loss(probability: number): () => void;
  /** Delivers messages between nodes twice with a probability. */
  duplicate(probability: number): () => void;
  /** Makes messages from and to nodes slow. */
  slow(nodes: Nodes, slowness: Partial<Slowness>): () => void;
  /**
   * Kills nodes; those that are down already stay so.
   *
   * @param loss what becomes of what their disks have not synced: `kill`, the default, loses all
   */
  crash(nodes: Nodes, loss?: Loss): Promise<void>;
  /**
   * Starts nodes that were killed; resolves when they have answered `init`.
   *
   * @param loss the kind of kill that ends; each by default
   */
  restart(nodes: Nodes, loss?: Loss): Promise<void>;
  /** Makes every sync of nodes' disks take 20 to 500 ms. */
  slowDisk(nodes: Nodes): () => void;
  /** Makes syncs of nodes' disks fail; at the end, nodes that have ended by that start again. */
  failSyncs(nodes: Nodes, failure: SyncFailure): () => Promise<void>;
  /**
   * Lets the clocks of nodes run at another rate, and jumps with their time of day.
   *
   * @param skew by default a rate of 1, and no jump
   */
  skewClocks(nodes: Nodes, skew: Partial<Skew>): () => void;
  /** Pauses nodes; has no effect on those that are down. */
  pause(nodes: Nodes): void;
  /** Lets paused nodes continue. */
  resume(nodes: Nodes): void;
  /** Ends everything that is on; resolves when nodes that were killed have answered `init`. */
  healAll(): Promise<void>;
}

/**
 * Injects faults into a cluster and its network, and records when each was on.
 *
 * @example
 * ```ts ignore
 * const faults = new Faults({ world, cluster });
 * const heal = faults.partition([["n0"], ["n1", "n2"]]);
 * world.clock.schedule(1000, heal);
 * ```
 */
export class Faults implements FaultVerbs {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #windows: FaultWindow[] = [];
  readonly #active = new Set<Active>();
  #originMs: number;

  constructor({ world, cluster }: FaultsOptions) {
    this.#world = world;
    this.#cluster = cluster;
    this.#originMs = world.clock.now();
  }

  /** When each fault was on, in the order of beginning. */
  get windows(): readonly FaultWindow[] {
    return this.#windows;
  }

  /** Lets a history's time begin now. */
  startTime(): void {
    this.#originMs = this.#world.clock.now();
  }

  /** A time of the world's clock in a history's time. */
  toNs(timeMs: number): number {
    return Math.round((timeMs - this.#originMs) * 1e6);
  }

  partition(groups: readonly (readonly string[])[]): () => void {
    const description = groups.map((group) => group.join(" ")).join(" | ");
    return this.#cut("partition", splitGroups(groups), description);
  }

  drop(drops: Drops, fault: string = "partition"): () => void {
    return this.#cut(fault, drops, describeDrops(drops));
  }

  isolate(node: string): () => void {
    const others = this.#cluster.nodeIds.filter((other) => other !== node);
    return this.partition([[node], others]);
  }

  oneWay(from: Nodes, to: Nodes): () => void {
    const srcs = list(from);
    const drops = Object.fromEntries(
      list(to).map((dest) => [dest, srcs.filter((src) => src !== dest)]),
    );
    return this.#cut("one-way", drops, `${srcs.join(" ")} -/-> ${list(to).join(" ")}`);
  }

  repair(): void {
    this.#end(({ window: { fault } }) => fault === "partition" || fault === "one-way");
  }

  hold(a: string, b: string): () => void {
    return this.#rule({ fault: "hold", holds: toLinks({ [a]: [b], [b]: [a] }) }, `${a} | ${b}`);
  }

  release(): void {
    this.#end(({ window: { fault } }) => fault === "hold");
  }

  loss(probability: number): () => void {
    return this.#rule({ fault: "loss", loss: probability }, percent(probability));
  }

  duplicate(probability: number): () => void {
    return this.#rule({ fault: "duplicate", duplication: probability }, percent(probability));
  }

  slow(nodes: Nodes, { factor = 1, extraMs = 0 }: Partial<Slowness>): () => void {
    const slow = { nodes: new Set(list(nodes)), factor, extraMs };
    const description = `${list(nodes).join(" ")}: latency x ${factor} + ${extraMs} ms`;
    return this.#rule({ fault: "slow", slow }, description);
  }

  async crash(nodes: Nodes, loss: Loss = "kill"): Promise<void> {
    if (loss !== "kill") this.#disksOf(nodes, loss);
    await Promise.all(
      list(nodes).map((node) => {
        if (this.#isOn(loss, node)) return;
        this.#begin(loss, `${node} ${STATES.get(loss)}`, () => this.#start(node), node);
        return this.#cluster.crash(node, loss);
      }),
    );
  }

  async restart(nodes: Nodes, loss?: Loss): Promise<void> {
    await this.#end(({ window: { fault }, node }) =>
      (loss === undefined ? isLoss(fault) : fault === loss) && includes(nodes, node)
    );
  }

  slowDisk(nodes: Nodes): () => void {
    const disks = this.#disksOf(nodes, "disk-slow");
    const undo = [...disks.values()].map((disk) => disk.slowDown());
    const what = `${list(nodes).join(" ")}: syncs take 20 to 500 ms`;
    return this.#ender(this.#begin("disk-slow", what, () => undo.forEach((each) => each())));
  }

  failSyncs(nodes: Nodes, failure: SyncFailure): () => Promise<void> {
    const begun = [...this.#disksOf(nodes, failure)].map(([node, disk]) => {
      const onStop = () => {
        active.window.description = `${node} ${STOPPED}`;
        isStopped = true;
      };
      let isStopped = false;
      const mend = disk.fail({ fault: failure, onStop });
      const active = this.#begin(failure, `${node} ${STATES.get(failure)}`, () => {
        mend();
        return isStopped ? this.#start(node) : undefined;
      }, node);
      return active;
    });
    return () => this.#end((active) => begun.includes(active));
  }

  skewClocks(nodes: Nodes, { rate = 1, jumpMs = 0 }: Partial<Skew>): () => void {
    const skew = { rate, jumpMs };
    const undo = list(nodes).map((node) => this.#cluster.clockOf(node).skew(skew));
    const what = `${list(nodes).join(" ")}: ${describeSkew(skew)}`;
    return this.#ender(this.#begin("clock", what, () => undo.forEach((each) => each())));
  }

  /** Starts a node, unless another fault keeps it down. */
  #start(node: string): void | Promise<void> {
    if (!this.isKilled(node)) return this.#cluster.restart(node);
  }

  /** Whether a fault that is on has killed a node. */
  isKilled(node: string): boolean {
    return LOSSES.some((loss) => this.#isOn(loss, node));
  }

  /** The disks of nodes, by their names. */
  #disksOf(nodes: Nodes, fault: string): Map<string, SimulatedDisk> {
    const { disks } = this.#cluster;
    if (disks === undefined) {
      throw new RangeError(`Cannot inject ${fault}: the nodes of this run have no simulated disks`);
    }
    return new Map(list(nodes).map((node) => [node, disks.of(node)]));
  }

  pause(nodes: Nodes): void {
    for (const node of list(nodes)) {
      if (this.#isOn("pause", node) || !this.#cluster.isUp(node)) continue;
      this.#begin(
        "pause",
        `${node} ${STATES.get("pause")}`,
        () => this.#cluster.resume(node),
        node,
      );
      this.#cluster.pause(node);
    }
  }

  resume(nodes: Nodes): void {
    this.#end(({ window, node }) => window.fault === "pause" && includes(nodes, node));
  }

  async healAll(): Promise<void> {
    await this.#end(() => true);
  }

  #cut(fault: string, drops: Drops, description: string): () => void {
    // What isolates nobody, as the partition of a single node, is no fault.
    if (!isCut(drops)) return () => {};
    return this.#rule({ fault, drops: toLinks(drops) }, description);
  }

  #rule(rule: LinkRule, description: string): () => void {
    return this.#ender(
      this.#begin(rule.fault, description, this.#world.network.addRule(rule)),
    );
  }

  #ender(active: Active): () => void {
    return () => {
      this.#end((other) => other === active);
    };
  }

  #begin(
    fault: string,
    description: string,
    undo: () => void | Promise<void>,
    node?: string,
  ): Active {
    const fromNs = this.toNs(this.#world.clock.now());
    const window = { fault, description, fromNs, toNs: undefined };
    const active = { window, undo, node };
    this.#windows.push(window);
    this.#active.add(active);
    return active;
  }

  /** Ends faults at once; resolves when nodes that were killed have answered `init`. */
  async #end(isChosen: (active: Active) => boolean): Promise<void> {
    const undone: (void | Promise<void>)[] = [];
    for (const active of [...this.#active].filter(isChosen)) {
      this.#active.delete(active);
      active.window.toNs = this.toNs(this.#world.clock.now());
      undone.push(active.undo());
    }
    await Promise.all(undone);
  }

  #isOn(fault: string, node: string): boolean {
    return [...this.#active].some((active) =>
      active.window.fault === fault && active.node === node
    );
  }
}

function list(nodes: Nodes): readonly string[] {
  return typeof nodes === "string" ? [nodes] : nodes;
}

function includes(nodes: Nodes, node: string | undefined): boolean {
  return node !== undefined && list(nodes).includes(node);
}

function percent(probability: number): string {
  return `${Math.round(probability * 1000) / 10} % of the messages between nodes`;
}

/** A fault of a plan in a few words: `partition n0 | n1 n2`, `kill n1`. */
export function describeFault(
  { kind, drops, nodes, probability, clock }: {
    readonly kind: string;
    readonly drops?: Drops | undefined;
    readonly nodes?: readonly string[] | undefined;
    readonly probability?: number | undefined;
    readonly clock?: Skew | undefined;
  },
): string {
  // It is drawn, as the partition of a minority of three nodes, and kept for the history's sake.
  if (drops !== undefined && !isCut(drops)) return `no fault: a ${kind} that cuts nothing off`;
  const what = drops === undefined ? nodes?.join(" ") : describeDrops(drops);
  if (clock !== undefined) return `${what}: ${describeSkew(clock)}`;
  return [kind, what ?? (probability === undefined ? "" : percent(probability))].join(" ").trim();
}

/** What faults of nodes do to each of them. */
const STATES = new Map([
  ["kill", "is down"],
  ["pause", "stands still"],
  ["disk-lose", "is down, unsynced writes lost in part"],
  ["disk-torn", "is down, its last append torn"],
  ["disk-full", "cannot sync: its disk is full"],
  ["disk-eio", "cannot sync: its disk fails"],
]);

/** What becomes of a node whose sync has failed, until the fault ends. */
const STOPPED = "is down, as a sync of its disk has failed";

/** Whether a fault kills nodes. */
export function isLoss(fault: string): fault is Loss {
  return LOSSES.some((loss) => loss === fault);
}

/**
 * What a fault did, in the words of {@linkcode FaultWindow}, from what a nemesis noted in a history:
 * this program's, or Jepsen's.
 *
 * @param fault what kind it is: `partition`, `kill`, ...
 * @returns nothing for a cut that isolates nobody, which is no fault.
 */
export function describeNoted(fault: string, value: Json): string | undefined {
  if (value === null) return "";
  if (typeof value === "string") return value;
  const isolated = isolatedBy(value);
  if (isolated !== undefined) return isCut(isolated) ? describeDrops(isolated) : undefined;
  const state = STATES.get(fault);
  if (isTexts(value)) {
    return state === undefined
      ? value.join(" ")
      : value.map((node) => `${node} ${state}`).join(", ");
  }
  const entries = isObject(value) ? Object.entries(value) : [];
  const [[name, first] = []] = entries;
  if (name === "probability" && typeof first === "number") return percent(first);
  if (entries.length === 0 || entries.some(([, word]) => typeof word !== "string")) {
    return show(value);
  }
  return entries.map(([node, word]) => `${node} ${state ?? word}`).join(", ");
}

/** Whom a partition isolates from whom: `{"isolated": {...}}`, or Jepsen's `["isolated", {...}]`. */
function isolatedBy(value: Json): Drops | undefined {
  const drops = Array.isArray(value)
    ? (value[0] === "isolated" && value.length === 2 ? value[1] : undefined)
    : isObject(value)
    ? value.isolated
    : undefined;
  if (!isObject(drops)) return undefined;
  const entries = Object.entries(drops);
  return entries.every(([, srcs]) => isTexts(srcs)) ? drops as Drops : undefined;
}

function isTexts(value: Json | undefined): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !isRawNumber(value);
}

/** Whether anything is dropped. */
function isCut(drops: Drops): boolean {
  return Object.values(drops).some((srcs) => srcs.length > 0);
}

/** What is dropped: by groups where there are some, else by pairs of nodes and by direction. */
function describeDrops(drops: Drops): string {
  const groups = groupsOf(drops);
  if (groups !== undefined) return groups.map((group) => group.join(" ")).join(" | ");
  const { nodes, isLost } = lossesOf(drops);
  const pairs = nodes.flatMap((node, i) => {
    const others = nodes.slice(i + 1).filter((other) => isLost(node, other) && isLost(other, node));
    return others.length === 0 ? [] : [`${node} -/- ${others.join(" ")}`];
  });
  const destsOf = Map.groupBy(nodes, (dest) => {
    return nodes.filter((src) => isLost(dest, src) && !isLost(src, dest)).join(" ");
  });
  const oneWay = [...destsOf].filter(([srcs]) => srcs !== "")
    .map(([srcs, dests]) => `${srcs} -/-> ${dests.join(" ")}`);
  return [...pairs, ...oneWay].join(", ");
}

/** The nodes of drops, and whether one of them loses what another one sends. */
function lossesOf(drops: Drops) {
  const lost = new Map(Object.entries(drops).map(([dest, srcs]) => [dest, new Set(srcs)]));
  const nodes = [...new Set([...lost].flatMap(([dest, srcs]) => [dest, ...srcs]))].sort(byNumber);
  return { nodes, isLost: (dest: string, src: string) => lost.get(dest)?.has(src) === true };
}

/** The groups that drops cut off from each other, of two or more; undefined where there are none. */
function groupsOf(drops: Drops): string[][] | undefined {
  const { nodes, isLost } = lossesOf(drops);
  const groups: string[][] = [];
  for (const node of nodes) {
    const group = groups.find(([first]) => first !== undefined && !isLost(node, first));
    if (group === undefined) groups.push([node]);
    else group.push(node);
  }
  const isSplit = groups.length > 1 &&
    groups.every((group) =>
      nodes.every((node) =>
        group.every((other) => {
          const cut = !group.includes(node);
          return isLost(node, other) === cut && isLost(other, node) === cut;
        })
      )
    );
  return isSplit ? groups : undefined;
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** For each node, the nodes whose messages it loses. */
export type Drops = Readonly<Record<string, readonly string[]>>;

/** The kinds of partitions that a nemesis draws from. */
export const PARTITIONS = ["one", "majority", "minority-third", "majorities-ring"] as const;

/** A kind of partition. */
type PartitionKind = typeof PARTITIONS[number];

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
  // By entries: as a property `__proto__`, which a node may be named, would set the prototype.
  return Object.fromEntries(groups.flatMap((group) => {
    const others = groups.filter((other) => other !== group).flat();
    return others.length === 0 ? [] : group.map((node): [string, string[]] => [node, others]);
  }));
}

/** How many nodes are a majority. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** Each node receives from a majority: itself and the nodes around it on a ring. */
function perfectRing(nodes: readonly string[]): Drops {
  const count = nodes.length;
  const size = majority(count);
  const drops: [string, string[]][] = [];
  for (let start = 0; start < count; start++) {
    const run = Array.from({ length: size }, (_, step) => nodes[(start + step) % count] as string);
    const dropped = nodes.filter((node) => !run.includes(node));
    if (dropped.length > 0) drops.push([run[Math.floor(size / 2)] as string, dropped]);
  }
  return Object.fromEntries(drops);
}

/** Links the nodes with the fewest links until each is linked with a majority, itself included. */
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
  return Object.fromEntries(
    nodes.map((node) => [node, nodes.filter((other) => !links.get(node)?.has(other))]),
  );
}

/** How many of the nodes a fault affects. */
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
