/**
 * The nemesis: starts and stops faults at random times.
 *
 * @module
 */

import { type Clock, errorText, type Json, type Random } from "@eddy/maelstrom";
import { type Loss, LOSSES, type SyncFailure } from "./disk.ts";
import {
  drawOf,
  drawPartition,
  drawTargets,
  type Drops,
  type Faults,
  type FaultVerbs,
  PARTITIONS,
  type TargetKind,
  TARGETS,
} from "./faults.ts";
import type { Slowness } from "./links.ts";
import { describeSkew, type Skew } from "./machine_clock.ts";
import { drawInterval, randomBelow, shuffled } from "./random.ts";
import type { World } from "./world.ts";

/** One end of an operation of the nemesis, for the history. */
export interface NemesisEvent {
  readonly type: "info";
  /** `start-partition`, `stop-partition`, ... */
  readonly f: string;
  /** At the beginning what was drawn, at the end what was done. */
  readonly value: Json;
}

/** What a nemesis is made of. */
interface NemesisOptions extends FaultStrength {
  readonly world: World;
  readonly faults: Faults;
  readonly nodeIds: readonly string[];
  /** The faults; each has a schedule of its own. */
  readonly kinds: readonly NemesisName[];
  /** The mean time between two operations of a kind. */
  readonly intervalSeconds: number;
  /** The faults of a plan, if none are drawn. */
  readonly plan?: readonly PlanFault[] | undefined;
  /** Called when the nemesis begins; for faults at stated times, by the clock. */
  readonly script?: ((faults: FaultVerbs, clock: Clock) => void) | undefined;
}

/** What a fault does, and how it was drawn. */
export interface FaultSpec {
  /** What was drawn, in a word, as the history has it: `majority`, `one`. */
  readonly drawn: string;
  /** For `partition` and `one-way`: whose messages each node loses. */
  readonly drops?: Drops | undefined;
  /** For `kill`, `pause`, `slow`, `clock` and the faults of disks: the nodes. */
  readonly nodes?: readonly string[] | undefined;
  /** For `slow`: what latencies are multiplied by, and what is added then. */
  readonly slowness?: Slowness | undefined;
  /** For `loss` and `duplicate`: the probability of each message, while the plan says no other. */
  readonly probability?: number | undefined;
  /** For `clock`: the rate of the clocks, and how far the time of day jumps. */
  readonly clock?: Skew | undefined;
}

/** A fault of a plan; times are milliseconds of the history's time. */
export interface PlanFault extends FaultSpec {
  /** What kind of fault. */
  readonly kind: NemesisName;
  /** When it begins. */
  readonly fromMs: number;
  /** When it ends; if absent, when all do, at the end of the run. */
  readonly toMs?: number | undefined;
}

/** One fault after the other: those of a kind, if they are drawn. */
interface Track {
  readonly kind: NemesisName;
  /** When the first begins; undefined while that depends on the run. */
  readonly firstMs: number | undefined;
  /** What begins next. */
  next(): FaultSpec;
  /** When what follows a beginning or an end is due. */
  after(nowMs: number): number;
  /** When the last turn was due. */
  dueMs: number;
  /** What is on, as the plan has it. */
  entry: { -readonly [K in keyof PlanFault]: PlanFault[K] } | undefined;
  /** How to end it. */
  end: () => Json | Promise<Json>;
  /** The operation under way. */
  busy: Promise<void>;
  cancel: () => void;
}

/** The kinds that leave nodes without an answer. */
const STOPPING: ReadonlySet<NemesisName> = new Set<NemesisName>([
  ...LOSSES,
  "pause",
  "disk-full",
  "disk-eio",
]);

/** Within what time such a fault follows the first answers: not in the same moment. */
const FIRST_STOP_MS = 1;

/**
 * Maelstrom's nemesis, with more kinds of faults.
 *
 * Each kind is started and stopped in turn, first at once, then after intervals drawn uniformly
 * from [0, 2 x interval). What exactly it does is drawn anew at each start. Kinds that stop nodes
 * begin after the first operations: if they began at once, clients would only wait.
 */
