/**
 * The runs of a store in a list: what each came to, or how far it is.
 *
 * @module
 */

import { join } from "@std/path/join";
import * as v from "valibot";
import { describeBreak } from "./explain.ts";
import type { Validity } from "./history.ts";
import type { RunProgress } from "./runner.ts";

/** A run of a store, as plain data. */
export interface StoredRun {
  /** The folder it is in, which is named like its workload. */
  readonly workload: string;
  /** Its own folder, which is named by the time it began. */
  readonly name: string;
  /** Whether it has a page. */
  readonly hasReport: boolean;
  /** What it came to; absent for a run that is under way, was killed, or cannot be read. */
  readonly figures?: StoredFigures | undefined;
  /** How far it is; absent when it is over. */
  readonly progress?: StoredProgress | undefined;
  /** Whether it says no longer how far it is, as a run that was killed. */
  readonly isBrokenOff?: boolean;
}

/** The main figures of a run; what it does not have is absent. */
export interface StoredFigures {
  readonly valid: Validity;
  /** What was wrong first. */
  readonly finding?: string | undefined;
  readonly seed: number;
  readonly nodes: number;
  readonly faults: readonly string[];
  readonly operations: number;
  readonly okFraction?: number | undefined;
  readonly msgsPerOp?: number | undefined;
  readonly serverMsgsPerOp?: number | undefined;
  /** How long operations took, in ms. */
  readonly p50?: number | undefined;
  readonly p99?: number | undefined;
  readonly max?: number | undefined;
  /** How long until a value was on all nodes, in ms. */
  readonly stableP50?: number | undefined;
  readonly stableMax?: number | undefined;
}

/** How far a run is, as `progress.json` has it while it is under way. */
export interface StoredProgress extends RunProgress {
  /** How long it takes in all as planned, in ms of its own time. */
  readonly plannedMs: number;
  /** When this was written, by the machine's clock. */
  readonly writtenAt: string;
}

/** The name of the file that tells how far a run is. */
export const PROGRESS_FILE = "progress.json";

/** A run that is under way says so every second; how long it may be silent, in ms. */
const MAX_SILENCE_MS = 30_000;

const figure = v.optional(v.nullable(v.number()));
const quantiles = v.optional(v.nullable(v.looseObject({ "0.5": figure, "1": figure })));

const results = v.looseObject({
  "valid?": v.union([v.boolean(), v.literal("unknown")]),
  seed: v.number(),
  findings: v.array(v.looseObject({ anomaly: v.string() })),
  options: v.looseObject({ nodeIds: v.array(v.string()), nemesis: v.array(v.string()) }),
  stats: v.looseObject({ count: v.number() }),
  availability: v.looseObject({ "ok-fraction": v.number() }),
  broke: v.optional(v.looseObject({ byNode: v.boolean(), text: v.string() })),
  net: v.looseObject({
    all: v.looseObject({ "msgs-per-op": figure }),
    servers: v.looseObject({ "msgs-per-op": figure }),
  }),
  latencies: v.looseObject({ p50: figure, p99: figure, max: figure }),
  workload: v.looseObject({ "stable-latencies": quantiles }),
});

const progress = v.looseObject({
  stage: v.string(),
  elapsedMs: v.number(),
  plannedMs: v.number(),
  writtenAt: v.string(),
  counts: v.looseObject({ invocations: v.number() }),
});

/** The runs of a store, the newest first; what is not readable is there without figures. */
export class RunIndex {
  readonly #root: string;
  /** What was read of a run that is over, and will not change. */
  readonly #known = new Map<string, StoredRun>();

  /** @param root the store's folder */
  constructor(root: string) {
    this.#root = root;
  }

  /** All runs that there are now. */
  async runs(): Promise<StoredRun[]> {
    const all: StoredRun[] = [];
    for (const workload of await folders(this.#root)) {
      for (const name of await folders(join(this.#root, workload))) {
        all.push(await this.#run(workload, name));
      }
    }
    return all.sort((a, b) => a.name < b.name ? 1 : a.name > b.name ? -1 : 0);
  }

  async #run(workload: string, name: string): Promise<StoredRun> {
    const path = join(this.#root, workload, name);
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const hasReport = await isFile(join(path, "report.html"));
    const figures = await readFigures(join(path, "results.json"));
    const progress = figures === undefined
      ? await readProgress(join(path, PROGRESS_FILE))
      : undefined;
    const run: StoredRun = {
      workload,
      name,
      hasReport,
      figures,
      progress,
      ...(progress !== undefined && { isBrokenOff: isBrokenOff(progress) }),
    };
    if (hasReport && figures !== undefined) this.#known.set(path, run);
    return run;
  }
}

/** The folders in a folder, links left out. */
async function folders(path: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(path));
    return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  } catch {
    return [];
  }
}

function isBrokenOff({ writtenAt }: StoredProgress): boolean {
  return Date.now() - Date.parse(writtenAt) > MAX_SILENCE_MS;
}

/** Whether there is a regular file: a pipe or a device may have no end. */
async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}

async function readFigures(path: string): Promise<StoredFigures | undefined> {
  const { success, output } = v.safeParse(results, await readJson(path));
  if (!success) return undefined;
  const { seed, findings, options, stats, availability, net, latencies, workload, broke } = output;
  const stable = workload["stable-latencies"] ?? {};
  const known = (value: number | null | undefined) => value ?? undefined;
  // Of no operations there is no share, and nothing for each.
  const some = (value: number | null | undefined) => stats.count === 0 ? undefined : known(value);
  return {
    valid: output["valid?"],
    finding: broke === undefined ? findings[0]?.anomaly : describeBreak(broke),
    seed,
    nodes: options.nodeIds.length,
    faults: options.nemesis,
    operations: stats.count,
    okFraction: some(availability["ok-fraction"]),
    msgsPerOp: some(net.all["msgs-per-op"]),
    serverMsgsPerOp: some(net.servers["msgs-per-op"]),
    p50: known(latencies.p50),
    p99: known(latencies.p99),
    max: known(latencies.max),
    stableP50: known(stable["0.5"]),
    stableMax: known(stable["1"]),
  };
}

async function readProgress(path: string): Promise<StoredProgress | undefined> {
  const { success, output } = v.safeParse(progress, await readJson(path));
  return success ? output as unknown as StoredProgress : undefined;
}

async function readJson(path: string): Promise<unknown> {
  if (!await isFile(path)) return undefined;
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch {
    // What is not there, or is being written, is not known.
    return undefined;
  }
}
