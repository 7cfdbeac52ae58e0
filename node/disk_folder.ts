/**
 * The folder of a node's data: whose data it is, whether it is all there, and that one process at a
 * time has it.
 *
 * In a directory there are, for a node `n1`: `n1/`, which SQLite writes; `n1.run`, which says whose
 * data that is; and `n1.lock`, which the process that uses it has locked.
 *
 * @module
 */

import { findDamage } from "./disk_wal.ts";
import { errorText } from "./errors.ts";
import { UsageError } from "./flags.ts";
import { quote } from "./message.ts";
import { StorageError } from "./storage.ts";

/** The version of all that is written; a newer one is refused. */
export const FORMAT = 1;

/** The file names of SQLite. */
const DATABASE = "data.sqlite";
const WAL = `${DATABASE}-wal`;

/**
 * What `n1.run` says.
 *
 * - `new`: nothing has been answered yet, so that what is in the folder counts for nothing.
 * - `open`: a process has the database open or was killed; there is a write-ahead log.
 * - `closed`: the log may be missing, because SQLite removes it when it closes the database.
 */
interface Marker {
  readonly format: number;
  readonly node: string;
  readonly run: string;
  readonly program: string;
  /** How often the database was opened when it last was. */
  readonly opens: number;
  readonly state: "new" | "open" | "closed";
}

/** What removes data of another run, or program. */
const HOW_TO_RESET = "openDisk with reset: true removes it, or Eddy's node with --data-reset";

/** A program for a message. */
function named(program: string): string {
  return program === "" ? "a program without a name" : quote(program);
}

/** The checksum of a text, which may go on from another. */
export type Checksum = (text: string, seed?: number) => number;

/** What {@linkcode NodeFolder.open} needs to know. */
export interface FolderOptions {
  readonly nodeId: string;
  readonly run: string;
  readonly program: string;
  /** Whether data of another run, or program, is removed. */
  readonly reset: boolean;
  readonly checksum: Checksum;
}

/** The folder of a node's data, locked. */
export class NodeFolder {
  /** The database. */
  readonly file: string;
  readonly #directory: string;
  readonly #folder: string;
  readonly #markerFile: string;
  readonly #options: FolderOptions;
  readonly #lock: Deno.FsFile;
  #opens = 0;

  private constructor(directory: string, name: string, options: FolderOptions, lock: Deno.FsFile) {
    this.#directory = directory;
    this.#folder = `${directory}/${name}`;
    this.#markerFile = `${directory}/${name}.run`;
    this.file = `${this.#folder}/${DATABASE}`;
    this.#options = options;
    this.#lock = lock;
  }

