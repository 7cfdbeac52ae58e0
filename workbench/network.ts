/**
 * Maelstrom's network, over any clock.
 *
 * @module
 */

import { type Clock, isClient, type JsonObject, parseJson, type Random } from "@eddy/maelstrom";
import { Journal } from "./journal.ts";
import {
  checkLatency,
  type Latency,
  LinkChance,
  type LinkRule,
  LinkRules,
  type PlanLink,
} from "./links.ts";
import { type Timed, TimedQueue } from "./virtual_clock.ts";

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

/** What a network is made of. */
interface NetworkOptions {
  readonly clock: Clock;
  readonly latency: Latency;
  readonly random: (part: string) => Random;
  /** What is not drawn of the messages of some links. */
  readonly plan?: readonly PlanLink[] | undefined;
}

/** For how many messages a plan lists latencies; those of all others follow from the seed alone. */
const MAX_LISTED = 200_000;

/** The network between nodes, clients and services. */
export class Network {
  /** Counts, and what was dropped. */
  readonly journal: Journal = new Journal();
  readonly #clock: Clock;
  readonly #latency: Latency;
  readonly #random: (part: string) => Random;
  readonly #plan: readonly PlanLink[];
  /** The links that messages were sent on, by destination and source. */
  readonly #links = new Map<string, Map<string, LinkChance>>();
  readonly #rules = new LinkRules();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #context: EndpointContext;
  /** Names of endpoints that were closed. */
  readonly #closed = new Set<string>();
  /** What rules keep back. */
  #aside: Queued[] = [];
  #nextId = 0;
  #nextOrder = 0;
  /** Whether chance has lost or doubled a message. */
  #hasLosses = false;

  /** @throws {RangeError} if the mean latency is no number of 0 or more. */
  constructor({ clock, latency, random, plan = [] }: NetworkOptions) {
    checkLatency(latency);
    this.#clock = clock;
    this.#latency = latency;
    this.#random = random;
    this.#plan = plan;
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
    if (isClients) {
      to.enqueue({ at: now, order: this.#nextOrder++, packet, isClients });
      return true;
    }
    const link = this.#link(src, dest);
    const number = link.send();
    if (from.kind === "service" || to.kind === "service") {
      this.#enqueue(to, packet, now, link.latencyMs(number), 0);
      return true;
    }
    if (link.isLost(number, this.#rules.loss)) {
      this.#hasLosses = true;
      this.journal.drop(now, packet, "loss");
      return true;
    }
    this.#enqueueBetween(to, packet, now, link.latencyMs(number));
    if (link.isTwice(number, this.#rules.duplication)) {
      this.#hasLosses = true;
      this.#enqueueBetween(to, packet, now, link.copyLatencyMs(number));
    }
    return true;
  }

  /** What was decided of the messages of each link, in the order of the first of each. */
  planLinks(): PlanLink[] {
    const links = [...this.#links.values()].flatMap((bySource) => [...bySource.values()]);
    const count = Math.floor(MAX_LISTED / links.length);
    return links.map((link) => link.plan(count, this.#hasLosses));
  }

  #link(src: string, dest: string): LinkChance {
    let bySource = this.#links.get(dest);
    if (bySource === undefined) this.#links.set(dest, bySource = new Map());
    let link = bySource.get(src);
    if (link === undefined) {
      const plan = this.#plan.find((each) => each.src === src && each.dest === dest);
      const [latency, random] = [this.#latency, this.#random];
      link = new LinkChance({ src, dest, latency, random, plan });
      bySource.set(src, link);
    }
    return link;
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

  #enqueueBetween(to: Endpoint, packet: Packet, now: number, latencyMs: number): void {
    const extraMs = this.#rules.extraMs(latencyMs, packet.src, packet.dest);
    this.#enqueue(to, packet, now, latencyMs, extraMs);
  }

  #enqueue(to: Endpoint, packet: Packet, now: number, latencyMs: number, extraMs: number): void {
    const at = now + extraMs + latencyMs;
    const queued = { at, order: this.#nextOrder++, packet, isClients: false };
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
