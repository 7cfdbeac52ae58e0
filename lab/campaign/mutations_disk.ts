/**
 * Storage that outlives the process of its node, as Raft assumes.
 *
 * @module
 */

import { MemoryRaftStorage, type RaftStorage, type Snapshot } from "@eddy/handlers/raft/log";
import type { Entry } from "@eddy/handlers/raft/message.ts";
import type { Node } from "@eddy/maelstrom";

/** Settings of {@linkcode Disks}. */
export interface DisksOptions {
  /** @default makes a {@linkcode MemoryRaftStorage} */
  readonly makeStorage?: (() => RaftStorage) | undefined;
  /** Called with what a node finds when it starts again. */
  readonly onRestart?: ((storage: RaftStorage) => void) | undefined;
}

/** The disks of a cluster, one for each node: what is on them survives a kill. */
export class Disks {
  readonly #options: DisksOptions;
  readonly #disks = new Map<string, RaftStorage>();

  constructor(options: DisksOptions = {}) {
    this.#options = options;
  }

  /** The storage of a node, which need not yet know its name. */
  of(node: Node): RaftStorage {
    return new Disk(() => this.#open(node.id));
  }

  #open(name: string): RaftStorage {
    const { makeStorage, onRestart } = this.#options;
    const known = this.#disks.get(name);
    if (known !== undefined) {
      onRestart?.(known);
      return known;
    }
    const made = makeStorage?.() ?? new MemoryRaftStorage();
    this.#disks.set(name, made);
    return made;
  }
}

/** A disk that is opened when it is first used: by then `init` has told the node its name. */
class Disk implements RaftStorage {
  readonly #open: () => RaftStorage;
  #opened: RaftStorage | undefined;

  constructor(open: () => RaftStorage) {
    this.#open = open;
  }

  get #storage(): RaftStorage {
    return this.#opened ??= this.#open();
  }

  get term(): number {
    return this.#storage.term;
  }

  get vote(): string | undefined {
    return this.#storage.vote;
  }

  get baseIndex(): number {
    return this.#storage.baseIndex;
  }

  get lastIndex(): number {
    return this.#storage.lastIndex;
  }

  setTerm(term: number, vote: string | undefined): void {
    this.#storage.setTerm(term, vote);
  }

  termAt(index: number): number | undefined {
    return this.#storage.termAt(index);
  }

  slice(from: number, to: number): Entry[] {
    return this.#storage.slice(from, to);
  }

  append(entries: readonly Entry[]): void {
    this.#storage.append(entries);
  }

  truncate(index: number): void {
    this.#storage.truncate(index);
  }

  compact(index: number, snapshot: () => Snapshot): void {
    this.#storage.compact(index, snapshot);
  }

  reset(snapshot: Snapshot, term: number): void {
    this.#storage.reset(snapshot, term);
  }
}
