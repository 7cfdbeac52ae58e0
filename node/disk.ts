/**
 * A node's storage on disk: SQLite, through `node:sqlite` of Deno.
 *
 * Writes go into an open transaction, and a sync commits it, with one sync of the write-ahead log
 * (`journal_mode=WAL`, `synchronous=FULL`). Every row has a checksum, because SQLite keeps none.
 *
 * @example A node that keeps its data in the directory `data`
 * ```ts
 * import { Node } from "@eddy/maelstrom";
 * import { openDisk } from "@eddy/maelstrom/disk";
 *
 * const data = await Deno.makeTempDir();
 * const node = new Node({ storage: openDisk(data, { run: "run 1" }) });
 * node.on("add", ({ body: { delta } }) => {
 *   const total = Number(node.storage.get("total") ?? 0) + Number(delta);
 *   node.storage.set("total", total);
 *   return { total };
 * });
 * ```
 *
 * @module
 */

import type { DatabaseSync, SQLOutputValue, StatementSync } from "node-sqlite";
import {
  type Checksum,
  FORMAT,
  NodeFolder,
  presentRun,
  refused,
  refuseNewer,
  refuseUnlessUsable,
  shown,
} from "./disk_folder.ts";
import { errorText, refusedValue, refuseUnknown } from "./errors.ts";
import { type Json, type JsonInput, parseJson } from "./json.ts";
import { type OpenStorage, type Storage, StorageError, type StoredLog } from "./storage.ts";

/** Settings of {@linkcode openDisk}. */
export interface DiskOptions {
  /**
   * What tells this run from others: a node that is started again finds its data if this is the
   * same, and data of another run is refused.
   *
   * @default the environment variable `EDDY_RUN`, which the workbench sets for processes, where that
   * may be read; else the parent process, and its start time where that may be read
   */
  run?: string | undefined;
  /**
   * What serves the data, such as a workload: that of another program is refused, too.
   *
   * @default ""
   */
  program?: string | undefined;
  /**
   * Whether data of another run, or program, is removed. Data of this run never is.
   *
   * @default false
   */
  reset?: boolean | undefined;
}

/** Where the workbench puts what opens a simulated disk, for programs under virtual time. */
const SIMULATED = Symbol.for("eddy.storage");

/**
 * Keeps a node's data in a directory, where each node has a folder of its own.
 *
 * Deno needs `--allow-read` and `--allow-write` for the directory. It is made if it is missing. What
 * opens the storage throws a {@linkcode StorageError} if the data is in use, another run's, damaged or
 * gone.
 *
 * @param directory where, such as `data`
 * @returns what a {@linkcode NodeOptions.storage} takes.
 * @throws {UsageError} if the directory is a file, or may not be read and written.
 */
export function openDisk(directory: string, options: DiskOptions = {}): OpenStorage {
  refuseUnknown(options, { run: true, program: true, reset: true });
  const { run = presentRun(), program = "", reset = false } = options;
  if (typeof directory !== "string" || directory === "") {
    const given = directory === "" ? '""' : directory;
    throw refusedValue("directory", given, "the path of a directory");
  }
  if (typeof run !== "string" || run === "") throw refusedValue("run", run, "a text, not empty");
  // Under virtual time the workbench has a simulated disk for the node.
  const simulated: OpenStorage | undefined = Reflect.get(globalThis, SIMULATED);
  if (simulated !== undefined) return simulated;
  refuseUnlessUsable(directory);
  return async (nodeId) => {
    // Loaded here, so that programs which can keep data start without.
    const { DatabaseSync } = await import("node-sqlite");
    const { crc32 } = await import("node-zlib");
    const options = { nodeId, run, program, reset, checksum: crc32 };
    const { folder, isNew } = await NodeFolder.open(directory.replace(/(?<=.)\/+$/, ""), options);
    try {
      return openDatabase(new DatabaseSync(folder.file), folder, isNew, options);
    } catch (error) {
      folder.unlock();
      throw error instanceof StorageError ? error : openError(folder.file, error);
    }
  };
}

/** What SQLite says of a file that it cannot open: it is damaged, in use or no database. */
function openError(file: string, error: unknown): StorageError {
  const why = errorText(error);
  if (!/is full|I\/O error|readonly/.test(why)) return refused(file, why, error);
  return new StorageError(`Cannot use ${shown(file)}: ${why}`, { cause: error });
}

