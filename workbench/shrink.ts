/**
 * Makes a failing run small: as little of its plan as still shows the same kind of finding.
 *
 * Delta debugging on the plan: parts are left out, larger ones first, and what still fails without
 * them is gone on with. After Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing
 * Input", IEEE TSE 28(2), 2002; for messages and faults of distributed systems after Scott et al.,
 * "Minimizing Faulty Executions of Distributed Systems", NSDI 2016. This module runs nothing: it is
 * told which plans fail.
 *
 * @module
 */

import { isClient } from "@eddy/maelstrom";
import type { NetEvent } from "./journal.ts";
import type { PlanLink } from "./links.ts";
import type { PlanFault } from "./nemesis.ts";
import { hasDisks, type RunOptions } from "./options.ts";
import type { Plan } from "./plan.ts";
import type { PlanOp } from "./runner.ts";

/** How much there is in a plan. */
export interface PlanSize {
  /** Operations of clients. */
  readonly operations: number;
  /** Clients that do any. */
  readonly clients: number;
  readonly nodes: number;
  readonly faults: number;
  /** Single messages that the plan loses. */
  readonly lostMessages: number;
  /** The time limit. */
  readonly seconds: number;
}

/** Measures a plan. */
export function sizeOf({ ops, faults, links, options }: Plan): PlanSize {
  return {
    operations: ops.length,
    clients: new Set(ops.map(({ thread }) => thread)).size,
    nodes: options.nodeIds.length,
    faults: faults.length,
    lostMessages: lossesOf(links).length,
    seconds: options.timeLimitSeconds,
  };
}

/** How a plan is made small. */
export interface ShrinkSettings {
  /** How many plans are run at most. */
  readonly maxRuns: number;
  /** How many are run at once; it changes nothing about what is found. */
  readonly atOnce: number;
  /** Runs plans, and tells of each whether it shows the finding. */
  readonly fail: (plans: readonly Plan[]) => Promise<readonly boolean[]>;
  /** Runs a plan, and tells which messages its cuts lost. */
  readonly lost: (plan: Plan) => Promise<readonly LostMessage[]>;
  /** Whether to end here, with what has been found. */
  readonly isOver?: (() => boolean) | undefined;
  /** Called when a smaller plan is found, and now and then. */
  readonly onProgress?: ((size: PlanSize, runs: number) => void) | undefined;
}

/** A message by its number among those of its link, counted from 0. */
export interface LostMessage {
  readonly src: string;
  readonly dest: string;
  readonly number: number;
}

/** Collects the messages between nodes that faults of some kinds lose in a run. */
export class Losses {
  readonly #kinds: ReadonlySet<string>;
  /** How many messages each link has had. */
  readonly #counts = new Map<string, number>();
  readonly #sent = new Map<number, LostMessage>();
  readonly #lost = new Map<number, LostMessage>();

  /** @param kinds the kinds of faults */
  constructor(kinds: readonly string[]) {
    this.#kinds = new Set(kinds);
  }

  /** Those that were lost so far, each once. */
  get lost(): readonly LostMessage[] {
    return [...this.#lost.values()];
  }

  /** Notes what happened to a message. */
  add({ type, message: { id, src, dest }, why = "" }: NetEvent): void {
    if (isClient(src) || isClient(dest)) return;
    if (type === "send") {
      const link = JSON.stringify([src, dest]);
      const number = this.#counts.get(link) ?? 0;
      this.#counts.set(link, number + 1);
      this.#sent.set(id, { src, dest, number });
    } else if (type === "drop" && this.#kinds.has(why)) {
      const message = this.#sent.get(id);
      if (message !== undefined) this.#lost.set(id, message);
    }
  }
}

/** What shrinking came to. */
export interface Shrunk {
  readonly plan: Plan;
  /** How many plans were run. */
  readonly runs: number;
  /** Whether nothing could be left out any more; else runs or time were used up. */
  readonly isDone: boolean;
}

/** A run whose finding is gone when its plan is run again. */
export class UnrepeatedRun extends Error {
  /** `UnrepeatedRun`. */
  override readonly name = "UnrepeatedRun";

