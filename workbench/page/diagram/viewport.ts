/**
 * The stretch of the axis that is in view.
 *
 * @module
 */

/** How much of what is in view may lie before the first place, and after the last. */
const MARGIN = 0.05;

/** Moves and zooms a stretch within what there is. */
export class Viewport {
  /** The first place in view. */
  from: number;
  /** The last place in view. */
  to: number;
  #start: number;
  #end: number;
  #minSpan: number;

  constructor(start: number, end: number, minSpan: number) {
    [this.#start, this.#end, this.#minSpan] = [start, end, minSpan];
    [this.from, this.to] = [start, end];
    this.reset(start, end, minSpan);
  }

  /** How much is in view. */
  get span(): number {
    return this.to - this.from;
  }

  /** Takes other limits, and shows all. */
  reset(start: number, end: number, minSpan: number): void {
    [this.#start, this.#end] = [start, Math.max(end, start + minSpan / 2)];
    this.#minSpan = minSpan;
    this.show(start, end + (end - start) * 2 * MARGIN);
  }

  /** Shows a stretch, or as much of it as there is. */
  show(from: number, to: number): void {
    const all = (this.#end - this.#start) / (1 - 2 * MARGIN);
    const span = Math.min(all, Math.max(this.#minSpan, to - from));
    const [first, last] = [this.#start - span * MARGIN, this.#end + span * MARGIN];
    const middle = (from + to) / 2;
    this.from = Math.max(first, Math.min(last - span, middle - span / 2));
    this.to = this.from + span;
  }

  /** Brings a place into the middle. */
  centre(place: number): void {
    this.show(place - this.span / 2, place + this.span / 2);
  }

  /**
   * Moves on.
   *
   * @returns whether it could move at all
   */
  pan(by: number): boolean {
    const before = this.from;
    this.show(this.from + by, this.to + by);
    return Math.abs(this.from - before) > Math.abs(by) * 1e-6;
  }

  /** Zooms, so that a place stays where it is; a factor above 1 shows less. */
  zoom(factor: number, at: number = (this.from + this.to) / 2): void {
    const all = (this.#end - this.#start) / (1 - 2 * MARGIN);
    const span = Math.min(all, Math.max(this.#minSpan, this.span / factor));
    const share = (at - this.from) / this.span;
    this.show(at - span * share, at + span * (1 - share));
  }
}
