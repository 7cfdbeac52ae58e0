/**
 * Worlds and schedules of faults that are drawn for each seed: what no single mix of faults finds.
 *
 * Every seed leaves out other kinds of faults and options, so that runs differ more than runs in
 * which everything happens at once. After Groce et al., "Swarm Testing", ISSTA 2012. All that is
 * drawn is data: options, arguments, and the faults of a plan.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";
import { drawOf, majority, splitGroups, type TargetKind, TARGETS } from "./faults.ts";
import type { Latency } from "./links.ts";
import { faultKinds, type FaultSpec, type NemesisName, type PlanFault } from "./nemesis.ts";
import { HEALED_SECONDS, type RunOptions, type RunSettings } from "./options.ts";
import { randomBelow, shuffled } from "./random.ts";
import type { WorkloadName } from "./workloads/mod.ts";

/** What a schedule is drawn from. */
export interface ScheduleContext {
  readonly nodeIds: readonly string[];
  readonly random: Random;
  /**
   * What faults of clocks are drawn from: apart from all else, so that a world is the same with them
   * as without, but for them.
   */
  readonly clocks: Random;
  /** Until when faults are on. */
  readonly durationMs: number;
  /** The kinds that may be. */
  readonly kinds: readonly NemesisName[];
}

/** The schedules by name, each with what it does, in a few words. */
export const schedules: Readonly<Record<ScheduleName, string>> = {
  swarm: "another world for each seed: which faults, how often, how long, latencies, sizes",
  storm: "short faults of all kinds, one upon the other",
  seesaw: "the majority is now with one of two nodes, now with the other, and they never meet",
  fork: "two nodes that do not hear each other, while the others stand still or start again",
  stragglers: "one node after the other misses much, or is slow",
  skew: "one node after the other is cut off, and its clock is slow, or the others' are fast",
};

/** The name of a schedule. */
export type ScheduleName = "swarm" | "storm" | "seesaw" | "fork" | "stragglers" | "skew";

/** The names of all schedules. */
export const SCHEDULES: readonly ScheduleName[] = Object.keys(schedules) as ScheduleName[];

/**
 * How long a run is without faults at its end, so that clients are served again, if they do not go on
 * after the time limit: this share of it, and for so many seconds at least.
 */
const CALM = 0.3;
const MIN_CALM_SECONDS = 4;
/** Before this time, in ms, there are none: clients are served at first. */
const FIRST_MS = 100;
/** How many faults a schedule has at most. */
const MAX_FAULTS = 300;
/** With fewer nodes there is nobody to set against each other. */
const MIN_FEUD = 3;

/** Draws a schedule for a run, in the order of beginning. */
export function drawSchedule(
  name: ScheduleName,
  options: Pick<RunOptions, "timeLimitSeconds" | "heal">,
  context: Omit<ScheduleContext, "durationMs">,
): PlanFault[] {
  const kinds = context.kinds.filter((kind) => kind !== "clock" || name === "skew");
  const whole = { ...context, kinds, durationMs: faultyMs(options) };
  const faults = asPlanned(drawers[nameFor(name, whole)](whole), whole);
  if (name !== "swarm" || kinds.length === context.kinds.length) return faults;
  return [...faults, ...clockFaults(whole)].sort((a, b) => a.fromMs - b.fromMs);
}

/** How many of a swarm's worlds have faults of clocks. */
const SKEWED = 0.2;

/** Faults of clocks, whatever else there is. */
function clockFaults({ clocks: random, ...context }: ScheduleContext): PlanFault[] {
  if (random.next() >= SKEWED) return [];
  const kinds = ["clock"] as const;
  const all = { ...context, clocks: random, random, kinds };
  return asPlanned(faultsOf("clock", all), all);
}

/** Until when a run has faults, in ms. */
export function faultyMs(
  { timeLimitSeconds, heal }: Pick<RunOptions, "timeLimitSeconds" | "heal">,
): number {
  const calm = heal
    ? 0
    : Math.max(CALM * timeLimitSeconds, Math.min(MIN_CALM_SECONDS, timeLimitSeconds / 2));
  return 1000 * (timeLimitSeconds - calm);
}

