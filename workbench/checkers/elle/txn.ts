/**
 * A history read as transactions, with keys and values turned into small integers.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { History, Op, OpType } from "../../history.ts";
import { Integers } from "../../number_lists.ts";
import { type OpReader, readerOf } from "../../op_reader.ts";
import { keyOf } from "../checker.ts";

/** The version of a list to which nothing has been appended. */
export const INITIAL = -1;

/** One micro-operation. */
export interface Mop {
  readonly read: boolean;
  readonly key: number;
  /** The value written or, for registers, read; for lists the last element read. */
  readonly version: number;
  /** The elements that a read of a list found; `null` if it found no list or has no reply. */
  readonly list?: readonly number[] | null;
}

/** One transaction: its invocation and its completion. */
export interface Txn {
  /** Its place among the transactions, which are in the order of their completion. */
  readonly id: number;
  /** A transaction without a completion is `info`. */
  readonly type: "ok" | "fail" | "info";
  /** Its completion, or its invocation if it has none. */
  readonly op: Op;
  readonly invoke: Op | undefined;
  readonly mops: readonly Mop[];
  /** The micro-operations of the invocation; undefined without one that is well formed. */
  readonly request: readonly Mop[] | undefined;
}

/** A completion's or invocation's fault: one of its micro-operations, or else its whole value. */
export interface MalformedValue {
  readonly op: Op;
  readonly mop?: Json | undefined;
}

/** The transactions of a history. */
export interface Transactions {
  /** The micro-operation that writes: `append` for lists, `w` for registers. */
  readonly write: "append" | "w";
  readonly txns: Txns;
  /** Invocations and ok completions in order: a transaction's id, or its complement when ok. */
  readonly events: Integers;
  readonly names: Names;
  readonly malformed: readonly MalformedValue[];
}

/** Of each key the versions of the integers below this have a place in an array. */
const SMALL = 31;

/** Numbers for keys, and for the values of each key. */
class Names {
  readonly #keys = new Map<number | string, number>();
  /** For each key the versions, plus 1, of small integers and, last, of `null`. */
  readonly #small = new Integers();
  /** The versions of other values, by key. */
  readonly #others = new Map<number, Map<number | string, number>>();
  /** Each key as it was written. */
  readonly keys: Json[] = [];
  /** Each value as it was written. */
  readonly values: Json[] = [];
  /** The key each value belongs to. */
  readonly keyOf = new Integers();

  /** The number of a key. */
  key(key: Json): number {
    const name = keyOf(key);
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    this.#keys.set(name, this.keys.length);
    for (let i = 0; i <= SMALL; i++) this.#small.push(0);
    return this.keys.push(key) - 1;
  }

  /** The number of a key's value. */
  version(key: number, value: Json): number {
    const name = keyOf(value);
    const small = value === null ? SMALL : typeof name === "number" && name < SMALL ? name : -1;
    if (small >= 0 && Number.isInteger(small)) {
      const place = key * (SMALL + 1) + small;
      const known = this.#small.at(place);
      if (known > 0) return known - 1;
      this.#small.set(place, this.values.length + 1);
      return this.#add(key, value);
    }
    let others = this.#others.get(key);
    if (others === undefined) this.#others.set(key, others = new Map());
    const known = others.get(name);
    if (known !== undefined) return known;
    others.set(name, this.values.length);
    return this.#add(key, value);
  }

  #add(key: number, value: Json): number {
    this.keyOf.push(key);
    return this.values.push(value) - 1;
  }
}

/** Up to so many transactions are made once and kept. */
const MAX_KEPT = 2 ** 16;

/** What a micro-operation is, beside its key and version. */
const WRITE = 0;
const READ = 1;
const READ_NULL = 2;
const READ_LIST = 3;

/** The types of transactions, and behind them whether the request is as the reply lets expect. */
const TYPES = ["ok", "fail", "info"] as const;
const EXPECTED = 4;
const WITHOUT = 8;

/** The transactions of a history, in columns; each is made when it is asked for. */
export class Txns {
  readonly #ops: OpReader;
  readonly #names: Names;
  readonly #isList: boolean;
  readonly #marks = new Integers();
  /** The positions of their completions, or invocations if they have none, and of invocations. */
  readonly #ends = new Integers();
  readonly #begins = new Integers();
  /** Where their micro-operations end, and those of their requests after them. */
  readonly #mopEnds = new Integers();
  readonly #requestEnds = new Integers();
  /** The keys of micro-operations, four times, with what they are; and their versions. */
  readonly #keys = new Integers();
  readonly #versions = new Integers();
  /** Where the elements of lists end. */
  readonly #elementEnds = new Integers();
  readonly #elements = new Integers();
  /** All of them, as long as they are few. */
  #kept: Txn[] | undefined = [];

  constructor(ops: OpReader, names: Names, isList: boolean) {
    this.#ops = ops;
    this.#names = names;
    this.#isList = isList;
  }