  /** Says so. */
  constructor() {
    super("Cannot shrink the run: it does not show its finding when it is run again");
  }
}

/**
 * Makes a plan small.
 *
 * @throws {UnrepeatedRun} if the plan itself does not show the finding.
 */
export async function shrinkPlan(plan: Plan, settings: ShrinkSettings): Promise<Shrunk> {
  return await new Shrinker(plan, settings).run();
}

/** With how many other seeds a part is left out when nothing more can be with the plan's own. */
const OTHER_SEEDS = 3;
/** How many messages that cuts lost are tried one by one, and how few are better than the cuts. */
const MAX_LOST = 200;
const FEW_LOST = 4;

class Shrinker {
  readonly #settings: ShrinkSettings;
  #plan: Plan;
  #runs = 0;
  /** How many other seeds were tried. */
  #seeds = 0;

  constructor(plan: Plan, settings: ShrinkSettings) {
    this.#settings = settings;
    const { options } = plan;
    const ops = plan.ops.toSorted((a, b) => a.atMs - b.atMs);
    const kinds = plan.faults.map(({ kind }) => kind);
    // Disks stay when the last fault that implies them goes.
    const disk = hasDisks(options, [...options.nemesis, ...kinds]) ? { disk: true } : {};
    this.#plan = { ...plan, ops, options: { ...options, ...disk } };
  }

  async run(): Promise<Shrunk> {
    // What chance decided of messages follows from the seed, and is drawn anew for fewer of them.
    const drawn = { ...this.#plan, links: [] };
    if (!await this.#failsAgain(drawn) && !await this.#failsAgain(this.#plan)) {
      throw new UnrepeatedRun();
    }
    do await this.#untilNothingGoes(); while (!this.#isOver && await this.#tryOtherSeeds());
    if (!this.#isOver && await this.#singleMessages()) await this.#untilNothingGoes();
    return { plan: this.#plan, runs: this.#runs, isDone: !this.#isOver };
  }

  /** Whether the plan to begin with fails; this is tried, however few runs there are to be. */
  async #failsAgain(plan: Plan): Promise<boolean> {
    this.#runs++;
    const [fails = false] = await this.#settings.fail([plan]);
    if (fails) this.#plan = plan;
    return fails;
  }

  async #untilNothingGoes(): Promise<void> {
    let changed = true;
    while (changed && !this.#isOver) {
      changed = false;
      const passes = [
        () => this.#endEarlier(),
        () => this.#leaveOut(this.#plan.faults, (faults) => withFaults(this.#plan, faults)),
        () => this.#leaveOutNodes(),
        () => this.#leaveOutClients(),
        () => this.#leaveOut(this.#plan.ops, (ops) => ({ ...this.#plan, ops })),
        () => this.#leaveOutLosses(),
        () => this.#narrowFaults(),
        () => this.#simplify(),
      ];
      for (const pass of passes) {
        if (await pass()) changed = true;
        this.#report();
        if (this.#isOver) return;
      }
    }
  }

  get #isOver(): boolean {
    return this.#runs >= this.#settings.maxRuns || this.#settings.isOver?.() === true;
  }

  #report(): void {
    this.#settings.onProgress?.(sizeOf(this.#plan), this.#runs);
  }

  /** Goes on with the first of several plans that fails; returns its place, or undefined. */
  async #first(plans: readonly Plan[]): Promise<number | undefined> {
    const { atOnce, fail, maxRuns } = this.#settings;
    for (let at = 0; at < plans.length && !this.#isOver; at += atOnce) {
      const batch = plans.slice(at, at + Math.min(atOnce, maxRuns - this.#runs));
      const place = (await fail(batch)).indexOf(true);
      // Those behind it were run for nothing, and would not have been one at a time.
      this.#runs += place === -1 ? batch.length : place + 1;
      const found = batch[place];
      if (found === undefined) continue;
      this.#plan = found;
      this.#report();
      return at + place;
    }
    return undefined;
  }

  async #adopt(plans: readonly Plan[]): Promise<boolean> {
    return await this.#first(plans) !== undefined;
  }

