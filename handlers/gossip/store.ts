/**
 * What gossip asks of whoever keeps the events.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Vector } from "./vector.ts";

/** A run of one stream's events: those after `from`, up to and with `to`. */
export interface Batch {
  readonly from: number;
  readonly to: number;
  readonly events: readonly Json[];
}

/** A stretch of the archive: everything a node has, in the order in which it came there. */
export interface ArchivePart {
  readonly from: number;
  readonly events: readonly Json[];
  /** How long the whole archive was when this part was read. */
  readonly total: number;
}

/** Where events are kept. */
export interface Store {
  /** The prefix held of each stream. */
  readonly have: Vector;
  /**
   * The events of a stream after `from`, at most `limit` of them.
   *
   * @returns undefined if some of them are no longer kept as events.
   */
  since(stream: number, from: number, limit: number): Batch | undefined;
  /**
   * Takes what is new in a batch; a batch that begins beyond what is held is left alone.
   *
   * @returns whether anything was new.
   */
  receive(stream: number, batch: Batch): boolean;
  /** Told that everybody has the prefixes in `stable`, which only ever grow. */
  settle(stable: Vector): void;
  /** Reads the archive, for a node that lacks what is no longer kept as events. */
  archive(from: number, limit: number): ArchivePart;
  /**
   * Takes a part of another node's archive.
   *
   * @param upTo the prefixes that are held now that the last part has come; undefined before
   */
  restore(part: ArchivePart, upTo: Vector | undefined): void;
}
