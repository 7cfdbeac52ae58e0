/**
 * A set of JSON values that only grows, kept by gossip.
 *
 * @module
 */

import { canonical, isRawNumber, type Json } from "@eddy/maelstrom";
import { EventLog } from "./event_log.ts";
import type { ArchivePart, Batch, Store } from "./store.ts";
import type { Vector } from "./vector.ts";

/** A key that two values share exactly when Maelstrom calls them equal. */
function keyOf(value: Json): string | number {
  if (typeof value === "number") return value;
  const text = canonical(value);
  // The text of a number may be one that a double gives back after all: `1.50`, `-0`.
  return isRawNumber(value) && String(Number(text)) === text ? Number(text) : text;
}

/** The values, each once, in the order in which they came here; and the events that brought them. */
export class ValueSet implements Store {
  readonly #log = new EventLog();
  readonly #values: Json[] = [];
  readonly #keys = new Set<string | number>();

  /** All values. Not a copy: whoever reads it must be done before the next value comes. */
  get values(): readonly Json[] {
    return this.#values;
  }

  get have(): Vector {
    return this.#log.have;
  }

  /** How many events are kept for nodes that may lack them. */
  get kept(): number {
    return this.#log.kept;
  }

  /**
   * Adds a value of this node's own, unless it is there already.
   *
   * @returns whether it was added.
   */
  add(stream: number, value: Json): boolean {
    if (!this.#insert(value)) return false;
    this.#log.append(stream, value);
    return true;
  }

  since(stream: number, from: number, limit: number): Batch | undefined {
    return this.#log.since(stream, from, limit);
  }

  receive(stream: number, batch: Batch): boolean {
    const fresh = this.#log.receive(stream, batch);
    for (const value of fresh) this.#insert(value);
    return fresh.length > 0;
  }

  settle(stable: Vector): void {
    this.#log.prune(stable);
  }

  archive(from: number, limit: number): ArchivePart {
    return { from, events: this.#values.slice(from, from + limit), total: this.#values.length };
  }

  restore({ events }: ArchivePart, upTo: Vector | undefined): void {
    for (const value of events) this.#insert(value);
    if (upTo !== undefined) this.#log.skipTo(upTo);
  }

  #insert(value: Json): boolean {
    const key = keyOf(value);
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    this.#values.push(value);
    return true;
  }
}
