/**
 * The other nodes, who of them is the hub, and who cannot be reached.
 *
 * @module
 */

import { Peer } from "./peer.ts";
import { covers, seqOf, type Vector } from "./vector.ts";

/** All other nodes, in the order of the cluster's list. */
export class Roster {
  readonly list: readonly Peer[];
  readonly #byName: ReadonlyMap<string, Peer>;
  readonly #index: number;

  constructor(id: string, nodeIds: readonly string[]) {
    this.#index = nodeIds.indexOf(id);
    this.list = nodeIds.map((name, index) => new Peer(name, index)).filter(({ name }) =>
      name !== id
    );
    this.#byName = new Map(this.list.map((peer) => [peer.name, peer]));
  }

  /** A node by its name. */
  get(name: string): Peer | undefined {
    return this.#byName.get(name);
  }

  /** The first node of the list that is not suspected; undefined if that is this one. */
  get hub(): Peer | undefined {
    for (const peer of this.list) {
      if (peer.index > this.#index) return undefined;
      if (!peer.suspected) return peer;
    }
    return undefined;
  }

  /** Whether anybody seems not to hear this node. */
  get hasSuspects(): boolean {
    return this.list.some((peer) => peer.suspected);
  }

  /** The next suspected node at or after a place in the list, from the front again at its end. */
  suspectFrom(place: number): Peer | undefined {
    const count = this.list.length;
    for (let i = 0; i < count; i++) {
      const peer = this.list[(place + i) % count];
      if (peer?.suspected) return peer;
    }
    return undefined;
  }

  /** Someone who is known to have what `have` lacks: the hub, or one who hears us, or anyone. */
  holderOfMore(have: Vector, wanted: Vector): Peer | undefined {
    const hub = this.hub;
    if (hub !== undefined && hasMore(hub, have, wanted)) return hub;
    const holders = this.list.filter((peer) => hasMore(peer, have, wanted));
    return holders.find((peer) => !peer.suspected) ?? holders[0];
  }

  /**
   * Raises `stable` to what everyone is known to hold.
   *
   * Nothing is concluded from what a node holds as long as events of its own are missing here:
   * among them might be some that it appended before it held what it holds.
   *
   * @returns whether anything became stable.
   */
  settle(stable: Vector, have: Vector): boolean {
    for (const peer of this.list) {
      if (peer.stream < 0 || seqOf(peer.known, peer.stream) > seqOf(have, peer.stream)) {
        return false;
      }
    }
    let grown = false;
    for (let stream = 0; stream < have.length; stream++) {
      let seq = seqOf(have, stream);
      const before = seqOf(stable, stream);
      for (let i = 0; seq > before && i < this.list.length; i++) {
        const peer = this.list[i];
        if (peer !== undefined) seq = Math.min(seq, peer.seq(stream, stable));
      }
      while (stable.length <= stream) stable.push(0);
      if (seq > before) {
        stable[stream] = seq;
        grown = true;
      }
    }
    return grown;
  }
}

function hasMore(peer: Peer, have: Vector, wanted: Vector): boolean {
  return !covers(have, peer.known) && covers(peer.known, wanted);
}
