/**
 * Long histories in little memory: each property of the operations in an array of its own.
 *
 * Ten million operations, with their completions, take half a gigabyte and what their values take.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { History, Op, OpError, OpType } from "./history.ts";
import type { OpReader } from "./op_reader.ts";
import { KnownTexts, PackedValues } from "./packed_values.ts";

/** How many operations share their arrays. */
const ROWS = 2 ** 16;

const TYPES: readonly OpType[] = ["invoke", "ok", "fail", "info"];

// What else there is of an operation, beside its type.
const TYPE = 3;
const FINAL = 4;
const NOT_FINAL = 8;
const ERROR = 16;

/** The nemesis among the numbers of processes. */
const NEMESIS = -1;

/** How many names of one kind there may be. */
const MAX_NAMES = 2 ** 16;

/** The properties of some operations in a row. */
class OpRows {
  readonly times = new Float64Array(ROWS);
  readonly marks = new Uint8Array(ROWS);
  readonly processes = new Int32Array(ROWS);
  readonly fs = new Uint16Array(ROWS);
  /** 0 for an operation without a node. */
  readonly nodes = new Uint16Array(ROWS);
  /** Where values begin. */
  readonly starts = new Uint32Array(ROWS);
  /** Values, and errors after them. */
  readonly values: PackedValues;
  /** Only where an operation's index is not its position. */
  indexes: Float64Array | undefined;

  constructor(texts: KnownTexts) {
    this.values = new PackedValues(texts);
  }
}

/** A history in columns; operations are added at its end. */
export class OpColumns implements History, OpReader {
  #length = 0;
  readonly #rows: OpRows[] = [];
  readonly #texts = new KnownTexts();
  readonly #fs = new NameNumbers();
  readonly #nodes = new NameNumbers();
  /** Operations that the columns cannot hold, by their position. */
  readonly #others = new Map<number, Op>();

  constructor() {
    // The number of no node.
    this.#nodes.numberOf("");
  }

  /** How many operations there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds an operation. */
  push(op: Op): void {
    const position = this.#length++;
    const row = position % ROWS;
    if (row === 0) {
      this.#rows.at(-1)?.values.trim();
      this.#rows.push(new OpRows(this.#texts));
    }
    const rows = this.#rows.at(-1);
    if (rows === undefined) return;
    const process = op.process === "nemesis" ? NEMESIS : op.process;
    const [f, node] = [
      this.#fs.numberOf(op.f),
      op.node === undefined ? 0 : this.#nodes.numberOf(op.node, 1),
    ];
    const isOdd = (process | 0) !== process || Object.is(process, -0) ||
      (process < 0 && op.process !== "nemesis") || op.value === undefined;
    rows.times[row] = op.time;
    rows.marks[row] = TYPES.indexOf(op.type);
    rows.starts[row] = rows.values.size;
    if (isOdd || f === undefined || node === undefined) {
      this.#others.set(position, op);
      return;
    }
    rows.processes[row] = process;
    rows.fs[row] = f;
    rows.nodes[row] = node;
    if (op.index !== position) rows.indexes ??= positionsFrom(position - row);
    if (rows.indexes !== undefined) rows.indexes[row] = op.index;
    rows.values.add(op.value);
    this.#addRest(rows, row, op);
  }

