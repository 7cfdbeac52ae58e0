/**
 * How a node that lost its memory gets what others no longer keep as events.
 *
 * @module
 */

import type { Gossip } from "./message.ts";
import type { Peer } from "./peer.ts";
import type { ArchivePart, Store } from "./store.ts";

/** How many events an archive's part holds at most. */
const MAX_PART_EVENTS = 5000;

/** Reads one node's archive, part by part. */
export class CatchUp {
  readonly #store: Store;
  /** Whose archive is read: the process's tag, for another has its own order. */
  #tag = "";
  #next = 0;
  /** Until when an answer is waited for. */
  #untilMs = -Infinity;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Whether nothing is being waited for. */
  isDue(nowMs: number): boolean {
    return nowMs >= this.#untilMs;
  }

  /** From where on this node's archive is wanted; an answer is waited for until then. */
  want({ tag }: Peer, untilMs: number): number {
    if (tag !== this.#tag) {
      this.#tag = tag;
      this.#next = 0;
    }
    this.#untilMs = untilMs;
    return this.#next;
  }

  /** The part of this node's archive that another wants. */
  part(from: number): ArchivePart {
    return this.#store.archive(from, MAX_PART_EVENTS);
  }

  /**
   * Takes a part.
   *
   * @returns whether more is to come; undefined if the part is not the next one.
   */
  take({ tag, archive, have }: Gossip): boolean | undefined {
    if (archive === undefined || tag !== this.#tag || archive.from !== this.#next) return undefined;
    const next = archive.from + archive.events.length;
    const more = next < archive.total && archive.events.length > 0;
    this.#store.restore(archive, more ? undefined : have);
    this.#next = next;
    this.#untilMs = -Infinity;
    return more;
  }
}
