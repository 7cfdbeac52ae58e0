/**
 * A cluster of gossip cores under virtual time, for tests: delays, losses, cuts one way or both,
 * duplicates, slow and paused nodes, and processes that are killed and lose their memory.
 *
 * @module
 */

import type { GossipStore } from "@eddy/handlers/gossip/event_log.ts";
import { GossipCore } from "@eddy/handlers/gossip/gossip.ts";
import type { JsonObject, Random } from "@eddy/maelstrom";
import { seededRandom } from "@eddy/workbench/random.ts";
import { type Timed, TimedQueue } from "@eddy/workbench/virtual_clock.ts";

/** An action at a time. */
interface Action extends Timed {
  readonly run: () => void;
}

/** One process of a node. */
export interface SimulatedNode<S> {
  readonly store: S;
  readonly core: GossipCore;
}

/** Options of a {@linkcode SimulatedCluster}. */
export interface SimulatedClusterOptions<S> {
  readonly count: number;
  readonly seed: number;
  readonly maxLatencyMs: number;
  readonly eager?: boolean;
  readonly makeStore: () => S;
  /** Called for each process when it starts. */
  readonly onStart?: (node: SimulatedNode<S>, place: number) => void;
  /** How long a message takes, in milliseconds. */
  readonly latencyMs: (random: Random) => number;
  /**
   * How long a node takes over a message or a timer, on one of two processors that all nodes share;
   * given how many it has had before, since a new process is slow at first. No time by default.
   */
  readonly busyMs?: (count: number) => number;
}

/** The cluster, its network, and its time. */
export class SimulatedCluster<S extends GossipStore> {
  readonly names: readonly string[];
  readonly nodes: SimulatedNode<S>[];
  readonly random: Random;
  nowMs = 0;
  /** Messages sent so far. */
  sent = 0;
  /** Called for each message. */
  onSend: ((src: string, dest: string) => void) | undefined;
  /** The shares of messages that are lost, and that arrive twice. */
  lossRate = 0;
  duplicateRate = 0;
  /** Links on which nothing passes, as `src>dest`. */
  readonly cuts = new Set<string>();
  /** How much longer messages from and to a node take. */
  readonly slowness = new Map<string, number>();
  /** Until when a node is paused. */
  readonly pausedUntilMs = new Map<string, number>();
  readonly #options: SimulatedClusterOptions<S>;
  readonly #actions = new TimedQueue<Action>();
  #order = 0;
  readonly #wakeAtMs: number[];
  readonly #acts: number[];
  /** Until when each processor is busy. */
  readonly #processors: [number, number] = [0, 0];
  #started = 0;

  constructor(options: SimulatedClusterOptions<S>) {
    this.#options = options;
    this.random = seededRandom(options.seed, "gossip");
    this.names = Array.from({ length: options.count }, (_, place) => `n${place}`);
    this.#wakeAtMs = this.names.map(() => Infinity);
    this.#acts = this.names.map(() => 0);
    this.nodes = this.names.map((_, place) => this.#start(place));
  }

  /** Lets a node append, by way of its store. */
  append(place: number, append: (node: SimulatedNode<S>) => void): void {
    this.#whenAwake(place, (node) => {
      append(node);
      node.core.appended(this.nowMs);
    });
  }

  /** Runs an action at a time. */
  at(atMs: number, run: () => void): void {
    this.#actions.push({ at: atMs, order: this.#order++, run });
  }

  /** Kills a node's process and starts another one, with an empty store. */
  restart(place: number): void {
    this.nodes[place] = this.#start(place);
    this.#wakeAtMs[place] = Infinity;
  }

  /** Lets time pass. */
  runUntil(endMs: number): void {
    while ((this.#actions.peek()?.at ?? Infinity) <= endMs) {
      const action = this.#actions.pop();
      if (action === undefined) break;
      this.nowMs = Math.max(this.nowMs, action.at);
      action.run();
    }
    this.nowMs = endMs;
  }

  #start(place: number): SimulatedNode<S> {
    const { makeStore, maxLatencyMs, eager = false, onStart } = this.#options;
    const store = makeStore();
    const id = this.names[place] ?? "";
    const tag = `p${this.#started++}`;
    const { random, names: nodeIds } = this;
    const core = new GossipCore({ id, nodeIds, tag, store, random, maxLatencyMs, eager });
    const node = { store, core };
    onStart?.(node, place);
    return node;
  }

  /** Acts on a node, at once or when its pause is over; unless it has been killed by then. */
  #whenAwake(place: number, act: (node: SimulatedNode<S>) => void): void {
    const node = this.nodes[place];
    const untilMs = this.pausedUntilMs.get(this.names[place] ?? "") ?? 0;
    if (node === undefined) return;
    if (untilMs > this.nowMs) {
      this.at(untilMs, () => {
        if (this.nodes[place] === node) this.#whenAwake(place, act);
      });
      return;
    }
    const doneMs = this.#busyUntilMs(place);
    if (doneMs <= this.nowMs) this.#act(place, node, act);
    else {
      this.at(doneMs, () => {
        if (this.nodes[place] === node) this.#act(place, node, act);
      });
    }
  }

  /** Takes the processor that is free first, and returns when a node is done with what it does now. */
  #busyUntilMs(place: number): number {
    const { busyMs } = this.#options;
    if (busyMs === undefined) return this.nowMs;
    const count = this.#acts[place] ?? 0;
    this.#acts[place] = count + 1;
    const [first, second] = this.#processors;
    const which = first <= second ? 0 : 1;
    const startMs = Math.max(this.nowMs, this.#processors[which]);
    const takesMs = busyMs(count) * (0.5 + this.random.next());
    return this.#processors[which] = startMs + takesMs;
  }

  #act(place: number, node: SimulatedNode<S>, act: (node: SimulatedNode<S>) => void): void {
    act(node);
    for (const { dest, body } of node.core.takeOutbox()) {
      this.#send(place, this.names.indexOf(dest), JSON.stringify(body));
    }
    this.#arm(place, node);
  }

  #arm(place: number, node: SimulatedNode<S>): void {
    const { wakeAtMs } = node.core;
    if (wakeAtMs >= (this.#wakeAtMs[place] ?? Infinity)) return;
    this.#wakeAtMs[place] = wakeAtMs;
    this.at(wakeAtMs, () => {
      if (this.nodes[place] !== node || this.#wakeAtMs[place] !== wakeAtMs) return;
      this.#wakeAtMs[place] = Infinity;
      this.#whenAwake(place, ({ core }) => core.advance(this.nowMs));
    });
  }

  #send(src: number, dest: number, text: string): void {
    const [from = "", to = ""] = [this.names[src], this.names[dest]];
    this.sent++;
    this.onSend?.(from, to);
    const copies = this.random.next() < this.duplicateRate ? 2 : 1;
    if (this.random.next() < this.lossRate) return;
    for (let copy = 0; copy < copies; copy++) {
      const slowMs = Math.max(this.slowness.get(from) ?? 0, this.slowness.get(to) ?? 0);
      const latencyMs = this.#options.latencyMs(this.random) + slowMs;
      this.at(this.nowMs + latencyMs, () => {
        if (this.cuts.has(`${from}>${to}`)) return;
        const body = JSON.parse(text) as JsonObject;
        this.#whenAwake(dest, ({ core }) => core.receive(from, body, this.nowMs));
      });
    }
  }
}