  #addRest(rows: OpRows, row: number, { error, final }: Op): void {
    let mark = rows.marks[row] ?? 0;
    if (final !== undefined) mark |= final ? FINAL : NOT_FINAL;
    if (error !== undefined) {
      mark |= ERROR;
      rows.values.add(error.code ?? null);
      rows.values.add(error.text);
    }
    rows.marks[row] = mark;
  }

  /** The operation at a position, from the end if that is below 0; undefined where there is none. */
  at(position: number): Op | undefined {
    const place = position < 0 ? this.#length + position : position;
    return place >= 0 && place < this.#length ? this.opAt(place) : undefined;
  }

  /** All operations in order, each made when it is its turn. */
  *[Symbol.iterator](): Generator<Op> {
    for (let position = 0; position < this.#length; position++) yield this.opAt(position);
  }

  opAt(position: number): Op {
    const other = this.#others.size > 0 ? this.#others.get(position) : undefined;
    if (other !== undefined) return other;
    const [rows, row] = [this.#rowsOf(position), position % ROWS];
    const mark = rows.marks[row] ?? 0;
    const [final, node] = [this.finalAt(position), this.nodeAt(position)];
    const op: { -readonly [Key in keyof Op]: Op[Key] } = {
      index: rows.indexes?.[row] ?? position,
      time: rows.times[row] ?? 0,
      type: this.typeAt(position),
      process: this.processAt(position),
      f: this.fAt(position),
      value: this.valueAt(position),
    };
    if ((mark & ERROR) !== 0) op.error = errorOf(rows.values);
    if (final !== undefined) op.final = final;
    if (node !== undefined) op.node = node;
    return op;
  }

  typeAt(position: number): OpType {
    return TYPES[(this.#rowsOf(position).marks[position % ROWS] ?? 0) & TYPE] ?? "info";
  }

  processAt(position: number): Op["process"] {
    const other = this.#others.size > 0 ? this.#others.get(position) : undefined;
    if (other !== undefined) return other.process;
    const process = this.#rowsOf(position).processes[position % ROWS] ?? NEMESIS;
    return process === NEMESIS ? "nemesis" : process;
  }

  nodeAt(position: number): string | undefined {
    const other = this.#others.size > 0 ? this.#others.get(position) : undefined;
    if (other !== undefined) return other.node;
    const node = this.#rowsOf(position).nodes[position % ROWS] ?? 0;
    return node === 0 ? undefined : this.#nodes.nameOf(node);
  }

  fAt(position: number): string {
    const other = this.#others.size > 0 ? this.#others.get(position) : undefined;
    return other?.f ?? this.#fs.nameOf(this.#rowsOf(position).fs[position % ROWS] ?? 0);
  }

  timeAt(position: number): number {
    return this.#rowsOf(position).times[position % ROWS] ?? 0;
  }

  finalAt(position: number): boolean | undefined {
    const other = this.#others.size > 0 ? this.#others.get(position) : undefined;
    if (other !== undefined) return other.final;
    const mark = this.#rowsOf(position).marks[position % ROWS] ?? 0;
    return (mark & FINAL) !== 0 ? true : (mark & NOT_FINAL) !== 0 ? false : undefined;
  }

  valueAt(position: number): Json {
    const other = this.#others.size > 0 ? this.#others.get(position) : undefined;
    if (other !== undefined) return (other.value as Json | undefined) ?? null;
    const rows = this.#rowsOf(position);
    return rows.values.read(rows.starts[position % ROWS] ?? 0);
  }

  #rowsOf(position: number): OpRows {
    const rows = this.#rows[(position / ROWS) | 0];
    if (rows === undefined) {
      throw new RangeError(`Cannot read operation ${position}: there is none`);
    }
    return rows;
  }
}

/** The error that follows the value read last. */
function errorOf(values: PackedValues): OpError {
  const [code, text] = [values.readNext(), String(values.readNext())];
  return typeof code === "number" ? { code, text } : { text };
}

function positionsFrom(first: number): Float64Array {
  return Float64Array.from({ length: ROWS }, (_, row) => first + row);
}

/** Few different names, by number. */
class NameNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];

  /**
   * The number of a name; undefined where there are too many of them.
   *
   * @param least the least number that it may have
   */
  numberOf(name: string, least = 0): number | undefined {
    const known = this.#numbers.get(name);
    if (known !== undefined && known >= least) return known;
    if (this.#names.length >= MAX_NAMES) return undefined;
    this.#numbers.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  nameOf(number: number): string {
    return this.#names[number] ?? "";
  }
}