export class Nemesis {
  readonly #options: NemesisOptions;
  readonly #tracks: readonly Track[];
  readonly #planned: PlanFault[] = [];
  #record: (event: NemesisEvent) => void = () => {};
  #originMs = 0;
  #running = false;

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#tracks = options.plan === undefined
      ? [...new Set(options.kinds)].map((kind) => drawnTrack(kind, options))
      : plannedTracks(options.plan, options.kinds);
  }

  /** The faults that have begun, for a plan. */
  get plan(): readonly PlanFault[] {
    return this.#planned;
  }

  /**
   * Begins, with the first faults at once; a history's time begins now, too.
   *
   * @param record called at both ends of every operation
   * @param answered resolves when the first operations of clients have ended
   */
  start(
    record: (event: NemesisEvent) => void,
    answered: Promise<void> = Promise.resolve(),
  ): void {
    const { world, faults, script } = this.#options;
    this.#record = record;
    this.#running = true;
    this.#originMs = world.clock.now();
    faults.startTime();
    for (const track of this.#tracks) {
      if (track.firstMs !== undefined) this.#schedule(track, track.firstMs);
      else {
        answered.then(() => {
          if (this.#running) this.#schedule(track, track.after(this.#nowMs()));
        });
      }
    }
    script?.(faults, world.clock);
  }

  /** Begins no more faults; those that are on stay on. */
  stop(): void {
    this.#running = false;
    for (const { cancel } of this.#tracks) cancel();
  }

  /** Ends all faults; resolves when killed nodes have answered `init`. */
  async heal(): Promise<void> {
    this.stop();
    await Promise.all(this.#tracks.map(async (track) => {
      await track.busy;
      if (track.entry !== undefined) await this.#end(track);
    }));
    await this.#options.faults.healAll();
  }

  #nowMs(): number {
    return this.#options.world.clock.now() - this.#originMs;
  }

  #schedule(track: Track, dueMs: number): void {
    track.dueMs = dueMs;
    if (dueMs === Infinity) return;
    if (dueMs <= 0) return void this.#turn(track);
    const { clock } = this.#options.world;
    track.cancel = clock.schedule(dueMs - this.#nowMs(), () => this.#turn(track));
  }

  /** Does what is next, and sets the time for what comes after. */
  async #turn(track: Track): Promise<void> {
    const nextMs = track.after(this.#nowMs());
    if (track.entry === undefined) track.busy = this.#begin(track);
    else {
      track.entry.toMs = track.dueMs;
      track.busy = this.#end(track);
    }
    await track.busy;
    if (this.#running) this.#schedule(track, nextMs);
  }

  async #begin(track: Track): Promise<void> {
    const { kind, dueMs } = track;
    const spec = track.next();
    track.entry = { kind, fromMs: dueMs, toMs: undefined, ...spec };
    this.#planned.push(track.entry);
    const { begin, end } = faultKinds[kind].act(this.#options.faults, spec);
    track.end = end;
    await this.#do(`start-${kind}`, spec.drawn, begin);
  }

  async #end(track: Track): Promise<void> {
    track.entry = undefined;
    await this.#do(`stop-${track.kind}`, null, track.end);
  }

  async #do(f: string, drawn: Json, act: () => Json | Promise<Json>): Promise<void> {
    this.#record({ type: "info", f, value: drawn });
    let value: Json;
    try {
      value = await act();
    } catch (error) {
      // As with Jepsen's: what the nemesis could not do is noted, and the run goes on.
      value = errorText(error);
    }
    this.#record({ type: "info", f, value });
  }
}

/** Faults of a kind, drawn one after the other. */
function drawnTrack(kind: NemesisName, options: NemesisOptions): Track {
  const random = options.world.random(`nemesis ${kind}`);
  const waits = STOPPING.has(kind);
  let isFirst = waits;
  return {
    ...idle(kind),
    firstMs: waits ? undefined : 0,
    next: () => faultKinds[kind].draw({ ...options, random }),
    after(nowMs) {
      const meanMs = isFirst ? FIRST_STOP_MS / 2 : options.intervalSeconds * 1000;
      isFirst = false;
      return nowMs + drawInterval(random, meanMs);
    },
  };
}

