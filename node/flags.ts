/**
 * Reads command lines; an error names the flag, its value and what is accepted.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** How wide `--help` is where nothing else is said. */
const HELP_COLUMNS = 100;

/** One flag of a command line. */
export interface Flag<T> {
  /** What it does, for `--help`. */
  readonly help: string;
  /** What stands for its value in `--help`; absent where it takes none. */
  readonly value?: string;
  /** What is accepted, for the error message: `a number of 0 or more`. */
  readonly accepts?: string;
  /** The words that are accepted, where there are only a few. */
  readonly words?: readonly string[];
  /** Reads a value; undefined for one that is not accepted. */
  readonly parse?: (text: string) => T | undefined;
  /** The value when the flag is not given. */
  readonly default?: T;
  /** Whether it may be given several times; its value is then the list of what was given. */
  readonly many?: true;
  /** A letter that stands for it: `w` for `-w`. */
  readonly short?: string;
}

/** The part of a {@linkcode Flag} that says which values it accepts. */
export type Accepted<T> = Required<Pick<Flag<T>, "accepts" | "parse">>;

/** The flags of a command by their names, without dashes. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** The value of one flag: what its `parse` gives, or text. */
export type FlagValue<F> = F extends { parse: (text: string) => infer T } ? Exclude<T, undefined>
  : string;

/** The values of flags: what their `parse` gives, text without one, whether it was given without a value. */
export type FlagValues<F extends Flags> = {
  [K in keyof F]: F[K] extends { value: string } ? F[K] extends { many: true } ? FlagValue<F[K]>[]
    : FlagValue<F[K]> | (F[K] extends { default: unknown } ? never : undefined)
    : boolean;
};

/** A wrong command line; the message is for the user, the exit code is 2. */
export class UsageError extends Error {
  /** `UsageError`. */
  override readonly name = "UsageError";
}

/** What {@linkcode parseFlags} gives. */
export interface ParsedFlags<F extends Flags> {
  /** The values of flags, by name. */
  readonly flags: FlagValues<F>;
  /** What is no flag, in order. */
  readonly words: string[];
  /** What follows `--`. */
  readonly rest: string[];
}

/**
 * Reads a command line.
 *
 * @param rest what may follow `--`, for whoever gives an option that belongs there
 * @throws {UsageError} naming the flag, the value, and what is accepted.
 *
 * @example
 * ```ts
 * import { number, parseFlags } from "./flags.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const flags = { rate: { help: "Requests a second", value: "R", ...number(0), default: 5 } };
 * assertEquals(parseFlags(flags, ["echo", "--rate", "10"]).flags.rate, 10);
 * assertThrows(() => parseFlags(flags, ["--rate", "x"]), Error, "a number of 0 or more");
 * ```
 */
export function parseFlags<F extends Flags>(
  spec: F,
  args: readonly string[],
  rest?: string,
): ParsedFlags<F> {
  const names = Object.keys(spec);
  const short = Object.entries(spec).flatMap(([name, flag]) =>
    flag.short === undefined ? [] : [[flag.short, name]]
  );
  const takesValue = (name: string) => spec[name]?.value !== undefined;
  refuseValues(names.filter((name) => !takesValue(name)), args);
  const { _: words, "--": behind = [], ...given } = parseArgs(joinNegatives(args), {
    string: names.filter(takesValue),
    boolean: names.filter((name) => !takesValue(name)),
    collect: names.filter(takesValue),
    alias: Object.fromEntries(short),
    "--": true,
    unknown(arg: string, key?: string) {
      if (key === undefined) return true;
      const [option = ""] = arg.split("=");
      const known = names.map((name) => `--${name}`).join(", ") || "none";
      const hint = didYouMean(option.replace(/^-+/, ""), names, "--");
      const others = rest === undefined ? "" : `, and after -- ${rest}`;
      throw new UsageError(`Unknown option ${option}${hint}: accepted are ${known}${others}`);
    },
  });
  const values = names.map((name) => {
    const flag = spec[name];
    const value = given[name];
    if (!takesValue(name)) return [name, value === true];
    const texts = (value as string[] | undefined) ?? [];
    if (flag?.many) return [name, texts.map((text) => readValue(name, flag, text))];
    return [name, readValue(name, flag, texts.at(-1))];
  });
  return { flags: Object.fromEntries(values), words: words.map(String), rest: behind };
}

