/**
 * Rounds of measurements, and all that is known until now.
 *
 * @module
 */

import type { Measurement, Scale } from "./measurements.ts";
import type { Series } from "./summary.ts";
import { type Target, TargetError } from "./target.ts";
import { warn } from "../../scripts/support.ts";

/** A target that could not be measured, in one round, nor was in those after it. */
export interface Failure {
  readonly measurement: string;
  /** Counted from 1. */
  readonly round: number;
  readonly target: string;
  readonly why: string;
}

/** What is measured, by its name. */
export type Chosen = readonly (readonly [string, Measurement])[];

/** Measures targets in turn, and keeps what it has found if it is broken off. */
export class Rounds {
  /** A value for each round that a target has had, in order: the first rounds of all. */
  readonly series: (Series & { readonly values: number[] })[] = [];
  readonly failures: Failure[] = [];
  /** What a reader of the figures must know. */
  readonly notes: string[] = [];

  /** Measures every target, round after round; one that fails is left out from then on. */
  async measure(
    targets: readonly Target[],
    chosen: Chosen,
    rounds: number,
    scale: Scale,
  ): Promise<void> {
    for (const [name, measurement] of chosen) {
      const taking = targets.filter(({ only }) => only?.includes(name) ?? true);
      for (const figure of measurement.figures) {
        for (const { name: target } of taking) {
          this.series.push({ measurement: name, figure, target, values: [] });
        }
      }
      const groups = measurement.together ? [taking] : taking.map((target) => [target]);
      for (let round = 1; round <= rounds; round++) {
        for (const group of groups) {
          const title = `${name}, round ${round} of ${rounds}`;
          await this.#measureGroup(group, { name, measurement, round, title, scale });
        }
      }
    }
  }

  /** In which round a target failed; `undefined` if it did not. */
  failedRound(measurement: string, target: string): number | undefined {
    return this.failures.find((one) => one.measurement === measurement && one.target === target)
      ?.round;
  }

  /** Measures those of a group that have not failed; where one does, the others again without it. */
  async #measureGroup(
    group: readonly Target[],
    { name, measurement, round, title, scale }: {
      name: string;
      measurement: Measurement;
      round: number;
      title: string;
      scale: Scale;
    },
  ): Promise<void> {
    for (;;) {
      const left = group.filter((target) => this.failedRound(name, target.name) === undefined);
      if (left.length === 0) return;
      warn(`${title}: ${left.map((target) => target.name).join(", ")}`);
      const note = (text: string) => void this.notes.push(`${title}: ${text}`);
      try {
        const found = await measurement.run(left, scale, note);
        left.forEach((target, index) => this.#keep(name, target, found[index] ?? []));
        return;
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        warn(error.message);
        const { target, why } = error;
        this.failures.push({ measurement: name, round, target: target.name, why });
      }
    }
  }

  #keep(measurement: string, target: Target, values: readonly number[]): void {
    this.series.filter((one) => one.measurement === measurement && one.target === target.name)
      .forEach((one, at) => one.values.push(values[at] ?? NaN));
  }
}