/** Faults as a plan has them: in order, in whole milliseconds, of kinds that may be. */
export function asPlanned(
  faults: readonly PlanFault[],
  { kinds, durationMs }: Pick<ScheduleContext, "kinds" | "durationMs">,
): PlanFault[] {
  return faults.filter(({ kind }) => kinds.includes(kind))
    .map((fault) => withWholeTimes(fault, durationMs))
    .filter(({ fromMs, toMs = Infinity }) => fromMs < toMs)
    .sort((a, b) => a.fromMs - b.fromMs)
    .slice(0, MAX_FAULTS);
}

/** Of a swarm's seeds some have a schedule of the other names. */
function nameFor(name: ScheduleName, { nodeIds, random }: ScheduleContext): ScheduleName {
  const drawn = name === "swarm" && random.next() < 0.4
    ? drawOf(random, ["storm", "seesaw", "fork", "stragglers"] as const)
    : name;
  return needsThree(drawn) && nodeIds.length < MIN_FEUD ? "storm" : drawn;
}

/** Whether a schedule sets nodes against each other, for which there must be three. */
export function needsThree(name: ScheduleName): boolean {
  return name !== "swarm" && name !== "storm";
}

function withWholeTimes(fault: PlanFault, limitMs: number): PlanFault {
  const toMs = Math.min(fault.toMs ?? Infinity, limitMs);
  return { ...fault, fromMs: Math.round(fault.fromMs), toMs: Math.round(toMs) };
}

const drawers: Readonly<Record<ScheduleName, (context: ScheduleContext) => PlanFault[]>> = {
  swarm,
  storm,
  seesaw,
  fork,
  stragglers,
  skew,
};

/** Each kind is there or not; those that are have intervals and strengths of their own. */
function swarm(context: ScheduleContext): PlanFault[] {
  const { random } = context;
  const share = drawOf(random, [0, 0.2, 0.4, 0.7]);
  return context.kinds.filter(() => random.next() < share)
    .flatMap((kind) => faultsOf(kind, context));
}

/** One fault of a kind after the other, at intervals of their own. */
function faultsOf(kind: NemesisName, context: ScheduleContext): PlanFault[] {
  const { random, durationMs } = context;
  const draw = drawer(kind, context);
  const lastsMs = logUniform(random, 30, durationMs / 2);
  const calmMs = logUniform(random, 30, durationMs);
  const faults: PlanFault[] = [];
  let atMs = FIRST_MS + random.next() * calmMs;
  while (atMs < durationMs && faults.length < MAX_FAULTS) {
    const toMs = atMs + random.next() * 2 * lastsMs;
    faults.push({ kind, fromMs: atMs, toMs, ...draw() });
    atMs = toMs + random.next() * 2 * calmMs;
  }
  return faults;
}

/** Faults of a kind, of a strength that is drawn once. */
function drawer(kind: NemesisName, { nodeIds, random }: ScheduleContext): () => FaultSpec {
  const strength = {
    loss: logUniform(random, 0.01, 0.5),
    duplication: logUniform(random, 0.01, 0.5),
    slowness: { factor: 1 + randomBelow(random, 10), extraMs: randomBelow(random, 300) },
  };
  const drawn = drawOf(random, [FEW.slice(0, 1), FEW, TARGETS]);
  // A node whose sync has failed stays down until the fault ends: a majority is to be left.
  const targets = kind === "disk-full" || kind === "disk-eio"
    ? drawn.filter((target) => FEW.includes(target))
    : drawn;
  return () => faultKinds[kind].draw({ nodeIds, random, ...strength, targets });
}

/** Targets that leave a majority alone. */
const FEW: readonly TargetKind[] = ["one", "minority"];