/**
 * ` (did you mean X?)` for a word that is nearly one of those that are known; else nothing.
 *
 * @param prefix what is written before each of them: `--` for names of flags
 */
export function didYouMean(word: string, known: readonly string[], prefix: string = ""): string {
  const most = Math.min(3, Math.ceil(word.length / 2));
  const [closest] = known.map((each) => ({ each, distance: levenshteinDistance(word, each) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return closest === undefined ? "" : ` (did you mean ${prefix}${closest.each}?)`;
}

/** Refuses `--flag=no` where a flag takes no value: it would count as the flag itself. */
function refuseValues(names: readonly string[], args: readonly string[]): void {
  for (const arg of args) {
    if (arg === "--") return;
    const [, name = "", value] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (!names.includes(name)) continue;
    throw new UsageError(`Cannot use ${JSON.stringify(value)} for --${name}: it takes no value`);
  }
}

/** Writes `--rate -1` as `--rate=-1`, so that the number is not taken for a flag. */
function joinNegatives(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1);
    if (/^-\d/.test(arg) && before?.startsWith("--") && before !== "--" && !before.includes("=")) {
      joined[joined.length - 1] = `${before}=${arg}`;
    } else joined.push(arg);
  }
  return joined;
}

function readValue(name: string, flag: Flag<unknown> | undefined, text?: string): unknown {
  if (text === undefined) return flag?.default;
  const value = flag?.parse === undefined ? text : flag.parse(text);
  if (value !== undefined && text !== "") return value;
  const hint = didYouMean(text, flag?.words ?? []);
  const expected = flag?.accepts ?? "a value";
  throw new UsageError(
    `Cannot use ${JSON.stringify(text)} for --${name}${hint}: expected ${expected}`,
  );
}

/** A flag's number, from `min` up. */
export function number(min: number, max: number = Infinity): Accepted<number> {
  return inRange("a number", /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i, min, max);
}

/** The largest integer that a flag takes where it says nothing else: it has 15 digits. */
const MAX_INTEGER = 999_999_999_999_999;

/** A flag's integer, from `min` up. */
export function integer(min: number, max: number = Infinity): Accepted<number> {
  return inRange("an integer", /^-?\d{1,15}(e\d{1,2})?$/i, min, Math.min(max, MAX_INTEGER));
}

function inRange(what: string, form: RegExp, min: number, max: number): Accepted<number> {
  return {
    accepts: `${what} ${max >= MAX_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`}`,
    parse(text) {
      const value = form.test(text) ? Number(text) : NaN;
      return value >= min && value <= max && value < Infinity ? value : undefined;
    },
  };
}

/** A flag's value out of a few words. */
export function oneOf<const T extends string>(
  words: readonly T[],
): Accepted<T> & { readonly words: readonly T[] } {
  return {
    words,
    accepts: `one of ${words.join(", ")}`,
    parse: (text) => words.find((word) => word === text),
  };
}

/** The least room, in columns, for what a flag does beside its name; with less it stands below. */
const MIN_HELP = 30;

/**
 * The lines of `--help` that tell of the flags.
 *
 * @param indent how many columns they are indented
 * @param columns how wide they may be
 */
export function describeFlags(
  spec: Flags,
  indent: number = 2,
  columns: number = HELP_COLUMNS,
): string {
  const rows = Object.entries(spec).map(([name, flag]) => {
    const word = flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`;
    const left = flag.value === undefined ? word : `${word} ${flag.value}`;
    const fallback = flag.default === undefined ? "" : ` (default ${flag.default})`;
    return [left, flag.help + fallback] as const;
  });
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  const margin = " ".repeat(indent);
  const isBeside = columns - (indent + width + 2) >= MIN_HELP;
  const deeper = isBeside ? indent + width + 2 : indent + 4;
  const gap = "\n" + " ".repeat(deeper);
  return rows.map(([left, right]) => {
    const text = wrap(right, columns - deeper).join(gap);
    return isBeside ? `${margin}${left.padEnd(width)}  ${text}` : `${margin}${left}${gap}${text}`;
  }).join("\n");
}

/** Breaks a text into lines of so many columns, between words. */
function wrap(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