/** The faults of a plan: those that are on at the same time are on tracks of their own. */
function plannedTracks(plan: readonly PlanFault[], kinds: readonly NemesisName[]): Track[] {
  const lists: PlanFault[][] = [];
  for (const fault of plan.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const list = lists.find((list) => {
      const last = list.at(-1);
      return last?.kind === fault.kind && (last.toMs ?? Infinity) <= fault.fromMs;
    });
    if (list === undefined) lists.push([fault]);
    else list.push(fault);
  }
  const order = ([first]: PlanFault[]) => kinds.findIndex((kind) => kind === first?.kind);
  return lists.sort((a, b) => order(a) - order(b)).map(plannedTrack);
}

function plannedTrack(faults: readonly PlanFault[]): Track {
  const [first] = faults;
  const timesMs = faults.flatMap(({ fromMs, toMs = Infinity }) => [fromMs, toMs]);
  const specs = faults.values();
  let turns = 0;
  return {
    ...idle(first?.kind ?? "partition"),
    firstMs: first?.fromMs ?? Infinity,
    next() {
      const { kind: _, fromMs: __, toMs: ___, ...spec } = specs.next().value ?? { drawn: "" };
      return spec;
    },
    after: () => timesMs[++turns] ?? Infinity,
  };
}

function idle(kind: NemesisName) {
  return {
    kind,
    dueMs: 0,
    entry: undefined,
    end: () => null,
    busy: Promise.resolve(),
    cancel: () => {},
  };
}

/** How severe faults are. */
interface FaultStrength {
  /**
   * The probability that a message is lost.
   *
   * @default 0.1
   */
  readonly loss?: number | undefined;
  /**
   * The probability that a message is delivered twice.
   *
   * @default 0.1
   */
  readonly duplication?: number | undefined;
  /**
   * What slow nodes do to latencies.
   *
   * @default 5 times, and 50 ms more
   */
  readonly slowness?: Slowness | undefined;
  /**
   * How many nodes are killed, paused or slowed down; drawn anew each time.
   *
   * @default one, a minority, a majority or all, as Jepsen's nemesis; one or a minority where syncs
   * fail
   */
  readonly targets?: readonly TargetKind[] | undefined;
}

/** What a fault is drawn from. */
interface FaultContext extends FaultStrength {
  readonly nodeIds: readonly string[];
  readonly random: Random;
}

/** How a fault begins and ends; both return what they did. */
interface FaultAct {
  begin(): Json | Promise<Json>;
  end(): Json | Promise<Json>;
}

/** A kind of fault. */
interface FaultKind {
  /** What its faults must say in a plan, beside what was drawn. */
  readonly needs: readonly Exclude<keyof FaultSpec, "drawn">[];
  /** Draws one. */
  draw(context: FaultContext): FaultSpec;
  /** Puts one into force. */
  act(faults: Faults, spec: FaultSpec): FaultAct;
}

/** A cut that was drawn. */
interface DrawnCut {
  readonly drawn: string;
  readonly drops: Drops;
}

/** A kind that loses messages of links. */
function cutting(fault: string, draw: (context: FaultContext) => DrawnCut): FaultKind {
  return {
    needs: ["drops"],
    draw,
    act(faults, { drops = {} }) {
      let heal = () => {};
      return {
        begin() {
          heal = faults.drop(drops, fault);
          return {
            isolated: Object.fromEntries(Object.entries(drops).map(([k, v]) => [k, [...v]])),
          };
        },
        end() {
          heal();
          return "network healed";
        },
      };
    },
  };
}

function drawnPartition({ nodeIds, random }: FaultContext): DrawnCut {
  const drawn = drawOf(random, PARTITIONS);
  return { drawn, drops: drawPartition(drawn, nodeIds, random) };
}

