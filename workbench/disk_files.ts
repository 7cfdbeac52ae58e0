/**
 * The files of a simulated disk, for programs: what they wrote is lost in a crash unless it was
 * synced.
 *
 * A sync of a file makes its bytes durable; it, or that of a folder, makes all names durable, too, as
 * the journals of ext4, XFS and Btrfs do.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";
import type { Loss } from "./disk.ts";
import { randomBelow } from "./random.ts";

/** Files and folders by their names. */
export type FileNames = ReadonlyMap<string, DiskFile | FileNames>;

/** A change of a file. */
type FileChange =
  | { readonly offset: number; readonly bytes: Uint8Array }
  | { readonly size: number };

/** A file, whatever its name. */
export class DiskFile {
  readonly #onChange: (file: DiskFile) => void;
  /** What is durable, with room behind it. */
  #room = new Uint8Array();
  #durableSize = 0;
  /** What no sync has covered, in order. */
  #changes: FileChange[] = [];
  #size = 0;

  /** @param onChange called before each change */
  constructor(onChange: (file: DiskFile) => void) {
    this.#onChange = onChange;
  }

  /** How long it is for the process that writes it. */
  get size(): number {
    return this.#size;
  }

  /** How many changes no sync has covered. */
  get changeCount(): number {
    return this.#changes.length;
  }

  /** A copy of what is durable. */
  read(): Uint8Array<ArrayBuffer> {
    return this.#room.slice(0, this.#durableSize);
  }

  /** Notes that bytes were written; they must not change any more. */
  write(offset: number, bytes: Uint8Array): void {
    this.#onChange(this);
    this.#changes.push({ offset, bytes });
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  /** Notes that it was cut or extended by zeros. */
  resize(size: number): void {
    if (size === this.#size) return;
    this.#onChange(this);
    this.#changes.push({ size });
    this.#size = size;
  }

  /**
   * Makes durable the first of so many changes, and forgets the others of them.
   *
   * @param tornBytes how much of the next change is durable, too
   */
  settle(count: number, kept: number, tornBytes: number = 0): void {
    const changes = this.#changes.splice(0, count);
    for (const change of changes.slice(0, kept)) this.#apply(change);
    const torn = changes[kept];
    if (tornBytes > 0 && torn !== undefined && "bytes" in torn) {
      this.#apply({ offset: torn.offset, bytes: torn.bytes.subarray(0, tornBytes) });
    }
  }

  /** Begins the next process, which finds what is durable. */
  reopen(): void {
    this.#size = this.#durableSize;
  }

  /** How many bytes a change has written, of those that no sync has covered. */
  lengthOf(index: number): number {
    const change = this.#changes[index];
    return change !== undefined && "bytes" in change ? change.bytes.length : 0;
  }

  #apply(change: FileChange): void {
    if ("size" in change) {
      this.#reserve(change.size);
      this.#room.fill(0, Math.min(this.#durableSize, change.size), this.#durableSize);
      this.#durableSize = change.size;
      return;
    }
    const end = change.offset + change.bytes.length;
    this.#reserve(end);
    this.#room.set(change.bytes, change.offset);
    this.#durableSize = Math.max(this.#durableSize, end);
  }

  #reserve(size: number): void {
    if (size <= this.#room.length) return;
    const room = new Uint8Array(2 * size);
    room.set(this.#room.subarray(0, this.#durableSize));
    this.#room = room;
  }
}

/** A sync under way. */
export interface FolderSync {
  /** All that it covers is durable. */
  succeed(): void;
  /** Any part of what it covers is durable, and the rest is never written. */
  fail(random: Random): void;
}

/** The files of a disk. */
export class DiskFolder {
  /** What there is after a crash. */
  #durable: FileNames = new Map([["tmp", new Map()]]);
  /** What there is for the present process. */
  #current: (() => FileNames) | undefined;
  readonly #changed = new Set<DiskFile>();

  /** How many changes of files there were. */
  changes = 0;

  /** The durable names, for a process that begins; its own names are asked for from now on. */
  open(current: () => FileNames): FileNames {
    this.#current = current;
    return this.#durable;
  }

  /** Makes a file, which has no name yet. */
  create(): DiskFile {
    return new DiskFile((file) => {
      this.changes++;
      this.#changed.add(file);
    });
  }

  /** Begins a sync of a file, or of a folder. */
  sync(file: DiskFile | undefined): FolderSync {
    const names = this.#current?.() ?? this.#durable;
    const count = file?.changeCount ?? 0;
    return {
      succeed: () => {
        file?.settle(count, count);
        this.#durable = names;
      },
      fail: (random) => {
        file?.settle(count, randomBelow(random, count + 1));
        if (random.next() < 0.5) this.#durable = names;
      },
    };
  }

  /**
   * Ends the present process: what no sync covered is lost, as a fault loses it.
   *
   * @returns how many changes of files are lost, in whole or in part.
   */
  crash(loss: Loss, random: Random): number {
    const files = [...this.#changed].filter(({ changeCount }) => changeCount > 0);
    const names = this.#current?.() ?? this.#durable;
    const drawn = loss === "kill" ? "none" : loss === "disk-torn" ? "torn" : drawExtent(random);
    let lost = 0;
    for (const file of files) {
      const { changeCount } = file;
      const kept = drawn === "none"
        ? 0
        : drawn === "all"
        ? changeCount
        : randomBelow(random, drawn === "torn" ? changeCount : changeCount + 1);
      const length = file.lengthOf(kept);
      const tornBytes = drawn === "torn" && length > 0 ? randomBelow(random, length) : 0;
      file.settle(changeCount, kept, tornBytes);
      lost += changeCount - kept;
    }
    if (drawn === "all" || (drawn !== "none" && random.next() < 0.5)) this.#durable = names;
    for (const file of this.#changed) file.reopen();
    this.#changed.clear();
    this.#current = undefined;
    return lost;
  }
}

function drawExtent(random: Random): "none" | "all" | "each" {
  return (["none", "all", "each"] as const)[randomBelow(random, 3)] ?? "none";
}