  /**
   * Locks the folder and checks what is in it.
   *
   * @returns the folder, and whether its database is to be made.
   * @throws {StorageError} if it is in use, another run's, not whole, or cannot be read or written.
   */
  static async open(
    directory: string,
    options: FolderOptions,
  ): Promise<{ readonly folder: NodeFolder; readonly isNew: boolean }> {
    const name = await fileName(options.nodeId);
    attempt(directory, () => Deno.mkdirSync(directory, { recursive: true }));
    const lockFile = `${directory}/${name}.lock`;
    const lock = attempt(
      lockFile,
      () => Deno.openSync(lockFile, { read: true, write: true, create: true }),
    );
    try {
      if (!attempt(lockFile, () => lock.tryLockSync(true))) {
        throw refused(`${directory}/${name}`, "it is in use by another process");
      }
      const folder = new NodeFolder(directory, name, options, lock);
      return { folder, isNew: folder.#prepare() };
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /**
   * Says that the database is open, and that its log must be there from now on.
   *
   * @param opens how often it was opened, as it says itself
   */
  opened(opens: number): void {
    if (!exists(`${this.#folder}/${WAL}`)) {
      throw new StorageError(`Cannot use ${shown(this.file)}: it has no write-ahead log`);
    }
    this.#opens = opens;
    this.#mark("open");
  }

  /** How often the database was opened, at least. */
  get opens(): number {
    return this.#opens;
  }

  /** Says that the database is about to be closed. */
  closing(): void {
    this.#mark("closed");
  }

  /** Lets another process open it. */
  unlock(): void {
    this.#lock.close();
  }

  /** Checks what is there, and makes an empty folder if the database is to be made. */
  #prepare(): boolean {
    const { nodeId, run, program, reset } = this.#options;
    const marker = this.#readMarker();
    if (marker === undefined) {
      if (exists(this.#folder)) {
        const gone = `${shown(this.#markerFile)}, which says whose data it is, is gone`;
        throw refused(this.#folder, `${gone}: ${this.#howToBegin()}`);
      }
      return this.#begin();
    }
    if (marker.node !== nodeId) {
      throw refused(this.#folder, `it is the data of a node ${quote(marker.node)}`);
    }
    if (marker.run !== run) {
      if (reset) return this.#begin();
      const runs = `it is the data of run ${quote(marker.run)}, and this is run ${quote(run)}`;
      throw refused(this.#folder, `${runs}: ${HOW_TO_RESET}`);
    }
    if (marker.program !== program) {
      if (reset) return this.#begin();
      const programs = `it is the data of ${named(marker.program)}, and this is ${named(program)}`;
      throw refused(this.#folder, `${programs}: ${HOW_TO_RESET}`);
    }
    if (marker.state === "new") return this.#begin();
    this.#opens = marker.opens;
    this.#checkFiles(marker.state);
    // The log of a process that was killed is emptied next.
    if (marker.state === "open") this.#mark("closed");
    return false;
  }

  /** What its user can do who gives the data up. */
  #howToBegin(): string {
    const there = [this.#markerFile, this.#folder].filter(exists).map(shown);
    return `remove ${there.join(" and ")} to begin anew`;
  }

  /** Makes an empty folder, after the marker, so that a later process knows of it. */
  #begin(): true {
    this.#mark("new");
    attempt(this.#folder, () => {
      if (exists(this.#folder)) Deno.removeSync(this.#folder, { recursive: true });
      Deno.mkdirSync(this.#folder);
      syncDirectory(this.#directory);
    });
    return true;
  }

  #checkFiles(state: "open" | "closed"): void {
    const size = attempt(this.file, () => exists(this.file) ? Deno.statSync(this.file).size : 0);
    const whose = `the data of ${quote(this.#options.nodeId)} is gone`;
    if (size === 0) throw refused(this.file, whose);
    const wal = `${this.#folder}/${WAL}`;
    const bytes = attempt(wal, () => exists(wal) ? Deno.readFileSync(wal) : undefined);
    if (bytes === undefined) {
      if (state === "open") throw refused(wal, `it is gone, and with it what was written last`);
    } else if (state === "open" || bytes.length > 32) {
      const damage = findDamage(bytes);
      if (damage !== undefined) throw refused(wal, damage);
    }
  }

  #readMarker(): Marker | undefined {
    const text = attempt(
      this.#markerFile,
      () => exists(this.#markerFile) ? Deno.readTextFileSync(this.#markerFile) : undefined,
    );
    if (text === undefined) return undefined;
    const [json = "", sum] = text.split("\n");
    if (sum !== String(this.#options.checksum(json))) {
      throw refused(this.#markerFile, `it is damaged: ${this.#howToBegin()}`);
    }
    const marker = JSON.parse(json) as Marker;
    refuseNewer(this.#markerFile, marker.format);
    return marker;
  }

  /** Replaces the marker, durably. */
  #mark(state: Marker["state"]): void {
    const { nodeId, run, program, checksum } = this.#options;
    const opens = this.#opens;
    const marker: Marker = { format: FORMAT, node: nodeId, run, program, opens, state };
    const json = JSON.stringify(marker);
    const temporary = `${this.#markerFile}.tmp`;
    attempt(this.#markerFile, () => {
      using file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
      const bytes = new TextEncoder().encode(`${json}\n${checksum(json)}\n`);
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      file.syncSync();
      Deno.renameSync(temporary, this.#markerFile);
      syncDirectory(this.#directory);
    });
  }
}

/**
 * Refuses what no node can keep its data in, before a node is started.
 *
 * @throws {UsageError} if it is no directory, or may not be read and written.
 */
export function refuseUnlessUsable(directory: string): void {
  const denied = (["read", "write"] as const)
    .filter((name) => Deno.permissions.querySync({ name, path: directory }).state !== "granted");
  const path = shown(directory);
  if (denied.length > 0) {
    const flags = directory.includes(",")
      ? "--allow-read and --allow-write" // Deno takes a comma for two directories.
      : denied.map((name) => `--allow-${name}=${path}`).join(" and ");
    throw new UsageError(`Cannot keep data in ${path} without permission: run deno with ${flags}`);
  }
  let isDirectory: boolean;
  try {
    isDirectory = Deno.statSync(directory).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new UsageError(`Cannot keep data in ${path}: ${errorText(error)}`);
  }
  if (!isDirectory) throw new UsageError(`Cannot keep data in ${path}: it is no directory`);
}

/**
 * What tells this run from others where nothing else is given: the environment variable `EDDY_RUN`,
 * which the workbench sets, or the parent process.
 */
export function presentRun(): string {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "EDDY_RUN" });
  return (state === "granted" ? Deno.env.get("EDDY_RUN") : undefined) || parentRun();
}

/**
 * The parent process, and where that may be read, when it was started and which start of the machine
 * it was.
 */
function parentRun(): string {
  const pid = `parent process ${Deno.ppid}`;
  const stat = `/proc/${Deno.ppid}/stat`;
  if (Deno.permissions.querySync({ name: "read", path: stat }).state !== "granted") return pid;
  try {
    // Its name, in brackets, may have any characters. The start time is the 22nd field.
    const fields = Deno.readTextFileSync(stat).split(") ").at(-1)?.split(" ") ?? [];
    const machine = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
    return `${pid} started at tick ${fields[19]} of ${machine}`;
  } catch {
    return pid; // Of other systems, and where Deno asks for all permissions to read there.
  }
}

/** The longest name of a file, before its ending. */
const MAX_NAME = 100;

/**
 * A file name for a node's id, a different one for each id: small letters, digits, `-` and `_` stand
 * for themselves, and all else is written as `%` and its code, for systems that see no difference
 * between `N1` and `n1`, too. A long name ends with its hash.
 */
async function fileName(nodeId: string): Promise<string> {
  const code = (unit: string) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const name = nodeId.replace(/[^a-z0-9_-]/g, code);
  if (name.length <= MAX_NAME) return name;
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  const digits = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0"));
  return `${name.slice(0, 30)}%%${digits.join("")}`;
}

/** A file's name for a message, quoted if there is anything odd in it. */
export function shown(path: string): string {
  return /^[\w./%@:+,=-]+$/.test(path) ? path : quote(path);
}

/** The error for data that is not used. */
export function refused(file: string, why: string, cause?: unknown): StorageError {
  return new StorageError(`Cannot use ${shown(file)}: ${why}`, { exitCode: 3, cause });
}

/** Refuses what a newer version has written. */
export function refuseNewer(file: string, format: number): void {
  if (format === FORMAT) return;
  throw refused(file, `its format is version ${format}, and this program reads version ${FORMAT}`);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Makes what was created, renamed or removed in a directory durable. */
function syncDirectory(directory: string): void {
  using file = Deno.openSync(directory, { read: true });
  file.syncSync();
}

/** Does something with a file; what goes wrong names it. */
function attempt<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new StorageError(`Cannot use ${shown(file)}: ${errorText(error)}`, { cause: error });
  }
}
