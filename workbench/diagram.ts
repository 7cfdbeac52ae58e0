/**
 * The messages of a run as an SVG picture: time runs down, each endpoint has a line of its own.
 *
 * @module
 */

import { escapeXml } from "./xml.ts";

/** A message, with times in milliseconds since the run began. */
export interface DiagramMessage {
  readonly src: string;
  readonly dest: string;
  readonly type: string;
  readonly sentMs: number;
  /** Absent for a message that was lost. */
  readonly receivedMs?: number;
}

/** A fault; its time is shaded. */
interface DiagramFault {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What to draw. */
interface DiagramOptions {
  readonly messages: readonly DiagramMessage[];
  readonly faults?: readonly DiagramFault[];
  /**
   * How many messages are drawn; those sent later are left out.
   *
   * @default 1000
   */
  readonly maxMessages?: number;
}

const LEFT = 90;
const TOP = 40;
const COLUMN = 110;
const ROW = 16;

/**
 * Draws messages between endpoints. Events are spaced evenly, in their order, so that a
 * millisecond and a minute both stay readable; times stand in the left margin.
 *
 * @returns an SVG document.
 *
 * @example
 * ```ts
 * import { drawMessages } from "./diagram.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const messages = [{ src: "c1", dest: "n0", type: "echo", sentMs: 0, receivedMs: 1 }];
 * assertStringIncludes(drawMessages({ messages }), ">echo<");
 * ```
 */
export function drawMessages(options: DiagramOptions): string {
  const { faults = [], maxMessages = 1000 } = options;
  const messages = options.messages.slice(0, maxMessages);
  const endpoints = [...new Set(messages.flatMap(({ src, dest }) => [src, dest]))].sort(byKind);
  const rows = new Rows(messages);
  const x = (endpoint: string) => LEFT + COLUMN * (endpoints.indexOf(endpoint) + 0.5);
  const width = LEFT + COLUMN * endpoints.length + 20;
  const height = TOP + ROW * (rows.times.length + 2);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...faults.map((fault) => drawFault(fault, width, rows)),
    ...endpoints.map((endpoint) => drawEndpoint(endpoint, x(endpoint), height)),
    ...drawTimes(rows.times),
    ...messages.map((message) => drawMessage(message, x, rows)),
    "</svg>\n",
  ].join("\n");
}

/** The row of each event. Sends that follow each other at one time share a row; so do receipts. */
class Rows {
  /** The time of each row. */
  readonly times: number[] = [];
  readonly #sent = new Map<DiagramMessage, number>();
  readonly #received = new Map<DiagramMessage, number>();

  constructor(messages: readonly DiagramMessage[]) {
    const events = messages.flatMap((message, i) => {
      const sent = { ms: message.sentMs, order: 2 * i, message, rows: this.#sent };
      if (message.receivedMs === undefined) return [sent];
      const received = { ms: message.receivedMs, order: 2 * i + 1, message, rows: this.#received };
      return [sent, received];
    }).sort((a, b) => a.ms - b.ms || a.order - b.order);
    let last: Map<DiagramMessage, number> | undefined;
    for (const { ms, message, rows } of events) {
      if (rows !== last || ms !== this.times.at(-1)) this.times.push(ms);
      last = rows;
      rows.set(message, TOP + ROW * this.times.length);
    }
  }

  sent(message: DiagramMessage): number {
    return this.#sent.get(message) ?? TOP;
  }

  received(message: DiagramMessage): number {
    return this.#received.get(message) ?? this.sent(message) + ROW;
  }

  /** The height between the rows at which a time lies. */
  at(ms: number): number {
    const after = this.times.findIndex((time) => time >= ms);
    return TOP + ROW * ((after === -1 ? this.times.length : after) + 0.5);
  }
}

/** Clients first, then nodes, then services, each in the order of their numbers. */
function byKind(a: string, b: string): number {
  const rank = (name: string) => /^c\d/.test(name) ? 0 : /^n\d/.test(name) ? 1 : 2;
  return rank(a) - rank(b) || a.localeCompare(b, "en", { numeric: true });
}

function drawFault({ name, fromMs, toMs }: DiagramFault, width: number, rows: Rows): string {
  const top = rows.at(fromMs);
  const height = Math.max(ROW, rows.at(toMs) - top);
  return `<rect x="0" y="${top}" width="${width}" height="${height}" fill="#fdecea"/>` +
    `<text x="${width - 4}" y="${top + 11}" text-anchor="end" fill="#b3261e">${
      escapeXml(name)
    }</text>`;
}

function drawEndpoint(name: string, x: number, height: number): string {
  return `<text x="${x}" y="20" text-anchor="middle" font-weight="bold">${escapeXml(name)}</text>` +
    `<line x1="${x}" y1="28" x2="${x}" y2="${height}" stroke="#bbb"/>`;
}

function drawTimes(times: readonly number[]): string[] {
  const texts = times.map((ms) => `${(ms / 1000).toFixed(3)} s`);
  return texts.map((text, i) =>
    text === texts[i - 1]
      ? ""
      : `<text x="${LEFT - 30}" y="${
        TOP + ROW * (i + 1) + 4
      }" text-anchor="end" fill="#777">${text}</text>`
  );
}

function drawMessage(
  message: DiagramMessage,
  x: (endpoint: string) => number,
  rows: Rows,
): string {
  const { src, dest, type, receivedMs } = message;
  const lost = receivedMs === undefined;
  const [x1, y1] = [x(src), rows.sent(message)];
  const x2 = x1 + (x(dest) - x1) * (lost ? 0.6 : 1);
  const y2 = rows.received(message);
  const colour = lost ? "#b3261e" : type === "error" ? "#c77700" : "#1f6feb";
  const end = lost
    ? `<text x="${x2}" y="${y2 + 4}" text-anchor="middle" fill="${colour}">x</text>`
    : `<circle cx="${x2}" cy="${y2}" r="2.5" fill="${colour}"/>`;
  const label = `<text x="${(x1 + x2) / 2}" y="${(y1 + y2) / 2 - 2}" text-anchor="middle" ` +
    `fill="#333" font-size="9">${escapeXml(type)}</text>`;
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}"/>${end}${label}`;
}
