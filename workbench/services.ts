/**
 * Maelstrom's services: lin-kv, seq-kv, lww-kv and lin-tso.
 *
 * @module
 */

import {
  canonical,
  ErrorCode,
  type Json,
  jsonEqual,
  type JsonObject,
  type Random,
} from "@eddy/maelstrom";
import { type Network, type ServiceName, SERVICES } from "./network.ts";
import { randomBelow } from "./random.ts";

/** What the services need of a run. */
interface ServicesOptions {
  readonly network: Network;
  readonly random: (part: string) => Random;
  /**
   * Reproduce the bugs of Maelstrom's services.
   *
   * @default false
   */
  readonly maelstromBugs?: boolean | undefined;
}

/** How many different warnings are kept. */
const MAX_WARNINGS = 20;

/** The four services on the network, empty at first. */
export class Services {
  readonly #network: Network;
  readonly #warnings = new Set<string>();

  /** Puts all services on the network. */
  constructor({ network, random, maelstromBugs = false }: ServicesOptions) {
    this.#network = network;
    const services: Record<ServiceName, Service> = {
      "lin-kv": new LinKv(),
      "lin-tso": new TimestampService(),
      "lww-kv": new LwwKv(),
      "seq-kv": new SeqKv({ maelstromBugs }),
    };
    for (const name of SERVICES) {
      const draws = random(name);
      network.open(name, ({ src, body }) => {
        const result = services[name].apply(src, body, draws);
        if (result === undefined) this.#warn(name, src, body);
        // A sender that has left the network gets no reply.
        else if (network.has(src)) {
          const reply = { ...result, in_reply_to: body.msg_id ?? null };
          network.send({ src: name, dest: src, body: reply });
        }
      });
    }
  }

  /** Requests that got no answer, one sentence for each kind. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** Takes the services off the network. */
  close(): void {
    for (const name of SERVICES) this.#network.close(name);
  }

  #warn(name: ServiceName, src: string, body: JsonObject): void {
    if (this.#warnings.size >= MAX_WARNINGS) return;
    const type = JSON.stringify(body.type ?? null).slice(0, 80);
    this.#warnings.add(
      `${name} does not know the type ${type} that ${src} sent, and never answers it`,
    );
  }
}

/** A service: takes one request at a time and answers at once. */
export interface Service {
  /**
   * Answers a request.
   *
   * @param client the sender's name
   * @param body the request
   * @param random decides what the service leaves open
   * @returns the reply without its `in_reply_to`, or nothing for a type that it does not know.
   */
  apply(client: string, body: JsonObject, random: Random): JsonObject | undefined;
}

/** The result of an operation on one key. */
interface KeyResult {
  readonly reply: JsonObject;
  /** The key's new value, where it is written. */
  readonly write?: Json;
}

/** A request's key, as a text that equal keys share; a missing one is null. */
function keyOf({ key = null }: JsonObject): string {
  return canonical(key);
}

/**
 * Works out what an operation does to a key, and changes nothing.
 *
 * @param body the request: `read`, `write` or `cas`
 * @param current the key's value; undefined where it does not exist
 * @param canCreate whether the store obeys `create_if_not_exists`
 * @returns the outcome, or nothing for a type that is no operation.
 */
function operate(
  body: JsonObject,
  current: Json | undefined,
  canCreate: boolean,
): KeyResult | undefined {
  switch (body.type) {
    case "read":
      return current === undefined ? missing() : { reply: { type: "read_ok", value: current } };
    case "write":
      return { reply: { type: "write_ok" }, write: body.value ?? null };
    case "cas":
      return compareAndSet(body, current, canCreate);
    default:
      return undefined;
  }
}

function compareAndSet(
  { from = null, to = null, create_if_not_exists: create = false }: JsonObject,
  current: Json | undefined,
  canCreate: boolean,
): KeyResult {
  if (current === undefined) {
    // In Clojure everything but false and null is true.
    if (!canCreate || create === false || create === null) return missing();
  } else if (!jsonEqual(current, from)) {
    const text = `current value ${canonical(current)} is not ${canonical(from)}`;
    return { reply: { type: "error", code: ErrorCode.preconditionFailed, text } };
  }
  return { reply: { type: "cas_ok" }, write: to };
}

function missing(): KeyResult {
  return {
    reply: { type: "error", code: ErrorCode.keyDoesNotExist, text: "key does not exist" },
  };
}

/** `lin-kv`: one state, which every request sees and changes at once. */
export class LinKv implements Service {
  readonly #values = new Map<string, Json>();

  apply(_client: string, body: JsonObject): JsonObject | undefined {
    const key = keyOf(body);
    const outcome = operate(body, this.#values.get(key), true);
    if (outcome?.write !== undefined) this.#values.set(key, outcome.write);
    return outcome?.reply;
  }
}

/** `lin-tso`: timestamps 0, 1, 2, ... */
export class TimestampService implements Service {
  #next = 0;

