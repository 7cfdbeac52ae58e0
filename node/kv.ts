/**
 * Clients of Maelstrom's key-value services.
 *
 * @module
 */

import { drawName, pause } from "./clock.ts";
import { ErrorCode, refuseUnknown, refuseUnlessNumber, RpcError } from "./errors.ts";
import { type Json, jsonEqual, type JsonObject } from "./json.ts";
import type { Node } from "./node.ts";
import { checkFits, type Schema } from "./schema.ts";

/** Maelstrom's key-value services: linearizable, sequential, and eventual (last write wins). */
export type KvService = "lin-kv" | "seq-kv" | "lww-kv";

/** Settings of a {@linkcode KV}. */
export interface KvOptions<V> {
  /**
   * How long to wait for each answer, in milliseconds.
   *
   * @default 1000
   */
  timeoutMs?: number | undefined;
  /** What values must look like. */
  schema?: Schema<V> | undefined;
}

/** Settings of {@linkcode KV.update}. */
export interface UpdateOptions<V> {
  /** The value taken for a key that does not exist; without it such a key is an error. */
  initial?: V | undefined;
  /**
   * How many times to try while others change the key at the same time.
   *
   * @default 32
   */
  maxTries?: number | undefined;
}

/** The longest pause between two tries of an update, in milliseconds. */
const MAX_UPDATE_PAUSE_MS = 100;

/**
 * A key-value service, with typed keys and values.
 *
 * Reads are tried again when no answer comes, up to three times. Nothing else is: a write or a
 * compare-and-set whose answer was lost may have happened, and fails with code 0.
 *
 * @example
 * ```ts
 * import { KV, Node } from "@eddy/maelstrom";
 *
 * const node = new Node();
 * const counts = new KV<string, number>(node, "lin-kv");
 * node.on("hit", async () => ({ count: await counts.update("hits", (n) => n + 1, { initial: 0 }) }));
 * ```
 */
export class KV<K extends Json = string, V extends Json = Json> {
  /** The service's name, which is its address too. */
  readonly service: KvService;
  readonly #node: Node;
  readonly #timeoutMs: number;
  readonly #schema: Schema<V> | undefined;
  #syncs = 0;
  #tag: string | undefined;

  /** Makes a client that sends and receives through `node`. */
  constructor(node: Node, service: KvService, options: KvOptions<V> = {}) {
    refuseUnknown(options, { timeoutMs: true, schema: true });
    const { timeoutMs = 1000 } = options;
    refuseUnlessNumber("timeoutMs", timeoutMs, 0);
    this.service = service;
    this.#node = node;
    this.#timeoutMs = timeoutMs;
    this.#schema = options.schema;
  }

