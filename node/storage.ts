/**
 * What of a node's state outlives its process: small values, and logs with a snapshot each.
 *
 * Handlers write when they like and wait for nothing: a node holds back whatever it sends after a
 * write until a sync has made that write durable, and what was written meanwhile shares the next
 * sync. To everybody else the node behaves as if each write were durable at once (Nightingale et
 * al., "Rethink the sync", OSDI 2006, section 2).
 *
 * @module
 */

import { type Json, type JsonInput, parseJson } from "./json.ts";

/**
 * A node's storage.
 *
 * After a crash there is all that the last sync covered. Of what was written after it, each value is
 * the old one or a new one, and each log has had a prefix of its writes, of the last append perhaps
 * only the first entries.
 */
export interface Storage {
  /** Whether it outlives the process. If not, nothing needs to be written to it. */
  readonly isDurable: boolean;
  /** Whether something was written that no sync has made durable yet. */
  readonly isDirty: boolean;
  /** The value of a key, or undefined; each call returns a new copy. */
  get(key: string): Json | undefined;
  /** Sets the value of a key; undefined removes it. */
  set(key: string, value: JsonInput | undefined): void;
  /** The log of a name; an empty one if nothing was ever written to it. */
  log(name: string): StoredLog;
  /**
   * Makes durable what was written up to now. A node calls it by itself; two never overlap.
   *
   * @throws {StorageError} if that fails; then it is not known what is durable, and the node ends.
   */
  sync(): void | Promise<void>;
  /** Lets another process open it. */
  close(): void;
}

/** Entries with consecutive numbers from 1 up. A snapshot stands for those up to its number. */
export interface StoredLog {
  /** The number of the last entry that the snapshot stands for; 0 if there is none. */
  readonly base: number;
  /** The number of the last entry; {@linkcode StoredLog.base} if none follows the snapshot. */
  readonly last: number;
  /** The snapshot, in the pieces in which it was written; none if there is no snapshot. */
  snapshot(): Json[];
  /** All entries after the snapshot. */
  entries(): Json[];
  /** Adds entries at the end. */
  append(entries: readonly JsonInput[]): void;
  /** Drops the entries from a number on. */
  truncate(from: number): void;
  /**
   * Sets a snapshot, and drops the entries that it stands for, both or neither.
   *
   * @param base the number of the last entry that it stands for
   * @param options with `dropRest`, to drop the entries after it, too
   */
  replace(
    base: number,
    snapshot: readonly JsonInput[],
    options?: { /** @default false */ readonly dropRest?: boolean | undefined },
  ): void;
}

/** Opens a node's storage at `init`, when its name is known. */
export type OpenStorage = (nodeId: string) => Storage | Promise<Storage>;

/** Why a storage cannot be opened or written; the node that needs it ends. */
export class StorageError extends Error {
  /** The exit code of the process: 74, EX_IOERR of sysexits(3), or 3 for data that is refused. */
  readonly exitCode: number;

  /** Makes an error with a sentence for the user. */
  constructor(
    message: string,
    options: { readonly exitCode?: 3 | 74; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "StorageError";
    this.exitCode = options.exitCode ?? 74;
  }
}

/** A write, with all values as JSON texts: what a storage keeps until a sync. */
export type StorageWrite =
  | { readonly f: "set"; readonly key: string; readonly value: string | undefined }
  | {
    readonly f: "append";
    readonly log: string;
    /** The number of the first of the entries. */
    readonly index: number;
    readonly entries: readonly string[];
  }
  | { readonly f: "truncate"; readonly log: string; readonly from: number }
  | {
    readonly f: "replace";
    readonly log: string;
    readonly base: number;
    readonly snapshot: readonly string[];
    readonly dropRest: boolean;
  };

/** The content of a log of a {@linkcode MemoryStorage}, as JSON texts. */
interface LogContent {
  base: number;
  snapshot: readonly string[];
  entries: string[];
}

/** A storage that ends with the process; and the content of any other. */
export class MemoryStorage implements Storage {
  readonly isDurable: boolean = false;
  readonly #values = new Map<string, string>();
  readonly #logs = new Map<string, LogContent>();

  /** Makes an empty one, or one with a copy of another's content. */
  constructor(content?: MemoryStorage) {
    if (content === undefined) return;
    for (const [key, text] of content.#values) this.#values.set(key, text);
    for (const [name, log] of content.#logs) {
      this.#logs.set(name, { ...log, entries: [...log.entries] });
    }
  }

  get isDirty(): boolean {
    return false;
  }

  get(key: string): Json | undefined {
    const text = this.#values.get(key);
    return text === undefined ? undefined : parseJson(text);
  }

  set(key: string, value: JsonInput | undefined): void {
    this.write({ f: "set", key, value: value === undefined ? undefined : JSON.stringify(value) });
  }

  log(name: string): StoredLog {
    return new MemoryLog(this, name, () => this.#content(name));
  }

  /** Does a write; one that does not fit what is there, as after another was lost, is left out. */
  write(write: StorageWrite): void {
    if (write.f === "set") {
      if (write.value === undefined) this.#values.delete(write.key);
      else this.#values.set(write.key, write.value);
      return;
    }
    const log = this.#content(write.log);
    const end = log.base + log.entries.length;
    if (write.f === "append") {
      if (write.index !== end + 1) return;
      for (const entry of write.entries) log.entries.push(entry);
    } else if (write.f === "truncate") {
      log.entries.length = Math.min(log.entries.length, Math.max(0, write.from - log.base - 1));
    } else if (write.base >= log.base) {
      log.entries = write.dropRest ? [] : log.entries.slice(write.base - log.base);
      log.base = write.base;
      log.snapshot = write.snapshot;
    }
  }

  sync(): void | Promise<void> {}

  close(): void {}

  #content(name: string): LogContent {
    let log = this.#logs.get(name);
    if (log === undefined) {
      log = { base: 0, snapshot: [], entries: [] };
      this.#logs.set(name, log);
    }
    return log;
  }
}

class MemoryLog implements StoredLog {
  readonly #storage: MemoryStorage;
  readonly #name: string;
  readonly #content: () => LogContent;

  constructor(storage: MemoryStorage, name: string, content: () => LogContent) {
    this.#storage = storage;
    this.#name = name;
    this.#content = content;
  }

  get base(): number {
    return this.#content().base;
  }

  get last(): number {
    const { base, entries } = this.#content();
    return base + entries.length;
  }

  snapshot(): Json[] {
    return this.#content().snapshot.map(parseJson);
  }

  entries(): Json[] {
    return this.#content().entries.map(parseJson);
  }

  append(entries: readonly JsonInput[]): void {
    const texts = entries.map((entry) => JSON.stringify(entry));
    this.#storage.write({ f: "append", log: this.#name, index: this.last + 1, entries: texts });
  }

  truncate(from: number): void {
    this.#storage.write({ f: "truncate", log: this.#name, from });
  }

  replace(
    base: number,
    snapshot: readonly JsonInput[],
    options: { readonly dropRest?: boolean | undefined } = {},
  ): void {
    const { dropRest = false } = options;
    const texts = snapshot.map((piece) => JSON.stringify(piece));
    this.#storage.write({ f: "replace", log: this.#name, base, snapshot: texts, dropRest });
  }
}
