/**
 * How busy the machine was during a run in real time: whether it, rather than the network, decided
 * how long operations took.
 *
 * @module
 */

import type { Clock } from "@eddy/maelstrom";
import { plural, type Quantiles, quantiles } from "./checkers/checker.ts";

/** How busy the machine was. */
export interface MachineLoad {
  /** How much later than due the workbench's own timers ran, in ms. */
  readonly lagMs: Quantiles;
  /** What each node, with the processes that it started, used; empty where that is not known. */
  readonly nodes: Readonly<Record<string, NodeLoad>>;
  /** How many cores the machine has. */
  readonly cores: number;
}

/** What a node used of the processor, in times of about a second each. */
export interface NodeLoad {
  /** How many cores, on average. */
  readonly cores: number;
  /** In what share of the times it used all of a core, or nearly. */
  readonly busyShare: number;
}

/**
 * Timers of an idle machine are late by up to about 1.5 ms, for they count whole milliseconds; a
 * lag above this is one of a machine that has something else to do.
 */
const MIN_LAG_MS = 5;
/** A message waits for some timers; so much of an operation's time is more than a small error. */
const LAG_SHARE = 0.1;
/** Nearly all of a core, as samples are a little uneven. */
const BUSY_CORES = 0.9;
/** For how much of the time a node must be busy for operations to wait for it, not by chance. */
const BUSY_SHARE = 0.25;
/** How many busy nodes the sentence names. */
const MAX_NAMED = 3;

/**
 * A sentence that says with figures that the machine decided latencies; undefined if it did not.
 *
 * It did if timers were late by 5 ms or more, and by a tenth of what operations took or of the
 * latency that was asked for, once in twenty times; if a node used all of a core in a quarter of the
 * time, which stops a program with one thread; or if all nodes used all cores together.
 *
 * @param latencyMs the latency between nodes that was asked for
 * @param medianMs how long operations took; undefined if none succeeded
 */
export function loadWarning(
  { lagMs, nodes, cores }: MachineLoad,
  latencyMs: number,
  medianMs: number | undefined,
): string | undefined {
  const reasons: string[] = [];
  const { p50 = 0, p95 = 0, max = 0 } = lagMs;
  if (p95 >= MIN_LAG_MS && p95 >= LAG_SHARE * Math.max(latencyMs, medianMs ?? 0)) {
    const took = medianMs === undefined
      ? "no operation succeeded"
      : `operations took ${ms(medianMs)} (median)`;
    reasons.push(
      `timers of the workbench were ${ms(p50)} late in the median, ${ms(p95)} once in twenty ` +
        `times and ${ms(max)} at most, where the latency asked for is ${ms(latencyMs)} and ${took}`,
    );
  }
  const busy = Object.entries(nodes).filter(([, { busyShare }]) => busyShare >= BUSY_SHARE)
    .sort(([, a], [, b]) => b.busyShare - a.busyShare);
  if (busy.length > 0) {
    const named = busy.slice(0, MAX_NAMED).map(([node, { busyShare }]) => {
      return `${node} (${percent(busyShare)} of the time)`;
    });
    const more = busy.length > MAX_NAMED ? ` and ${plural(busy.length - MAX_NAMED, "more")}` : "";
    reasons.push(`a core was used up by ${named.join(", ")}${more}`);
  }
  const used = Object.values(nodes).reduce((sum, node) => sum + node.cores, 0);
  if (used >= BUSY_CORES * cores) {
    reasons.push(`the nodes used ${used.toFixed(1)} of ${plural(cores, "core")}`);
  }
  if (reasons.length === 0) return undefined;
  return `The machine, rather than the network, decided latencies: ${reasons.join("; ")}`;
}

