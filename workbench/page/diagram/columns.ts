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
const MIN_CLIENT_PX = 66;
/** The widest that columns are. */
const MAX_NODE_PX = 260;
/** How much of the width clients have that are drawn without labels. */
const COMPACT_SHARE = 0.2;

/** The columns of a diagram of some width. */
export interface ColumnLayout {
  /** The middle of each lane's column; undefined where it is hidden. */
  readonly xs: readonly (number | undefined)[];
  readonly widths: readonly number[];
  /** Whether clients are too narrow for names and labels. */
  readonly compact: boolean;
  /** How far all of it is moved to the left, and can be. */
  readonly offset: number;
  readonly maxOffset: number;
}

/**
 * Shares a width among columns: nodes and services get as much as each other, clients less; clients
 * that would get too little are drawn as lines without labels.
 *
 * @param offset how far all of it is moved to the left
 */
export function layColumns(
  lanes: readonly Lane[],
  hidden: ReadonlySet<number>,
  width: number,
  offset: number,
): ColumnLayout {
  const shown = lanes.filter((_, lane) => !hidden.has(lane));
  const countOf = (...kinds: Lane["kind"][]) =>
    shown.filter(({ kind }) => kinds.includes(kind)).length;
  const [main, clients, setup] = [countOf("node", "service"), countOf("client"), countOf("setup")];
  const room = Math.max(0, width - GUTTER_PX - MARGIN_PX);
  let node = room / Math.max(1, main + 0.75 * clients + 0.5 * setup);
  let client = node * 0.75;
  const compact = clients > 0 && main > 0 && client < MIN_CLIENT_PX;
  if (compact) {
    client = Math.min(18, Math.max(4, room * COMPACT_SHARE / (clients + setup)));
    node = (room - client * (clients + setup)) / Math.max(1, main);
  }
  node = Math.min(MAX_NODE_PX, Math.max(MIN_NODE_PX, node));
  client = Math.min(MAX_NODE_PX, Math.max(compact ? 4 : MIN_CLIENT_PX, client));
  const setupPx = Math.min(client, node * 0.5);
  const widthOf = ({ kind }: Lane) =>
    kind === "client" ? client : kind === "setup" ? setupPx : node;
  const widths = lanes.map(widthOf);
  const total = shown.reduce((sum, lane) => sum + widthOf(lane), 0);
  const maxOffset = Math.max(0, Math.round(total - room));
  const moved = Math.min(offset, maxOffset);
  let left = GUTTER_PX + Math.max(0, (room - total) / 2) - moved;
  const xs = lanes.map((lane, i) => {
    if (hidden.has(i)) return undefined;
    left += widthOf(lane);
    return left - widthOf(lane) / 2;
  });
  return { xs, widths, compact, offset: moved, maxOffset };
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
