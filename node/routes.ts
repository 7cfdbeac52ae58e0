/**
 * Routing around cuts: while messages to a node seem not to arrive, a third node passes them on.
 *
 * Nothing happens until a node is suspected. Messages to a suspected one are wrapped and numbered, and
 * the two nodes tell each other which numbers came, and which way; that shows which third node helps,
 * and when the direct way is back. Time comes in and messages go out: there are no timers here, and
 * everything changes in synchronous functions. `docs/routes.md` explains the protocol. After
 * Alfatafta et al., "Toward a Generic Fault Tolerance Technique for Partial Network Partitioning",
 * OSDI 2020.
 *
 * @module
 */

import { ErrorCode, RpcError } from "./errors.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { type Body, isMsgId, type Message, Received } from "./message.ts";
import type { Counts } from "./state.ts";

/** The type of messages that have another one in them, which may go through a third node. */
export const ROUTED = "routed";

/** How many nodes may pass a message on. */
const MAX_PATH = 3;
/** How many numbers back a message may be that has not come yet; older ones are taken for copies. */
const WINDOW = 1024;
/** How many processes of a node are remembered: a killed one's last messages may come late. */
const MAX_LIVES = 2;
const MAX_LIFE_CHARS = 64;

/** How many third nodes are tried at once where trying in turn is too slow. */
const MAX_AT_ONCE = 3;
/** The pause between two tries of third nodes, at first and at most; it doubles with each try. */
const MIN_PAUSE_MS = 25;
const MAX_PAUSE_MS = 2000;
/** How often a message that a third node passes on goes directly, too. */
const PROBE_MS = 500;
/** Within what time a further suspicion is the same one; longer where tries are further apart. */
const SAME_MS = 100;
/** After how long without a word from a suspected node its next one begins the search again. */
const SILENT_MS = 500;
/** How long a suspicion lasts that is not repeated, while nothing is heard of relayed messages. */
const SUSPECTED_MS = 30_000;

/** A message, and the node that it is sent to next. */
export interface NextHop {
  /** The node that it is sent to. */
  readonly dest: string;
  /** The content. */
  readonly body: Body;
}

/** What came of a node's numbered messages; `direct` and `relayed` are 0 where none did. */
interface Heard {
  /** The process that sent them. */
  readonly life: string;
  /** The newest number that came directly. */
  direct: number;
  /** The newest number that came through others. */
  relayed: number;
  /** The node to which that one was sent first. */
  via: string | null;
}

/** A process of another node. */
interface Life extends Heard {
  /** How often it has suspected this node. */
  suspicions: number;
  /** The newest number seen of those with the same remainder by {@linkcode WINDOW}. */
  readonly seen: number[];
}

/** A time in which messages to a node seem not to arrive. */
interface Suspicion {
  /** The last number before it. */
  sinceNumber: number;
  /** When it was last repeated. */
  atMs: number;
  /** When it ends if nothing else happens. */
  untilMs: number;
  /** The third node through which messages are known to arrive. */
  relay: string | undefined;
  /** The newest number that is known to have arrived through a third node. */
  relayedNumber: number;
  /** Whether one has become known since the suspicion was last repeated. */
  isFresh: boolean;
  /** How often it was repeated while no third node was known to help. */
  repeats: number;
  /** Whether the next message goes through several third nodes. */
  trySeveral: boolean;
  /** How often each third node was tried. */
  readonly tries: Map<string, number>;
  pauseMs: number;
  nextTryAtMs: number;
  /** When a message last went directly. */
  directAtMs: number;
}

/** What is known of another node. */
interface OtherNode {
  readonly name: string;
  /** The number of the last wrapped message to it. */
  number: number;
  suspicion: Suspicion | undefined;
  /** How often it was suspected, for a reason of this node's own. */
  suspicions: number;
  /** Whether the next message to it is wrapped, because it asks what of its messages came. */
  isAsking: boolean;
  /** Its processes, the present one last. */
  readonly lives: Map<string, Life>;
  /** Another process than the present one, if its last new message came from that. */
  rival: Life | undefined;
  /** Who passed on its last relayed message. */
  lastHop: string | undefined;
  /** When the last new message of its came. */
  heardAtMs: number;
}

/** A wrapped message, as it is in the body of a message of type {@linkcode ROUTED}. */
interface Routed {
  readonly src: string;
  readonly dest: string;
  readonly life: string;
  readonly number: number;
  readonly ask: boolean;
  readonly suspicions: number;
  readonly heard: Readonly<Heard> | null;
  readonly path: readonly string[];
  readonly body: Body;
}

