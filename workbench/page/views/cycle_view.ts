/**
 * Transactions that each come before the next, as a ring of boxes with the reasons between them.
 *
 * @module
 */

import type { ExplainedCycle, ExplainedTxn } from "../../checkers/elle/anomaly.ts";
import type { CyclesView } from "../../views/cycles.ts";
import { drawn, element } from "../dom.ts";
import type { Selection } from "../selection.ts";

/** Where a transaction is drawn, in pixels. */
export interface TxnBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly isLeft: boolean;
}

const LINE = 20;
/** The lines of a box before its micro-operations: the name, and when it was. */
const HEAD = 3;
const PADDING = 8;
const CHAR = 7.3;
/** How wide boxes are, in characters. */
const LEAST_CHARS = 20;
const MOST_CHARS = 38;
/** How many micro-operations a box shows. */
const MAX_MOPS = 12;
/** What is between boxes, and beside them for edges within a column. */
const BETWEEN = 110;
const BELOW = 28;
const BESIDE = 70;
/** What is around the drawing. */
const EDGE = 4;

/** Shows cycles, one below the other. */
export function showCycles({ cycles }: CyclesView, selection: Selection): HTMLElement[] {
  return cycles.map((cycle, i) => showCycle(cycle, i, selection));
}

function showCycle(cycle: ExplainedCycle, number: number, selection: Selection): HTMLElement {
  const { type, txns, steps, more } = cycle;
  const boxes = layOutCycle(txns.map(({ mops }) => mops.length), charsOf(txns));
  const beside = boxes.filter(({ isLeft }) => !isLeft).length > 1 ? BESIDE : EDGE;
  const right = Math.max(...boxes.map(({ x, width }) => x + width)) + beside;
  const bottom = Math.max(...boxes.map(({ y, height }) => y + height)) + EDGE;
  const edges = steps.map((_, i) => drawEdge(cycle, boxes, i));
  const names = txns.map((_, i) => nameOf(i));
  const svg = drawn(
    "svg",
    {
      class: "cycle",
      width: right,
      height: bottom,
      viewBox: `0 0 ${right} ${bottom}`,
      role: "group",
      "aria-label": `${type}: ${names.join(" before ")} before ${names[0]}`,
    },
    edges,
    txns.map((txn, i) => drawTxn(txn, i, cycle, boxes[i], selection)),
  );
  const reasons = steps.map(({ type, why }, i) =>
    element(
      "li",
      {
        pointerenter: () => edges[i]?.classList.add("lit"),
        pointerleave: () => edges[i]?.classList.remove("lit"),
      },
      element("b", { class: `edge-${type}` }, `${nameOf(i)} \u2192 ${nextOf(cycle, i)} ${type}`),
      ` ${why}`,
    )
  );
  return element(
    "article",
    { class: "cycle-card", "aria-labelledby": `cycle-${number}` },
    element("h3", { id: `cycle-${number}` }, type),
    element("div", { class: "scroll" }, svg),
    element("ul", { class: "reasons" }, reasons),
    more > 0 && element("p", { class: "note" }, `${more} more transactions close the cycle.`),
  );
}

function nameOf(i: number): string {
  return `T${i + 1}`;
}

function nextOf({ txns, more }: ExplainedCycle, i: number): string {
  return nameOf(more > 0 ? i + 1 : (i + 1) % txns.length);
}

/** How wide the boxes of some transactions are, in characters. */
function charsOf(txns: readonly ExplainedTxn[]): number {
  const longest = Math.max(...txns.flatMap((txn) => linesOf(txn)).map((line) => line.length));
  return Math.max(LEAST_CHARS, Math.min(longest, MOST_CHARS));
}

/**
 * Puts boxes in two columns so that the way from each to the next goes around: the first is on the
 * left, the second on the right, and the last below the first.
 *
 * @param mopCounts how many micro-operations each has
 * @param chars how wide they are, in characters
 */
export function layOutCycle(mopCounts: readonly number[], chars: number): TxnBox[] {
  const width = chars * CHAR + 2 * PADDING;
  const count = mopCounts.length;
  const rightCount = Math.floor(count / 2);
  const bottoms = { left: EDGE, right: EDGE };
  const boxes: TxnBox[] = [];
  const others = Array.from({ length: count - 1 }, (_, i) => i + 1);
  // The right column goes down with the cycle; the left one up again, below the first.
  const down = others.slice(0, rightCount);
  const up = [0, ...others.slice(rightCount).toReversed()];
  for (const [side, places] of [["left", up], ["right", down]] as const) {
    for (const i of places) {
      const lines = HEAD + Math.min(mopCounts[i] ?? 0, MAX_MOPS + 1);
      const height = lines * LINE + 2 * PADDING;
      const beside = up.length > 1 ? BESIDE : EDGE;
      const x = beside + (side === "left" ? 0 : width + BETWEEN);
      boxes[i] = { x, y: bottoms[side], width, height, isLeft: side === "left" };
      bottoms[side] += height + BELOW;
    }
  }
  return boxes;
}

