/**
 * The nemesis: starts and stops faults, at times that chance decides.
 *
 * @module
 */

import type { Json, Random } from "@eddy/maelstrom";
import {
  drawOf,
  drawPartition,
  drawTargets,
  type Drops,
  type Faults,
  PARTITIONS,
  type TargetKind,
  TARGETS,
} from "./faults.ts";
import type { Slowness } from "./network.ts";
import type { NemesisName } from "./options.ts";
import { shuffled } from "./random.ts";
import type { Arena } from "./world.ts";

/** One end of an operation of the nemesis, for the history. */
export interface NemesisEvent {
  readonly type: "info";
  /** `start-partition`, `stop-partition`, ... */
  readonly f: string;
  /** At the beginning what was drawn, at the end what was done. */
  readonly value: Json;
}

/** What a nemesis is made of. */
export interface NemesisOptions extends DisruptionOptions {
  readonly world: Arena;
  readonly faults: Faults;
  readonly nodeIds: readonly string[];
  /** The faults; each has a schedule of its own. */
  readonly kinds: readonly NemesisName[];
  /** The mean time between two operations of a kind. */
  readonly intervalSeconds: number;
}

/** The schedule of one kind of fault. */
interface Track {
  readonly kind: NemesisName;
  readonly random: Random;
  /** What is on. */
  disruption: Disruption | undefined;
  /** The operation under way. */
  busy: Promise<void>;
  cancel: () => void;
}

/**
 * Maelstrom's nemesis, with more kinds of faults.
 *
 * Each kind is started and stopped in turn, first at once, then after intervals drawn uniformly
 * from [0, 2 x interval). What exactly it does is drawn anew at each start.
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
      disruption: undefined,
      busy: Promise.resolve(),
      cancel: () => {},
    }));
  }

  /**
   * Begins, with the first faults at once; a history's time begins now, too.
   *
   * @param record told of both ends of every operation
   */
  start(record: (event: NemesisEvent) => void): void {
    this.#record = record;
    this.#running = true;
    this.#options.faults.startTime();
    for (const track of this.#tracks) this.#turn(track);
  }

  /** Begins nothing more; what is broken stays so. */
  stop(): void {
    this.#running = false;
    for (const { cancel } of this.#tracks) cancel();
  }

  /** Mends everything; resolves when killed nodes have answered `init`. */
  async heal(): Promise<void> {
    this.stop();
    await Promise.all(this.#tracks.map(async (track) => {
      await track.busy;
      if (track.disruption !== undefined) await this.#toggle(track);
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
    const { disruption } = track;
    if (disruption === undefined) {
      const drawn = drawDisruption[track.kind]({ ...this.#options, random: track.random });
      track.disruption = drawn;
      await this.#do(`start-${track.kind}`, drawn.kind, () => drawn.begin());
    } else {
      track.disruption = undefined;
      await this.#do(`stop-${track.kind}`, null, () => disruption.end());
    }
  }

  async #do(f: string, drawn: Json, act: () => Json | Promise<Json>): Promise<void> {
    this.#record({ type: "info", f, value: drawn });
    let value: Json;
    try {
      value = await act();
    } catch (error) {
      // As with Jepsen's: what the nemesis could not do is noted, and the run goes on.
      value = error instanceof Error ? error.message : String(error);
    }
    this.#record({ type: "info", f, value });
  }
}

/** How hard a nemesis hits. */
export interface DisruptionOptions {
  /**
   * The probability that a message is lost.
   *
   * @default 0.1
   */
  readonly loss?: number;
  /**
   * The probability that a message is delivered twice.
   *
   * @default 0.1
   */
  readonly duplication?: number;
  /**
   * What slow nodes do to latencies.
   *
   * @default 5 times, and 50 ms more
   */
  readonly slowness?: Slowness;
  /**
   * How many nodes are killed, paused or slowed down; drawn anew each time.
   *
   * @default one, a minority, a majority or all, as Jepsen's nemesis
   */
  readonly targets?: readonly TargetKind[];
}

/** One fault that was drawn. */
export interface Disruption {
  /** What was drawn, in a word. */
  readonly kind: string;
  /** Breaks things, and says what. */
  begin(): Json | Promise<Json>;
  /** Mends them, and says what. */
  end(): Json | Promise<Json>;
}

/** What a disruption is drawn from. */
export interface DisruptionContext extends DisruptionOptions {
  readonly faults: Faults;
  readonly nodeIds: readonly string[];
  readonly random: Random;
}

/** Draws a disruption of each kind of fault. */
export const drawDisruption: Readonly<
  Record<NemesisName, (context: DisruptionContext) => Disruption>
> = {
  partition({ faults, nodeIds, random }) {
    const kind = drawOf(random, PARTITIONS);
    return cut(kind, drawPartition(kind, nodeIds, random), "partition", faults);
  },
  "one-way"({ faults, nodeIds, random }) {
    const kind = drawOf(random, ["deaf", "mute", "halves"] as const);
    return cut(kind, drawOneWay(kind, nodeIds, random), "one-way", faults);
  },
  kill: (context) =>
    onNodes(
      context,
      (faults, nodes) => faults.crash(nodes),
      (faults, nodes) => faults.restart(nodes),
      {
        began: "killed",
        ended: "started",
      },
    ),
  pause: (context) =>
    onNodes(
      context,
      (faults, nodes) => faults.pause(nodes),
      (faults, nodes) => faults.resume(nodes),
      {
        began: "paused",
        ended: "resumed",
      },
    ),
  loss: ({ faults, loss = 0.1 }) => everywhere(loss, () => faults.loss(loss)),
  duplicate: ({ faults, duplication = 0.1 }) =>
    everywhere(duplication, () => faults.duplicate(duplication)),
  slow(context) {
    const { slowness = { factor: 5, extraMs: 50 } } = context;
    let heal = () => {};
    const slow = (faults: Faults, nodes: readonly string[]) => {
      heal = faults.slow(nodes, slowness);
    };
    return onNodes(context, slow, () => heal(), { began: "slow", ended: "as before" });
  },
};

function cut(kind: string, drops: Drops, fault: string, faults: Faults): Disruption {
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

/** One node that hears nobody, one that nobody hears, or a half that the other does not hear. */
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

function everywhere(probability: number, begin: () => () => void): Disruption {
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

type Act = (faults: Faults, nodes: readonly string[]) => void | Promise<void>;

function onNodes(
  { faults, nodeIds, random, targets = TARGETS }: DisruptionContext,
  begin: Act,
  end: Act,
  words: { readonly began: string; readonly ended: string },
): Disruption {
  const kind = drawOf(random, targets);
  const nodes = drawTargets(kind, nodeIds, random);
  const say = (word: string) => Object.fromEntries(nodes.map((node) => [node, word]));
  return {
    kind,
    async begin() {
      await begin(faults, nodes);
      return say(words.began);
    },
    async end() {
      await end(faults, nodes);
      return say(words.ended);
    },
  };
}
