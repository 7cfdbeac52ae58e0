/**
 * `merge`, and the parts of a sweep that it puts together.
 *
 * @module
 */

import { join } from "@std/path/join";
import { errorText } from "@eddy/maelstrom";
import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import * as v from "valibot";
import { plural } from "../checkers/checker.ts";
import { worst } from "../history.ts";
import type { RunFigures } from "../sweep.ts";
import { whyUnwritten, writeWhole } from "../whole_file.ts";
import { printableLine } from "../explain.ts";
import { exitCodeOf } from "./exit_codes.ts";
import { MAX_RUNS } from "./flags.ts";
import { runJson, showRuns, type SweptRun } from "./sweep_table.ts";
import { colorFlag, printJson, Terminal } from "./terminal.ts";

/** How many parts a sweep may have. */
export const MAX_SHARDS = 10_000;

/** A part of a sweep. */
export interface SweepShard {
  /** Which, from 1 on. */
  readonly number: number;
  readonly count: number;
}

/** What all parts of a sweep have in common. */
export interface SweepName {
  /** The command line, without what does not change a run. */
  readonly settings: string;
  /** The SHA-256 of each program that is swept, by the value that varies. */
  readonly programs: Readonly<Record<string, string>>;
  /** The flag that varies. */
  readonly varied?: string | undefined;
  /** The first seed. */
  readonly seed: number;
  /** How many seeds each value has. */
  readonly seeds: number;
  /** How many runs there are in all. */
  readonly runs: number;
}

/** Reads `I/N`; undefined if it is no part. */
export function parseShard(text: string): SweepShard | undefined {
  const [, number, count] = (/^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? []).map(Number);
  if (number === undefined || count === undefined) return undefined;
  return number >= 1 && number <= count && count <= MAX_SHARDS ? { number, count } : undefined;
}

/** Whether a run is of a part: every one of so many. */
export function isOfShard({ number, count }: SweepShard, index: number): boolean {
  return index % count === number - 1;
}

/** The version of the files. */
const VERSION = 1;

const FILE = /^sweep-\d+-of-\d+\.jsonl$/;

/** The file of a part in a store, which is there whole, or not at all. */
export class ShardFile {
  readonly path: string;
  readonly #root: string;
  readonly #shard: SweepShard;

  /**
   * Makes sure that it can be written, and removes an earlier one.
   *
   * @throws {Error} naming it, if it cannot.
   */
  constructor(root: string, shard: SweepShard) {
    this.#root = root;
    this.#shard = shard;
    this.path = join(root, `sweep-${shard.number}-of-${shard.count}.jsonl`);
    this.#attempt(() => {
      Deno.mkdirSync(root, { recursive: true });
      writeWhole(this.path, "");
      Deno.removeSync(this.path);
    });
  }

  /** Writes what the part came to. */
  write(name: SweepName, runs: readonly SweptRun[]): void {
    this.#attempt(() => writeWhole(this.path, textOf(this.#root, this.#shard, name, runs)));
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (cause) {
      throw new Error(`Cannot write ${this.path}: ${whyUnwritten(cause)}`, { cause });
    }
  }
}

