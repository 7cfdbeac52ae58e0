/**
 * Gossip on a node: its messages, its clock, one timer.
 *
 * @module
 */

import { drawName, type Node } from "@eddy/maelstrom";
import type { GossipStore } from "./event_log.ts";
import { GossipCore, type GossipOptions } from "./gossip.ts";

/** Runs a {@linkcode GossipCore} on a node, from init on. */
export class NodeGossip {
  readonly #node: Node;
  #core: GossipCore | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Infinity;

  constructor(node: Node, store: GossipStore, options: GossipOptions) {
    this.#node = node;
    node.onInit(() => {
      const { id, nodeIds, random } = node;
      // Of 10,000 processes of one node two share their tag with a chance of 1 %.
      const tag = drawName(random, 32);
      this.#core = new GossipCore({ id, nodeIds, tag, store, random, ...options });
    });
    node.on("gossip", ({ src, body }) => {
      this.core.receive(src, body, node.clock.now());
      this.#act();
    });
  }

  /** @throws {Error} before init. */
  get core(): GossipCore {
    if (this.#core === undefined) throw new Error("Cannot gossip before init");
    return this.#core;
  }

  /** The node has appended to its stream. */
  appended(): void {
    this.core.appended(this.#node.clock.now());
    this.#act();
  }

  /** See {@linkcode GossipCore.follow}. */
  follow(neighbours: readonly string[], hops: number): void {
    this.core.follow(neighbours, hops, this.#node.clock.now());
    this.#act();
  }

  #act(): void {
    const { core } = this;
    for (const { dest, body } of core.takeOutbox()) this.#node.send(dest, body);
    if (core.wakeAtMs < this.#timerAtMs) this.#arm(core.wakeAtMs);
  }

  /** Only moves the timer forward: one that runs too early costs less than moving it at each event. */
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
