/**
 * The store where the last write wins, on two replicas that hear of each other by chance.
 *
 * @module
 */

import type { Json, JsonObject, Random } from "@eddy/maelstrom";
import { randomBelow } from "../world/random.ts";
import { keyOf, operate, type Service } from "./service.ts";

interface Stamped {
  readonly ts: number;
  readonly value: Json;
}

interface Replica {
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
  readonly #replicas: readonly [Replica, Replica] = [newReplica(), newReplica()];
  /** Keys in which the replicas may differ, so that a merge need not look at all. */
  readonly #unmerged = new Set<string>();

  apply(_client: string, body: JsonObject, random: Random): JsonObject | undefined {
    this.#merge(this.#pick(random), this.#pick(random));
    const replica = this.#pick(random);
    const key = keyOf(body);
    const outcome = operate(body, replica.values.get(key)?.value, false);
    if (outcome?.write !== undefined) {
      replica.values.set(key, { ts: replica.clock++, value: outcome.write });
      this.#unmerged.add(key);
    }
    return outcome?.reply;
  }

  #pick(random: Random): Replica {
    return this.#replicas[randomBelow(random, 2) === 0 ? 0 : 1];
  }

  /** Takes into `into` what `from` knows; of equal timestamps, `from`'s value stays. */
  #merge(from: Replica, into: Replica): void {
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

function newReplica(): Replica {
  return { clock: 0, values: new Map() };
}