  apply(_client: string, { type }: JsonObject): JsonObject | undefined {
    return type === "ts" ? { type: "ts_ok", ts: this.#next++ } : undefined;
  }
}

/** How many states Maelstrom keeps. */
const WINDOW = 32;

/** A key's value from one version on. */
interface KeyVersion {
  readonly version: number;
  readonly value: Json;
}

/** Settings of {@linkcode SeqKv}. */
interface SeqKvOptions {
  /**
   * Lets a client that lags by more than 31 states read newer ones and then older ones again, as
   * Maelstrom's does.
   *
   * @default false
   */
  readonly maelstromBugs?: boolean;
}

/**
 * `seq-kv`.
 *
 * A request is tried on a state drawn from those that its client may see. If it leaves that state
 * as it was (a read, a failed or an idle write), its answer stands and the client has seen that
 * state; otherwise it is run on the newest state, which it changes, and the client has seen that.
 *
 * A state differs from the one before in one key, so each key keeps its own versions, as far back
 * as any client may see.
 */
export class SeqKv implements Service {
  readonly #maelstromBugs: boolean;
  readonly #keys = new Map<string, KeyVersion[]>();
  /** The newest version that each client has seen. */
  readonly #seen = new Map<string, number>();
  #last = 0;

  constructor({ maelstromBugs = false }: SeqKvOptions = {}) {
    this.#maelstromBugs = maelstromBugs;
  }

  apply(client: string, body: JsonObject, random: Random): JsonObject | undefined {
    const key = keyOf(body);
    const drawn = this.#draw(client, random);
    const past = valueAt(this.#keys.get(key), this.#versionIn(drawn));
    const trial = operate(body, past, true);
    if (trial === undefined) return undefined;
    const { write } = trial;
    if (write === undefined || (past !== undefined && jsonEqual(past, write))) {
      this.#seen.set(client, drawn);
      return trial.reply;
    }
    return this.#change(client, key, body);
  }

  /** Draws the version that a client's request is tried on. */
  #draw(client: string, random: Random): number {
    const seen = this.#seen.get(client) ?? 0;
    const first = this.#maelstromBugs ? seen : Math.max(seen, this.#last - (WINDOW - 1));
    return first + randomBelow(random, this.#last - first + 1);
  }

  /** The version in a drawn one's place: Maelstrom's ring has overwritten it with a later one. */
  #versionIn(drawn: number): number {
    return this.#last - ((this.#last - drawn) % WINDOW);
  }

  /** Runs a request on the newest state; a new version even when it changes nothing there. */
  #change(client: string, key: string, body: JsonObject): JsonObject | undefined {
    const versions = this.#keys.get(key);
    const outcome = operate(body, versions?.at(-1)?.value, true);
    const version = ++this.#last;
    this.#seen.set(client, version);
    if (outcome?.write !== undefined) {
      const kept = versions === undefined ? [] : withinWindow(versions, version);
      kept.push({ version, value: outcome.write });
      this.#keys.set(key, kept);
    }
    return outcome?.reply;
  }
}

/** A key's value in a version; undefined where it did not exist yet. */
function valueAt(versions: readonly KeyVersion[] = [], version: number): Json | undefined {
  for (let index = versions.length - 1; index >= 0; index--) {
    const entry = versions[index];
    if (entry !== undefined && entry.version <= version) return entry.value;
  }
  return undefined;
}

/** The versions that can be seen once `last` is the newest: those in the window, and one before. */
function withinWindow(versions: KeyVersion[], last: number): KeyVersion[] {
  const oldest = last - (WINDOW - 1);
  let first = versions.length - 1;
  while (first > 0 && (versions[first]?.version ?? 0) > oldest) first--;
  return first > 0 ? versions.slice(first) : versions;
}

interface Stamped {
  readonly ts: number;
  readonly value: Json;
}

interface KvReplica {
  clock: number;
  readonly values: Map<string, Stamped>;
}

/**
 * `lww-kv`.
 *
 * Every request first merges one replica into another, both drawn, and is then run on a third
 * draw. Two replicas can give out equal timestamps; `create_if_not_exists` is not obeyed.
 */
export class LwwKv implements Service {
  readonly #replicas: readonly [KvReplica, KvReplica] = [newReplica(), newReplica()];
  /** Keys in which the replicas may differ, so that a merge need not look at all. */
  readonly #unmerged = new Set<string>();

  apply(_client: string, body: JsonObject, random: Random): JsonObject | undefined {
    this.#merge(this.#drawReplica(random), this.#drawReplica(random));
    const replica = this.#drawReplica(random);
    const key = keyOf(body);
    const outcome = operate(body, replica.values.get(key)?.value, false);
    if (outcome?.write !== undefined) {
      replica.values.set(key, { ts: replica.clock++, value: outcome.write });
      this.#unmerged.add(key);
    }
    return outcome?.reply;
  }

  #drawReplica(random: Random): KvReplica {
    return this.#replicas[randomBelow(random, 2) === 0 ? 0 : 1];
  }

  /** Copies newer values of `from` to `into`; of equal timestamps, `from`'s value stays. */
  #merge(from: KvReplica, into: KvReplica): void {
    if (from === into) return;
    into.clock = Math.max(into.clock, from.clock);
    for (const key of this.#unmerged) {
      const theirs = from.values.get(key);
      const ours = into.values.get(key);
      if (theirs === undefined || (ours !== undefined && ours.ts > theirs.ts)) continue;
      into.values.set(key, theirs);
      this.#unmerged.delete(key);
    }
  }
}

function newReplica(): KvReplica {
  return { clock: 0, values: new Map() };
}
