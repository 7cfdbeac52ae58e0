/**
 * Text for a terminal of some width: how wide it is, lines that are broken, tables.
 *
 * @module
 */

/** How far a continuation is indented more than the line that it continues. */
const INDENT = 2;

/** How far the columns of a table are indented that have no room beside the first ones. */
const TABLE_INDENT = 4;

/** What stands between two columns of a table. */
const GAP = "  ";

/** A terminal moves to the next multiple of this at a tab. */
const TAB = 8;

/** What takes no column of its own: marks on the character before, and joiners. */
const NARROW = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** What takes two columns: East Asian letters and signs, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;

/** How many columns a text takes at most. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) {
    width += char === "\t" ? TAB : NARROW.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  }
  return width;
}

/**
 * Breaks a line at spaces, and a word that is longer between characters.
 *
 * @param columns how wide the lines may be; what follows the first is indented a little more than it
 *
 * @example
 * ```ts
 * import { wrapLine } from "./wrap.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(wrapLine("  lost: 8 is missing", 12), ["  lost: 8 is", "    missing"]);
 * ```
 */
export function wrapLine(line: string, columns: number): string[] {
  if (textWidth(line) <= columns) return [line];
  const [indent = ""] = /^ */.exec(line) ?? [];
  const deeper = indent.length + INDENT;
  const [first, rest] = deeper * 2 > columns ? ["", ""] : [indent, " ".repeat(deeper)];
  const lines: string[] = [];
  let current = first;
  let isEmpty = true;
  const end = () => {
    lines.push(current.trimEnd());
    current = rest;
    isEmpty = true;
  };
  for (const [, spaces = "", word = ""] of line.trimStart().matchAll(/(\s*)(\S+)/g)) {
    const joined = isEmpty ? current + word : current + spaces + word;
    if (textWidth(joined) <= columns) current = joined;
    else {
      if (!isEmpty) end();
      for (const piece of pieces(word, Math.max(1, columns - rest.length))) {
        if (!isEmpty) end();
        current += piece;
        isEmpty = false;
      }
    }
    isEmpty = false;
  }
  end();
  return lines;
}

/** Made for the first word that is too long: it takes as long as the rest of help. */
let graphemes: Intl.Segmenter | undefined;

/** A word in pieces of a width; what makes one character stays together. */
function* pieces(word: string, columns: number): Generator<string> {
  if (textWidth(word) <= columns) return yield word;
  let piece = "";
  let width = 0;
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  for (const { segment } of graphemes.segment(word)) {
    const wide = textWidth(segment);
    if (width + wide > columns && piece !== "") {
      yield piece;
      [piece, width] = ["", 0];
    }
    piece += segment;
    width += wide;
  }
  if (piece !== "") yield piece;
}

/** The beginning of a text that has no more room than this. */
export function clipText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  const [first = ""] = pieces(text, columns);
  return first;
}

/**
 * Aligns rows in columns, numbers to the right; the first row is the head.
 *
 * @param columns how wide the table may be; columns that have no room stand below the first ones,
 * indented
 */
export function table(rows: readonly (readonly string[])[], columns: number = Infinity): string {
  const [heads = []] = rows;
  const widths = heads.map((_, i) => Math.max(...rows.map((row) => textWidth(row[i] ?? ""))));
  const isNumeric = heads.map((_, i) =>
    rows.slice(1).every((row) => /^[-\d.x%]*$/.test(row[i] ?? ""))
  );
  const groups = columnGroups(widths, columns);
  const aligned = (row: readonly string[]) =>
    groups.map((group, g) => {
      const cells = group.map((i) => {
        const cell = row[i] ?? "";
        const space = " ".repeat((widths[i] ?? 0) - textWidth(cell));
        return isNumeric[i] ? space + cell : cell + space;
      });
      return ((g === 0 ? "" : " ".repeat(TABLE_INDENT)) + cells.join(GAP)).trimEnd();
    });
  const rule = widths.map((width) => "-".repeat(width));
  const [head = [], ...lines] = rows.map(aligned);
  return [...head, ...aligned(rule), ...lines.flat()].join("\n");
}

/**
 * Leaves out the last columns of a table that is too wide.
 *
 * @param columns how wide it may be
 * @param optional how many columns may be left out
 * @returns the rows, and the heads of what is left out, in order.
 */
export function fitTable(
  rows: readonly (readonly string[])[],
  columns: number,
  optional: number,
): { readonly rows: string[][]; readonly leftOut: string[] } {
  const [heads = []] = rows;
  const widths = heads.map((_, i) => Math.max(...rows.map((row) => textWidth(row[i] ?? ""))));
  const least = heads.length - optional;
  let [count, width] = [0, -GAP.length];
  for (const each of widths) {
    width += GAP.length + each;
    if (width > columns && count >= least) break;
    count++;
  }
  return { rows: rows.map((row) => row.slice(0, count)), leftOut: heads.slice(count) };
}

/** Which columns of a table stand beside each other. */
function columnGroups(widths: readonly number[], columns: number): number[][] {
  const groups: number[][] = [];
  let room = 0;
  for (const [i, width] of widths.entries()) {
    const group = groups.at(-1);
    if (group !== undefined && GAP.length + width <= room) {
      group.push(i);
      room -= GAP.length + width;
    } else {
      room = columns - width - (groups.length === 0 ? 0 : TABLE_INDENT);
      groups.push([i]);
    }
  }
  return groups;
}
