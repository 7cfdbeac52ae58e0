/**
 * Maelstrom's network, over any clock.
 *
 * @module
 */

import { type Clock, isClient, type JsonObject, parseJson, type Random } from "@eddy/maelstrom";
import { Journal } from "./journal.ts";
import { type Timed, TimedQueue } from "./virtual_clock.ts";

/** How long messages take between nodes. */
export interface Latency {
  /** The mean, in milliseconds. */
  readonly meanMs: number;
  /** How single draws spread around it. */
  readonly distribution: "constant" | "uniform" | "exponential";
}

/** The services, by the names of their endpoints. */
export const SERVICES = ["lin-kv", "lin-tso", "lww-kv", "seq-kv"] as const;

/** One of the services. */
export type ServiceName = typeof SERVICES[number];

/** A message on the network, whose body is parsed when it is first read. */
export class Packet {
  /** The network's own number for it, from 0 up. */
  readonly id: number;
  /** Who sent it. */
  readonly src: string;
  /** Whom it is for. */
  readonly dest: string;
  /** The body as JSON. */
  readonly text: string;
  #body: JsonObject | undefined;

  /** Makes a message out of its body's JSON. */
  constructor(id: number, src: string, dest: string, text: string) {
    this.id = id;
    this.src = src;
    this.dest = dest;
    this.text = text;
  }

  /** The body, the same object every time. */
  get body(): JsonObject {
    return this.#body ??= parseJson(this.text) as JsonObject;
  }

  /** The body's `type`; empty where it has none. */
  get type(): string {
    const { type } = this.body;
    return typeof type === "string" ? type : "";
  }

  /** The line that a node is given. Names of endpoints need no escapes. */
  toLine(): string {
    return `{"id":${this.id},"src":"${this.src}","dest":"${this.dest}","body":${this.text}}`;
  }
}

/** Links by destination: the sources that each one's messages are meant by. */
type Links = ReadonlyMap<string, ReadonlySet<string>>;

/** What makes a link slow. */
export interface Slowness {
  /** What a latency is multiplied by. */
  readonly factor: number;
  /** What is added to it then, in milliseconds. */
  readonly extraMs: number;
}

/**
 * What a fault does, for as long as it is on.
 *
 * Clients and services are touched only by `drops` and `holds` that name them.
 */
export interface LinkRule {
  /** The fault's name, under which its losses are counted. */
  readonly fault: string;
  /** Messages that are lost, decided when one comes to the head of its queue. */
  readonly drops?: Links;
  /** Messages that are kept back until the rule ends, decided likewise. */
  readonly holds?: Links;
  /** The probability that a message between nodes is lost, decided when it is sent. */
  readonly loss?: number;
  /** The probability that a message between nodes is delivered twice. */
  readonly duplication?: number;
  /** Slows down messages from and to these nodes. */
  readonly slow?: Slowness & { readonly nodes: ReadonlySet<string> };
}

/** What a network is made of. */
interface NetworkOptions {
  readonly clock: Clock;
  readonly latency: Latency;
  readonly random: (part: string) => Random;
}

/** The network between nodes, clients and services. */
export class Network {
  /** Counts, and what was dropped. */
  readonly journal: Journal = new Journal();
  readonly #clock: Clock;
  readonly #latency: Latency;
  readonly #latencyRandom: Random;
  readonly #faultRandom: Random;
  readonly #rules = new LinkRules();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #context: EndpointContext;
  /** Names of endpoints that were closed. */
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
   * Takes an endpoint away, with what is still queued for it. Has no effect if none is open.
   *
   * @param why the reason under which queued messages are counted as dropped
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
   * @returns a function that ends the stop; it has no effect when repeated, or after the endpoint is
   * closed.
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
   * @returns a function that ends it, and delivers what the rule kept back; repeated, it has no
   * effect.
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

type EndpointKind = "client" | "node" | "service";

function kindOf(name: string): EndpointKind {
  if (isClient(name)) return "client";
  return (SERVICES as readonly string[]).includes(name) ? "service" : "node";
}

/** A message in a queue, due at its deadline. */
interface Queued extends Timed {
  readonly packet: Packet;
  /** Whether it counts as a client's traffic. */
  readonly isClients: boolean;
}

/** What an endpoint needs of its network. */
interface EndpointContext {
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
class Endpoint {
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

/** Less than a nanosecond: the error of a difference of doubles. */
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

/** The rules that are on. */
class LinkRules {
  #all: readonly LinkRule[] = [];
  #dropping: readonly LinkRule[] = [];
  #holding: readonly LinkRule[] = [];
  #losing: readonly LinkRule[] = [];
  #duplicating: readonly LinkRule[] = [];
  #slowing: readonly LinkRule[] = [];

