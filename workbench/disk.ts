/**
 * The disks of nodes under virtual time: they live through a kill, and lose what no sync covered.
 *
 * A simulated disk does all that the contract of a `Storage` lets a real one do, and nothing else:
 * whoever loses acknowledged data on it has not waited for a sync, or not restored what was there.
 *
 * @module
 */

import {
  type Clock,
  MemoryStorage,
  type Random,
  type Storage,
  StorageError,
  type StorageWrite,
} from "@eddy/maelstrom";
import { type DiskFile, DiskFolder, type FileNames } from "./disk_files.ts";
import { randomBelow } from "./random.ts";
import type { World } from "./world.ts";

/** The faults that lose what was not synced, and how: all of it, any part, or an append's end. */
export const LOSSES: readonly Loss[] = ["kill", "disk-lose", "disk-torn"];

/** A fault that loses what was not synced. */
export type Loss = "kill" | "disk-lose" | "disk-torn";

/** The faults that make syncs fail, with what the error says. */
const FAILURES: Readonly<Record<SyncFailure, string>> = {
  "disk-full": "no space left on device (ENOSPC)",
  "disk-eio": "input/output error (EIO)",
};

/** A fault that makes syncs fail. */
export type SyncFailure = "disk-full" | "disk-eio";

/** The mean time of a sync; one takes from half to one and a half times as long. */
const SYNC_MS = 0.5;

/** What a sync of a slow disk takes. */
const SLOW_MS = { min: 20, max: 500 };

/** A fault that is on, of a disk whose syncs fail. */
export interface FailingSyncs {
  readonly fault: SyncFailure;
  /** Called when a node has ended because a sync has failed. */
  onStop(): void;
}

/** What the disks of a run did. */
export interface DiskStats {
  /** Writes to values and logs, or to files. */
  readonly writes: number;
  /** Syncs that made them durable. */
  readonly syncs: number;
  /** Syncs that a fault has failed. */
  readonly failedSyncs: number;
  /** Writes that were lost, in whole or in part, as no sync had covered them. */
  readonly lost: number;
}

/** The files of a disk, for one process. */
export interface ProcessFolder {
  /** What there is at the beginning. */
  readonly names: FileNames;
  /** Makes a file, which has no name yet. */
  create(): DiskFile;
  /**
   * Makes the bytes of a file and all names durable; of a folder, the names alone.
   *
   * @param sleep lets time pass for the process; never resolves once it is dead
   * @returns the fault that has failed it; undefined if none has.
   */
  sync(
    file: DiskFile | undefined,
    sleep: (ms: number) => Promise<void>,
  ): Promise<SyncFailure | undefined>;
}

/** A part of a run, as far as its disks need it. */
type DiskWorld = Pick<World, "clock" | "random">;

/** The disks of a run's nodes. */
export class Disks {
  readonly #world: DiskWorld;
  readonly #disks = new Map<string, SimulatedDisk>();

  constructor(world: DiskWorld) {
    this.#world = world;
  }

  /** The disk of a node. */
  of(node: string): SimulatedDisk {
    const disk = this.#disks.get(node) ?? new SimulatedDisk(node, this.#world);
    this.#disks.set(node, disk);
    return disk;
  }

  /** What they did; undefined if nothing was written to them. */
  stats(): DiskStats | undefined {
    const sum = { writes: 0, syncs: 0, failedSyncs: 0, lost: 0 };
    for (const { stats, fileChanges } of this.#disks.values()) {
      sum.writes += stats.writes + fileChanges;
      sum.syncs += stats.syncs;
      sum.failedSyncs += stats.failedSyncs;
      sum.lost += stats.lost;
    }
    return sum.writes === 0 ? undefined : sum;
  }
}

/** A disk of one node. */
export class SimulatedDisk {
  /** What it did so far. */
  readonly stats: { -readonly [K in keyof DiskStats]: DiskStats[K] } = {
    writes: 0,
    syncs: 0,
    failedSyncs: 0,
    lost: 0,
  };
  readonly #node: string;
  readonly #world: DiskWorld;
  readonly #syncTimes: Random;
  readonly #slowTimes: Random;
  readonly #failing = new Set<FailingSyncs>();
  #slow = 0;
  /** What is left after a crash. */
  #durable = new MemoryStorage();
  /** What of the present process's storage no sync has made durable, in order. */
  #writes: StorageWrite[] = [];
  readonly #folder = new DiskFolder();
  /** Numbers the processes that use it. */
  #process = 0;
  /** The fault that failed a sync of the present process. */
  #failed: FailingSyncs | undefined;

  constructor(node: string, world: DiskWorld) {
    this.#node = node;
    this.#world = world;
    this.#syncTimes = world.random(`disk ${node}`);
    this.#slowTimes = world.random(`slow disk ${node}`);
  }

