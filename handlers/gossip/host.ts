/**
 * Gossip on a node: its messages, its clock, one timer.
 *
 * @module
 */

import type { Node, Random } from "@eddy/maelstrom";
import { type Store, Streams } from "./event_log.ts";
import { GossipCore } from "./gossip.ts";

/** Settings of {@linkcode NodeGossip}. */
export interface NodeGossipOptions {
  /** What an event may take to reach everyone, in milliseconds; 0 sends at once, to everyone. */
  readonly maxLatencyMs: number;
  /**
   * Whether everyone wants to know at once what everybody has.
   *
   * @default false
   */
  readonly eager?: boolean;
}

/** A process's tag: of 10,000 processes of one node two share theirs with a chance of 1 %. */
function drawTag(random: Random): string {
  return Math.floor(random.next() * 2 ** 32).toString(36);
}

/** Connects a {@linkcode GossipCore} to a node; made before init, it begins to work at init. */
export class NodeGossip {
  readonly streams: Streams = new Streams();
  readonly #node: Node;
  #core: GossipCore | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Infinity;

  constructor(node: Node, store: Store, options: NodeGossipOptions) {
    this.#node = node;
    node.onInit(() => {
      const { id, nodeIds, random } = node;
      const tag = drawTag(random);
      const { streams } = this;
      this.#core = new GossipCore({ id, nodeIds, tag, streams, store, random, ...options });
    });
    node.on("gossip", ({ src, body }) => {
      this.core.receive(src, body, node.clock.now());
      this.#act();
    });
  }

  /** The core; there is none before init. */
  get core(): GossipCore {
    if (this.#core === undefined) throw new Error("Cannot gossip before init");
    return this.#core;
  }

  /** The node has appended to its stream. */
  appended(): void {
    this.core.appended(this.#node.clock.now());
    this.#act();
  }

  /** Follows a topology; see {@linkcode GossipCore.follow}. */
  follow(neighbours: readonly string[], hops: number): void {
    this.core.follow(neighbours, hops, this.#node.clock.now());
    this.#act();
  }

  #act(): void {
    const { core } = this;
    for (const { dest, body } of core.takeOutbox()) this.#node.send(dest, body);
    if (core.wakeAtMs < this.#timerAtMs) this.#arm(core.wakeAtMs);
  }

  /** A timer that comes too early is cheaper than one that is moved with every event. */
  #arm(atMs: number): void {
    this.#cancelTimer?.();
    this.#timerAtMs = atMs;
    const delayMs = Math.max(0, Math.ceil(atMs - this.#node.clock.now()));
    this.#cancelTimer = this.#node.clock.schedule(delayMs, () => {
      this.#cancelTimer = undefined;
      this.#timerAtMs = Infinity;
      this.core.advance(this.#node.clock.now());
      this.#act();
    });
  }
}

/**
 * How many steps the farthest node is away from `start`, of those that can be reached.
 *
 * @param topology the neighbours of each node
 */
export function eccentricity(
  topology: Readonly<Record<string, readonly string[]>>,
  start: string,
): number {
  const seen = new Set([start]);
  let frontier = [start];
  let steps = 0;
  while (true) {
    const next: string[] = [];
    for (const node of frontier) {
      for (const neighbour of topology[node] ?? []) {
        if (seen.has(neighbour)) continue;
        seen.add(neighbour);
        next.push(neighbour);
      }
    }
    if (next.length === 0) return steps;
    frontier = next;
    steps++;
  }
}