/** Marks the file as one of ours, for `file` and other programs: "Eddy". */
const APPLICATION_ID = 0x45646479;

const SETTINGS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA temp_store = MEMORY;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA journal_size_limit = 4194304;
  PRAGMA wal_autocheckpoint = 1000;`;

const SCHEMA = `
  CREATE TABLE owner(node TEXT NOT NULL, run TEXT NOT NULL, opens INTEGER NOT NULL) STRICT;
  CREATE TABLE value(key TEXT PRIMARY KEY, json TEXT NOT NULL, sum INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
  CREATE TABLE log(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, base INTEGER NOT NULL,
    pieces INTEGER NOT NULL, sum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE entry(
    log INTEGER NOT NULL, number INTEGER NOT NULL, json TEXT NOT NULL, sum INTEGER NOT NULL,
    PRIMARY KEY(log, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE piece(
    log INTEGER NOT NULL, number INTEGER NOT NULL, json TEXT NOT NULL, sum INTEGER NOT NULL,
    PRIMARY KEY(log, number)
  ) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};`;

/** What the folder and the rows need. */
interface Owner {
  readonly nodeId: string;
  readonly run: string;
  readonly checksum: Checksum;
}

/** Makes or checks a database, and writes to it once. */
function openDatabase(
  database: DatabaseSync,
  folder: NodeFolder,
  isNew: boolean,
  owner: Owner,
): SqliteStorage {
  const { file } = folder;
  // All rows: what a statement does is only done, or has failed, when it has ended.
  const read = (pragma: string) =>
    Object.values(database.prepare(`PRAGMA ${pragma}`).all()[0] ?? {})[0];
  let isOpened = false;
  // As JSON texts, which have every character.
  const [node, run] = [JSON.stringify(owner.nodeId), JSON.stringify(owner.run)];
  try {
    database.exec(SETTINGS);
    if (!isNew) {
      if (read("application_id") !== APPLICATION_ID) throw refused(file, "it is no node's data");
      refuseNewer(file, Number(read("user_version")));
      const found = read("quick_check(1)");
      if (found !== "ok") {
        throw refused(file, `it is damaged: ${String(found).replaceAll(/\s+/g, " ")}`);
      }
    }
    if (read("journal_mode = WAL") !== "wal") throw refused(file, "it takes no write-ahead log");
    // What a killed process has written becomes durable, which it need not be yet, and the log
    // begins anew, so that it has no remains of what was torn.
    read("wal_checkpoint(TRUNCATE)");
    database.exec("BEGIN IMMEDIATE");
    if (isNew) {
      database.exec(SCHEMA);
      database.prepare("INSERT INTO owner VALUES (?, ?, 0)").run(node, run);
    }
    const row = database.prepare("SELECT node, run, opens FROM owner").get();
    if (row?.node !== node || row.run !== run) {
      throw refused(file, "it is another run's, or another node's");
    }
    const opens = Number(row.opens) + 1;
    if (opens <= folder.opens) throw refused(file, "it, or its log, is that of an earlier time");
    database.exec("UPDATE owner SET opens = opens + 1; COMMIT");
    isOpened = true;
    folder.opened(opens);
    return new SqliteStorage(database, folder, owner.checksum);
  } catch (error) {
    try {
      if (isOpened) folder.closing(); // SQLite removes its log when it closes.
    } catch {
      // The disk has failed for good, and the next start refuses what it finds.
    }
    database.close();
    throw error;
  }
}

/** What the checksum of a log's row begins with, so that it covers where the row belongs. */
function seedOf(log: number, number: number): number {
  return (Math.imul(log, 0x9e3779b1) ^ number) >>> 0;
}

/** What is known of a log without reading it. */
interface LogState {
  readonly id: number;
  readonly name: string;
  base: number;
  last: number;
  pieces: number;
}

/** The statements, each prepared once. */
function prepareStatements(database: DatabaseSync) {
  return {
    begin: database.prepare("BEGIN IMMEDIATE"),
    commit: database.prepare("COMMIT"),
    get: database.prepare("SELECT json, sum FROM value WHERE key = ?"),
    set: database.prepare("INSERT OR REPLACE INTO value VALUES (?, ?, ?)"),
    remove: database.prepare("DELETE FROM value WHERE key = ?"),
    logs: database.prepare(
      "SELECT *, (SELECT max(number) FROM entry WHERE log = id) AS last FROM log",
    ),
    setLog: database.prepare("INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?)"),
    entries: database.prepare("SELECT json, sum FROM entry WHERE log = ? ORDER BY number"),
    append: database.prepare("INSERT INTO entry VALUES (?, ?, ?, ?)"),
    truncate: database.prepare("DELETE FROM entry WHERE log = ? AND number >= ?"),
    compact: database.prepare("DELETE FROM entry WHERE log = ? AND number <= ?"),
    pieces: database.prepare("SELECT json, sum FROM piece WHERE log = ? ORDER BY number"),
    addPiece: database.prepare("INSERT INTO piece VALUES (?, ?, ?, ?)"),
    clearPieces: database.prepare("DELETE FROM piece WHERE log = ?"),
  };
}

class SqliteStorage implements Storage {
  readonly isDurable = true;
  readonly #database: DatabaseSync;
  readonly #folder: NodeFolder;
  readonly #checksum: Checksum;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #logs = new Map<string, LogState>();
  readonly #onUnload = () => {
    try {
      this.close();
    } catch {
      // A disk that has failed has been told of, and the next start finds what is there.
    }
  };
  #nextLogId = 1;
  #isDirty = false;
  #isClosed = false;
  /** What went wrong: it is not known what is durable, so the next sync throws it. */
  #failure: StorageError | undefined;

  constructor(database: DatabaseSync, folder: NodeFolder, checksum: Checksum) {
    this.#database = database;
    this.#folder = folder;
    this.#checksum = checksum;
    this.#statements = prepareStatements(database);
    for (const row of this.#statements.logs.all()) {
      const [id, name, base, pieces] = [row.id, row.name, row.base, row.pieces]
        .map((cell, i) => i === 1 ? cell : Number(cell)) as [number, string, number, number];
      if (row.sum !== checksum(`${id} ${name} ${base} ${pieces}`)) throw this.#damaged();
      this.#logs.set(name, { id, name, base, last: Math.max(base, Number(row.last ?? 0)), pieces });
      this.#nextLogId = Math.max(this.#nextLogId, id + 1);
    }
    // Otherwise the runtime closes the database when the process ends, and nobody says so.
    globalThis.addEventListener("unload", this.#onUnload);
  }

  get isDirty(): boolean {
    return this.#isDirty || this.#failure !== undefined;
  }

  get(key: string): Json | undefined {
    const name = JSON.stringify(key); // Any text, also one that is no UTF-16.
    const row = this.#read(() => this.#statements.get.get(name));
    if (row === undefined) return undefined;
    const json = String(row.json);
    if (row.sum !== this.#checksum(`${name} ${json}`)) throw this.#fail(this.#damaged());
    return parseJson(json);
  }

  set(key: string, value: JsonInput | undefined): void {
    const name = JSON.stringify(key);
    const json: string | undefined = JSON.stringify(value);
    this.write(() => {
      if (json === undefined) this.#statements.remove.run(name);
      else this.#statements.set.run(name, json, this.#checksum(`${name} ${json}`));
    });
  }

  log(name: string): StoredLog {
    return new SqliteLog(this, JSON.stringify(name));
  }

  sync(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#isDirty) return;
    try {
      this.#statements.commit.run();
    } catch (error) {
      throw this.#fail(this.#cannot("write", error));
    }
    this.#isDirty = false;
  }

  /** What was written after the last sync is dropped. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    globalThis.removeEventListener("unload", this.#onUnload);
    try {
      // First, because SQLite removes its log.
      this.#folder.closing();
      this.#database.close();
    } catch (error) {
      throw this.#cannot("close", error);
    } finally {
      this.#folder.unlock();
    }
  }

  /** The state of a log; of one that was never written to, an empty one. */
  logState(name: string): LogState {
    let log = this.#logs.get(name);
    if (log === undefined) {
      log = { id: this.#nextLogId++, name, base: 0, last: 0, pieces: 0 };
      this.#logs.set(name, log);
    }
    return log;
  }

  /** Does a write, in the open transaction. It throws nothing: what goes wrong the next sync throws. */
  write(act: (statements: ReturnType<typeof prepareStatements>) => void): void {
    if (this.#failure !== undefined) return;
    try {
      if (!this.#isDirty) this.#statements.begin.run();
      this.#isDirty = true;
      act(this.#statements);
    } catch (error) {
      this.#fail(this.#cannot("write", error));
    }
  }

  /** Adds rows to a table of a log. */
  insert(statement: StatementSync, log: LogState, first: number, texts: readonly string[]): void {
    texts.forEach((json, i) => {
      statement.run(log.id, first + i, json, this.#checksum(json, seedOf(log.id, first + i)));
    });
  }

  /** Writes what is known of a log. */
  writeLog({ id, name, base, pieces }: LogState): void {
    const sum = this.#checksum(`${id} ${name} ${base} ${pieces}`);
    this.#statements.setLog.run(id, name, base, pieces, sum);
  }

  /** The values of a log's rows, with numbers from `first` to `last`. */
  rows(table: "entries" | "pieces", { id }: LogState, first: number, last: number): Json[] {
    const rows: Record<string, SQLOutputValue>[] = this.#read(() =>
      this.#statements[table].all(id)
    );
    if (rows.length !== last - first + 1) throw this.#fail(this.#damaged());
    return rows.map(({ json, sum }, i) => {
      const text = String(json);
      // Which is another one if the row has another number.
      if (sum !== this.#checksum(text, seedOf(id, first + i))) throw this.#fail(this.#damaged());
      return parseJson(text);
    });
  }

  #read<T>(act: () => T): T {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return act();
    } catch (error) {
      throw this.#fail(this.#cannot("read", error));
    }
  }

  #fail(error: StorageError): StorageError {
    return this.#failure ??= error;
  }

  #damaged(): StorageError {
    return refused(this.#folder.file, "it is damaged: a checksum or a number is wrong");
  }

  #cannot(action: string, error: unknown): StorageError {
    const file = shown(this.#folder.file);
    return new StorageError(`Cannot ${action} ${file}: ${errorText(error)}`, { cause: error });
  }
}

class SqliteLog implements StoredLog {
  readonly #storage: SqliteStorage;
  readonly #name: string;

  constructor(storage: SqliteStorage, name: string) {
    this.#storage = storage;
    this.#name = name;
  }

  get base(): number {
    return this.#state.base;
  }

  get last(): number {
    return this.#state.last;
  }

  snapshot(): Json[] {
    return this.#storage.rows("pieces", this.#state, 1, this.#state.pieces);
  }

  entries(): Json[] {
    return this.#storage.rows("entries", this.#state, this.base + 1, this.last);
  }

  append(entries: readonly JsonInput[]): void {
    const texts = entries.map((entry) => JSON.stringify(entry));
    const log = this.#state;
    this.#storage.write(({ append }) => {
      // So that the log's number is known.
      if (log.last === 0) this.#storage.writeLog(log);
      this.#storage.insert(append, log, log.last + 1, texts);
    });
    log.last += texts.length;
  }

  truncate(from: number): void {
    const log = this.#state;
    this.#storage.write(({ truncate }) => void truncate.run(log.id, from));
    log.last = Math.min(log.last, Math.max(log.base, from - 1));
  }

  replace(
    base: number,
    snapshot: readonly JsonInput[],
    options: { readonly dropRest?: boolean | undefined } = {},
  ): void {
    const log = this.#state;
    if (base < log.base) return;
    const texts = snapshot.map((piece) => JSON.stringify(piece));
    const { dropRest = false } = options;
    Object.assign(log, {
      base,
      last: dropRest ? base : Math.max(base, log.last),
      pieces: texts.length,
    });
    this.#storage.write(({ compact, clearPieces, addPiece }) => {
      compact.run(log.id, dropRest ? Number.MAX_SAFE_INTEGER : base);
      clearPieces.run(log.id);
      this.#storage.insert(addPiece, log, 1, texts);
      this.#storage.writeLog(log);
    });
  }

  get #state(): LogState {
    return this.#storage.logState(this.#name);
  }
}
