/**
 * Where the columns of a diagram stand, and where labels find room.
 *
 * @module
 */

import type { Lane } from "./lanes.ts";

/** The width of the scale of time, in pixels. */
export const GUTTER_PX = 68;
/** The width of the margin for findings, in pixels: no message gets there. */
export const MARGIN_PX = 22;
/** The height of the names over the columns, in pixels. */
export const HEADER_PX = 38;

/** The least width of a node's column, and of a client's that has labels. */
const MIN_NODE_PX = 44;
const MIN_CLIENT_PX = 70;
/** The width of the column of those who set up. */
const SETUP_PX = 54;
/** The widest that columns are. */
const MAX_NODE_PX = 260;
/** How much of the width folded clients have. */
const FOLDED_SHARE = 0.2;

/** The columns of a diagram of some width. */
export interface ColumnLayout {
  /** The middle of each lane's column; undefined where it is hidden. */
  readonly xs: readonly (number | undefined)[];
  readonly widths: readonly number[];
  /** Lanes that are too narrow for names and labels. */
  readonly folded: ReadonlySet<number>;
  /** How far all of it is moved to the left, and can be. */
  readonly offset: number;
  readonly maxOffset: number;
}

/**
 * Shares a width among columns: nodes and services get as much as each other, clients less; clients
 * that would get too little are folded: lines without labels.
 *
 * @param offset how far all of it is moved to the left
 * @param open clients that are not folded with the others
 */
export function layColumns(
  lanes: readonly Lane[],
  hidden: ReadonlySet<number>,
  width: number,
  offset: number,
  open: ReadonlySet<number> = new Set(),
): ColumnLayout {
  const shown = [...lanes.entries()].filter(([lane]) => !hidden.has(lane));
  const countOf = (...kinds: Lane["kind"][]) =>
    shown.filter(([, { kind }]) => kinds.includes(kind)).length;
  const [main, clients, setup] = [countOf("node", "service"), countOf("client"), countOf("setup")];
  const room = Math.max(0, width - GUTTER_PX - MARGIN_PX);
  let node = (room - SETUP_PX * setup) / Math.max(1, main + 0.75 * clients);
  let client = node * 0.75;
  const isNarrow = clients > 0 && main > 0 && client < MIN_CLIENT_PX;
  const folded = new Set(
    shown.flatMap(([lane, { kind }]) =>
      isNarrow && (kind === "client" || kind === "setup") && !open.has(lane) ? [lane] : []
    ),
  );
  const foldedPx = Math.min(18, Math.max(4, room * FOLDED_SHARE / Math.max(1, folded.size)));
  if (isNarrow) {
    client = MIN_CLIENT_PX;
    const opened = clients + setup - folded.size;
    node = (room - foldedPx * folded.size - client * opened) / Math.max(1, main);
  }
  node = Math.min(MAX_NODE_PX, Math.max(MIN_NODE_PX, node));
  client = Math.min(MAX_NODE_PX, Math.max(MIN_CLIENT_PX, client));
  const widths = lanes.map(({ kind }, lane) =>
    folded.has(lane) ? foldedPx : kind === "client" ? client : kind === "setup" ? SETUP_PX : node
  );
  const widthOf = (lane: number) => widths[lane] ?? 0;
  const total = shown.reduce((sum, [lane]) => sum + widthOf(lane), 0);
  const maxOffset = Math.max(0, Math.round(total - room));
  const moved = Math.min(offset, maxOffset);
  let left = GUTTER_PX + Math.max(0, (room - total) / 2) - moved;
  const xs = lanes.map((_, lane) => {
    if (hidden.has(lane)) return undefined;
    left += widthOf(lane);
    return left - widthOf(lane) / 2;
  });
  return { xs, widths, folded, offset: moved, maxOffset };
}

/** The height of a label, in pixels. */
export const LABEL_PX = 14;

/** Places that labels have, so that none covers another. */
export class LabelRoom {
  readonly #rows = new Map<number, { x: number; end: number; y: number }[]>();

  /**
   * Takes the place of a label, if nobody has it.
   *
   * @param y its middle
   * @returns whether it is free
   */
  take(x: number, y: number, width: number): boolean {
    const row = Math.floor(y / LABEL_PX);
    for (let each = row - 1; each <= row + 1; each++) {
      for (const other of this.#rows.get(each) ?? []) {
        const apart = Math.abs(other.y - y) >= LABEL_PX - 1 || other.end <= x ||
          other.x >= x + width;
        if (!apart) return false;
      }
    }
    const list = this.#rows.get(row) ?? [];
    this.#rows.set(row, list);
    list.push({ x, end: x + width, y });
    return true;
  }
}
