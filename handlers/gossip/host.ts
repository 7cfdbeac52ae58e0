/**
 * Gossip on a node: its messages, its clock, one timer.
 *
 * @module
 */

import { drawName, type Node, type Storage } from "@eddy/maelstrom";
import type { GossipStore } from "./event_log.ts";
import { GossipCore, type GossipOptions } from "./gossip.ts";

/**
 * The tag of a process whose node keeps its events: that of the first, and after a point how many
 * processes there were before.
 */
function nextTag(storage: Storage, fresh: string): string {
  const [first, count] = (storage.get("gossip") ?? [fresh, 0]) as [tag: string, count: number];
  storage.set("gossip", [first, count + 1]);
  return count === 0 ? first : `${first}.${count}`;
}

/** Runs a {@linkcode GossipCore} on a node, from init on. */
export class NodeGossip {
  readonly #node: Node;
  #core: GossipCore | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Infinity;

  constructor(node: Node, store: GossipStore, options: GossipOptions) {
    this.#node = node;
    node.onInit(() => {
      const { id, nodeIds, random, storage, clock } = node;
      // Of 10,000 processes of one node two share their tag with a chance of 1 %.
      const fresh = drawName(random, 32);
      const tag = storage.isDurable ? nextTag(storage, fresh) : fresh;
      this.#core = new GossipCore({ id, nodeIds, tag, store, random, ...options });
      if (!storage.isDurable) return;
      store.resume(storage, this.#core.stream);
      if (tag === fresh) return;
      this.#core.rejoin(clock.now());
      this.#act();
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