function drawnOneWay({ nodeIds, random }: FaultContext): DrawnCut {
  const drawn = drawOf(random, ["deaf", "mute", "halves"] as const);
  return { drawn, drops: drawOneWay(drawn, nodeIds, random) };
}

/** `deaf`: one node receives nothing; `mute`: it sends nothing; `halves`: one half loses the other's. */
function drawOneWay(
  kind: "deaf" | "mute" | "halves",
  nodeIds: readonly string[],
  random: Random,
): Drops {
  const nodes = shuffledSplit(nodeIds, kind === "halves" ? nodeIds.length >> 1 : 1, random);
  const [dests, srcs] = kind === "mute" ? [nodes.rest, nodes.first] : [nodes.first, nodes.rest];
  if (srcs.length === 0) return {};
  return Object.fromEntries(dests.map((dest) => [dest, srcs]));
}

function shuffledSplit(nodeIds: readonly string[], size: number, random: Random) {
  const nodes = shuffled(random, nodeIds);
  return { first: nodes.slice(0, size), rest: nodes.slice(size) };
}

/** A kind of which each message has a probability. */
function everywhere(
  probabilityOf: (context: FaultContext) => number,
  begin: (faults: Faults, probability: number) => () => void,
): FaultKind {
  return {
    needs: ["probability"],
    draw: (context) => ({ drawn: "everywhere", probability: probabilityOf(context) }),
    act(faults, { probability = 0 }) {
      let heal = () => {};
      return {
        begin() {
          heal = begin(faults, probability);
          return { probability };
        },
        end() {
          heal();
          return "network healed";
        },
      };
    },
  };
}

/** What a fault of some nodes does. */
interface NodeFault {
  begin(
    faults: Faults,
    nodes: readonly string[],
    spec: FaultSpec,
  ): void | (() => void | Promise<void>) | Promise<void>;
  end(
    faults: Faults,
    nodes: readonly string[],
    heal: () => void | Promise<void>,
  ): void | Promise<void>;
  /** What the history says of each node at the beginning. */
  readonly began: string | ((spec: FaultSpec) => string);
  /** What it says at the end. */
  readonly ended: string | ((faults: Faults, node: string) => string);
  /** What of it is drawn beside the nodes, after these. */
  readonly strength?: {
    readonly of: Exclude<keyof FaultSpec, "drawn">;
    draw(context: FaultContext): Partial<FaultSpec>;
  };
  /** How many nodes it affects, unless the nemesis is told. */
  readonly targets?: readonly TargetKind[];
}

const DEFAULT_SLOWNESS: Slowness = { factor: 5, extraMs: 50 };

function onNodes(fault: NodeFault): FaultKind {
  const { begin, end, began, ended, strength } = fault;
  return {
    needs: strength === undefined ? ["nodes"] : ["nodes", strength.of],
    draw(context) {
      const { nodeIds, random, targets = fault.targets ?? TARGETS } = context;
      const drawn = drawOf(random, targets);
      const nodes = drawTargets(drawn, nodeIds, random);
      return { drawn, nodes, ...strength?.draw(context) };
    },
    act(faults, spec) {
      const { nodes = [] } = spec;
      const each = (word: NodeFault["ended"]) =>
        Object.fromEntries(
          nodes.map((node) => [node, typeof word === "string" ? word : word(faults, node)]),
        );
      let heal: () => void | Promise<void> = () => {};
      return {
        async begin() {
          heal = await begin(faults, nodes, spec) ?? heal;
          return each(typeof began === "string" ? began : began(spec));
        },
        async end() {
          await end(faults, nodes, heal);
          return each(ended);
        },
      };
    },
  };
}

const partition: FaultKind = cutting("partition", drawnPartition);

/** A kind that kills nodes. */
function killing(loss: Loss): FaultKind {
  return onNodes({
    begin: (faults, nodes) => faults.crash(nodes, loss),
    end: (faults, nodes) => faults.restart(nodes, loss),
    began: "killed",
    ended: (faults, node) => faults.isKilled(node) ? "still down" : "started",
  });
}