/** Faults of a moment, one after the other; single nodes are hit most. */
function storm(context: ScheduleContext): PlanFault[] {
  const { random, durationMs, kinds } = context;
  const longestMs = logUniform(random, 100, 1000);
  const calmMs = logUniform(random, 20, 500);
  const faults: PlanFault[] = [];
  if (kinds.length === 0) return faults;
  let atMs = FIRST_MS;
  while (atMs < durationMs && faults.length < MAX_FAULTS) {
    const kind = drawOf(random, kinds);
    const toMs = atMs + 10 + random.next() * longestMs;
    faults.push({ kind, fromMs: atMs, toMs, ...drawer(kind, context)() });
    atMs = toMs + random.next() * calmMs;
  }
  return faults;
}

/** The probability that a turn of a feud leaves all nodes together. */
const PEACE = 0.1;

/** Does one thing after the other until the time is up. */
function inTurn(
  { random, durationMs }: ScheduleContext,
  turn: (number: number, fromMs: number, toMs: number) => readonly PlanFault[],
): PlanFault[] {
  const scale = logUniform(random, 1, 8);
  const faults: PlanFault[] = [];
  let [atMs, number] = [FIRST_MS, 0];
  while (atMs < durationMs && faults.length < MAX_FAULTS) {
    const toMs = atMs + scale * (50 + random.next() * 350);
    faults.push(...turn(number++, atMs, toMs));
    // The next cut of the kind begins when this one has ended.
    atMs = Math.round(toMs) + 1;
  }
  return faults;
}

/**
 * The majority is now with one of two nodes, now with the other: each leads in turn, and leaves
 * entries behind that few have. After figure 8 of Ongaro and Ousterhout, "In Search of an
 * Understandable Consensus Algorithm", 2014.
 */
function seesaw(context: ScheduleContext): PlanFault[] {
  const { random, nodeIds } = context;
  const [one = "", other = "", ...rest] = shuffled(random, nodeIds);
  return inTurn(context, (number, fromMs, toMs) => {
    if (random.next() < PEACE) return [];
    const [outcast, leader] = number % 2 === 0 ? [one, other] : [other, one];
    return [cut([[outcast], [leader, ...rest]], "seesaw", fromMs, toMs)];
  });
}

/** How long the others stand still in a fork, at most, in ms. */
const STILL_MS = 300;

/** Two nodes that do not hear each other; the others stand still for a while, and may start again. */
function fork(context: ScheduleContext): PlanFault[] {
  const { random, nodeIds } = context;
  const stillMs = logUniform(random, 20, STILL_MS);
  return inTurn(context, (_, fromMs, toMs) => {
    const [one = "", other = "", ...rest] = shuffled(random, nodeIds);
    const [killed = ""] = rest;
    const pausedMs = random.next() * stillMs;
    const killedAtMs = fromMs + pausedMs + random.next() * stillMs;
    const pause: PlanFault = {
      kind: "pause",
      drawn: "fork",
      nodes: rest,
      fromMs,
      toMs: fromMs + pausedMs,
    };
    const kill: PlanFault = {
      kind: "kill",
      drawn: "fork",
      nodes: [killed],
      fromMs: killedAtMs,
      toMs: killedAtMs + random.next() * stillMs,
    };
    const cutOff = cut([[one], [other]], "fork", fromMs, toMs);
    return random.next() < 0.5 ? [cutOff, pause] : [cutOff, pause, kill];
  });
}

/** One node after the other misses so much that it needs all, or hears late. */
function stragglers(context: ScheduleContext): PlanFault[] {
  const { random, nodeIds } = context;
  return inTurn(context, (_, fromMs, toMs) => {
    const size = 1 + randomBelow(random, nodeIds.length - majority(nodeIds.length));
    const all = shuffled(random, nodeIds);
    const [few, others] = [all.slice(0, size), all.slice(size)];
    if (random.next() < 0.5) return [cut([few, others], "stragglers", fromMs, toMs)];
    const slowness = { factor: 1 + randomBelow(random, 5), extraMs: 50 + randomBelow(random, 300) };
    return [{ kind: "slow", drawn: "stragglers", nodes: few, slowness, fromMs, toMs }];
  });
}

/**
 * One node after the other is cut off while its clock is slow, or all others' are fast: if it leads
 * it trusts a lease for longer than the others do (dissertation 6.4.1).
 */
