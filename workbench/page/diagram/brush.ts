/**
 * A canvas with the colours of the page, which counts what is drawn.
 *
 * @module
 */

import type { Colors } from "../colors.ts";
import type { OpBar } from "./scene.ts";

/** A colour, by the name of its variable in the style sheet. */
export type ColourName =
  | "text"
  | "muted"
  | "page"
  | "card"
  | "line"
  | "link"
  | "invalid"
  | "unknown"
  | "fault"
  | "fault-edge"
  | "message"
  | OpBar["outcome"]
  | "leader"
  | "candidate"
  | "other";

/** How a path is drawn. */
export interface Stroke {
  readonly colour: ColourName;
  readonly width?: number;
  readonly alpha?: number;
  readonly dash?: readonly number[];
}

const FONT = "system-ui, sans-serif";

/** Draws on a canvas in CSS pixels. */
export class Brush {
  /** How often something was drawn since the last `begin`. */
  drawCalls = 0;
  width = 0;
  height = 0;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #colours: Colors;
  readonly #widths = new Map<string, number>();

  /**
   * @throws {Error} if the browser has no canvas.
   */
  constructor(canvas: HTMLCanvasElement, colours: Colors) {
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("Cannot draw: the browser has no canvas");
    [this.#canvas, this.#context, this.#colours] = [canvas, context, colours];
  }

  /** Makes the canvas as large as it is shown, and clears it. */
  begin(width: number, height: number): void {
    const ratio = devicePixelRatio || 1;
    [this.width, this.height, this.drawCalls] = [width, height, 0];
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== w || this.#canvas.height !== h) {
      [this.#canvas.width, this.#canvas.height] = [w, h];
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.lineJoin = "round";
    this.rect("page", 0, 0, width, height);
  }

  rect(colour: ColourName, x: number, y: number, width: number, height: number, alpha = 1): void {
    this.#use(alpha);
    this.#context.fillStyle = this.#colours.of(colour);
    this.#context.fillRect(x, y, width, height);
    this.drawCalls++;
  }

  /** Strokes a path that a function makes. */
  stroke(
    { colour, width = 1, alpha = 1, dash = [] }: Stroke,
    path: (context: CanvasRenderingContext2D) => void,
  ): void {
    this.#use(alpha);
    this.#context.strokeStyle = this.#colours.of(colour);
    this.#context.lineWidth = width;
    this.#context.setLineDash([...dash]);
    this.#context.beginPath();
    path(this.#context);
    this.#context.stroke();
    this.drawCalls++;
  }

  /** Fills a path that a function makes. */
  fill(
    colour: ColourName,
    path: (context: CanvasRenderingContext2D) => void,
    alpha = 1,
  ): void {
    this.#use(alpha);
    this.#context.fillStyle = this.#colours.of(colour);
    this.#context.beginPath();
    path(this.#context);
    this.#context.fill();
    this.drawCalls++;
  }

  /**
   * Writes a line.
   *
   * @param halo whether it is set off from what it stands on
   */
  text(
    text: string,
    x: number,
    y: number,
    { colour = "text", align = "left", bold = false, halo = true, alpha = 1 }: {
      readonly colour?: ColourName;
      readonly align?: CanvasTextAlign;
      readonly bold?: boolean;
      readonly halo?: boolean;
      readonly alpha?: number;
    } = {},
  ): void {
    this.#use(alpha);
    const context = this.#context;
    context.textAlign = align;
    context.textBaseline = "middle";
    if (halo) {
      const width = this.measure(text, bold);
      const left = align === "center" ? x - width / 2 : x;
      this.rect("page", left - 2, y - 7, width + 4, 13, alpha * 0.82);
      this.#use(alpha);
    }
    context.font = fontOf(bold);
    context.fillStyle = this.#colours.of(colour);
    context.fillText(text, x, y);
    this.drawCalls++;
  }

  /** The width of a text in pixels. */
  measure(text: string, bold = false): number {
    const key = bold ? `*${text}` : text;
    const known = this.#widths.get(key);
    if (known !== undefined) return known;
    if (this.#widths.size > 5000) this.#widths.clear();
    this.#context.font = fontOf(bold);
    const { width } = this.#context.measureText(text);
    this.#widths.set(key, width);
    return width;
  }

  /** A text that is cut where it is wider than so many pixels. */
  fit(text: string, width: number, bold = false): string {
    if (this.measure(text, bold) <= width) return text;
    const share = width / this.measure(text, bold);
    const length = Math.max(0, Math.floor(text.length * share) - 1);
    return length === 0 ? "" : `${text.slice(0, length)}…`;
  }

  #use(alpha: number): void {
    this.#context.globalAlpha = alpha;
  }
}

function fontOf(bold: boolean): string {
  return `${bold ? "600 12px" : "11.5px"} ${FONT}`;
}
