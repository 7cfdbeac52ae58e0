/**
 * Many similar texts in little space, as the lines of a history and the bodies of messages are.
 *
 * A text is split into its numbers and what is between them. Texts that differ in numbers only share
 * the rest, and of each number the difference to the one in its place before is kept: most are small,
 * and the same for many texts, which a compressor then makes short. The lines of a run take a third
 * of what they take compressed as they are.
 *
 * @module
 */

/** Packed texts, as plain data. */
export interface PackedTexts {
  /** What is between the numbers, `\u0001` standing for each. */
  readonly forms: readonly string[];
  /** The form of each text, by its place in `forms`, as differences. */
  readonly order: readonly number[];
  /**
   * For each form the differences from text to text, first of all numbers in the first place, then of
   * those in the second, and so on.
   */
  readonly numbers: readonly (readonly number[])[];
}

/** Stands for a number; in a text it would have to be escaped, as in all JSON. */
const PLACE = "\u0001";

/** Integers that are written as JavaScript writes them, exactly. */
const INTEGER = /(?<![\d.])(?:0|[1-9]\d{0,14})(?![\d.])/g;

/** Longer texts, such as long lists, are kept as they are: hardly two have as many numbers. */
const MAX_FORM_CHARS = 2000;

/** Texts of one group resemble each other most, such as the messages of one link. */
type GroupOf = (index: number) => number;

/** The numbers of one form so far. */
interface TextsOfForm {
  readonly form: number;
  /** The place of its first text, whose numbers are added with those of the second. */
  readonly first: number;
  /** One text after the other. */
  readonly differences: number[];
  /** The numbers of the text before, by group. */
  readonly last: Map<number, readonly number[]>;
}

/**
 * Packs texts.
 *
 * @param texts without the character `\u0001`, which JSON escapes
 * @param groupOf the group of a text; the same function is needed to unpack them
 *
 * @example
 * ```ts
 * import { packTexts, unpackTexts } from "./packed_texts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const texts = ['{"id":7}', '{"id":8}', "[1.5]"];
 * assertEquals(packTexts(texts).forms, ['{"id":\u0001}', "[1.5]"]);
 * assertEquals(unpackTexts(packTexts(texts)), texts);
 * ```
 */
export function packTexts(texts: readonly string[], groupOf: GroupOf = () => 0): PackedTexts {
  const all = new Map<string, TextsOfForm>();
  const order = texts.map((text, i) => {
    const { form, numbers } = takeApart(text);
    const rows = all.get(form) ?? { form: all.size, first: i, differences: [], last: new Map() };
    if (rows.first === i) all.set(form, rows);
    else {
      const { first, last } = rows;
      if (last.size === 0) addRow(rows, takeApart(texts[first] ?? "").numbers, groupOf(first));
      addRow(rows, numbers, groupOf(i));
    }
    return rows.form;
  });
  return {
    // A text without another of its form stays as it is.
    forms: Array.from(
      all,
      ([form, { first, last }]) => last.size === 0 ? texts[first] ?? "" : form,
    ),
    order: order.map((form, i) => form - (order[i - 1] ?? 0)),
    numbers: Array.from(all.values(), columnsOf),
  };
}

function takeApart(text: string): { readonly form: string; readonly numbers: readonly number[] } {
  const numbers: number[] = [];
  const form = text.length > MAX_FORM_CHARS ? text : text.replaceAll(INTEGER, (digits) => {
    numbers.push(Number(digits));
    return PLACE;
  });
  return { form, numbers };
}

function addRow(
  { differences, last }: TextsOfForm,
  numbers: readonly number[],
  group: number,
): void {
  const before = last.get(group);
  for (const [place, number] of numbers.entries()) {
    differences.push(number - (before?.[place] ?? 0));
  }
  last.set(group, numbers);
}

/** The differences of rows, one place after the other. */
function columnsOf({ differences, last }: TextsOfForm): number[] {
  const [row] = last.values();
  const width = row?.length ?? 0;
  const height = width === 0 ? 0 : differences.length / width;
  return differences.map((_, i) => differences[(i % height) * width + Math.floor(i / height)] ?? 0);
}

/** What {@linkcode packTexts} was given. */
export function unpackTexts(packed: PackedTexts, groupOf?: GroupOf): string[] {
  return unpackEach(packed, (text) => text.join(), groupOf);
}

/** A text that is still in its parts. */
export class UnjoinedText {
  readonly #parts: readonly string[];
  readonly #numbers: readonly number[];

  /** @param numbers those between the parts */
  constructor(parts: readonly string[], numbers: readonly number[]) {
    this.#parts = parts;
    this.#numbers = numbers;
  }

  /** What stands before the first number. */
  get head(): string {
    return this.#parts[0] ?? "";
  }

  /** The whole text, put together anew each time. */
  join(): string {
    let text = this.head;
    // Without an iterator, for there are many of them.
    for (let i = 0; i < this.#numbers.length; i++) {
      text += (this.#numbers[i] ?? 0) + (this.#parts[i + 1] ?? "");
    }
    return text;
  }
}

/** Makes something of each text that {@linkcode packTexts} was given, in its order. */
export function unpackEach<Made>(
  { forms, order, numbers }: PackedTexts,
  make: (text: UnjoinedText, index: number) => Made,
  groupOf: GroupOf = () => 0,
): Made[] {
  const all = forms.map((form, i) => {
    const parts = form.split(PLACE);
    const differences = numbers[i] ?? [];
    const width = parts.length - 1;
    const height = width === 0 ? 0 : differences.length / width;
    return { parts, differences, height, last: new Map<number, readonly number[]>(), used: 0 };
  });
  let form = 0;
  return order.map((difference, i) => {
    form += difference;
    const columns = all[form];
    if (columns === undefined) throw new RangeError(`Cannot unpack text ${i}: it has no form`);
    const { parts, differences, height, last } = columns;
    const row = columns.used++;
    const before = last.get(groupOf(i));
    const values: number[] = new Array(parts.length - 1);
    for (let place = 0; place < values.length; place++) {
      values[place] = (before?.[place] ?? 0) + (differences[place * height + row] ?? 0);
    }
    last.set(groupOf(i), values);
    return make(new UnjoinedText(parts, values), i);
  });
}