  /** How many there are. */
  get length(): number {
    return this.#marks.length;
  }

  /** Adds one, and returns its id. */
  add(
    type: Txn["type"],
    { end, begin, mops, request }: {
      readonly end: number;
      /** -1 for one without an invocation. */
      readonly begin: number;
      readonly mops: readonly Mop[];
      readonly request: readonly Mop[] | undefined;
    },
  ): number {
    this.#ends.push(end);
    this.#begins.push(begin);
    for (const mop of mops) this.#addMop(mop);
    this.#mopEnds.push(this.#keys.length);
    const isExpected = request !== undefined && this.#isRequestOf(request, mops);
    if (!isExpected) { for (const mop of request ?? []) this.#addMop(mop); }
    this.#requestEnds.push(this.#keys.length);
    const how = isExpected ? EXPECTED : request === undefined ? WITHOUT : 0;
    const id = this.#marks.push(TYPES.indexOf(type) | how);
    if (id >= MAX_KEPT) this.#kept = undefined;
    this.#kept?.push(this.#make(id, mops, () => request));
    return id;
  }

  #addMop({ read, key, version, list }: Mop): void {
    const kind = !read ? WRITE : list === undefined ? READ : list === null ? READ_NULL : READ_LIST;
    this.#keys.push(4 * key + kind);
    this.#versions.push(version);
    for (const element of list ?? []) this.#elements.push(element);
    this.#elementEnds.push(this.#elements.length);
  }

