/**
 * The nemesis: starts and stops faults at random times.
 *
 * @module
 */

import { type Clock, errorText, type Json, type Random } from "@eddy/maelstrom";
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
import type { Slowness } from "./network.ts";
import { shuffled } from "./random.ts";
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
  /** Called when the nemesis begins; for faults at stated times, by the clock. */
  readonly script?: ((faults: FaultVerbs, clock: Clock) => void) | undefined;
}

/** The schedule of one kind of fault. */
interface Track {
  readonly kind: NemesisName;
  readonly random: Random;
  /** What is on. */
  fault: DrawnFault | undefined;
  /** The operation under way. */
  busy: Promise<void>;
  cancel: () => void;
}

/** The kinds that leave nodes without an answer. */
const STOPPING: ReadonlySet<NemesisName> = new Set<NemesisName>(["kill", "pause"]);

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
  #record: (event: NemesisEvent) => void = () => {};
  #running = false;

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#tracks = [...new Set(options.kinds)].map((kind) => ({
      kind,
      random: options.world.random(`nemesis ${kind}`),
      fault: undefined,
      busy: Promise.resolve(),
      cancel: () => {},
    }));
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
    this.#record = record;
    this.#running = true;
    const { world, faults, script } = this.#options;
    faults.startTime();
    for (const track of this.#tracks) {
      if (!STOPPING.has(track.kind)) this.#turn(track);
      else {
        answered.then(() => {
          if (this.#running) this.#turn(track);
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
      if (track.fault !== undefined) await this.#toggle(track);
    }));
    await this.#options.faults.healAll();
  }

  /** Does what is next, and sets the time for what comes after. */
  async #turn(track: Track): Promise<void> {
    const { world: { clock }, intervalSeconds } = this.#options;
    const nextMs = clock.now() + track.random.next() * 2 * intervalSeconds * 1000;
    track.busy = this.#toggle(track);
    await track.busy;
    if (!this.#running) return;
    track.cancel = clock.schedule(nextMs - clock.now(), () => this.#turn(track));
  }

  async #toggle(track: Track): Promise<void> {
    const { fault } = track;
    if (fault === undefined) {
      const drawn = faultKinds[track.kind]({ ...this.#options, random: track.random });
      track.fault = drawn;
      await this.#do(`start-${track.kind}`, drawn.kind, () => drawn.begin());
    } else {
      track.fault = undefined;
      await this.#do(`stop-${track.kind}`, null, () => fault.end());
    }
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
   * @default one, a minority, a majority or all, as Jepsen's nemesis
   */
  readonly targets?: readonly TargetKind[] | undefined;
}

/** One fault that was drawn. */
interface DrawnFault {
  /** What was drawn, in a word. */
  readonly kind: string;
  /** Starts the fault, and returns what it does. */
  begin(): Json | Promise<Json>;
  /** Ends it, and returns what that did. */
  end(): Json | Promise<Json>;
}

/** What a fault is drawn from. */
interface FaultContext extends FaultStrength {
  readonly faults: Faults;
  readonly nodeIds: readonly string[];
  readonly random: Random;
}

function partition({ faults, nodeIds, random }: FaultContext): DrawnFault {
  const kind = drawOf(random, PARTITIONS);
  return cut(kind, drawPartition(kind, nodeIds, random), "partition", faults);
}

function kill(context: FaultContext): DrawnFault {
  const { faults } = context;
  return onNodes(context, {
    begin: (nodes) => faults.crash(nodes),
    end: (nodes) => faults.restart(nodes),
    began: "killed",
    ended: "started",
  });
}

function pause(context: FaultContext): DrawnFault {
  const { faults } = context;
  return onNodes(context, {
    begin: (nodes) => faults.pause(nodes),
    end: (nodes) => faults.resume(nodes),
    began: "paused",
    ended: "resumed",
  });
}

function oneWay({ faults, nodeIds, random }: FaultContext): DrawnFault {
  const kind = drawOf(random, ["deaf", "mute", "halves"] as const);
  return cut(kind, drawOneWay(kind, nodeIds, random), "one-way", faults);
}

function loss({ faults, loss: probability = 0.1 }: FaultContext): DrawnFault {
  return everywhere(probability, () => faults.loss(probability));
}

function duplicate({ faults, duplication = 0.1 }: FaultContext): DrawnFault {
  return everywhere(duplication, () => faults.duplicate(duplication));
}

function slow(context: FaultContext): DrawnFault {
  const { faults, slowness = { factor: 5, extraMs: 50 } } = context;
  let heal = () => {};
  return onNodes(context, {
    begin(nodes) {
      heal = faults.slow(nodes, slowness);
    },
    end: () => heal(),
    began: "slow",
    ended: "as before",
  });
}

/** All kinds of faults: a new one is its verb in `Faults`, a function that draws it, a line here. */
export const faultKinds = {
  partition: partition,
  kill: kill,
  pause: pause,
  "one-way": oneWay,
  loss: loss,
  duplicate: duplicate,
  slow: slow,
};

/** The name of a kind of fault. */
export type NemesisName = keyof typeof faultKinds;

/** The names of all kinds of faults. */
export const NEMESES: readonly NemesisName[] = Object.keys(faultKinds) as NemesisName[];

function cut(kind: string, drops: Drops, fault: string, faults: Faults): DrawnFault {
  let heal = () => {};
  return {
    kind,
    begin() {
      heal = faults.drop(drops, fault);
      return { isolated: Object.fromEntries(Object.entries(drops).map(([k, v]) => [k, [...v]])) };
    },
    end() {
      heal();
      return "network healed";
    },
  };
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

function everywhere(probability: number, begin: () => () => void): DrawnFault {
  let heal = () => {};
  return {
    kind: "everywhere",
    begin() {
      heal = begin();
      return { probability };
    },
    end() {
      heal();
      return "network healed";
    },
  };
}

/** A fault of some nodes. */
interface NodeFault {
  begin(nodes: readonly string[]): void | Promise<void>;
  end(nodes: readonly string[]): void | Promise<void>;
  /** What the history says of each node at the beginning. */
  readonly began: string;
  /** What it says at the end. */
  readonly ended: string;
}

function onNodes(
  { nodeIds, random, targets = TARGETS }: FaultContext,
  { begin, end, began, ended }: NodeFault,
): DrawnFault {
  const kind = drawOf(random, targets);
  const nodes = drawTargets(kind, nodeIds, random);
  const each = (word: string) => Object.fromEntries(nodes.map((node) => [node, word]));
  return {
    kind,
    async begin() {
      await begin(nodes);
      return each(began);
    },
    async end() {
      await end(nodes);
      return each(ended);
    },
  };
}
