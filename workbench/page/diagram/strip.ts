/**
 * The whole run at a glance, beside a diagram: how much was sent when, faults, findings, and which
 * part is in view.
 *
 * @module
 */

import type { Colors } from "../colors.ts";
import { Brush } from "./brush.ts";
import type { Scene } from "./scene.ts";

/** How many stretches messages are counted in. */
const BUCKETS = 240;

/** What a strip marks. */
interface StripState {
  readonly fromMs: number;
  readonly toMs: number;
  readonly findingsMs: readonly number[];
}

/** Draws the strip; its time is to scale. */
export class Strip {
  readonly #brush: Brush;
  readonly #scene: Scene;
  readonly #startMs: number;
  readonly #endMs: number;
  /** Messages sent, and lost, in each stretch; the largest count of sent ones is 1. */
  readonly #sent = new Float64Array(BUCKETS);
  readonly #lost = new Float64Array(BUCKETS);

  constructor(canvas: HTMLCanvasElement, colours: Colors, scene: Scene) {
    this.#brush = new Brush(canvas, colours);
    this.#scene = scene;
    this.#startMs = scene.rowsMs[0] ?? 0;
    this.#endMs = Math.max(this.#startMs + 1, scene.rowsMs.at(-1) ?? 0);
    const add = (counts: Float64Array, ms: number) => {
      const bucket = Math.min(BUCKETS - 1, Math.floor(this.#share(ms) * BUCKETS));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    };
    for (const { sentMs, drops: [drop] } of scene.messages) {
      add(this.#sent, sentMs);
      if (drop !== undefined) add(this.#lost, drop.atMs);
    }
    const most = Math.sqrt(Math.max(1, ...this.#sent));
    for (const counts of [this.#sent, this.#lost]) {
      for (const [i, count] of counts.entries()) counts[i] = Math.sqrt(count) / most;
    }
  }

  #share(ms: number): number {
    return Math.min(1, Math.max(0, (ms - this.#startMs) / (this.#endMs - this.#startMs)));
  }

  /** The time at a share of the height. */
  msAt(share: number): number {
    return this.#startMs + share * (this.#endMs - this.#startMs);
  }

  draw(width: number, height: number, { fromMs, toMs, findingsMs }: StripState): void {
    const brush = this.#brush;
    brush.begin(width, height);
    brush.rect("card", 0, 0, width, height);
    for (const { fromMs: from, toMs: to } of this.#scene.shades.slice(0, 500)) {
      const y = this.#share(from) * height;
      brush.rect("fault", 0, y, width, Math.max(1, this.#share(to) * height - y));
      brush.rect("fault-edge", 0, y, 2, Math.max(1, this.#share(to) * height - y));
    }
    const row = height / BUCKETS;
    for (const [counts, colour] of [[this.#sent, "message"], [this.#lost, "invalid"]] as const) {
      brush.fill(colour, (path) => {
        for (const [i, share] of counts.entries()) {
          if (share > 0) path.rect(4, i * row, Math.max(1, share * (width - 8)), Math.max(1, row));
        }
      }, 0.75);
    }
    for (const ms of findingsMs) {
      const y = this.#share(ms) * height;
      brush.fill("invalid", (path) => {
        path.moveTo(width - 9, y);
        path.lineTo(width, y - 6);
        path.lineTo(width, y + 6);
      });
    }
    const [y1, y2] = [this.#share(fromMs) * height, this.#share(toMs) * height];
    const middle = Math.min(height - 4, Math.max(4, (y1 + y2) / 2));
    const half = Math.max(4, (y2 - y1) / 2);
    brush.rect("link", 0, middle - half, width, 2 * half, 0.16);
    brush.stroke({ colour: "link", width: 1.5 }, (path) => {
      path.rect(1, middle - half, width - 2, 2 * half);
    });
  }
}