  /**
   * The value of a key.
   *
   * @throws {RpcError} with code 20 if the key does not exist, 13 if its value does not fit.
   */
  async read(key: K): Promise<V> {
    const reply = await this.#node.retry(() => this.#rpc({ type: "read", key }), { maxTries: 3 });
    const what = () => `value of ${JSON.stringify(key)} in ${this.service}`;
    checkFits(this.#schema, reply.value, ErrorCode.crash, what);
    return reply.value as V;
  }

  /** The value of a key, or `fallback` if it does not exist. */
  async readOr(key: K, fallback: V): Promise<V> {
    try {
      return await this.read(key);
    } catch (error) {
      if (hasCode(error, ErrorCode.keyDoesNotExist)) return fallback;
      throw error;
    }
  }

  /**
   * The value of a key, no older than the moment of this call, even in `seq-kv`.
   *
   * In `seq-kv` a read may return a past state, but a write that changes something brings its client
   * up to date; so a fresh value is written to a key of this node's own first.
   */
  async readLatest(key: K): Promise<V> {
    this.#tag ??= drawName(this.#node.random, 52);
    const value = `${this.#tag}-${this.#syncs++}`;
    await this.#rpc({ type: "write", key: `eddy-sync-${this.#node.id}`, value });
    return await this.read(key);
  }

  /** Sets a key. */
  async write(key: K, value: V): Promise<void> {
    await this.#rpc({ type: "write", key, value });
  }

  /**
   * Sets a key from one value to another.
   *
   * @throws {RpcError} with code 20 if the key does not exist, 22 if it has another value.
   */
  async cas(key: K, from: V, to: V): Promise<void> {
    await this.#rpc({ type: "cas", key, from, to });
  }

  /**
   * Sets a key that does not exist yet.
   *
   * @returns whether it was set; false means that the key existed.
   * @throws {Error} on `lww-kv`, which cannot do this.
   */
  async createIfMissing(key: K, value: V): Promise<boolean> {
    if (this.service === "lww-kv") throw new Error("Cannot create a key in lww-kv by cas");
    // `from` only matters for a key that exists; this value is never stored, so it never matches.
    const from = { "eddy-never-stored": this.#node.id };
    try {
      await this.#rpc({ type: "cas", key, from, to: value, create_if_not_exists: true });
      return true;
    } catch (error) {
      if (hasCode(error, ErrorCode.preconditionFailed)) return false;
      throw error;
    }
  }

  /**
   * Changes a key by a function of its value; tries again when another client changed it meanwhile.
   *
   * @param change gets the current value; called once a try, so it must have no effects
   * @returns the new value.
   * @throws {RpcError} with code 14 when the key changed during every try, 20 without `initial` for
   * a key that does not exist, 0 when it is unknown whether the change happened.
   * @throws {Error} for a key that does not exist in `lww-kv`, where `cas` cannot create it.
   */
  async update(key: K, change: (value: V) => V, options: UpdateOptions<V> = {}): Promise<V> {
    refuseUnknown(options, { initial: true, maxTries: true });
    const { initial, maxTries = 32 } = options;
    refuseUnlessNumber("maxTries", maxTries, 1);
    for (let tries = 1; tries <= maxTries; tries++) {
      const changed = await this.#tryUpdate(key, change, initial);
      if (changed !== undefined) return changed;
      const ceilingMs = Math.min(MAX_UPDATE_PAUSE_MS, 2 ** tries);
      await pause(this.#node.clock, this.#node.random.next() * ceilingMs);
    }
    const what = `Cannot update ${JSON.stringify(key)} in ${this.service}`;
    throw new RpcError(ErrorCode.abort, `${what}: others came first ${maxTries} times`);
  }

  async #tryUpdate(
    key: K,
    change: (value: V) => V,
    initial: V | undefined,
  ): Promise<V | undefined> {
    let before: V;
    try {
      before = await this.read(key);
    } catch (error) {
      if (initial === undefined || !hasCode(error, ErrorCode.keyDoesNotExist)) throw error;
      const first = change(initial);
      return await this.createIfMissing(key, first) ? first : undefined;
    }
    const after = change(before);
    // A set to the same value would prove nothing in seq-kv, and changes nothing elsewhere.
    if (jsonEqual(before, after)) return after;
    try {
      await this.cas(key, before, after);
      return after;
    } catch (error) {
      if (hasCode(error, ErrorCode.preconditionFailed)) return undefined;
      throw error;
    }
  }

  #rpc(body: JsonObject & { type: string }): Promise<JsonObject> {
    return this.#node.rpc(this.service, body, { timeoutMs: this.#timeoutMs });
  }
}

/** Maelstrom's timestamp oracle. */
export class LinTso {
  readonly #node: Node;
  readonly #timeoutMs: number;

  /** Makes a client that sends and receives through `node`. */
  constructor(node: Node, options: { /** @default 1000 */ timeoutMs?: number } = {}) {
    refuseUnknown(options, { timeoutMs: true });
    const { timeoutMs = 1000 } = options;
    refuseUnlessNumber("timeoutMs", timeoutMs, 0);
    this.#node = node;
    this.#timeoutMs = timeoutMs;
  }

  /** A timestamp greater than all that were given out before this call. */
  async ts(): Promise<number> {
    // A lost timestamp does no harm, so this may be tried again.
    const reply = await this.#node.retry(
      () => this.#node.rpc("lin-tso", { type: "ts" }, { timeoutMs: this.#timeoutMs }),
      { maxTries: 3 },
    );
    if (typeof reply.ts === "number") return reply.ts;
    throw new RpcError(ErrorCode.crash, "Malformed ts_ok from lin-tso: ts: Expected a number");
  }
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof RpcError && error.code === code;
}
