/**
 * The clock of a node's machine, which faults let run at another rate than the world's time.
 *
 * @module
 */

import type { Clock } from "@eddy/maelstrom";

/** What a fault does to clocks. */
export interface Skew {
  /** How many milliseconds they count in one of the world's; from 0.01 to 100. */
  readonly rate: number;
  /** How far the time of day is ahead of what it would be, in milliseconds; behind, if negative. */
  readonly jumpMs: number;
}

/** The bounds of a {@linkcode Skew}. */
export const SKEW: Readonly<Record<"minRate" | "maxRate" | "maxJumpMs", number>> = {
  minRate: 0.01,
  maxRate: 100,
  maxJumpMs: 1e9,
};

/** What a skew does, in a few words: `clock x 0.5, time of day + 12 s`. */
export function describeSkew({ rate, jumpMs }: Skew): string {
  const jump = `time of day ${jumpMs < 0 ? "-" : "+"} ${Math.abs(jumpMs) / 1000} s`;
  return `clock x ${rate}${jumpMs === 0 ? "" : `, ${jump}`}`;
}

/**
 * How much later a timer runs where rounding could let it run before it is due, in milliseconds: more
 * than the error of a time, and less than a tick of virtual time.
 */
const ROUNDING_MS = 1e-7;

interface MachineTimer {
  /** By this clock. */
  readonly dueMs: number;
  readonly fire: () => void;
  cancel: () => void;
}

/**
 * The clock of a machine. It lives as long as the machine does: longer than a process of it.
 *
 * It is continuous and never goes backwards, whatever its rate. Timers go by it: when the rate
 * changes, what is left of them takes another time of the world's.
 */
export class MachineClock implements Clock {
  readonly #world: Clock;
  readonly #skews = new Set<Skew>();
  readonly #timers = new Set<MachineTimer>();
  #rate = 1;
  #jumpMs = 0;
  /** Its own time at the last change of rate, and the world's. */
  #fromMs = 0;
  #fromWorldMs = 0;
  /** Whether it has shown the world's time ever since. */
  #isExact = true;

  /** @param world the world's time */
  constructor(world: Clock) {
    this.#world = world;
  }

  /** How far the time of day is ahead of {@linkcode MachineClock.now} by a jump, in ms. */
  get jumpMs(): number {
    return this.#jumpMs;
  }

  /** The world's time, while no skew has begun. */
  now(): number {
    return this.#fromMs + (this.#world.now() - this.#fromWorldMs) * this.#rate;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    if (!(delayMs > 0) || delayMs === Infinity) return this.#world.schedule(delayMs, callback);
    const timers = this.#timers;
    const fire = () => {
      timers.delete(timer);
      callback();
    };
    const dueMs = this.now() + delayMs;
    const timer: MachineTimer = { dueMs, fire, cancel: this.#scheduleWorld(delayMs, fire) };
    timers.add(timer);
    return () => {
      timers.delete(timer);
      timer.cancel();
    };
  }

  /**
   * Begins a skew. Of several at a time the rates are multiplied, and the jumps added.
   *
   * @returns a function that ends it; what the clock has gained or lost by its rate stays.
   * @throws {RangeError} if it is beyond {@linkcode SKEW}.
   */
  skew({ rate, jumpMs }: Skew): () => void {
    if (!(rate >= SKEW.minRate && rate <= SKEW.maxRate)) {
      throw new RangeError(`Cannot let a clock run at the rate ${rate}: it must be 0.01 to 100`);
    }
    if (!(Math.abs(jumpMs) <= SKEW.maxJumpMs)) {
      throw new RangeError(`Cannot let a clock jump by ${jumpMs} ms: it must be 1e9 ms at most`);
    }
    const skew = { rate, jumpMs };
    this.#skews.add(skew);
    this.#change();
    return () => {
      if (this.#skews.delete(skew)) this.#change();
    };
  }

  #change(): void {
    const nowMs = this.now();
    this.#fromMs = nowMs;
    this.#fromWorldMs = this.#world.now();
    this.#isExact = false;
    // From all that are on, so that no error of rounding stays when the last ends.
    [this.#rate, this.#jumpMs] = [1, 0];
    for (const { rate, jumpMs } of this.#skews) {
      this.#rate *= rate;
      this.#jumpMs += jumpMs;
    }
    for (const timer of this.#timers) {
      timer.cancel();
      timer.cancel = this.#scheduleWorld(timer.dueMs - nowMs, timer.fire);
    }
  }

  #scheduleWorld(delayMs: number, fire: () => void): () => void {
    const worldMs = this.#isExact ? delayMs : Math.max(0, delayMs) / this.#rate + ROUNDING_MS;
    return this.#world.schedule(worldMs, fire);
  }
}
