/**
 * A client of the `kafka` workload: it remembers how far it has read.
 *
 * @module
 */

import { type Integer, kafka, type List } from "@eddy/handlers/schema";
import type { Json, JsonObject } from "@eddy/maelstrom";
import { greater, successor } from "./integers.ts";
import { type Call, CRASHED, type Invocation, type Session } from "./spec.ts";

/** What a poll returned: each key's messages with their offsets. */
type Messages = Record<string, List<[offset: Integer, msg: Json]>>;

/** A new client, which is assigned nothing yet. */
export function kafkaSession(call: Call): Session {
  const client = new KafkaClient(call);
  return (op) => client.invoke(op);
}

class KafkaClient {
  readonly #call: Call;
  /** From where the next poll reads each key. */
  #offsets = new Map<string, Integer>();

  constructor(call: Call) {
    this.#call = call;
  }

  async invoke({ f, value, seekToBeginning }: Invocation): Promise<Json | typeof CRASHED> {
    const list = Array.isArray(value) ? value : [];
    switch (f) {
      case "crash":
        return CRASHED;
      case "assign":
        await this.#assign(list.map(String), seekToBeginning === true);
        return value;
      case "poll":
        return [["poll", await this.#poll()]];
      default:
        return [await this.#send(list[0] ?? null)];
    }
  }

  /**
   * Takes on some keys and drops all others.
   *
   * A key that was assigned before goes on from there, another from its committed offset.
   */
  async #assign(keys: string[], seekToBeginning: boolean): Promise<void> {
    if (seekToBeginning) {
      this.#offsets = new Map(keys.map((key) => [key, 0]));
      return;
    }
    const { offsets: committed } = await this.#call(
      { type: "list_committed_offsets", keys },
      kafka.list_committed_offsets.reply,
    );
    this.#offsets = new Map(
      keys.map((key) => [
        key,
        this.#offsets.get(key) ?? (Object.hasOwn(committed, key) ? committed[key] : undefined) ?? 0,
      ]),
    );
  }

  /** Reads on, and commits what it read; a failed commit fails the whole poll. */
  async #poll(): Promise<Messages> {
    const offsets = Object.fromEntries(this.#offsets);
    const { msgs } = await this.#call({ type: "poll", offsets }, kafka.poll.reply);
    const read: JsonObject = {};
    for (const [key, messages] of Object.entries(msgs)) {
      const highest = (messages ?? []).reduce(
        (max: Integer, [offset]) => greater(max, offset),
        -1,
      );
      this.#offsets.set(key, greater(this.#offsets.get(key) ?? 0, successor(highest)));
      // Maelstrom commits no less than 0, wherever a negative offset may have come from.
      if (messages !== null && messages.length > 0) read[key] = greater(highest, 0);
    }
    if (Object.keys(read).length > 0) {
      await this.#call({ type: "commit_offsets", offsets: read }, kafka.commit_offsets.reply);
    }
    return msgs;
  }

  async #send(microOp: Json): Promise<Json> {
    const [, key = null, msg = null] = Array.isArray(microOp) ? microOp : [];
    const { offset } = await this.#call({ type: "send", key, msg }, kafka.send.reply);
    return ["send", key, [offset, msg]];
  }
}