/** Which nodes are suspected, and which way messages to them go. */
export class Routes {
  /** Whether messages to any node may have to be wrapped; looked at before each message. */
  active = false;
  readonly #counts: Counts;
  #self = "";
  #life = "";
  #drawLife: () => string = () => "";
  /** The other nodes. */
  readonly #peers = new Map<string, OtherNode>();

  /**
   * Makes what knows of no other nodes yet.
   *
   * @param counts where messages that are not passed on are counted
   */
  constructor(counts: Counts) {
    this.#counts = counts;
  }

  /**
   * Learns the names, which nothing can happen without.
   *
   * @param drawLife draws a name for this process, when it is first needed
   */
  join(self: string, nodeIds: readonly string[], drawLife: () => string): void {
    this.active = false;
    this.#self = self;
    this.#drawLife = drawLife;
    this.#peers.clear();
    // Each node begins with those behind itself, so that not all of them choose the same third node.
    const place = nodeIds.indexOf(self);
    for (const name of [...nodeIds.slice(place + 1), ...nodeIds.slice(0, place)]) {
      this.#peers.set(name, {
        name,
        number: 0,
        suspicion: undefined,
        suspicions: 0,
        isAsking: false,
        lives: new Map(),
        rival: undefined,
        lastHop: undefined,
        heardAtMs: 0,
      });
    }
  }

  /** Notes that messages to a node, or its answers, seem not to arrive; see `Node.suspect`. */
  suspect(name: string, nowMs: number): void {
    const peer = this.#peers.get(name);
    if (peer !== undefined && this.#suspect(peer, nowMs)) peer.suspicions++;
  }

  /**
   * The messages that take the place of one that is to be sent; undefined if it is sent as it is.
   */
  send(dest: string, body: object, nowMs: number): NextHop[] | undefined {
    const peer = this.#peers.get(dest);
    if (peer === undefined) return undefined;
    const suspicion = suspicionOf(peer, nowMs);
    if (suspicion === undefined && !peer.isAsking) {
      this.active = [...this.#peers.values()].some((each) =>
        each.isAsking || suspicionOf(each, nowMs) !== undefined
      );
      return undefined;
    }
    peer.isAsking = false;
    const wrapped = this.#wrap(peer, body as Body);
    const ways = suspicion === undefined ? [dest] : this.#ways(peer, suspicion, nowMs);
    return ways.map((next) => ({ dest: next, body: wrapped }));
  }

  /**
   * Takes a message of type {@linkcode ROUTED}.
   *
   * @returns the message inside if it is for this node and has not come before, or the message that
   * passes it on.
   * @throws {RpcError} with code 12 if it is malformed.
   */
  receive(message: Message<JsonObject>, nowMs: number): Received | NextHop | undefined {
    const routed = this.#read(message);
    if (routed.dest !== this.#self) return this.#passOn(message.body, routed, nowMs);
    const peer = this.#peers.get(routed.src);
    if (peer === undefined) return undefined;
    const life = lifeOf(peer, routed.life);
    const isNew = note(life, routed);
    if (isNew) {
      weigh(peer, life);
      if (nowMs > peer.heardAtMs + SILENT_MS) searchAgain(suspicionOf(peer, nowMs));
      peer.heardAtMs = nowMs;
    }
    peer.lastHop = routed.path.at(-1) ?? peer.lastHop;
    if (routed.heard?.life === this.#life) this.#learn(peer, routed.heard, nowMs);
    if (routed.ask) {
      peer.isAsking = true;
      this.active = true;
    }
    if (routed.suspicions > life.suspicions) {
      life.suspicions = routed.suspicions;
      // One of the two ways is cut, and only what the other node hears will tell which.
      this.#suspect(peer, nowMs);
    }
    return isNew ? new Received(routed.src, this.#self, routed.body) : undefined;
  }

  /** Begins a suspicion or repeats it, and returns whether it was not the same one. */
  #suspect(peer: OtherNode, nowMs: number): boolean {
    if (this.#peers.size === 1) return false; // There is no third node.
    const suspicion = suspicionOf(peer, nowMs);
    if (suspicion === undefined) {
      peer.suspicion = newSuspicion(peer.number, nowMs);
      this.active = true;
      return true;
    }
    suspicion.untilMs = nowMs + SUSPECTED_MS;
    if (nowMs < suspicion.atMs + Math.max(SAME_MS, suspicion.pauseMs)) return false;
    suspicion.atMs = nowMs;
    if (!suspicion.isFresh) search(suspicion, peer.number);
    suspicion.isFresh = false;
    return true;
  }

  #wrap(peer: OtherNode, body: Body): Body {
    this.#life ||= this.#drawLife();
    const present = presentOf(peer);
    return {
      type: ROUTED,
      src: this.#self,
      dest: peer.name,
      life: this.#life,
      number: ++peer.number,
      ask: peer.suspicion !== undefined,
      suspicions: peer.suspicions,
      heard: present === undefined ? null : {
        life: present.life,
        direct: present.direct,
        relayed: present.relayed,
        via: present.via,
      },
      path: [],
      body,
    };
  }

  /** The next nodes of a message to a suspected one. */
  #ways(peer: OtherNode, suspicion: Suspicion, nowMs: number): string[] {
    const { relay } = suspicion;
    if (relay !== undefined && nowMs < suspicion.directAtMs + PROBE_MS) return [relay];
    suspicion.directAtMs = nowMs;
    return [
      peer.name,
      ...(relay === undefined ? this.#nextTries(peer, suspicion, nowMs) : [relay]),
    ];
  }

  /** The third nodes whose turn it is to be tried: none before the pause is over. */
  #nextTries(peer: OtherNode, suspicion: Suspicion, nowMs: number): string[] {
    if (!suspicion.trySeveral && nowMs < suspicion.nextTryAtMs) return [];
    suspicion.nextTryAtMs = nowMs + suspicion.pauseMs;
    suspicion.pauseMs = Math.min(2 * suspicion.pauseMs, MAX_PAUSE_MS);
    const { tries } = suspicion;
    const triesOf = (name: string) => tries.get(name) ?? 0;
    // Each once before any again: first the one that passed on what the other node sent last, at the
    // end those that are suspected, too.
    const rank = (each: OtherNode) =>
      3 * triesOf(each.name) +
      (each.name === peer.lastHop ? 0 : suspicionOf(each, nowMs) === undefined ? 1 : 2);
    const next = [...this.#peers.values()].filter((each) => each !== peer)
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, suspicion.trySeveral ? MAX_AT_ONCE : 1)
      .map(({ name }) => name);
    for (const name of next) tries.set(name, triesOf(name) + 1);
    suspicion.trySeveral = false;
    return next;
  }

  /** Concludes from what a node has heard of this one. */
  #learn(peer: OtherNode, { direct, relayed, via }: Heard, nowMs: number): void {
    const { suspicion } = peer;
    if (suspicion === undefined || direct > peer.number || relayed > peer.number) return;
    if (direct > suspicion.sinceNumber) {
      peer.suspicion = undefined;
    } else if (relayed > suspicion.relayedNumber && via !== null) {
      suspicion.relay = via;
      suspicion.relayedNumber = relayed;
      suspicion.isFresh = true;
      suspicion.repeats = 0;
      suspicion.trySeveral = false;
      suspicion.untilMs = nowMs + SUSPECTED_MS;
      suspicion.pauseMs = MIN_PAUSE_MS;
    }
  }

  #passOn(
    body: Message<JsonObject>["body"],
    { src, dest, path }: Routed,
    nowMs: number,
  ): NextHop | undefined {
    if (path.length === MAX_PATH || path.includes(this.#self) || src === this.#self) {
      this.#counts.droppedRelays++;
      return undefined;
    }
    const passed = { ...body, path: [...path, this.#self] };
    const peer = this.#peers.get(dest);
    const relay = peer && suspicionOf(peer, nowMs)?.relay;
    const helps = relay !== undefined && relay !== src && !path.includes(relay) &&
      passed.path.length < MAX_PATH;
    return { dest: helps ? relay : dest, body: passed };
  }

  #isNode(name: unknown): name is string {
    return typeof name === "string" && (name === this.#self || this.#peers.has(name));
  }

  #read({ src: last, dest: to, body: outer }: Message<JsonObject>): Routed {
    const { src, dest, life, number, ask, suspicions, heard, path, body } = outer;
    check(to === this.#self, "its receiver", `this node, ${this.#self}`);
    check(this.#isNode(src), "src", "the name of a node");
    check(this.#isNode(dest) && dest !== src, "dest", "the name of another node than src");
    check(isLife(life), "life", `a text of 1 to ${MAX_LIFE_CHARS} characters`);
    check(isCount(number) && number > 0, "number", "a positive integer");
    check(typeof ask === "boolean", "ask", "true or false");
    check(isCount(suspicions), "suspicions", "an integer of 0 or more");
    check(this.#isHeard(heard, src, dest), "heard", "null, or life, direct, relayed and via");
    check(this.#isPath(path, src, dest), "path", `a list of up to ${MAX_PATH} other nodes`);
    check(last === (path.at(-1) ?? src), "its sender", "the last of path, or src");
    check(isBody(body), "body", "a body that is not wrapped itself");
    return { src, dest, life, number, ask, suspicions, heard, path, body };
  }

  #isHeard(
    value: Json | undefined,
    src: string,
    dest: string,
  ): value is null | (JsonObject & Heard) {
    if (value === null) return true;
    if (!isJsonObject(value)) return false;
    const { life, direct, relayed, via } = value;
    const isVia = via === null || this.#isNode(via) && via !== src && via !== dest;
    return isLife(life) && isCount(direct) && isCount(relayed) && isVia;
  }

  #isPath(value: Json | undefined, src: string, dest: string): value is string[] {
    return Array.isArray(value) && value.length <= MAX_PATH &&
      new Set([...value, src, dest]).size === value.length + 2 &&
      value.every((name) => this.#isNode(name));
  }
}

/** A node's suspicion, which ends here if its time is over. */
function suspicionOf(peer: OtherNode, nowMs: number): Suspicion | undefined {
  if (peer.suspicion !== undefined && nowMs >= peer.suspicion.untilMs) peer.suspicion = undefined;
  return peer.suspicion;
}

function newSuspicion(number: number, nowMs: number): Suspicion {
  return {
    sinceNumber: number,
    atMs: nowMs,
    untilMs: nowMs + SUSPECTED_MS,
    relay: undefined,
    relayedNumber: number,
    isFresh: false,
    repeats: 0,
    trySeveral: false,
    tries: new Map(),
    pauseMs: MIN_PAUSE_MS,
    nextTryAtMs: nowMs,
    directAtMs: nowMs,
  };
}

/**
 * Gives up the third node that has not helped lately, if there is one. Trying in turn is too slow
 * then: after the first, the second, the fourth repetition and so on several are tried at once.
 *
 * @param number the last number that was sent
 */
function search(suspicion: Suspicion, number: number): void {
  if (suspicion.relay !== undefined) {
    suspicion.relay = undefined;
    // What is still told of older messages must not prove the same node again.
    suspicion.relayedNumber = number;
  }
  const repeats = ++suspicion.repeats;
  if ((repeats & (repeats - 1)) === 0) suspicion.trySeveral = true;
}

/**
 * Begins the search anew: that a node is heard again shows that cuts have changed, and the pauses
 * between tries have grown while none could help.
 */
function searchAgain(suspicion: Suspicion | undefined): void {
  if (suspicion === undefined || suspicion.relay !== undefined) return;
  if (suspicion.pauseMs < SILENT_MS) return;
  suspicion.repeats = 0;
  suspicion.trySeveral = true;
  suspicion.tries.clear();
  suspicion.pauseMs = MIN_PAUSE_MS;
}

/** The process of a node that sent a message; a new one is its present one from then on. */
function lifeOf(peer: OtherNode, name: string): Life {
  const known = peer.lives.get(name);
  if (known !== undefined) return known;
  const [oldest] = peer.lives.keys();
  if (oldest !== undefined && peer.lives.size === MAX_LIVES) peer.lives.delete(oldest);
  const life = { life: name, direct: 0, relayed: 0, via: null, suspicions: 0, seen: [] };
  peer.lives.set(name, life);
  return life;
}

function presentOf({ lives }: OtherNode): Life | undefined {
  return [...lives.values()].at(-1);
}

/**
 * Notes which process sent a new message. The first that comes of a killed one may come after those
 * of its successor, which is the present one again when two in a row have come from it.
 */
function weigh(peer: OtherNode, life: Life): void {
  const isPresent = presentOf(peer) === life;
  if (!isPresent && peer.rival === life) {
    peer.lives.delete(life.life);
    peer.lives.set(life.life, life);
  }
  peer.rival = isPresent ? undefined : life;
}

/** Notes that a message came, and returns whether it was the first copy. */
function note(life: Life, { number, path: [first] }: Routed): boolean {
  if (first === undefined) {
    life.direct = Math.max(life.direct, number);
  } else if (number > life.relayed) {
    life.relayed = number;
    life.via = first;
  }
  const place = number % WINDOW;
  if ((life.seen[place] ?? 0) >= number) return false;
  life.seen[place] = number;
  return true;
}

function check(condition: boolean, field: string, expected: string): asserts condition {
  if (condition) return;
  const text = `Malformed ${ROUTED}: ${field} must be ${expected}`;
  throw new RpcError(ErrorCode.malformedRequest, text);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isLife(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_LIFE_CHARS;
}

function isBody(value: Json | undefined): value is Body {
  return isJsonObject(value) && typeof value.type === "string" && value.type !== ROUTED &&
    (value.msg_id === undefined || isMsgId(value.msg_id));
}