const kill: FaultKind = killing("kill");

const diskLose: FaultKind = killing("disk-lose");

const diskTorn: FaultKind = killing("disk-torn");

const pause: FaultKind = onNodes({
  begin: (faults, nodes) => faults.pause(nodes),
  end: (faults, nodes) => faults.resume(nodes),
  began: "paused",
  ended: "resumed",
});

const oneWay: FaultKind = cutting("one-way", drawnOneWay);

const loss: FaultKind = everywhere(
  ({ loss = 0.1 }) => loss,
  (faults, probability) => faults.loss(probability),
);

const duplicate: FaultKind = everywhere(
  ({ duplication = 0.1 }) => duplication,
  (faults, probability) => faults.duplicate(probability),
);

const slow: FaultKind = onNodes({
  begin: (faults, nodes, { slowness = DEFAULT_SLOWNESS }) => faults.slow(nodes, slowness),
  end: (_faults, _nodes, heal) => heal(),
  began: "slow",
  ended: "as before",
  strength: {
    of: "slowness",
    draw: ({ slowness = DEFAULT_SLOWNESS }) => ({ slowness }),
  },
});

const diskSlow: FaultKind = onNodes({
  begin: (faults, nodes) => faults.slowDisk(nodes),
  end: (_faults, _nodes, heal) => heal(),
  began: "slow to sync",
  ended: "as before",
});

/** A kind that makes syncs fail, which ends nodes. */
function failing(failure: SyncFailure): FaultKind {
  return onNodes({
    begin: (faults, nodes) => faults.failSyncs(nodes, failure),
    end: (_faults, _nodes, heal) => heal(),
    began: "cannot sync",
    ended: "can sync again",
    targets: ["one", "minority"],
  });
}

const diskFull: FaultKind = failing("disk-full");

const diskEio: FaultKind = failing("disk-eio");

const NO_SKEW: Skew = { rate: 1, jumpMs: 0 };

/** The rates that are drawn are from 1 by this number to this number. */
const MAX_RATE = 4;
/** How far the time of day jumps at most, if it does. */
const MAX_JUMP_MS = 60_000;

/** A rate whose logarithm is uniform; in half of the cases the time of day jumps, too. */
function drawSkew(random: Random): Skew {
  const rate = MAX_RATE ** (2 * random.next() - 1);
  const jumpMs = randomBelow(random, 2 * MAX_JUMP_MS + 1) - MAX_JUMP_MS;
  return {
    rate: Math.round(rate * 1000) / 1000,
    jumpMs: random.next() < 0.5 ? 0 : jumpMs,
  };
}

const clock: FaultKind = onNodes({
  begin: (faults, nodes, { clock = NO_SKEW }) => faults.skewClocks(nodes, clock),
  end: (_faults, _nodes, heal) => heal(),
  began: ({ clock = NO_SKEW }) => describeSkew(clock),
  ended: "clock as before",
  strength: {
    of: "clock",
    draw: ({ random }) => ({ clock: drawSkew(random) }),
  },
});

/** All kinds of faults: a new one is its verb in `Faults`, a kind here, a line here. */
export const faultKinds = {
  partition: partition,
  kill: kill,
  pause: pause,
  "one-way": oneWay,
  loss: loss,
  duplicate: duplicate,
  slow: slow,
  "disk-lose": diskLose,
  "disk-torn": diskTorn,
  "disk-slow": diskSlow,
  "disk-full": diskFull,
  "disk-eio": diskEio,
  clock: clock,
};

/** The name of a kind of fault. */
export type NemesisName = keyof typeof faultKinds;

/** The names of all kinds of faults. */
export const NEMESES: readonly NemesisName[] = Object.keys(faultKinds) as NemesisName[];

/** Whether a fault is one of simulated disks, which only nodes under virtual time have. */
export function needsDisk(name: NemesisName): boolean {
  return name.startsWith("disk-");
}
