/**
 * Maelstrom's network, over any clock.
 *
 * @module
 */

import { type Clock, isClient, type JsonObject, type Random } from "@eddy/maelstrom";
import type { Latency, Network } from "../types.ts";
import { Endpoint, type EndpointContext, type EndpointKind, type Queued } from "./endpoint.ts";
import { Journal } from "./journal.ts";
import { checkLatency, drawLatencyMs } from "./latency.ts";
import { Packet } from "./packet.ts";
import { type LinkRule, LinkRules } from "./rules.ts";
import { SERVICES } from "./services.ts";

/** What a network is made of. */
export interface NetworkOptions {
  readonly clock: Clock;
  readonly latency: Latency;
  readonly random: (part: string) => Random;
}

/** The network between nodes, clients and services. */
export class SimulatedNetwork implements Network {
  /** Counts, and what was dropped. */
  readonly journal: Journal = new Journal();
  readonly #clock: Clock;
  readonly #latency: Latency;
  readonly #latencyRandom: Random;
  readonly #faultRandom: Random;
  readonly #rules = new LinkRules();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #context: EndpointContext;
  /** Names that were taken once. */
  readonly #closed = new Set<string>();
  /** What rules keep back. */
  #aside: Queued[] = [];
  #nextId = 0;
  #nextOrder = 0;

  /** @throws {RangeError} if the mean latency is no number of 0 or more. */
  constructor({ clock, latency, random }: NetworkOptions) {
    checkLatency(latency);
    this.#clock = clock;
    this.#latency = latency;
    this.#latencyRandom = random("latency");
    this.#faultRandom = random("link faults");
    this.#context = {
      clock,
      journal: this.journal,
      rules: this.#rules,
      setAside: (queued) => this.#aside.push(queued),
    };
  }

  /**
   * Registers an endpoint, to which messages are delivered one at a time.
   *
   * @throws {Error} if the name is taken.
   * @throws {RangeError} if the name would have to be escaped in JSON.
   */
  open(name: string, deliver: (message: Packet) => void): void {
    if (this.#endpoints.has(name)) throw new Error(`Cannot open ${name}: the name is taken`);
    if (JSON.stringify(name) !== `"${name}"`) {
      throw new RangeError(`Cannot open ${JSON.stringify(name)}: the name needs escapes`);
    }
    this.#endpoints.set(name, new Endpoint(name, kindOf(name), deliver, this.#context));
  }

  /**
   * Takes an endpoint away, with what is still queued for it; none of that name is no harm.
   *
   * @param why under which the rest is counted as dropped
   */
  close(name: string, why: string = "closed"): void {
    const endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) return;
    this.#endpoints.delete(name);
    this.#closed.add(name);
    endpoint.clear(why);
    // What is kept back for this endpoint must not reach the next one of its name.
    const isOurs = ({ packet }: Queued) => packet.dest === name;
    for (const { packet } of this.#aside.filter(isOurs)) {
      this.journal.drop(this.#clock.now(), packet, why);
    }
    this.#aside = this.#aside.filter((queued) => !isOurs(queued));
  }

  /** Whether an endpoint of that name is open. */
  has(name: string): boolean {
    return this.#endpoints.has(name);
  }

  /** Whether there was an endpoint of that name, and is none now. */
  wasClosed(name: string): boolean {
    return this.#closed.has(name) && !this.#endpoints.has(name);
  }

  /** How many messages wait at an endpoint. */
  queued(name: string): number {
    return this.#endpoints.get(name)?.size ?? 0;
  }

  /**
   * Sends a message.
   *
   * @throws {RangeError} if source or destination is no open endpoint.
   */
  send({ src, dest, body }: { src: string; dest: string; body: JsonObject }): void {
    if (this.sendText(src, dest, JSON.stringify(body))) return;
    const closed = this.has(src) ? dest : src;
    throw new RangeError(
      `Cannot send a message from ${src} to ${dest}: no endpoint ${closed} is open`,
    );
  }

  /**
   * Sends a message whose body is JSON already.
   *
   * @returns whether it was sent: not if source or destination is no open endpoint.
   */
  sendText(src: string, dest: string, text: string): boolean {
    const from = this.#endpoints.get(src);
    const to = this.#endpoints.get(dest);
    if (from === undefined || to === undefined) return false;
    const packet = new Packet(this.#nextId++, src, dest, text);
    const isClients = from.kind === "client" || to.kind === "client";
    const now = this.#clock.now();
    this.journal.send(now, packet, isClients);
    const between = from.kind === "node" && to.kind === "node";
    const lost = between ? this.#loses() : undefined;
    if (lost !== undefined) {
      this.journal.drop(now, packet, lost.fault);
      return true;
    }
    this.#enqueue(to, packet, now, isClients, between);
    if (between && this.#doubles()) this.#enqueue(to, packet, now, isClients, between);
    return true;
  }

  /**
   * Stops deliveries to an endpoint; they wait in its queue.
   *
   * @returns a function that ends the stop; harmless when repeated, or when the endpoint is gone.
   */
  hold(name: string): () => void {
    const endpoint = this.#endpoints.get(name);
    endpoint?.hold();
    let held = true;
    return () => {
      if (held) endpoint?.release();
      held = false;
    };
  }

  /**
   * Puts a fault's rule into force.
   *
   * @returns a function that ends it; what it kept back is then delivered. Harmless when repeated.
   * @throws {RangeError} if a probability is not within [0, 1].
   */
  addRule(rule: LinkRule): () => void {
    for (const probability of [rule.loss ?? 0, rule.duplication ?? 0]) {
      if (probability >= 0 && probability <= 1) continue;
      throw new RangeError(`Cannot use a probability of ${probability}: not within [0, 1]`);
    }
    this.#rules.add(rule);
    return () => {
      this.#rules.remove(rule);
      if (rule.holds !== undefined) this.#bringBack();
    };
  }

  #enqueue(
    to: Endpoint,
    packet: Packet,
    now: number,
    isClients: boolean,
    between: boolean,
  ): void {
    const latencyMs = isClients ? 0 : drawLatencyMs(this.#latency, this.#latencyRandom);
    const extraMs = between ? this.#rules.extraMs(latencyMs, packet.src, packet.dest) : 0;
    const queued = { at: now + extraMs + latencyMs, order: this.#nextOrder++, packet, isClients };
    if (extraMs === 0) to.enqueue(queued);
    else this.#enqueueLater(to, queued, extraMs);
  }

  /**
   * Lets a slow message queue when the rest of its way is as long as any other's: at the head of
   * the queue it would make messages of nodes that are not slow wait for it.
   */
  #enqueueLater(to: Endpoint, queued: Queued, extraMs: number): void {
    this.#clock.schedule(extraMs, () => {
      if (this.#endpoints.get(to.name) === to) to.enqueue(queued);
      else this.journal.drop(this.#clock.now(), queued.packet, "closed");
    });
  }

  #loses(): LinkRule | undefined {
    return this.#rules.losing.find(({ loss = 0 }) => this.#faultRandom.next() < loss);
  }

  #doubles(): boolean {
    return this.#rules.duplicating.some(({ duplication = 0 }) =>
      this.#faultRandom.next() < duplication
    );
  }

  /** Queues again what was kept back; what another rule still holds is kept back once more. */
  #bringBack(): void {
    const aside = this.#aside;
    this.#aside = [];
    for (const queued of aside) this.#endpoints.get(queued.packet.dest)?.enqueue(queued);
  }
}

function kindOf(name: string): EndpointKind {
  if (isClient(name)) return "client";
  return (SERVICES as readonly string[]).includes(name) ? "service" : "node";
}