  /** Whether a request is that of a reply in which only what was read is added. */
  #isRequestOf(request: readonly Mop[], mops: readonly Mop[]): boolean {
    return request.length === mops.length && request.every((asked, i) => {
      const mop = mops[i];
      if (mop?.read !== asked.read || mop.key !== asked.key) return false;
      if (!asked.read) return mop.version === asked.version;
      return this.#isList ? asked.list === null : this.#names.values[asked.version] === null;
    });
  }

  /** The version of a read that does not know it yet. */
  #unread(key: number): number {
    return this.#isList ? INITIAL : this.#names.version(key, null);
  }

  /** How a transaction ended. */
  typeOf(id: number): Txn["type"] {
    return TYPES[this.#marks.at(id) & 3] ?? "info";
  }

  /** Who ran it. */
  processOf(id: number): Op["process"] {
    return this.#ops.processAt(this.#ends.at(id));
  }

  /** A transaction. */
  at(id: number): Txn {
    const kept = this.#kept?.[id];
    if (kept !== undefined) return kept;
    const mops = this.#mops(this.#requestEnds.at(id - 1), this.#mopEnds.at(id));
    return this.#make(id, mops, () => this.#request(id, mops));
  }

  /** All of them in order, each made when it is its turn. */
  [Symbol.iterator](): Iterator<Txn> {
    return this.#kept?.[Symbol.iterator]() ?? this.#each();
  }

  *#each(): Generator<Txn> {
    for (let id = 0; id < this.length; id++) yield this.at(id);
  }

  #make(id: number, mops: readonly Mop[], request: TxnParts["request"]): Txn {
    const [end, begin] = [this.#ends.at(id), this.#begins.at(id)];
    return new LazyTxn(id, this.typeOf(id), mops, {
      op: () => this.#ops.opAt(end),
      invoke: begin < 0 || begin === end ? undefined : () => this.#ops.opAt(begin),
      isOpen: begin === end,
      request,
    });
  }

  #request(id: number, mops: readonly Mop[]): readonly Mop[] | undefined {
    const mark = this.#marks.at(id);
    if ((mark & WITHOUT) !== 0) return undefined;
    if ((mark & EXPECTED) === 0) return this.#mops(this.#mopEnds.at(id), this.#requestEnds.at(id));
    return mops.map((mop): Mop => {
      if (!mop.read) return mop;
      const asked = { read: true, key: mop.key, version: this.#unread(mop.key) };
      return this.#isList ? { ...asked, list: null } : asked;
    });
  }

  #mops(begin: number, end: number): Mop[] {
    const mops: Mop[] = [];
    for (let i = begin; i < end; i++) {
      const [key, version] = [this.#keys.at(i) >> 2, this.#versions.at(i)];
      const kind = this.#keys.at(i) & 3;
      if (kind === WRITE || kind === READ) mops.push({ read: kind === READ, key, version });
      else mops.push({ read: true, key, version, list: kind === READ_NULL ? null : this.#list(i) });
    }
    return mops;
  }

  #list(mop: number): number[] {
    const list: number[] = [];
    const end = this.#elementEnds.at(mop);
    for (let i = mop === 0 ? 0 : this.#elementEnds.at(mop - 1); i < end; i++) {
      list.push(this.#elements.at(i));
    }
    return list;
  }
}

/** How the rest of a transaction is made. */
interface TxnParts {
  readonly op: () => Op;
  readonly invoke: (() => Op) | undefined;
  /** Whether it has no completion. */
  readonly isOpen: boolean;
  readonly request: () => readonly Mop[] | undefined;
}

/** A transaction whose operations are made when they are asked for. */
class LazyTxn implements Txn {
  readonly id: number;
  readonly type: Txn["type"];
  readonly mops: readonly Mop[];
  readonly #parts: TxnParts;
  #op: Op | undefined;
  #invoke: Op | undefined;

  constructor(id: number, type: Txn["type"], mops: readonly Mop[], parts: TxnParts) {
    this.id = id;
    this.type = type;
    this.mops = mops;
    this.#parts = parts;
  }

  get op(): Op {
    return this.#op ??= this.#parts.op();
  }

  get invoke(): Op | undefined {
    return this.#parts.isOpen ? this.op : this.#invoke ??= this.#parts.invoke?.();
  }

  get request(): readonly Mop[] | undefined {
    return this.#parts.request();
  }
}

/**
 * Reads the transactions of a history.
 *
 * @param history all operations; those of the nemesis and those other than `txn` are left out.
 * @param write the micro-operation that writes.
 */
export function readTransactions(history: History, write: Transactions["write"]): Transactions {
  return new TxnReader(readerOf(history), write).read();
}

interface Open {
  /** The position of the invocation; -1 where there is none. */
  readonly invoke: number;
  /** The place among `events` to be filled in once the transaction's id is known. */
  readonly event: number;
}

class TxnReader {
  readonly #ops: OpReader;
  readonly #write: Transactions["write"];
  readonly #names = new Names();
  readonly #txns: Txns;
  readonly #events = new Integers();
  readonly #malformed: MalformedValue[] = [];
  readonly #open = new Map<number, Open>();

  constructor(ops: OpReader, write: Transactions["write"]) {
    this.#ops = ops;
    this.#write = write;
    this.#txns = new Txns(ops, this.#names, write === "append");
  }

  read(): Transactions {
    const ops = this.#ops;
    for (let position = 0; position < ops.length; position++) {
      const process = ops.processAt(position);
      if (typeof process !== "number" || ops.fAt(position) !== "txn") continue;
      const type = ops.typeAt(position);
      if (type === "invoke") this.#invoke(position, process);
      else this.#complete(position, process, type);
    }
    for (const open of this.#open.values()) this.#abandon(open);
    return {
      write: this.#write,
      txns: this.#txns,
      events: this.#events,
      names: this.#names,
      malformed: this.#malformed,
    };
  }

  #invoke(position: number, process: number): void {
    const earlier = this.#open.get(process);
    if (earlier !== undefined) this.#abandon(earlier);
    this.#open.set(process, { invoke: position, event: this.#events.push(0) });
  }

  #abandon(open: Open): void {
    if (open.invoke >= 0) this.#add(open, open.invoke, "info");
  }

  #complete(position: number, process: number, type: Txn["type"]): void {
    const open = this.#open.get(process) ?? { invoke: -1, event: -1 };
    this.#open.delete(process);
    const id = this.#add(open, position, type);
    if (type === "ok") this.#events.push(~id);
  }

  #add({ invoke, event }: Open, end: number, type: Txn["type"]): number {
    const request = invoke < 0 ? undefined : this.#mops(invoke);
    const own = end === invoke ? request : this.#mops(end, type === "ok" || request === undefined);
    const mops = own ?? request ?? [];
    const id = this.#txns.add(type, { end, begin: invoke, mops, request });
    if (event >= 0) this.#events.set(event, id);
    return id;
  }

  /**
   * An operation's micro-operations, or undefined if it is malformed.
   *
   * @param report whether that is noted: a failed or unknown operation may have another value.
   */
  #mops(position: number, report = true): Mop[] | undefined {
    const fail = (mop?: Json): undefined => {
      if (report) this.#malformed.push({ op: this.#ops.opAt(position), mop });
    };
    const [value, type] = [this.#ops.valueAt(position), this.#ops.typeAt(position)];
    if (!Array.isArray(value)) return fail();
    const mops: Mop[] = [];
    for (const each of value) {
      const isWhole = Array.isArray(each) && (each.length === 3 || isShortRead(each, type));
      const mop = isWhole ? this.#mop(each) : undefined;
      if (mop === undefined) return fail(each);
      mops.push(mop);
    }
    return mops;
  }

  #mop([f, keyName = null, value = null]: readonly Json[]): Mop | undefined {
    if (f !== "r" && f !== this.#write) return undefined;
    const key = this.#names.key(keyName);
    if (f === this.#write || this.#write === "w") {
      return { read: f === "r", key, version: this.#names.version(key, value) };
    }
    if (value !== null && !Array.isArray(value)) return undefined;
    const list = value?.map((element) => this.#names.version(key, element)) ?? null;
    return { read: true, key, version: list?.at(-1) ?? INITIAL, list };
  }
}

/** A read that leaves out what it does not know yet. */
function isShortRead(mop: readonly Json[], type: OpType): boolean {
  return mop.length === 2 && mop[0] === "r" && type !== "ok";
}
