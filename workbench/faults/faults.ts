/**
 * Faults as verbs, for a nemesis and for tests that script them.
 *
 * @module
 */

import type { Cluster } from "../cluster/cluster.ts";
import { type LinkRule, type Slowness, toLinks } from "../network/rules.ts";
import type { Arena } from "../world/world.ts";
import { type Drops, splitGroups } from "./partitions.ts";

/** A fault, and how long it was on. */
export interface FaultWindow {
  /** What kind of fault: `partition`, `kill`, ... */
  readonly fault: string;
  /** What it did, for people: `n1 | n2 n3`. */
  readonly description: string;
  /** When it began, in a history's time. */
  readonly fromNs: number;
  /** When it ended; undefined while it is on. */
  readonly toNs: number | undefined;
}

/** What faults are done to. */
export interface FaultsOptions {
  readonly world: Arena;
  readonly cluster: Cluster;
}

interface Active {
  readonly window: { -readonly [K in keyof FaultWindow]: FaultWindow[K] };
  /** The node that it is about, where it is about one. */
  readonly node: string | undefined;
  readonly undo: () => void | Promise<void>;
}

/** A node, or several. */
export type Nodes = string | readonly string[];

/**
 * What can be done to a cluster and its network.
 *
 * What breaks links returns a function that mends this one; several may be broken at a time.
 */
export interface FaultVerbs {
  /** Cuts groups of nodes off from each other; those in no group hear everybody. */
  partition(groups: readonly (readonly string[])[]): () => void;
  /** Lets nodes lose what certain others send them. */
  drop(drops: Drops, fault?: string): () => void;
  /** Cuts a node off from all others. */
  isolate(node: string): () => void;
  /** Loses what some nodes send to others; the other direction works. */
  oneWay(from: Nodes, to: Nodes): () => void;
  /** Ends all partitions, one-way ones included. */
  repair(): void;
  /** Keeps back what two nodes send to each other, until it is let go. */
  hold(a: string, b: string): () => void;
  /** Lets go all that is kept back. */
  release(): void;
  /** Loses messages between nodes with a probability. */
  loss(probability: number): () => void;
  /** Delivers messages between nodes twice with a probability. */
  duplicate(probability: number): () => void;
  /** Makes messages from and to nodes slow. */
  slow(nodes: Nodes, slowness: Partial<Slowness>): () => void;
  /** Kills nodes; those that are down already stay so. */
  crash(nodes: Nodes): Promise<void>;
  /** Starts nodes that were killed; resolves when they have answered `init`. */
  restart(nodes: Nodes): Promise<void>;
  /** Stops nodes where they are; those that are down are left so. */
  pause(nodes: Nodes): void;
  /** Lets nodes that were stopped go on. */
  resume(nodes: Nodes): void;
  /** Ends everything that is on; resolves when nodes that were killed have answered `init`. */
  healAll(): Promise<void>;
}

/**
 * Does faults to a cluster and its network, and keeps a record of what was on when.
 *
 * Faults on links return a function that ends this one; several may be on at a time.
 *
 * @example
 * ```ts ignore
 * const faults = new Faults({ world, cluster });
 * const heal = faults.partition([["n0"], ["n1", "n2"]]);
 * world.clock.schedule(1000, heal);
 * ```
 */
export class Faults implements FaultVerbs {
  readonly #world: Arena;
  readonly #cluster: Cluster;
  readonly #windows: FaultWindow[] = [];
  readonly #active = new Set<Active>();
  #originMs: number;

  constructor({ world, cluster }: FaultsOptions) {
    this.#world = world;
    this.#cluster = cluster;
    this.#originMs = world.clock.now();
  }

  /** What was on when, in the order of beginning. */
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

  async crash(nodes: Nodes): Promise<void> {
    await Promise.all(
      list(nodes).map((node) => {
        if (this.#isOn("kill", node)) return;
        this.#begin("kill", `${node} is down`, () => this.#cluster.restart(node), node);
        return this.#cluster.crash(node);
      }),
    );
  }

  async restart(nodes: Nodes): Promise<void> {
    await this.#end(({ window, node }) => window.fault === "kill" && includes(nodes, node));
  }

  pause(nodes: Nodes): void {
    for (const node of list(nodes)) {
      if (this.#isOn("pause", node) || !this.#cluster.isUp(node)) continue;
      this.#begin("pause", `${node} stands still`, () => this.#cluster.resume(node), node);
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
    return this.#rule({ fault, drops: toLinks(drops) }, description);
  }

  #rule(rule: LinkRule, description: string): () => void {
    const active = this.#begin(rule.fault, description, this.#world.network.addRule(rule));
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

  /** Ends what is chosen, at once; the promise is for what takes longer to come back. */
  async #end(isMeant: (active: Active) => boolean): Promise<void> {
    const undone: (void | Promise<void>)[] = [];
    for (const active of [...this.#active].filter(isMeant)) {
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

function describeDrops(drops: Drops): string {
  const parts = Object.entries(drops).filter(([, srcs]) => srcs.length > 0)
    .map(([dest, srcs]) =>
      `${dest} loses what ${srcs.join(", ")} send${srcs.length > 1 ? "" : "s"}`
    );
  return parts.length === 0 ? "nothing is cut" : parts.join("; ");
}
