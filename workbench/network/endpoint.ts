/**
 * One end of the network: a queue by deadline, and the one consumer that empties it.
 *
 * @module
 */

import type { Clock } from "@eddy/maelstrom";
import { type Timed, TimedQueue } from "../world/timed_queue.ts";
import type { Journal } from "./journal.ts";
import type { Packet } from "./packet.ts";
import type { LinkRules } from "./rules.ts";

/** Who sits at an endpoint. */
export type EndpointKind = "client" | "node" | "service";

/** A message in a queue, due at its deadline. */
export interface Queued extends Timed {
  readonly packet: Packet;
  /** Whether it counts as a client's traffic. */
  readonly isClients: boolean;
}

/** What an endpoint needs of its network. */
export interface EndpointContext {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly rules: LinkRules;
  /** Takes what a rule keeps back. */
  readonly setAside: (queued: Queued) => void;
}

/** How much may wait at one endpoint; a node that is stopped must not fill our memory. */
const MAX_QUEUED = 1_000_000;

/**
 * An endpoint.
 *
 * As in Maelstrom, its consumer takes the head of the queue, drops it if a rule says so, else
 * sleeps until it is due, by whole milliseconds, and delivers it; what comes with an earlier
 * deadline meanwhile waits.
 */
export class Endpoint {
  readonly name: string;
  readonly kind: EndpointKind;
  readonly #deliver: (packet: Packet) => void;
  readonly #context: EndpointContext;
  readonly #queue = new TimedQueue<Queued>();
  /** What the consumer sleeps on. */
  #head: Queued | undefined;
  #cancelSleep: (() => void) | undefined;
  #holds = 0;
  readonly #wake = () => this.#finish();

  constructor(
    name: string,
    kind: EndpointKind,
    deliver: (packet: Packet) => void,
    context: EndpointContext,
  ) {
    this.name = name;
    this.kind = kind;
    this.#deliver = deliver;
    this.#context = context;
  }

  /** How many messages wait here. */
  get size(): number {
    return this.#queue.size + (this.#head === undefined ? 0 : 1);
  }

  /** Puts a message in the queue. */
  enqueue(queued: Queued): void {
    if (this.#queue.size >= MAX_QUEUED) {
      const { clock, journal } = this.#context;
      journal.drop(clock.now(), queued.packet, "queue full");
      return;
    }
    this.#queue.push(queued);
    this.#poll();
  }

  /** Stops delivering until {@linkcode Endpoint.release} was called as often. */
  hold(): void {
    this.#holds++;
  }

  /** Ends one {@linkcode Endpoint.hold}. */
  release(): void {
    if (--this.#holds > 0) return;
    if (this.#head !== undefined && this.#cancelSleep === undefined) this.#sleep(this.#head);
    this.#poll();
  }

  /** Takes out everything that waits. */
  clear(why: string): void {
    const { clock, journal } = this.#context;
    this.#cancelSleep?.();
    this.#cancelSleep = undefined;
    const head = this.#head;
    this.#head = undefined;
    if (head !== undefined) journal.drop(clock.now(), head.packet, why);
    for (const { packet } of this.#queue.drain()) journal.drop(clock.now(), packet, why);
  }

  #poll(): void {
    const { clock, journal, rules, setAside } = this.#context;
    while (this.#head === undefined && this.#holds === 0) {
      const next = this.#queue.pop();
      if (next === undefined) return;
      const { packet } = next;
      const dropping = rules.dropping(packet.src, packet.dest);
      if (dropping !== undefined) {
        journal.drop(clock.now(), packet, dropping.fault);
      } else if (rules.holding(packet.src, packet.dest) !== undefined) {
        setAside(next);
      } else {
        this.#head = next;
        this.#sleep(next);
      }
    }
  }

  #sleep(head: Queued): void {
    const { clock } = this.#context;
    this.#cancelSleep = clock.schedule(sleepMs(head.at - clock.now()), this.#wake);
  }

  #finish(): void {
    this.#cancelSleep = undefined;
    const head = this.#head;
    // While held, the head keeps its place: release delivers it.
    if (head === undefined || this.#holds > 0) return;
    this.#head = undefined;
    const { clock, journal } = this.#context;
    journal.receive(clock.now(), head.packet, head.isClients);
    this.#deliver(head.packet);
    this.#poll();
  }
}

/** Less than a nanosecond, which no difference of doubles can be relied on for. */
const EPSILON_MS = 1e-7;

/**
 * How long to sleep on what is due in `ms`.
 *
 * Maelstrom cuts what is left down to whole milliseconds, and by the time it looks some time has
 * passed, be it microseconds: a latency of 100 ms is a sleep of 99. Under virtual time none has, so
 * a whole number has to be cut here.
 */
function sleepMs(ms: number): number {
  return Math.max(0, Math.ceil(ms - EPSILON_MS) - 1);
}
