/**
 * The sequential store: its clients see one order of states, each at a pace of its own.
 *
 * @module
 */

import { type Json, jsonEqual, type JsonObject, type Random } from "@eddy/maelstrom";
import { randomBelow } from "../world/random.ts";
import { keyOf, operate, type Service } from "./service.ts";

/** How many states Maelstrom keeps. */
const WINDOW = 32;

/** A key's value from one version on. */
interface KeyVersion {
  readonly version: number;
  readonly value: Json;
}

/** Settings of {@linkcode SeqKv}. */
export interface SeqKvOptions {
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