function skew(context: ScheduleContext): PlanFault[] {
  const { random, nodeIds } = context;
  return inTurn(context, (_, fromMs, toMs) => {
    const [one = "", ...others] = shuffled(random, nodeIds);
    const faster = logUniform(random, 1.5, 4);
    const [nodes, rate] = random.next() < 0.5 ? [[one], 1 / faster] : [others, faster];
    const clock = { rate: Math.round(rate * 1000) / 1000, jumpMs: 0 };
    const cutAtMs = fromMs + random.next() * (toMs - fromMs) / 2;
    return [
      { kind: "clock", drawn: "skew", nodes, clock, fromMs, toMs },
      cut([[one], others], "skew", cutAtMs, toMs),
    ];
  });
}

function cut(
  groups: readonly (readonly string[])[],
  drawn: string,
  fromMs: number,
  toMs: number,
): PlanFault {
  return { kind: "partition", drawn, drops: splitGroups(groups), fromMs, toMs };
}

/** A number whose logarithm is uniform. */
function logUniform(random: Random, least: number, most: number): number {
  return least * Math.max(1, most / least) ** random.next();
}

/** The mean latencies that are drawn, in ms. */
const MEANS_MS: Readonly<Record<Latency["distribution"], readonly number[]>> = {
  constant: [0, 2, 10, 30, 100],
  uniform: [2, 10, 30, 60],
  exponential: [2, 10, 30],
  uneven: [2, 10, 20],
};

/** What a swarm draws of a run beside its faults. */
export interface DrawnWorld extends RunSettings {
  /** Options of Eddy's own node that are drawn, by name; a workload has some of them. */
  readonly nodeOptions: Readonly<Record<string, number>>;
}

/**
 * Draws what a run is like: sizes, rates, latencies, keys.
 *
 * Runs are short, and have enough operations for every kind of them to succeed once.
 */
export function drawWorld(workload: WorkloadName, random: Random): DrawnWorld {
  const timeLimitSeconds = drawOf(random, [4, 8, 16]);
  const operations = logUniform(random, 400, 1500);
  const perNode = drawOf(random, workload === "lin-kv" ? [2, 4, 6] : [1, 2, 4]);
  // Clients of lin-kv wait a second, as Maelstrom's, and a request takes four messages or more.
  const distribution = drawOf(random, ["constant", "uniform", "exponential", "uneven"] as const);
  const meanMs = drawOf(random, MEANS_MS[distribution]);
  const world: RunSettings = {
    nodeCount: drawOf(random, [2, 3, 3, 3, 4, 5, 5, 7]),
    concurrency: `${perNode}n`,
    timeLimitSeconds,
    rate: Math.round(operations / (timeLimitSeconds + HEALED_SECONDS)),
    heal: true,
    latency: { meanMs, distribution },
    keyCount: drawOf(random, [1, 2, 5, 10]),
    maxTxnLength: drawOf(random, [1, 2, 4, 8]),
    maxWritesPerKey: drawOf(random, [4, 16, 64]),
    threadOrder: drawOf(random, ["round-robin", "random"]),
  };
  // With jitter a node stalls now and then, for fifty times as long, which clients are to bear.
  const compute = drawOf(random, [
    undefined,
    undefined,
    { meanMs: 0.4, jitter: 1 },
    { meanMs: 3, jitter: 0 },
  ]);
  return {
    ...world,
    ...(compute !== undefined && { compute }),
    nodeOptions: drawNodeOptions(random),
  };
}

/** Small and large bounds and paces, so that what rarely happens does (FoundationDB's "buggify"). */
function drawNodeOptions(random: Random): Readonly<Record<string, number>> {
  const drawn = {
    "max-latency": drawOf(random, [undefined, undefined, undefined, 0, 30, 300]),
    "heartbeat": drawOf(random, [undefined, undefined, 30, 300]),
    // With fewer, the messages are so many that nodes that take 3 ms for each do nothing else.
    "max-entries": drawOf(random, [undefined, undefined, 16, 64]),
    "max-lag": drawOf(random, [undefined, undefined, 64, 256]),
  };
  const given = Object.entries(drawn).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const]
  );
  return Object.fromEntries(given);
}