/** The lines of a box below its name. */
function linesOf({ when, mops }: ExplainedTxn): string[] {
  const comma = when.indexOf(", ");
  const more = mops.length > MAX_MOPS ? [`and ${mops.length - MAX_MOPS} more`] : [];
  return [when.slice(0, comma), when.slice(comma + 2), ...mops.slice(0, MAX_MOPS), ...more];
}

function drawTxn(
  txn: ExplainedTxn,
  i: number,
  { txns, steps }: ExplainedCycle,
  box: TxnBox | undefined,
  selection: Selection,
): SVGElement | undefined {
  if (box === undefined) return undefined;
  const { x, y, width, height } = box;
  const before = steps[(i + txns.length - 1) % txns.length];
  const [name, lines] = [nameOf(i), linesOf(txn)];
  const select = () => selection.select({ atMs: txn.atMs, op: txn.op });
  const kindOf = (line: number) => {
    const mop = line - (HEAD - 1);
    if (mop < 0) return "when";
    return steps[i]?.fromMop === mop || before?.toMop === mop ? "mop told" : "mop";
  };
  return drawn(
    "g",
    {
      class: "txn",
      role: "button",
      tabindex: 0,
      "aria-label": `${name}: ${lines.join(", ")}`,
      click: select,
      keydown: (event: KeyboardEvent) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        select();
      },
    },
    drawn("rect", { x, y, width, height, rx: 4 }),
    drawn("text", { class: "name", x: x + PADDING, y: y + PADDING + 14 }, name),
    lines.map((line, at) => {
      const text = line.length > MOST_CHARS ? `${line.slice(0, MOST_CHARS - 1)}\u2026` : line;
      const top = y + PADDING + (at + 1) * LINE + 14;
      return drawn("text", { class: kindOf(at), x: x + PADDING, y: top }, text);
    }),
  );
}

/** Where an edge begins or ends beside a box: at a micro-operation, or at its name. */
function levelOf({ y }: TxnBox, mop: number | undefined): number {
  const line = mop === undefined ? 0 : Math.min(mop, MAX_MOPS) + HEAD;
  return y + PADDING + line * LINE + 10;
}

function drawEdge(cycle: ExplainedCycle, boxes: readonly TxnBox[], i: number): SVGGElement {
  const { type = "ww", fromMop, toMop } = cycle.steps[i] ?? {};
  const [from, to] = [boxes[i], boxes[(i + 1) % boxes.length]];
  if (from === undefined || to === undefined) return drawn("g");
  const isAcross = from.isLeft !== to.isLeft;
  // Within a column edges go around the outside.
  const leavesRight = isAcross ? from.isLeft : !from.isLeft;
  const arrivesRight = isAcross ? to.isLeft : !to.isLeft;
  const start = [from.x + (leavesRight ? from.width : 0), levelOf(from, fromMop)] as const;
  const end = [to.x + (arrivesRight ? to.width : 0), levelOf(to, toMop)] as const;
  const bend = isAcross ? BETWEEN / 2 : BESIDE - 14;
  const [a, b] = [
    start[0] + (leavesRight ? bend : -bend),
    end[0] + (arrivesRight ? bend : -bend),
  ];
  const tip = arrivesRight ? 8 : -8;
  const at = (t: number, p: number, q: number, r: number, s: number) =>
    (1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * q + 3 * (1 - t) * t ** 2 * r + t ** 3 * s;
  const label = {
    x: at(0.3, start[0], a, b, end[0]),
    y: at(0.3, start[1], start[1], end[1], end[1]) - 5,
  };
  return drawn(
    "g",
    { class: `edge edge-${type}` },
    drawn("path", {
      d: `M${start[0]} ${start[1]}C${a} ${start[1]} ${b} ${end[1]} ${end[0] + tip} ${end[1]}`,
    }),
    drawn("polygon", {
      points: `${end[0]},${end[1]} ${end[0] + tip},${end[1] - 4} ${end[0] + tip},${end[1] + 4}`,
    }),
    drawn("text", { x: label.x, y: label.y, "text-anchor": "middle" }, type),
  );
}
