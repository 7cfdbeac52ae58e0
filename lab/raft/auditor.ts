/**
 * Raft's five properties (paper, figure 3) and a few more, checked as a cluster runs.
 *
 * @module
 */

import type { Entry } from "@eddy/handlers/raft/message.ts";
import { canonical, type Json } from "@eddy/maelstrom";
import type { Slot } from "./cluster.ts";

/** Watches a cluster, and throws at the first thing that may not be. */
export class Auditor {
  /** What any node ever applied, by index: the entry, and the term in which that was seen. */
  readonly #applied: { readonly text: string; readonly term: number; readonly seenIn: number }[] =
    [];
  readonly #leaders = new Map<number, string>();
  readonly #upTo = new Map<string, number>();
  readonly #refused = new Set<string>();
  /** Of each node: its term, and the last entry of that term that it held. */
  readonly #held = new Map<string, { readonly term: number; readonly index: number }>();
  #turns = 0;

  /** How many entries were applied anywhere. */
  get length(): number {
    return this.#applied.length;
  }

  /** How many terms had a leader. */
  get terms(): number {
    return this.#leaders.size;
  }

  /** Notes that an operation was refused: it must never happen. */
  refused(operation: Json): void {
    this.#refused.add(canonical(operation));
  }

  /** Notes that a node begins again after an index. */
  forget(id: string, applied: number): void {
    this.#upTo.set(id, applied);
  }

  /** Looks at a node after its turn. */
  watch(slot: Slot, slots: readonly Slot[]): void {
    this.#watchApplied(slot);
    this.#watchHeld(slot);
    const { raft } = slot.replica;
    if (raft.role === "leader" && this.#leaders.get(raft.term) !== slot.id) {
      this.#watchElection(slot);
    }
    if (++this.#turns % 1000 === 0) this.checkLogs(slots);
  }

  /** Log matching: where two logs have the same term, all before is the same. */
  checkLogs(slots: readonly Slot[]): void {
    for (const a of slots) {
      for (const b of slots) if (a.id < b.id) this.#checkPair(a, b);
    }
  }

  /** After everything healed, all nodes have one state, and something was done. */
  checkAgreement(slots: readonly Slot[]): void {
    const states = slots.map(({ machine, replica }) => {
      const state = machine.snapshot().map(canonical).sort().join(" ");
      return `${replica.applied}: ${state}`;
    });
    const [first = ""] = states;
    for (const [i, state] of states.entries()) {
      if (state !== first) throw new Error(`No agreement: n0 ${first}; n${i} ${state}`);
    }
    if (!slots.some(({ replica }) => replica.raft.role === "leader")) {
      throw new Error("No leader though all is well");
    }
  }

  /** State machine safety: no two nodes apply different entries at an index. */
  #watchApplied({ id, replica, storage }: Slot): void {
    const from = Math.max(this.#upTo.get(id) ?? 0, storage.baseIndex);
    const { applied, raft } = replica;
    this.#upTo.set(id, applied);
    if (applied <= from) return;
    for (const [position, entry] of storage.slice(from + 1, applied).entries()) {
      this.#checkEntry(id, from + 1 + position, entry, raft.term);
    }
  }

  /**
   * What a node holds of its own term's leader it keeps for the term: that leader's log only grows
   * (leader append-only), and may count on what was acknowledged.
   */
  #watchHeld({ id, storage }: Slot): void {
    const { term, lastIndex } = storage;
    const held = this.#held.get(id);
    if (held?.term === term && lastIndex < held.index) {
      throw new Error(`${id} dropped entry ${held.index} of its leader's, in term ${term}`);
    }
    if (storage.termAt(lastIndex) === term) this.#held.set(id, { term, index: lastIndex });
  }

  #checkEntry(id: string, index: number, entry: Entry, seenIn: number): void {
    const text = JSON.stringify(entry);
    const known = this.#applied[index];
    if (known === undefined) {
      this.#applied[index] = { text, term: entry[0], seenIn };
      const [, command] = entry;
      const operation = command === null ? null : (command as Json[])[3] ?? null;
      if (this.#refused.has(canonical(operation))) throw new Error(`Refused, yet done: ${text}`);
    } else if (known.text !== text) {
      throw new Error(`${id} applied ${text} at ${index} where another applied ${known.text}`);
    }
  }

  /** Election safety, and leader completeness. */
  #watchElection({ id, storage, replica: { raft: { term } } }: Slot): void {
    const other = this.#leaders.get(term);
    if (other !== undefined) throw new Error(`${other} and ${id} both lead term ${term}`);
    this.#leaders.set(term, id);
    for (let index = storage.baseIndex + 1; index < this.#applied.length; index++) {
      const known = this.#applied[index];
      if (known === undefined || known.seenIn >= term) continue;
      if (storage.termAt(index) !== known.term) {
        throw new Error(`${id} leads term ${term} without entry ${index}, which was applied`);
      }
    }
  }

  #checkPair(a: Slot, b: Slot): void {
    const first = Math.max(a.storage.baseIndex, b.storage.baseIndex) + 1;
    let isSame = false;
    for (let i = Math.min(a.storage.lastIndex, b.storage.lastIndex); i >= first; i--) {
      const agree = a.storage.termAt(i) === b.storage.termAt(i);
      if (isSame && !agree) throw new Error(`Logs of ${a.id} and ${b.id} differ before ${i + 1}`);
      isSame ||= agree;
      if (
        isSame && JSON.stringify(a.storage.slice(i, i)) !== JSON.stringify(b.storage.slice(i, i))
      ) {
        throw new Error(`Logs of ${a.id} and ${b.id} differ at ${i}`);
      }
    }
  }
}
