/**
 * JSON values one after another in bytes, in a fraction of the memory that they take as objects.
 *
 * Small integers take one byte, longer ones a few, texts that come again their number, and lists of
 * integers the differences from one to the next. A value is read back from the place where it begins.
 *
 * @module
 */

import { isRawNumber, type Json, parseJson } from "@eddy/maelstrom";

/** What a value begins with; after the last come small integers, in the tag itself. */
const Tag = {
  Null: 0,
  False: 1,
  True: 2,
  /** A number by its eight bytes. */
  Double: 3,
  /** An integer from 0 up to 2^53. */
  Positive: 4,
  /** One below 0, by its amount. */
  Negative: 5,
  /** A text by its number. */
  Known: 6,
  /** A text of characters of one byte. */
  Narrow: 7,
  /** A text of characters of two bytes. */
  Wide: 8,
  /** A number by its text. */
  Raw: 9,
  List: 10,
  /** A list of integers, as differences. */
  Integers: 11,
  Object: 12,
  Small: 13,
} as const;

/** The greatest integer that is a tag. */
const MAX_SMALL = 255 - Tag.Small;

/** How many different texts get a number; longer ones do not. */
const MAX_KNOWN = 2 ** 16;
const MAX_KNOWN_CHARS = 64;

/** Integers whose differences fit 32 bits. */
const MAX_DIFFERENCE = 2 ** 30;

/** Shorter lists are written element by element. */
const MIN_INTEGERS = 3;

/** How many characters are put together at a time: a call takes so many arguments. */
const PIECE = 4096;

/** Texts that were met, and their numbers. */
export class KnownTexts {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  /** The number of a text; undefined where it has none and gets none any more. */
  numberOf(text: string): number | undefined {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.#texts.length >= MAX_KNOWN) return undefined;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  /** The text that has a number. */
  textOf(number: number): string {
    return this.#texts[number] ?? "";
  }
}

/** Values in bytes, in the order in which they were added. */
export class PackedValues {
  readonly #texts: KnownTexts;
  #bytes = new Uint8Array(256);
  #used = 0;
  /** Where the next byte is read. */
  #at = 0;

  /** @param texts those met so far, which values of other bytes may share */
  constructor(texts: KnownTexts) {
    this.#texts = texts;
  }

  /** How many bytes there are: where the next value begins. */
  get size(): number {
    return this.#used;
  }

  /** Adds a value. */
  add(value: Json): void {
    if (typeof value === "number") this.#addNumber(value);
    else if (typeof value === "string") this.#addText(value);
    else if (value === null) this.#byte(Tag.Null);
    else if (typeof value === "boolean") this.#byte(value ? Tag.True : Tag.False);
    else if (Array.isArray(value)) this.#addList(value);
    else if (isRawNumber(value)) {
      this.#byte(Tag.Raw);
      this.#addText(value.rawJSON);
    } else {
      const keys = Object.keys(value);
      this.#byte(Tag.Object);
      this.#addCount(keys.length);
      for (const key of keys) {
        this.#addText(key);
        this.add(value[key] ?? null);
      }
    }
  }

  /** The value that begins at a byte, made anew each time. */
  read(start: number): Json {
    this.#at = start;
    return this.#next();
  }

  /** The value after the one read last. */
  readNext(): Json {
    return this.#next();
  }

  /** Gives memory back that is kept for values to come. */
  trim(): void {
    this.#bytes = this.#bytes.slice(0, this.#used);
  }

  #addNumber(value: number): void {
    if (value >= 0 && value <= MAX_SMALL && Number.isInteger(value) && !Object.is(value, -0)) {
      this.#byte(Tag.Small + value);
    } else if (Number.isSafeInteger(value) && value !== 0) {
      this.#byte(value < 0 ? Tag.Negative : Tag.Positive);
      this.#addCount(Math.abs(value));
    } else {
      this.#byte(Tag.Double);
      this.#reserve(8);
      new DataView(this.#bytes.buffer).setFloat64(this.#used, value);
      this.#used += 8;
    }
  }