  /**
   * Leaves out as many of the items as it can: all, then halves, quarters, at last single ones.
   *
   * @param build the plan with those that are kept
   */
  async #leaveOut<Item>(
    items: readonly Item[],
    build: (kept: readonly Item[]) => Plan,
  ): Promise<boolean> {
    let kept = items;
    let size = kept.length;
    while (size > 0) {
      for (let at = 0; at < kept.length && !this.#isOver;) {
        const places = range(at, kept.length, size).slice(0, this.#settings.atOnce);
        const plans = places.map((place) => build(kept.toSpliced(place, size)));
        const found = await this.#first(plans);
        if (found === undefined) at += size * places.length;
        else kept = kept.toSpliced(at = places[found] ?? at, size);
      }
      size = Math.min(Math.floor(size / 2), Math.ceil(kept.length / 2));
    }
    return kept.length < items.length;
  }

  /** Finds how few of the first operations are enough, and ends the run with them. */
  async #endEarlier(): Promise<boolean> {
    let changed = false;
    let [low, high] = [0, this.#plan.ops.length];
    while (high - low > 1 && !this.#isOver) {
      const step = Math.ceil((high - low) / 4);
      const counts = range(low + step, high, step);
      const found = await this.#first(counts.map((count) => endingAfter(this.#plan, count)));
      if (found === undefined) low = counts.at(-1) ?? high;
      else {
        changed = true;
        high = counts[found] ?? high;
        low = counts[found - 1] ?? low;
      }
    }
    const ended = endingAfter(this.#plan, this.#plan.ops.length);
    const isEarlier = ended.options.timeLimitSeconds < this.#plan.options.timeLimitSeconds;
    return isEarlier && !this.#isOver && await this.#adopt([ended]) || changed;
  }

  async #leaveOutNodes(): Promise<boolean> {
    let changed = false;
    for (const node of this.#plan.options.nodeIds) {
      if (this.#plan.options.nodeIds.length === 1 || this.#isOver) break;
      if (await this.#adopt([withoutNode(this.#plan, node)])) changed = true;
    }
    return changed;
  }

  #leaveOutClients(): Promise<boolean> {
    const threads = [...new Set(this.#plan.ops.map(({ thread }) => thread))];
    if (threads.length <= 1) return Promise.resolve(false);
    return this.#leaveOut(threads, (kept) => {
      const wanted = new Set(kept);
      return { ...this.#plan, ops: this.#plan.ops.filter(({ thread }) => wanted.has(thread)) };
    });
  }

  #leaveOutLosses(): Promise<boolean> {
    const losses = lossesOf(this.#plan.links);
    return this.#leaveOut(losses, (kept) => withLosses(this.#plan, kept));
  }

  /** Lets faults begin later and end earlier. */
  async #narrowFaults(): Promise<boolean> {
    let changed = false;
    for (let i = 0; i < this.#plan.faults.length; i++) {
      for (const narrow of [endEarlier, beginLater]) {
        const fault = this.#plan.faults[i];
        if (fault === undefined || this.#isOver) break;
        const limitMs = this.#plan.options.timeLimitSeconds * 1000;
        const plans = [1 / 4, 1 / 2].map((share) => {
          const narrowed = narrow(fault, share, limitMs);
          return { ...this.#plan, faults: this.#plan.faults.toSpliced(i, 1, narrowed) };
        });
        if (lengthOf(fault, limitMs) >= MIN_FAULT_MS && await this.#adopt(plans)) changed = true;
      }
    }
    return changed;
  }

  /** Makes latencies constant or none, times whole, and removes clients that do nothing. */
  async #simplify(): Promise<boolean> {
    let changed = false;
    const { latency, concurrency } = this.#plan.options;
    const { meanMs, distribution } = latency;
    const simpler: RunOptions["latency"][] = [
      { meanMs: 0, distribution: "constant" },
      { meanMs, distribution: "constant" },
    ];
    if (meanMs > 0) {
      const plans = simpler.slice(0, distribution === "constant" ? 1 : 2)
        .map((latency) => withOptions(this.#plan, { latency }));
      changed = await this.#adopt(plans);
    }
    const rounded = withWholeTimes(this.#plan);
    if (JSON.stringify(rounded) !== JSON.stringify(this.#plan) && !this.#isOver) {
      changed = await this.#adopt([rounded]) || changed;
    }
    const compact = withFewThreads(this.#plan);
    if (compact.options.concurrency < concurrency && !this.#isOver) {
      changed = await this.#adopt([compact]) || changed;
    }
    return changed;
  }

  /**
   * Leaves out halves and quarters of the operations, and single faults, with other seeds: what is
   * left may fail with another order of messages, while with its own it does not.
   */
  async #tryOtherSeeds(): Promise<boolean> {
    const { ops, faults, options } = this.#plan;
    const parts: Plan[] = [];
    for (const size of [Math.ceil(ops.length / 2), Math.ceil(ops.length / 4)]) {
      if (size === 0 || ops.length === 1) continue;
      parts.push(
        ...range(0, ops.length, size).map((at) => ({
          ...this.#plan,
          ops: ops.toSpliced(at, size),
        })),
      );
    }
    parts.push(...faults.map((_, i) => withFaults(this.#plan, faults.toSpliced(i, 1))));
    const seeds = Array.from({ length: OTHER_SEEDS }, () => ++this.#seeds);
    return await this.#adopt(
      seeds.flatMap((add) => parts.map((part) => withOptions(part, { seed: options.seed + add }))),
    );
  }

  /** Replaces cuts by the few messages that matter of those they lose, where they are few. */
  async #singleMessages(): Promise<boolean> {
    const before = this.#plan;
    const others = before.faults.filter(({ kind }) => !LOSING.has(kind));
    if (others.length === before.faults.length) return false;
    const lost = await this.#settings.lost(before);
    if (lost.length === 0 || lost.length > MAX_LOST) return false;
    const single = withLosses(withFaults({ ...before, links: [] }, others), lost);
    if (!await this.#adopt([single])) return false;
    await this.#leaveOut(lost, (kept) => withLosses(this.#plan, kept));
    if (lossesOf(this.#plan.links).length <= FEW_LOST) return true;
    this.#plan = before;
    return false;
  }
}

/** The kinds of faults that lose messages. */
const LOSING: ReadonlySet<string> = new Set(["partition", "one-way", "loss"]);

/** Faults that are shorter are not narrowed. */
const MIN_FAULT_MS = 50;

function range(from: number, to: number, step: number): number[] {
  return Array.from(
    { length: Math.max(0, Math.ceil((to - from) / step)) },
    (_, i) => from + i * step,
  );
}

function withOptions(plan: Plan, changes: Partial<RunOptions>): Plan {
  return { ...plan, options: { ...plan.options, ...changes } };
}

function withFaults(plan: Plan, faults: readonly PlanFault[]): Plan {
  const nemesis = [...new Set(faults.map(({ kind }) => kind))];
  return { ...withOptions(plan, { nemesis }), faults };
}

/** The plan with its first operations, and a time limit just behind them. */
function endingAfter(plan: Plan, count: number): Plan {
  const ops = plan.ops.slice(0, count);
  const limitMs = Math.min(
    plan.options.timeLimitSeconds * 1000,
    Math.floor(ops.at(-1)?.atMs ?? 0) + 1,
  );
  const faults = plan.faults.filter(({ fromMs }) => fromMs < limitMs)
    .map((fault) => (fault.toMs ?? Infinity) < limitMs ? fault : { ...fault, toMs: undefined });
  return withOptions({ ...withFaults(plan, faults), ops }, { timeLimitSeconds: limitMs / 1000 });
}

function withoutNode(plan: Plan, gone: string): Plan {
  const { nodeIds, concurrency } = plan.options;
  const kept = nodeIds.filter((node) => node !== gone);
  const ops = plan.ops.flatMap((op): PlanOp[] => {
    const place = kept.indexOf(nodeIds[op.thread % nodeIds.length] ?? gone);
    if (place === -1) return [];
    return [{ ...op, thread: Math.floor(op.thread / nodeIds.length) * kept.length + place }];
  });
  const faults = plan.faults.flatMap((fault) => faultWithout(fault, gone));
  const links = plan.links.filter(({ src, dest }) => src !== gone && dest !== gone);
  const rounds = Math.ceil(concurrency / nodeIds.length);
  const options = { nodeIds: kept, concurrency: rounds * kept.length };
  return withOptions({ ...withFaults(plan, faults), ops, links }, options);
}

/** A fault of the other nodes, if there is anything left of it. */
function faultWithout(fault: PlanFault, gone: string): PlanFault[] {
  const { nodes, drops } = fault;
  if (nodes !== undefined) {
    const kept = nodes.filter((node) => node !== gone);
    return kept.length === 0 ? [] : [{ ...fault, nodes: kept }];
  }
  if (drops === undefined) return [fault];
  const kept = Object.entries(drops)
    .map(([dest, srcs]) => [dest, srcs.filter((src) => src !== gone)] as const)
    .filter(([dest, srcs]) => dest !== gone && srcs.length > 0);
  return kept.length === 0 ? [] : [{ ...fault, drops: Object.fromEntries(kept) }];
}

/** The plan with as few threads as its operations need, each with the same node. */
function withFewThreads(plan: Plan): Plan {
  const { nodeIds, workload } = plan.options;
  const count = nodeIds.length;
  const byNode = new Map<number, number[]>();
  for (const { thread } of plan.ops) {
    const threads = byNode.get(thread % count) ?? [];
    if (!threads.includes(thread)) byNode.set(thread % count, [...threads, thread]);
  }
  const rank = (thread: number) =>
    byNode.get(thread % count)?.toSorted((a, b) => a - b)
      .indexOf(thread) ?? 0;
  const most = Math.max(1, ...[...byNode.values()].map(({ length }) => length));
  // The threads of lin-kv come in groups of two for each node.
  const rounds = workload === "lin-kv" ? 2 * Math.ceil(most / 2) : most;
  const ops = plan.ops.map((op) => ({
    ...op,
    thread: rank(op.thread) * count + op.thread % count,
  }));
  return withOptions({ ...plan, ops }, { concurrency: rounds * count });
}

/** The plan with operations and faults at whole milliseconds. */
function withWholeTimes(plan: Plan): Plan {
  const ops = plan.ops.map((op) => ({ ...op, atMs: Math.floor(op.atMs) }));
  const faults = plan.faults.map(({ fromMs, toMs, ...fault }) => ({
    ...fault,
    fromMs: Math.floor(fromMs),
    toMs: toMs === undefined ? undefined : Math.floor(toMs),
  }));
  return { ...plan, ops, faults };
}

function lengthOf({ fromMs, toMs = Infinity }: PlanFault, limitMs: number): number {
  return Math.min(toMs, limitMs) - fromMs;
}

function endEarlier(fault: PlanFault, share: number, limitMs: number): PlanFault {
  return { ...fault, toMs: Math.round(fault.fromMs + lengthOf(fault, limitMs) * share) };
}

function beginLater(fault: PlanFault, share: number, limitMs: number): PlanFault {
  const toMs = Math.min(fault.toMs ?? Infinity, limitMs);
  return { ...fault, fromMs: Math.round(toMs - lengthOf(fault, limitMs) * share) };
}

/** The messages that a plan has lost, one by one. */
function lossesOf(links: readonly PlanLink[]): LostMessage[] {
  return links.flatMap(({ src, dest, lost = [] }) => lost.map((number) => ({ src, dest, number })));
}

/** The plan with exactly these messages lost on their links. */
function withLosses(plan: Plan, lost: readonly LostMessage[]): Plan {
  const others = plan.links.filter((link) => (link.lost ?? []).length === 0);
  const byLink = Map.groupBy(lost, ({ src, dest }) => JSON.stringify([src, dest]));
  const links = [...byLink.values()].flatMap((those): PlanLink[] => {
    const [first] = those;
    if (first === undefined) return [];
    const numbers = those.map(({ number }) => number).sort((a, b) => a - b);
    const sent = (numbers.at(-1) ?? 0) + 1;
    return [{ src: first.src, dest: first.dest, sent, lost: numbers }];
  });
  return { ...plan, links: [...others, ...links] };
}