  /**
   * Opens it for a process; before it is opened for the next one, {@linkcode SimulatedDisk.crash}
   * is called.
   *
   * @param clock the process's own: what is scheduled never runs once it is dead
   */
  open(clock: Pick<Clock, "schedule">): Storage {
    const writes = this.#writes;
    const write = (write: StorageWrite) => {
      if (writes === this.#writes) this.stats.writes++;
      writes.push(write);
    };
    const sync = () => this.#sync(writes, clock);
    return new DiskStorage(this.#durable, { write, sync, isDirty: () => writes.length > 0 });
  }

  /** Makes syncs slow, until the function that it returns is called. */
  slowDown(): () => void {
    this.#slow++;
    return () => void this.#slow--;
  }

  /** Makes all syncs fail, until the function that it returns is called. */
  fail(failing: FailingSyncs): () => void {
    this.#failing.add(failing);
    return () => void this.#failing.delete(failing);
  }

  /** How many changes of files there were. */
  get fileChanges(): number {
    return this.#folder.changes;
  }

  /** The fault that failed a sync of the present process, and so ends it. */
  get failed(): FailingSyncs | undefined {
    return this.#failed;
  }

  /** Ends the present process's use of it: what was not synced is lost, as a fault loses it. */
  crash(loss: Loss): void {
    this.#keep(this.#writes, loss);
    this.stats.lost += this.#folder.crash(loss, this.#drawing(loss));
    this.#process++;
    this.#writes = [];
    this.#failed = undefined;
  }

  /** @param writes what the process has written, of which this covers what is there now */
  async #sync(writes: StorageWrite[], clock: Pick<Clock, "schedule">): Promise<void> {
    const { length } = writes;
    const failing = await this.#takeSync((ms) =>
      new Promise((resolve) => void clock.schedule(ms, resolve))
    );
    const covered = writes.splice(0, length);
    if (failing === undefined) return apply(covered, this.#durable);
    // A sync that is tried again succeeds, as on Linux: what this one covered is lost all the same.
    this.#keep(covered, "disk-lose");
    throw new StorageError(`Cannot sync the storage of ${this.#node}: ${FAILURES[failing.fault]}`);
  }

  /**
   * Opens the files of it for a process, which is a program.
   *
   * @param current what files there are for the process, with their names
   */
  openFolder(current: () => FileNames): ProcessFolder {
    const folder = this.#folder;
    return {
      names: folder.open(current),
      create: () => folder.create(),
      sync: async (file, sleep) => {
        const sync = folder.sync(file);
        const failing = await this.#takeSync(sleep);
        if (failing === undefined) sync.succeed();
        else sync.fail(this.#drawing("disk-lose"));
        return failing?.fault;
      },
    };
  }

  /** Lets the time of a sync pass, and returns the fault that fails it, if one does. */
  async #takeSync(sleep: (ms: number) => Promise<void>): Promise<FailingSyncs | undefined> {
    const process = this.#process;
    await sleep(this.#drawSyncMs());
    // For a process that was killed meanwhile it never ends.
    if (process !== this.#process) return await new Promise(() => {});
    const [failing] = this.#failing;
    this.#failed ??= failing;
    this.stats[failing === undefined ? "syncs" : "failedSyncs"]++;
    return failing;
  }

  #drawSyncMs(): number {
    if (this.#slow === 0) return SYNC_MS * (0.5 + this.#syncTimes.next());
    return SLOW_MS.min + (SLOW_MS.max - SLOW_MS.min) * this.#slowTimes.next();
  }

  /** Draws by the time: one fault less in a plan does not change what the next one loses. */
  #drawing(loss: Loss): Random {
    return this.#world.random(`${loss} ${this.#node} at ${this.#world.clock.now()}`);
  }

  /** Makes durable what is left of writes. */
  #keep(writes: readonly StorageWrite[], loss: Loss): void {
    if (writes.length === 0) return;
    const kept = drawKept(writes, loss, this.#drawing(loss));
    const whole = new Set(writes);
    this.stats.lost += writes.length - kept.filter((write) => whole.has(write)).length;
    apply(kept, this.#durable);
  }
}

/** What a process does with its disk. */
interface DiskAccess {
  write(write: StorageWrite): void;
  sync(): Promise<void>;
  isDirty(): boolean;
}

/** The storage of one process. */
class DiskStorage extends MemoryStorage {
  override readonly isDurable = true;
  readonly #disk: DiskAccess;

  constructor(content: MemoryStorage, disk: DiskAccess) {
    super(content);
    this.#disk = disk;
  }

  override get isDirty(): boolean {
    return this.#disk.isDirty();
  }

  override write(write: StorageWrite): void {
    this.#disk.write(write);
    super.write(write);
  }

  override sync(): Promise<void> {
    return this.#disk.sync();
  }
}

function apply(writes: readonly StorageWrite[], storage: MemoryStorage): void {
  for (const write of writes) storage.write(write);
}

/**
 * Draws what a crash leaves of writes that no sync covered. With `kill` that is nothing; with
 * `disk-lose` it is nothing, the first ones, or, as a disk may that writes in an order of its own,
 * for each value and each log the first ones; with `disk-torn` a log ends within an append.
 */
export function drawKept(
  writes: readonly StorageWrite[],
  loss: Loss,
  random: Random,
): StorageWrite[] {
  if (loss === "kill") return [];
  if (loss === "disk-torn") return drawTorn(writes, random);
  const kind = randomBelow(random, 3);
  if (kind === 0) return [];
  if (kind === 1) return writes.slice(0, randomBelow(random, writes.length + 1));
  return byTarget(writes).flatMap((own) => own.slice(0, randomBelow(random, own.length + 1)));
}

/** Of each value the first writes; of each log those up to an append, of that the first entries. */
function drawTorn(writes: readonly StorageWrite[], random: Random): StorageWrite[] {
  return byTarget(writes).flatMap((own) => {
    const appends = own.flatMap((write, i) => write.f === "append" ? [i] : []);
    const last = appends[randomBelow(random, appends.length)];
    const torn = last === undefined ? undefined : own[last];
    if (last === undefined || torn?.f !== "append") {
      return own.slice(0, randomBelow(random, own.length + 1));
    }
    const entries = torn.entries.slice(0, randomBelow(random, torn.entries.length));
    return [...own.slice(0, last), { ...torn, entries }];
  });
}

/** The writes of each value and each log, in order; they are independent of each other. */
function byTarget(writes: readonly StorageWrite[]): StorageWrite[][] {
  const targets = Map.groupBy(
    writes,
    (write) => write.f === "set" ? `value ${write.key}` : `log ${write.log}`,
  );
  return [...targets.values()];
}