  /** Adds a rule. */
  add(rule: LinkRule): void {
    this.#set([...this.#all, rule]);
  }

  /** Takes a rule away. */
  remove(rule: LinkRule): void {
    this.#set(this.#all.filter((other) => other !== rule));
  }

  /** The rule that drops a message that has come to the head of its queue. */
  dropping(src: string, dest: string): LinkRule | undefined {
    if (this.#dropping.length === 0) return undefined;
    return this.#dropping.find(({ drops }) => drops?.get(dest)?.has(src));
  }

  /** The rule that keeps such a message back. */
  holding(src: string, dest: string): LinkRule | undefined {
    if (this.#holding.length === 0) return undefined;
    return this.#holding.find(({ holds }) => holds?.get(dest)?.has(src));
  }

  /** The rules that may lose a message. */
  get losing(): readonly LinkRule[] {
    return this.#losing;
  }

  /** The rules that may double a message. */
  get duplicating(): readonly LinkRule[] {
    return this.#duplicating;
  }

  /** What the rules add to a latency. */
  extraMs(latencyMs: number, src: string, dest: string): number {
    let result = latencyMs;
    for (const { slow } of this.#slowing) {
      if (slow === undefined || !(slow.nodes.has(src) || slow.nodes.has(dest))) continue;
      result = Math.floor(result * slow.factor + slow.extraMs);
    }
    return result - latencyMs;
  }

  #set(all: readonly LinkRule[]): void {
    this.#all = all;
    this.#dropping = all.filter(({ drops }) => drops !== undefined);
    this.#holding = all.filter(({ holds }) => holds !== undefined);
    this.#losing = all.filter(({ loss }) => loss !== undefined);
    this.#duplicating = all.filter(({ duplication }) => duplication !== undefined);
    this.#slowing = all.filter(({ slow }) => slow !== undefined);
  }
}

/**
 * Links for a lookup, from lists.
 *
 * @param lists destinations with the sources meant
 */
export function toLinks(lists: Readonly<Record<string, readonly string[]>>): Links {
  return new Map(Object.entries(lists).map(([dest, srcs]) => [dest, new Set(srcs)]));
}

/**
 * Draws a latency, in whole milliseconds as Maelstrom does: cut off, not rounded.
 *
 * A mean of 0 is 0 under any distribution, where Maelstrom would refuse to start.
 */
export function drawLatencyMs({ meanMs, distribution }: Latency, random: Random): number {
  if (meanMs === 0) return 0;
  if (distribution === "constant") return Math.floor(meanMs);
  if (distribution === "uniform") return Math.floor(random.next() * 2 * meanMs);
  return Math.floor(-Math.log(1 - random.next()) * meanMs);
}

/**
 * Makes sure that latencies can be drawn.
 *
 * @throws {RangeError} if the mean is no number of 0 or more.
 */
export function checkLatency({ meanMs }: Latency): void {
  if (meanMs >= 0 && Number.isFinite(meanMs)) return;
  throw new RangeError(`Cannot use a mean latency of ${meanMs} ms: not a number of 0 or more`);
}
