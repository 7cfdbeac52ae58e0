/**
 * Ways to get storage wrong: what a node writes reaches its disk changed, late, or never.
 *
 * The node itself sees all that it has written, until it ends; and what it sends waits for those
 * writes only that have reached the disk: it answers before the others are durable.
 *
 * @module
 */

import {
  type Clock,
  type Json,
  MemoryStorage,
  type Node,
  parseJson,
  type Storage,
  type StorageWrite,
  type StoredLog,
} from "@eddy/maelstrom";

/** A write that reaches the disk, and how long after it was made. */
export type Forwarded = readonly [write: StorageWrite, afterMs: number];

/** What of a write reaches the disk: itself and at once, if nothing is wrong. */
export type Forward = (write: StorageWrite) => readonly Forwarded[];

/** The name of the value or log that a write is to. */
export function targetOf(write: StorageWrite): string {
  return write.f === "set" ? `value ${write.key}` : `log ${write.log}`;
}

/** What the node's own part does not touch reaches the disk as it is. */
function others(is: (target: string) => boolean, forward: Forward): Forward {
  return (write) => is(targetOf(write)) ? forward(write) : [[write, 0]];
}

/** Writes to the values and logs of these names never reach the disk. */
export function never(is: (target: string) => boolean): Forward {
  return others(is, () => []);
}

/** Writes to the values and logs of these names reach the disk later, in their order. */
export function late(is: (target: string) => boolean, afterMs: number): Forward {
  return others(is, (write) => [[write, afterMs]]);
}

/** Writes to the values and logs of these names reach the disk changed, if at all. */
export function changed(
  is: (target: string) => boolean,
  change: (write: StorageWrite) => StorageWrite | undefined,
): Forward {
  return others(is, (write) => {
    const instead = change(write);
    return instead === undefined ? [] : [[instead, 0]];
  });
}

/** A storage of which a part of what is written, changed or not, reaches the disk. */
class WrongStorage extends MemoryStorage {
  override readonly isDurable: boolean;
  readonly #disk: Storage;
  readonly #clock: Clock;
  readonly #forward: Forward;
  /** What was read from the disk, or never is to be. */
  readonly #seen = new Set<string>();

  constructor(disk: Storage, clock: Clock, forward: Forward) {
    super();
    this.isDurable = disk.isDurable;
    this.#disk = disk;
    this.#clock = clock;
    this.#forward = forward;
  }

  override get isDirty(): boolean {
    return this.#disk.isDirty;
  }

  override get(key: string): Json | undefined {
    if (this.#isFirst(`value ${key}`)) {
      const value = this.#disk.get(key);
      super.write({
        f: "set",
        key,
        value: value === undefined ? undefined : JSON.stringify(value),
      });
    }
    return super.get(key);
  }

  override log(name: string): StoredLog {
    if (this.#isFirst(`log ${name}`)) {
      const log = this.#disk.log(name);
      const texts = (values: readonly Json[]) => values.map((value) => JSON.stringify(value));
      const { base } = log;
      const snapshot = texts(log.snapshot());
      super.write({ f: "replace", log: name, base, snapshot, dropRest: true });
      super.write({ f: "append", log: name, index: base + 1, entries: texts(log.entries()) });
    }
    return super.log(name);
  }

  override write(write: StorageWrite): void {
    this.#seen.add(targetOf(write));
    super.write(write);
    for (const [forwarded, afterMs] of this.#forward(write)) {
      if (afterMs === 0) forwardTo(this.#disk, forwarded);
      else this.#clock.schedule(afterMs, () => forwardTo(this.#disk, forwarded));
    }
  }

  override sync(): void | Promise<void> {
    return this.#disk.sync();
  }

  override close(): void {
    this.#disk.close();
  }

  #isFirst(target: string): boolean {
    const isFirst = !this.#seen.has(target);
    this.#seen.add(target);
    return isFirst;
  }
}

/** Does a write on a disk; what does not fit there, as another never came, is left out. */
function forwardTo(disk: Storage, write: StorageWrite): void {
  if (write.f === "set") {
    disk.set(write.key, write.value === undefined ? undefined : parseJson(write.value));
    return;
  }
  const log = disk.log(write.log);
  if (write.f === "append") {
    const held = log.last + 1 - write.index;
    // What is there already stays.
    if (held >= 0 && held < write.entries.length) {
      log.append(write.entries.slice(held).map(parseJson));
    }
  } else if (write.f === "truncate") {
    if (write.from <= log.last) log.truncate(write.from);
  } else if (write.base >= log.base) {
    const { dropRest } = write;
    log.replace(write.base, write.snapshot.map(parseJson), { dropRest });
  }
}

/**
 * Registers handlers on a node of whose writes not all reach the disk.
 *
 * @param install registers the handlers
 */
export function onWrongStorage(
  forward: Forward,
  install: (node: Node) => void,
): (node: Node) => void {
  return (node: Node): void => {
    // Before the handlers read it in theirs.
    node.onInit(() => {
      const value = new WrongStorage(node.storage, node.clock, forward);
      Object.defineProperty(node, "storage", { value, configurable: true });
    });
    install(node);
  };
}
