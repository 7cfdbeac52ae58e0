/**
 * The messages of a run as an SVG picture: time runs down, each endpoint has a line of its own.
 *
 * @module
 */

/** A message's way, in milliseconds since the run began. */
export interface DiagramMessage {
  readonly src: string;
  readonly dest: string;
  readonly type: string;
  readonly sentMs: number;
  /** Absent for a message that was lost. */
  readonly receivedMs?: number;
}

/** A stretch of time to shade. */
export interface DiagramFault {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What to draw. */
export interface DiagramOptions {
  readonly messages: readonly DiagramMessage[];
  readonly faults?: readonly DiagramFault[];
  /**
   * How many messages are drawn, the first ones.
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
 * millisecond and a minute both stay readable; the left margin tells the time.
 *
 * @returns a picture that any browser opens.
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
  const times = [
    ...new Set(
      messages.flatMap(({ sentMs, receivedMs }) =>
        receivedMs === undefined ? [sentMs] : [sentMs, receivedMs]
      ),
    ),
  ].sort((a, b) => a - b);
  const x = (endpoint: string) => LEFT + COLUMN * (endpoints.indexOf(endpoint) + 0.5);
  const rows = new Map(times.map((time, i) => [time, TOP + ROW * (i + 1)]));
  const y = (ms: number) => rows.get(ms) ?? rowBefore(times, ms);
  const width = LEFT + COLUMN * endpoints.length + 20;
  const height = TOP + ROW * (times.length + 2);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...faults.map((fault) => drawFault(fault, width, y)),
    ...endpoints.map((endpoint) => drawEndpoint(endpoint, x(endpoint), height)),
    ...drawTimes(times, y),
    ...messages.map((message) => drawMessage(message, x, y)),
    "</svg>\n",
  ].join("\n");
}

/** Clients first, then nodes, then services, each in the order of their numbers. */
function byKind(a: string, b: string): number {
  const rank = (name: string) => /^c\d/.test(name) ? 0 : /^n\d/.test(name) ? 1 : 2;
  return rank(a) - rank(b) || a.localeCompare(b, "en", { numeric: true });
}

function rowBefore(times: readonly number[], ms: number): number {
  const after = times.findIndex((time) => time > ms);
  return TOP + ROW * (after === -1 ? times.length + 1 : after + 0.5);
}

function drawFault({ name, fromMs, toMs }: DiagramFault, width: number, y: (ms: number) => number) {
  const top = y(fromMs);
  const height = Math.max(ROW, y(toMs) - top);
  return `<rect x="0" y="${top}" width="${width}" height="${height}" fill="#fdecea"/>` +
    `<text x="4" y="${top + 11}" fill="#b3261e">${escape(name)}</text>`;
}

function drawEndpoint(name: string, x: number, height: number): string {
  return `<text x="${x}" y="20" text-anchor="middle" font-weight="bold">${escape(name)}</text>` +
    `<line x1="${x}" y1="28" x2="${x}" y2="${height}" stroke="#bbb"/>`;
}

function drawTimes(times: readonly number[], y: (ms: number) => number): string[] {
  const texts: string[] = [];
  let last = "";
  for (const ms of times) {
    const text = `${(ms / 1000).toFixed(3)} s`;
    if (text !== last) {
      texts.push(
        `<text x="${LEFT - 30}" y="${y(ms) + 4}" text-anchor="end" fill="#777">${text}</text>`,
      );
    }
    last = text;
  }
  return texts;
}

function drawMessage(
  { src, dest, type, sentMs, receivedMs }: DiagramMessage,
  x: (endpoint: string) => number,
  y: (ms: number) => number,
): string {
  const lost = receivedMs === undefined;
  const [x1, y1] = [x(src), y(sentMs)];
  const share = lost ? 0.6 : 1;
  const x2 = x1 + (x(dest) - x1) * share;
  const y2 = lost ? y1 + ROW : y(receivedMs);
  const colour = lost ? "#b3261e" : type === "error" ? "#c77700" : "#1f6feb";
  const end = lost
    ? `<text x="${x2}" y="${y2 + 4}" text-anchor="middle" fill="${colour}">x</text>`
    : `<circle cx="${x2}" cy="${y2}" r="2.5" fill="${colour}"/>`;
  const label = `<text x="${(x1 + x2) / 2}" y="${(y1 + y2) / 2 - 2}" text-anchor="middle" ` +
    `fill="#333" font-size="9">${escape(type)}</text>`;
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}"/>${end}${label}`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
