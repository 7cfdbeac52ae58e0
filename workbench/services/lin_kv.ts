/**
 * The linearizable services: a store, and a source of timestamps.
 *
 * @module
 */

import type { Json, JsonObject } from "@eddy/maelstrom";
import { keyOf, operate, type Service } from "./service.ts";

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
export class LinTso implements Service {
  #next = 0;

  apply(_client: string, { type }: JsonObject): JsonObject | undefined {
    return type === "ts" ? { type: "ts_ok", ts: this.#next++ } : undefined;
  }
}
