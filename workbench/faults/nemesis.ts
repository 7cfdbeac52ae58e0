/**
 * The nemesis: starts and stops faults, at times that chance decides.
 *
 * @module
 */

import type { Json, Random } from "@eddy/maelstrom";
import type { NemesisName } from "../types.ts";
import type { Arena } from "../world/world.ts";
import { type Disruption, type DisruptionOptions, drawDisruption } from "./disruptions.ts";
import type { Faults } from "./faults.ts";

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
