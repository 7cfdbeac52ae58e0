/**
 * Puts messages together: what the receiver lacks, and what it should know.
 *
 * @module
 */

import type { Body } from "@eddy/maelstrom";
import { encodeGossip, type Plain, type Sighting, type StreamBatch } from "./message.ts";
import type { Peer } from "./peer.ts";
import type { Roster } from "./roster.ts";
import type { Store } from "./store.ts";
import { seqOf, type Streams, type Vector } from "./vector.ts";

/** Which of the events that the receiver lacks go into a message. */
export interface Scope {
  /** How many at most. */
  readonly limit: number;
  /** Only those of this stream. */
  readonly stream?: number | undefined;
  /** Whether to tell of third nodes, where not everybody reaches everybody. */
  readonly sightings?: boolean;
}

/** What a composer needs of its node. */
export interface ComposerContext {
  readonly tag: string;
  readonly store: Store;
  readonly streams: Streams;
  readonly roster: Roster;
  readonly stable: Vector;
}

/** A message ready to go. */
export interface Composed {
  readonly body: Body;
  /** Whether it carries events. */
  readonly carries: boolean;
  /** Whether it carries all that the receiver lacks. */
  readonly completes: boolean;
}

/** Composes one node's messages. */
export class Composer {
  readonly #node: ComposerContext;

  constructor(node: ComposerContext) {
    this.#node = node;
  }

  /** A message to `peer` with the events in `scope`, and with `extra` as it is. */
  compose(peer: Peer, nowMs: number, scope: Scope, extra: Partial<Plain>): Composed {
    const { tag, store, streams, stable } = this.#node;
    const { batches, more, past } = this.#lacking(peer, scope);
    const echo = peer.heardSentAtMs < 0 ? undefined : {
      tag: peer.tag,
      sentAtMs: peer.heardSentAtMs,
      heldMs: Math.max(0, Math.round(nowMs - peer.heardAtMs)),
    };
    const body = encodeGossip({
      tag,
      sentAtMs: Math.floor(nowMs),
      have: store.have,
      stable,
      batches,
      more,
      past,
      seen: scope.sightings ? this.#sightings(peer) : [],
      ...(echo === undefined ? {} : { echo }),
      ...extra,
    }, streams);
    const completes = !more && !past && scope.stream === undefined;
    return { body, carries: batches.length > 0, completes };
  }

  #lacking(peer: Peer, { limit, stream: only }: Scope) {
    const { store, stable } = this.#node;
    const batches: StreamBatch[] = [];
    let left = limit;
    let more = false;
    let past = false;
    const first = only ?? 0;
    const end = only === undefined ? store.have.length : only + 1;
    for (let stream = first; stream < end; stream++) {
      const from = peer.seq(stream, stable);
      const to = seqOf(store.have, stream);
      if (to <= from) continue;
      const batch = left > 0 ? store.since(stream, from, left) : undefined;
      if (left <= 0) more = true;
      else if (batch === undefined) past = true;
      else {
        batches.push({ stream, ...batch });
        left -= batch.events.length;
        if (batch.to < to) more = true;
      }
    }
    return { batches, more, past };
  }

  #sightings(peer: Peer): Sighting[] {
    const { roster } = this.#node;
    if (!roster.hasSuspects) return [];
    return roster.list.filter((other) => other !== peer && other.known.length > 0)
      .map(({ name, tag, known }) => ({ node: name, tag, have: known }));
  }
}
