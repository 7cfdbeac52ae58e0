/**
 * Measures how busy the machine is during a run in real time.
 *
 * @module
 */

import type { Clock } from "@eddy/maelstrom";
import { quantiles } from "./checkers/checker.ts";
import { BUSY_CORES, type MachineLoad, type NodeLoad } from "./machine_load.ts";
import type { Stage } from "./runner.ts";

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
  #stage: Stage | undefined;

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

  /** Measures in the main phase. */
  follow(stage: Stage): void {
    if (stage === this.#stage) return;
    this.#stage = stage;
    if (stage === "main") this.start();
    else this.stop();
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