  #addText(text: string): void {
    const known = text.length <= MAX_KNOWN_CHARS ? this.#texts.numberOf(text) : undefined;
    if (known !== undefined) {
      this.#byte(Tag.Known);
      this.#addCount(known);
      return;
    }
    const isNarrow = /^[\0-\xff]*$/.test(text);
    this.#byte(isNarrow ? Tag.Narrow : Tag.Wide);
    this.#addCount(text.length);
    this.#reserve(text.length * 2);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      this.#bytes[this.#used++] = code;
      if (!isNarrow) this.#bytes[this.#used++] = code >> 8;
    }
  }

  #addList(list: readonly Json[]): void {
    const isPlain = list.length >= MIN_INTEGERS && list.every(isShortInteger);
    this.#byte(isPlain ? Tag.Integers : Tag.List);
    this.#addCount(list.length);
    if (!isPlain) {
      for (let i = 0; i < list.length; i++) this.add(list[i] ?? null);
      return;
    }
    let before = 0;
    for (let i = 0; i < list.length; i++) {
      const integer = list[i] as number;
      const difference = integer - before;
      this.#addCount(((difference << 1) ^ (difference >> 31)) >>> 0);
      before = integer;
    }
  }

  /** Adds a safe integer from 0 up, seven bits a byte. */
  #addCount(count: number): void {
    this.#reserve(8);
    let rest = count;
    for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) {
      this.#bytes[this.#used++] = (rest % 128) | 128;
    }
    for (; rest >= 128; rest >>= 7) this.#bytes[this.#used++] = rest | 128;
    this.#bytes[this.#used++] = rest;
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#used++] = byte;
  }

  #reserve(count: number): void {
    const needed = this.#used + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  #next(): Json {
    const tag = this.#bytes[this.#at++] ?? Tag.Null;
    if (tag >= Tag.Small) return tag - Tag.Small;
    switch (tag) {
      case Tag.False:
        return false;
      case Tag.True:
        return true;
      case Tag.Double:
        this.#at += 8;
        return new DataView(this.#bytes.buffer).getFloat64(this.#at - 8);
      case Tag.Positive:
        return this.#nextCount();
      case Tag.Negative:
        return -this.#nextCount();
      case Tag.Known:
        return this.#texts.textOf(this.#nextCount());
      case Tag.Narrow:
      case Tag.Wide:
        return this.#nextText(tag === Tag.Wide);
      case Tag.Raw:
        return parseJson(String(this.#next()));
      case Tag.List:
        return this.#nextList();
      case Tag.Integers:
        return this.#nextIntegers();
      case Tag.Object:
        return this.#nextObject();
      default:
        return null;
    }
  }

  #nextCount(): number {
    let count = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      count += (byte & 127) * factor;
      if (byte < 128) return count;
    }
  }

  #nextText(isWide: boolean): string {
    const length = this.#nextCount();
    let text = "";
    for (let i = 0; i < length; i += PIECE) {
      const count = Math.min(PIECE, length - i);
      const codes = isWide
        ? this.#nextCodes(count)
        : this.#bytes.subarray(this.#at, this.#at + count);
      this.#at += isWide ? 2 * count : count;
      text += Reflect.apply(String.fromCharCode, String, codes);
    }
    return text;
  }

  /** Characters of two bytes, which need not begin at an even place. */
  #nextCodes(count: number): Uint16Array {
    const codes = new Uint16Array(count);
    for (let i = 0, at = this.#at; i < count; i++, at += 2) {
      codes[i] = (this.#bytes[at] ?? 0) | (this.#bytes[at + 1] ?? 0) << 8;
    }
    return codes;
  }

  #nextList(): Json[] {
    const length = this.#nextCount();
    const list: Json[] = new Array(length);
    for (let i = 0; i < length; i++) list[i] = this.#next();
    return list;
  }

  #nextIntegers(): Json[] {
    const length = this.#nextCount();
    const list: Json[] = new Array(length);
    let integer = 0;
    for (let i = 0; i < length; i++) {
      const difference = this.#nextCount();
      integer += (difference >>> 1) ^ -(difference & 1);
      list[i] = integer;
    }
    return list;
  }

  #nextObject(): Json {
    const count = this.#nextCount();
    const object: { [key: string]: Json } = {};
    for (let i = 0; i < count; i++) {
      const key = this.#next() as string;
      const value = this.#next();
      if (key !== "__proto__") object[key] = value;
      // A plain assignment would change what the object inherits from.
      else Object.defineProperty(object, key, { ...ENTRY, value });
    }
    return object;
  }
}

const ENTRY = { enumerable: true, configurable: true, writable: true };

function isShortInteger(value: Json): boolean {
  return typeof value === "number" && Number.isInteger(value) && Math.abs(value) < MAX_DIFFERENCE &&
    !Object.is(value, -0);
}
