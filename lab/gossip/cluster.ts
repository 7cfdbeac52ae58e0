/**
 * A cluster of gossip cores under virtual time, for tests: delays, losses, cuts one way or both,
 * duplicates, slow and paused nodes, and processes that begin again with nothing.
 *
 * @module
 */

import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import type { GossipStore } from "@eddy/handlers/gossip/event_log.ts";
import { GossipCore } from "@eddy/handlers/gossip/gossip.ts";
import type { JsonObject, Random } from "@eddy/maelstrom";

/** Chance that a seed decides. */
export function seeded(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  return { next: () => uniformFloat64(generator) };
}

/** Something to happen. */
interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** What happens next comes out first; what was put in first of two at the same time. */
class Agenda {
  readonly #heap: Due[] = [];
  #order = 0;

  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Infinity;
  }

  add(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const due = { atMs, order: this.#order++, run };
    let place = heap.push(due) - 1;
    while (place > 0) {
      const up = (place - 1) >> 1;
      const parent = heap[up] as Due;
      if (!before(due, parent)) break;
      heap[place] = parent;
      heap[up] = due;
      place = up;
    }
  }

  take(): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let place = 0;
    while (true) {
      let child = 2 * place + 1;
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child] as Due)) child++;
      const smaller = heap[child];
      if (smaller === undefined || before(last, smaller)) break;
      heap[place] = smaller;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function before(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** One process of a node. */
export interface SimulatedNode<S> {
  readonly store: S;
  readonly core: GossipCore;
}

/** Settings of a {@linkcode SimulatedCluster}. */
export interface SimulatedClusterOptions<S> {
  readonly count: number;
  readonly seed: number;
  readonly maxLatencyMs: number;
  readonly eager?: boolean;
  readonly makeStore: () => S;
  /** Told of each process's stream when it starts. */
  readonly onStart?: (node: SimulatedNode<S>, place: number) => void;
  /** What a message takes, in milliseconds. */
  readonly latencyMs: (random: Random) => number;
}

/** The cluster, its network, and its time. */
export class SimulatedCluster<S extends GossipStore> {
  readonly names: readonly string[];
  readonly nodes: SimulatedNode<S>[];
  readonly random: Random;
  nowMs = 0;
  /** Messages sent so far. */
  sent = 0;
  /** Told of each. */
  onSend: ((src: string, dest: string) => void) | undefined;
  /** The share of messages that get lost, and of those that come twice. */
  lossRate = 0;
  duplicateRate = 0;
  /** Links on which nothing passes, as `src>dest`. */
  readonly cuts = new Set<string>();
  /** By what messages from and to a node take longer. */
  readonly slowness = new Map<string, number>();
  /** Until when a node does nothing. */
  readonly pausedUntilMs = new Map<string, number>();
  readonly #options: SimulatedClusterOptions<S>;
  readonly #agenda = new Agenda();
  readonly #wakeAtMs: number[];
  #started = 0;

  constructor(options: SimulatedClusterOptions<S>) {
    this.#options = options;
    this.random = seeded(options.seed);
    this.names = Array.from({ length: options.count }, (_, place) => `n${place}`);
    this.#wakeAtMs = this.names.map(() => Infinity);
    this.nodes = this.names.map((_, place) => this.#start(place));
  }

  /** Lets a node append, by way of its store. */
  append(place: number, append: (node: SimulatedNode<S>) => void): void {
    this.#whenAwake(place, (node) => {
      append(node);
      node.core.appended(this.nowMs);
    });
  }

  /** Something to do later. */
  at(atMs: number, run: () => void): void {
    this.#agenda.add(atMs, run);
  }

  /** Kills a node's process and starts another, which knows nothing. */
  restart(place: number): void {
    this.nodes[place] = this.#start(place);
    this.#wakeAtMs[place] = Infinity;
  }

  /** Lets time pass. */
  runUntil(endMs: number): void {
    while (this.#agenda.nextMs <= endMs) {
      const due = this.#agenda.take();
      if (due === undefined) break;
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.run();
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
      this.#agenda.add(untilMs, () => {
        if (this.nodes[place] === node) this.#whenAwake(place, act);
      });
      return;
    }
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
    this.#agenda.add(wakeAtMs, () => {
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
      this.#agenda.add(this.nowMs + latencyMs, () => {
        if (this.cuts.has(`${from}>${to}`)) return;
        const body = JSON.parse(text) as JsonObject;
        this.#whenAwake(dest, ({ core }) => core.receive(from, body, this.nowMs));
      });
    }
  }
}