function ms(value: number): string {
  return `${Number(value.toPrecision(2))} ms`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** How often the lag is measured: often enough for quantiles of a run of some seconds. */
const LAG_INTERVAL_MS = 20;
/** How often nodes are looked at. */
const NODES_INTERVAL_MS = 1000;
/** How many lags are kept, evenly spaced, however long a run is. */
const MAX_LAGS = 10_000;

/** Measures the load while a run is in its main phase. */
export class LoadMeter {
  readonly #clock: Clock;
  readonly #processIds: () => ReadonlyMap<string, number>;
  #lags: number[] = [];
  /** Of how many lags one is kept, and how many were left out since. */
  #stride = 1;
  #skipped = 0;
  #maxLagMs = 0;
  readonly #samples = new Map<string, number[]>();
  readonly #last = new Map<number, Sample>();
  #cancels: (() => void)[] = [];

  /** @param processIds the process of each node that is up */
  constructor(clock: Clock, processIds: () => ReadonlyMap<string, number>) {
    this.#clock = clock;
    this.#processIds = processIds;
  }

  /** What was measured. */
  get load(): MachineLoad {
    const lagMs = quantiles(this.#lags);
    const nodes = [...this.#samples].map(([node, samples]): [string, NodeLoad] => [node, {
      cores: samples.reduce((sum, cores) => sum + cores, 0) / samples.length,
      busyShare: samples.filter((cores) => cores >= BUSY_CORES).length / samples.length,
    }]);
    return {
      lagMs: lagMs.count === 0 ? lagMs : { ...lagMs, max: this.#maxLagMs },
      nodes: Object.fromEntries(nodes),
      cores: navigator.hardwareConcurrency,
    };
  }

  /** Begins to measure. */
  start(): void {
    this.#repeat(LAG_INTERVAL_MS, (lateMs) => this.#addLag(lateMs));
    if (Deno.build.os !== "linux") return;
    const sample = () => void this.#sampleNodes();
    sample();
    this.#repeat(NODES_INTERVAL_MS, sample);
  }

  /** Measures no more. */
  stop(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
  }

  #repeat(intervalMs: number, work: (lateMs: number) => void): void {
    const place = this.#cancels.length;
    const arm = () => {
      const dueMs = this.#clock.now() + intervalMs;
      this.#cancels[place] = this.#clock.schedule(intervalMs, () => {
        arm();
        work(Math.max(0, this.#clock.now() - dueMs));
      });
    };
    arm();
  }

  #addLag(lateMs: number): void {
    this.#maxLagMs = Math.max(this.#maxLagMs, lateMs);
    if (++this.#skipped < this.#stride) return;
    this.#skipped = 0;
    this.#lags.push(lateMs);
    if (this.#lags.length < MAX_LAGS) return;
    this.#lags = this.#lags.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  async #sampleNodes(): Promise<void> {
    await Promise.all([...this.#processIds()].map(async ([node, pid]) => {
      const seconds = await processorSeconds(pid);
      const sample = { seconds, atMs: this.#clock.now() };
      const last = this.#last.get(pid);
      this.#last.set(pid, sample);
      if (last === undefined || sample.atMs - last.atMs < NODES_INTERVAL_MS / 2) return;
      const cores = (sample.seconds - last.seconds) * 1000 / (sample.atMs - last.atMs);
      const samples = this.#samples.get(node) ?? [];
      this.#samples.set(node, samples);
      // A process of the node's may have left, and its time with it.
      samples.push(Math.max(0, cores));
    }));
  }
}

interface Sample {
  /** Of the processor, since the process began. */
  readonly seconds: number;
  readonly atMs: number;
}

/** How many of Linux' ticks are a second; the same on every machine. */
const TICKS_A_SECOND = 100;
/** How many processes of a node are looked at. */
const MAX_PROCESSES = 100;

/**
 * The processor time of a process and of those that it started, which are waited for or still there;
 * 0 for one that is gone.
 */
export async function processorSeconds(pid: number): Promise<number> {
  let ticks = 0;
  const pids = [pid];
  // What is found is added to the list that is gone through.
  for (const each of pids) {
    if (pids.length > MAX_PROCESSES) break;
    try {
      ticks += ticksOf(await Deno.readTextFile(`/proc/${each}/stat`));
      const children = await Deno.readTextFile(`/proc/${each}/task/${each}/children`);
      pids.push(...children.split(" ").filter((word) => word !== "").map(Number));
    } catch {
      // It has ended, or the kernel has no list of children.
    }
  }
  return ticks / TICKS_A_SECOND;
}

/** The processor time in a text of `/proc/PID/stat`, in ticks: its own and its children's. */
export function ticksOf(stat: string): number {
  // The name, in parentheses, may have anything in it; utime is the twelfth word after it.
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return words.slice(11, 15).reduce((sum, word) => sum + Number(word), 0);
}
