/**
 * Each key's log, as what was sent and polled shows it.
 *
 * @module
 */

import {
  type KafkaHistory,
  type LogMessage,
  type Offset,
  type Operation,
  READER,
} from "./operations.ts";

/** One offset of a log, and who first put each of its messages there. */
export interface Slot {
  readonly offset: Offset;
  /** One message, unless the log contradicts itself. */
  readonly messages: ReadonlyMap<LogMessage, Operation>;
}

/** A message that an operation put at an offset, the first of those that did. */
interface Placement {
  readonly message: LogMessage;
  readonly offset: Offset;
  /** The operation's id. */
  readonly by: number;
}

/** A key's log with its gaps squeezed out: an index counts offsets that hold something. */
export class DenseLog {
  readonly key: string;
  readonly #history: KafkaHistory;
  /** By offset, and of one offset in the order in which they were put there. */
  readonly #placements: readonly Placement[];
  /** Where the placements of each index begin; undefined where each has one. */
  readonly #starts: readonly number[] | undefined;

  constructor(history: KafkaHistory, key: string, placements: readonly Placement[]) {
    this.key = key;
    this.#history = history;
    this.#placements = placements.toSorted((a, b) =>
      a.offset < b.offset ? -1 : Number(a.offset > b.offset)
    );
    const starts = this.#placements.flatMap(({ offset }, i) =>
      offset === this.#placements[i - 1]?.offset ? [] : [i]
    );
    this.#starts = starts.length === placements.length ? undefined : starts;
  }

  /** How many offsets hold something. */
  get length(): number {
    return this.#starts?.length ?? this.#placements.length;
  }

  /** All offsets, and what they hold. */
  get slots(): Slot[] {
    return Array.from({ length: this.length }, (_, index) => this.#slot(index));
  }

  /** What stands at an index; undefined where there is none. */
  slotAt(index: number): Slot | undefined {
    return index >= 0 && index < this.length ? this.#slot(index) : undefined;
  }

  /** The offset of an index; undefined where there is none. */
  offsetAt(index: number): Offset | undefined {
    return this.#placements[this.#start(index)]?.offset;
  }

  /** How many messages an index has. */
  countAt(index: number): number {
    return this.#start(index + 1) - this.#start(index);
  }

  #start(index: number): number {
    return this.#starts === undefined ? index : this.#starts[index] ?? this.#placements.length;
  }

  #slot(index: number): Slot {
    const some = this.#placements.slice(this.#start(index), this.#start(index + 1));
    return {
      offset: some[0]?.offset ?? 0,
      messages: new Map(some.map(({ message, by }) => [message, this.#history.at(by)])),
    };
  }

  /** The messages of each index, the first that was put there first. */
  *placed(): Generator<
    { readonly message: LogMessage; readonly index: number; readonly isFirst: boolean }
  > {
    for (let index = 0; index < this.length; index++) {
      for (let i = this.#start(index); i < this.#start(index + 1); i++) {
        const message = this.#placements[i]?.message;
        if (message !== undefined) yield { message, index, isFirst: i === this.#start(index) };
      }
    }
  }
}

/** The logs of all keys, and where their messages stand. */
export class Logs {
  readonly #byKey = new Map<string, DenseLog>();
  /** By message: the index, plus 1, where it stands alone or as the first. */
  readonly #indexes: Int32Array;
  /** By message: the lowest index, plus 1, where it was seen. */
  readonly #lowest: Int32Array;
  /** Every index of the messages that were seen at several, lowest first. */
  readonly #several = new Map<LogMessage, number[]>();

  constructor(history: KafkaHistory, placements: ReadonlyMap<string, readonly Placement[]>) {
    this.#indexes = new Int32Array(history.messageCount);
    this.#lowest = new Int32Array(history.messageCount);
    for (const [key, ofKey] of placements) {
      const log = new DenseLog(history, key, ofKey);
      this.#byKey.set(key, log);
      for (const { message, index, isFirst } of log.placed()) {
        if (isFirst) this.#indexes[message.id] = index + 1;
        this.#see(message, index);
      }
    }
  }

  #see(message: LogMessage, index: number): void {
    const lowest = this.#lowest[message.id] ?? 0;
    if (lowest === 0) {
      this.#lowest[message.id] = index + 1;
      return;
    }
    const several = this.#several.get(message);
    if (several === undefined) this.#several.set(message, [lowest - 1, index]);
    else several.push(index);
  }

  /** The log of a key. */
  get(key: string): DenseLog | undefined {
    return this.#byKey.get(key);
  }

  /** All logs. */
  values(): IterableIterator<DenseLog> {
    return this.#byKey.values();
  }

  /** The index where a message stands; where several claim an offset, the first alone does. */
  indexOf(message: LogMessage): number | undefined {
    const index = this.#indexes[message.id] ?? 0;
    return index === 0 ? undefined : index - 1;
  }

  /** The lowest index where a message was seen. */
  lowestOf(message: LogMessage): number | undefined {
    const index = this.#lowest[message.id] ?? 0;
    return index === 0 ? undefined : index - 1;
  }

  /** Every index where a message was seen, lowest first. */
  placesOf(message: LogMessage): readonly number[] {
    const lowest = this.lowestOf(message);
    return this.#several.get(message) ?? (lowest === undefined ? [] : [lowest]);
  }

  /** The messages of a log, by their lowest indexes. */
  *messagesOf(log: DenseLog): Generator<LogMessage> {
    for (const { message, index } of log.placed()) {
      if (this.lowestOf(message) === index) yield message;
    }
  }
}

/**
 * Gathers the logs from all polls, and from sends that happened: acknowledged ones, and indefinite
 * ones of which a poll returned something.
 *
 * Offsets may leave gaps of any size; time and space go by how many are used.
 */
export function readLogs(history: KafkaHistory): Logs {
  const placements = new Map<string, Placement[]>();
  for (const key of history.messages.keys()) placements.set(key, []);
  /** By message, the offset where it was put first; the others where there are any. */
  const first = new Array<Offset | undefined>(history.messageCount);
  const others = new Map<LogMessage, Set<Offset>>();
  const place = (message: LogMessage, offset: Offset | undefined, by: number) => {
    if (offset === undefined) return;
    const known = first[message.id];
    if (known === offset || others.get(message)?.has(offset)) return;
    if (known === undefined) first[message.id] = offset;
    else {
      const set = others.get(message) ?? new Set();
      others.set(message, set.add(offset));
    }
    placements.get(message.key)?.push({ message, offset, by });
  };
  for (const operation of history) {
    const { id, sends, reads } = operation;
    if (sends.length > 0 && happened(operation, history)) {
      for (const { message, offset } of sends) place(message, offset, id);
    }
    for (const list of reads.values()) {
      for (const { message, offset } of list) place(message, offset, id);
    }
  }
  return new Logs(history, placements);
}

/** Whether a send took place: it was acknowledged, or a poll returned something of it. */
export function happened({ type, sends }: Operation, history: KafkaHistory): boolean {
  return type === "ok" ||
    type === "info" && sends.some(({ message }) => history.hasRole(message.id, READER));
}