function textOf(
  root: string,
  shard: SweepShard,
  name: SweepName,
  runs: readonly SweptRun[],
): string {
  const rows = runs.map(({ outcome, ...run }) => {
    const kept = outcome.path?.slice(join(root, "_").length - 1);
    return { ...run, outcome: { ...outcome, path: kept } };
  });
  const lines = [{ version: VERSION, shard, ...name }, ...rows].map((row) => JSON.stringify(row));
  return `${lines.join("\n")}\n`;
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

const head = v.object({
  version: v.literal(VERSION, `expected version ${VERSION}, which this Eddy reads`),
  shard: v.object({ number: count, count: v.pipe(count, v.maxValue(MAX_SHARDS)) }),
  settings: v.string(),
  programs: v.record(v.string(), v.string()),
  varied: v.optional(v.string()),
  seed: v.pipe(v.number(), v.safeInteger()),
  seeds: count,
  runs: v.pipe(count, v.maxValue(MAX_RUNS)),
});

const figure = v.optional(v.number());
const spread = v.optional(v.looseObject({ median: v.number(), max: v.number() }));
const observed = v.looseObject({
  sometimes: v.array(v.looseObject({ name: v.string(), count: v.number() })),
});

/** What a run came to, as it comes from another machine. */
export const sweptFigures = v.looseObject({
  seed: v.number(),
  valid: v.union([v.boolean(), v.literal("unknown")]),
  okFraction: figure,
  serversPerOp: figure,
  latencyMs: spread,
  stableMs: spread,
  reason: v.string(),
  machineNote: v.optional(v.string()),
  observed: v.optional(observed),
  notes: v.array(v.string()),
  path: v.optional(v.string()),
});

const row = v.object({
  label: v.string(),
  seed: v.number(),
  parents: v.optional(v.array(v.number())),
  replay: v.string(),
  outcome: sweptFigures,
});

/** The runs of a sweep, merged. */
export interface MergedRuns {
  readonly name: SweepName;
  /** In the order of one sweep. */
  readonly runs: readonly SweptRun[];
}

/**
 * Merges the parts of a sweep.
 *
 * @param folders the stores that have them
 * @throws {UsageError} naming the files, if they are not all parts of one sweep.
 */
export function mergeShards(folders: readonly string[]): MergedRuns {
  const parts = folders.flatMap((folder) => {
    const files = filesOf(folder);
    if (files.length === 0) {
      throw new UsageError(`Cannot merge ${folder}: it has no sweep-I-of-N.jsonl`);
    }
    return files.map((file) => readShard(folder, file));
  });
  const [first] = parts;
  if (first === undefined) throw new UsageError("Cannot merge: no folder is named");
  const nameOf = ({ name }: Part) => JSON.stringify(name);
  const byNumber = new Map<number, Part>();
  for (const part of parts) {
    const { path, shard } = part;
    if (shard.count !== first.shard.count || nameOf(part) !== nameOf(first)) {
      const [one, other] = [first, part].map((each) =>
        printableLine(`${each.shard.count} parts of ${each.name.settings}`)
      );
      const why = one === other ? "their programs differ" : `${one}, and ${other}`;
      throw new UsageError(
        `Cannot merge ${first.path} and ${path}, which are of different sweeps: ${why}`,
      );
    }
    const twin = byNumber.get(shard.number);
    if (twin !== undefined && twin.path !== path) {
      throw new UsageError(`Cannot merge ${twin.path} and ${path}: they are the same part`);
    }
    byNumber.set(shard.number, part);
  }
  const { count } = first.shard;
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((n) => !byNumber.has(n));
  if (missing.length > 0) {
    const some = missing.slice(0, 10).join(", ") + (missing.length > 10 ? ", ..." : "");
    throw new UsageError(
      `Cannot merge: of ${plural(count, "part")} ${some} ${
        missing.length === 1 ? "is" : "are"
      } missing`,
    );
  }
  const runs = Array.from({ length: first.name.runs }, (_, i) => {
    const run = byNumber.get(i % count + 1)?.runs[Math.floor(i / count)];
    if (run === undefined) throw new Error(`Run ${i} of the merged sweep is missing`);
    return run;
  });
  return { name: first.name, runs };
}

/** A part as it was read. */
interface Part {
  readonly path: string;
  readonly shard: SweepShard;
  readonly name: SweepName;
  readonly runs: readonly SweptRun[];
}

function filesOf(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => FILE.test(name))
      .sort();
  } catch (cause) {
    throw new UsageError(`Cannot read ${folder}: ${errorText(cause)}`, { cause });
  }
}

function readShard(folder: string, file: string): Part {
  const path = join(folder, file);
  let line = 1;
  try {
    if (!Deno.statSync(path).isFile) throw new Error("it is no file");
    const [first = "", ...lines] = Deno.readTextFileSync(path).trimEnd().split("\n");
    const { version: _, shard, ...name } = v.parse(head, JSON.parse(first));
    const runs = lines.map((text, i) => {
      line++;
      const run = JSON.parse(text);
      // What is read is kept as it is: the order of names, too, is that of one sweep.
      v.assert(row, run);
      const { outcome } = run;
      const seed = name.seed + (shard.number - 1 + i * shard.count) % name.seeds;
      if (run.seed !== seed || outcome.seed !== seed) throw new Error(`expected seed ${seed}`);
      const path = outcome.path === undefined ? undefined : join(folder, outcome.path);
      return { ...run, outcome: { ...outcome, path } as unknown as RunFigures };
    });
    const expected = Math.floor((name.runs - shard.number) / shard.count) + 1;
    if (runs.length !== expected) {
      throw new Error(`it has ${plural(runs.length, "run")} in place of ${expected}`);
    }
    return { path, shard, name, runs };
  } catch (cause) {
    throw new UsageError(`Cannot read ${path}, line ${line}: ${errorText(cause)}`, { cause });
  }
}

/** The flags of `merge`. */
export const mergeFlags = {
  json: { help: "Print a JSON object for each run, in the order of one sweep" },
  ...colorFlag,
};

/** Runs the command and returns the exit code of the worst run. */
export function mergeCommand(args: readonly string[]): Promise<number> {
  const { flags: { json, color }, words, rest } = parseFlags(mergeFlags, args);
  const { name, runs } = mergeShards([...words, ...rest]);
  if (json) {
    for (const run of runs) {
      printJson(runJson({ ...run, outcome: { ...run.outcome, path: undefined } }));
    }
  } else showRuns(new Terminal(color), runs, name.varied);
  return Promise.resolve(exitCodeOf(worst(runs.map(({ outcome }) => outcome.valid))));
}
