/**
 * What a nemesis can do, kind by kind.
 *
 * @module
 */

import type { Json, Random } from "@eddy/maelstrom";
import type { Slowness } from "../network/rules.ts";
import type { NemesisName } from "../types.ts";
import { shuffled } from "../world/random.ts";
import type { Faults } from "./faults.ts";
import {
  drawOf,
  drawPartition,
  drawTargets,
  type Drops,
  PARTITIONS,
  type TargetKind,
  TARGETS,
} from "./partitions.ts";

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
