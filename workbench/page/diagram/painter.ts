/**
 * Draws the part of a diagram that is in view.
 *
 * @module
 */

import { printableLine } from "../../explain.ts";
import { keepCrosses, labelArrows, paintArrows } from "./arrows.ts";
import type { Brush, ColourName } from "./brush.ts";
import type { Relations } from "./causes.ts";
import {
  type ColumnLayout,
  GUTTER_PX,
  HEADER_PX,
  LABEL_PX,
  LabelRoom,
  MARGIN_PX,
} from "./columns.ts";
import type { Matches } from "./filter.ts";
import type { ArrowIndex } from "./index.ts";
import { processText } from "./lanes.ts";
import type { FaultShade, NodeMark, OpBar, Scene } from "./scene.ts";
import type { Viewport } from "./viewport.ts";

/** What a frame is drawn from. */
export interface DiagramFrame {
  readonly scene: Scene;
  readonly index: ArrowIndex;
  /** The place of each mark. */
  readonly markPlaces: Float64Array;
  readonly viewport: Viewport;
  readonly columns: ColumnLayout;
  readonly matches: Matches;
  /** What is related to the selected message. */
  readonly relations: Relations | undefined;
  readonly selectedBar: number | undefined;
  /** When what is selected began, if that is in view: heads have the states of then. */
  readonly selectedMs: number | undefined;
  /** Operations that a finding names, by their indexes in the history. */
  readonly found: ReadonlySet<number>;
  /** Whether a message is an error reply, by its place. */
  readonly isError: Uint8Array;
  /** The label of a message, by its place. */
  readonly labelOf: (place: number) => string;
}

/** What is in view. */
export interface InView {
  readonly arrows: number;
  readonly messages: number;
  readonly operations: number;
  readonly faults: number;
  readonly marks: number;
  /** The states in the heads of nodes: `n0 leader 3`. */
  readonly states: readonly string[];
}

/** Where a place of the axis is drawn, and what can be seen of a canvas. */
export interface Ruler {
  /** The pixel of a place. */
  y(place: number): number;
  readonly top: number;
  readonly bottom: number;
}

/** The ruler of a canvas of some height. */
export function rulerOf({ from, span }: Viewport, height: number): Ruler {
  const scale = (height - HEADER_PX) / span;
  return { y: (place) => HEADER_PX + (place - from) * scale, top: HEADER_PX, bottom: height };
}

/** Draws a frame and says what is in it. */
export function paintFrame(brush: Brush, frame: DiagramFrame): InView {
  const { scene, viewport, columns } = frame;
  const ruler = rulerOf(viewport, brush.height);
  const room = new LabelRoom();
  const faults = scene.shades.filter(({ fromMs, toMs }) =>
    scene.axis.toPlace(fromMs) <= viewport.to && scene.axis.toPlace(toMs, true) >= viewport.from
  );
  paintShades(brush, frame, ruler, faults);
  const ticks = paintGrid(brush, frame, ruler);
  paintLanes(brush, frame, ruler);
  const states = paintStates(brush, frame, ruler);
  const bars = paintBars(brush, frame, ruler);
  const { list, messages } = paintArrows(brush, frame, ruler);
  keepCrosses(frame, ruler, list, room);
  paintMarks(brush, frame, states.marks, room);
  labelShades(brush, frame, ruler, faults, room);
  labelBars(brush, frame, ruler, bars, room);
  labelArrows(brush, frame, ruler, list, room);
  paintGutter(brush, ruler, ticks, frame, faults);
  paintHeader(brush, frame, states.current, bars);
  if (columns.maxOffset > 1) paintScrollbar(brush, columns);
  return {
    arrows: list.length,
    messages,
    operations: bars.length,
    faults: faults.length,
    marks: states.marks.length,
    states: [...states.current].map(([lane, text]) => `${scene.lanes[lane]?.name} ${text}`),
  };
}

/** The left edge of a lane's column, and its width; undefined where it is hidden. */
function columnOf(
  { xs, widths }: ColumnLayout,
  lane: number,
): [x: number, width: number] | undefined {
  const [x, width = 0] = [xs[lane], widths[lane]];
  return x === undefined ? undefined : [x - width / 2, width];
}

function spanOf(
  { axis }: Scene,
  { fromMs, toMs }: FaultShade,
  { y, top, bottom }: Ruler,
): [from: number, to: number] {
  const to = y(axis.toPlace(toMs, true));
  return [Math.max(top, y(axis.toPlace(fromMs))), Math.min(bottom, Math.max(to, top + 1))];
}

function paintShades(
  brush: Brush,
  { scene, columns }: DiagramFrame,
  ruler: Ruler,
  faults: readonly FaultShade[],
): void {
  for (const fault of faults) {
    const [from, to] = spanOf(scene, fault, ruler);
    const lanes = fault.lanes.length > 0 ? fault.lanes : scene.lanes.keys();
    brush.fill("fault", (path) => {
      for (const lane of lanes) {
        const column = columnOf(columns, lane);
        if (column !== undefined) path.rect(column[0], from, column[1], to - from);
      }
    }, 0.85);
  }
}

/** What a fault is, at its beginning or where it can be seen, in the first lane that it concerns. */
function labelShades(
  brush: Brush,
  { scene, columns }: DiagramFrame,
  ruler: Ruler,
  faults: readonly FaultShade[],
  room: LabelRoom,
): void {
  for (const fault of faults) {
    const [from, to] = spanOf(scene, fault, ruler);
    const all = fault.lanes.length > 0 ? fault.lanes : [...scene.lanes.keys()];
    const shown = all.flatMap((lane) => columnOf(columns, lane) ?? []);
    const left = Math.max(GUTTER_PX, shown[0] ?? 0) + 6;
    const right = Math.min(brush.width - MARGIN_PX, (shown.at(-2) ?? 0) + (shown.at(-1) ?? 0));
    const text = brush.fit(printableLine(fault.text), right - left - 6);
    if (text === "") continue;
    for (let y = from + LABEL_PX / 2 + 2; y < to; y += LABEL_PX) {
      if (!room.take(left, y, brush.measure(text))) continue;
      brush.text(text, left, y, { colour: "invalid" });
      break;
    }
  }
}

/** How far apart times are written, in pixels. */
const TICK_PX = 34;
/** How far from the edges they stay. */
const EDGE_PX = 10;

type Ticks = ReturnType<Scene["axis"]["ticks"]>;

function paintGrid(brush: Brush, { scene, viewport }: DiagramFrame, ruler: Ruler): Ticks {
  const distance = TICK_PX * viewport.span / (ruler.bottom - ruler.top);
  const ticks = scene.axis.ticks(viewport.from, viewport.to, distance).filter(({ at }) =>
    ruler.y(at) >= ruler.top + EDGE_PX && ruler.y(at) <= ruler.bottom - EDGE_PX
  );
  brush.stroke({ colour: "line", alpha: 0.45 }, (path) => {
    for (const { at } of ticks) {
      path.moveTo(GUTTER_PX, Math.round(ruler.y(at)) + 0.5);
      path.lineTo(brush.width, Math.round(ruler.y(at)) + 0.5);
    }
  });
  return ticks;
}

function paintLanes(brush: Brush, { scene, columns }: DiagramFrame, ruler: Ruler): void {
  const { axis, lanes } = scene;
  const top = Math.max(ruler.top, ruler.y(axis.start));
  const bottom = Math.min(ruler.bottom, ruler.y(axis.end));
  const isNode = (lane: number) => lanes[lane]?.kind === "node";
  for (const thick of [false, true]) {
    brush.stroke({ colour: thick ? "muted" : "line", width: thick ? 2 : 1 }, (path) => {
      for (const [lane, x] of columns.xs.entries()) {
        if (x === undefined || isNode(lane) !== thick) continue;
        path.moveTo(Math.round(x), top);
        path.lineTo(Math.round(x), bottom);
      }
    });
  }
}

/** The colour of a state, by the word for it that consensus has. */
function stateColour(text: string): ColourName {
  if (/leader|primary|master/i.test(text)) return "leader";
  return /candidate|elect/i.test(text) ? "candidate" : "other";
}

/** A mark in view, and its height. */
interface PlacedMark {
  readonly mark: NodeMark;
  readonly y: number;
}

/** Messages have times in whole microseconds. */
const ROUNDING_MS = 0.001;

/** The states of nodes as thick stretches of their lanes. */
function paintStates(
  brush: Brush,
  { scene: { marks, axis }, markPlaces, viewport, columns, selectedMs }: DiagramFrame,
  ruler: Ruler,
): { readonly current: ReadonlyMap<number, string>; readonly marks: readonly PlacedMark[] } {
  const current = new Map<number, string>();
  const begun = new Map<number, { y: number; colour: ColourName }>();
  const stretches: Record<string, [x: number, from: number, to: number][]> = {};
  const end = (lane: number, y: number) => {
    const state = begun.get(lane);
    const x = columns.xs[lane];
    if (state === undefined || x === undefined || y < ruler.top || y - state.y < 0.5) return;
    (stretches[state.colour] ??= []).push([x, Math.max(ruler.top, state.y), y]);
  };
  const inView: PlacedMark[] = [];
  for (const [i, mark] of marks.entries()) {
    const at = markPlaces[i] ?? 0;
    if (at > viewport.to) break;
    const y = ruler.y(at);
    const isIn = at >= viewport.from && columns.xs[mark.lane] !== undefined;
    if (mark.kind === "state") {
      end(mark.lane, y);
      begun.set(mark.lane, { y, colour: stateColour(mark.text) });
      const isPast = selectedMs === undefined ? !isIn : mark.atMs <= selectedMs + ROUNDING_MS;
      if (isPast) current.set(mark.lane, printableLine(mark.text));
    }
    if (isIn) inView.push({ mark, y });
  }
  for (const lane of begun.keys()) end(lane, Math.min(ruler.bottom, ruler.y(axis.end)));
  for (const [colour, list] of Object.entries(stretches)) {
    brush.fill(colour as ColourName, (path) => {
      for (const [x, from, to] of list) path.rect(x - 3, from, 6, to - from);
    });
  }
  return { current, marks: inView };
}

/** How many marks are drawn one by one. */
const MAX_MARKS = 150;
/** How much room the text of a mark may take in a narrow column. */
const MARK_TEXT_PX = 64;

function paintMarks(
  brush: Brush,
  { columns }: DiagramFrame,
  marks: readonly PlacedMark[],
  room: LabelRoom,
): void {
  for (const { mark: { lane, text, kind }, y } of marks.slice(0, MAX_MARKS)) {
    const x = columns.xs[lane] ?? 0;
    const colour = kind === "broken" ? "invalid" : kind === "state" ? stateColour(text) : "link";
    brush.fill(colour, (path) => {
      if (kind === "state") path.arc(x, y, 4.5, 0, 7);
      else {
        path.moveTo(x, y - 5);
        path.lineTo(x + 5, y);
        path.lineTo(x, y + 5);
        path.lineTo(x - 5, y);
      }
    });
    const label = brush.fit(
      printableLine(text),
      Math.max(MARK_TEXT_PX, (columns.widths[lane] ?? 0) - 14),
    );
    if (label === "" || !room.take(x + 8, y, brush.measure(label, true))) continue;
    brush.text(label, x + 8, y, { colour: colour === "other" ? "muted" : colour, bold: true });
  }
}

/** Half the width of a bar. */
export const BAR_PX = 5;

/** A bar as it is drawn. */
export interface PaintedBar {
  readonly place: number;
  readonly bar: OpBar;
  readonly x: number;
  readonly from: number;
  readonly to: number;
  readonly half: number;
}

/** The bars in view. */
export function barsInView(
  { scene: { bars, axis }, viewport, columns, matches }: DiagramFrame,
  ruler: Ruler,
): PaintedBar[] {
  const { places } = axis;
  const painted: PaintedBar[] = [];
  for (const [place, bar] of bars.entries()) {
    const [from, to] = [places[bar.fromRow] ?? 0, places[bar.toRow] ?? 0];
    if (from > viewport.to || to < viewport.from) continue;
    const x = columns.xs[bar.lane];
    if (x === undefined || matches.bars?.[place] === 0) continue;
    const half = Math.min(BAR_PX, ((columns.widths[bar.lane] ?? 0) - 1) / 2);
    const [y1, y2] = [
      Math.max(ruler.top - 9, ruler.y(from)),
      Math.min(ruler.bottom + 9, ruler.y(to)),
    ];
    painted.push({ place, bar, x, from: y1 - 1.5, to: Math.max(y1, y2) + 1.5, half });
  }
  return painted;
}

function paintBars(brush: Brush, frame: DiagramFrame, ruler: Ruler): PaintedBar[] {
  const bars = barsInView(frame, ruler);
  for (const outcome of ["ok", "fail", "info"] as const) {
    // Of bars that share a pixel one is drawn.
    const last = new Map<number, number>();
    const own = bars.filter(({ bar, from, to }) => {
      const isHidden = to < (last.get(bar.lane) ?? -Infinity) + 1;
      if (bar.outcome !== outcome || isHidden) return false;
      last.set(bar.lane, Math.max(to, from));
      return true;
    });
    if (own.length === 0) continue;
    brush.fill(outcome, (path) => {
      for (const { x, from, to, half } of own) path.rect(x - half, from, 2 * half, to - from);
    }, 0.9);
  }
  const ringed = bars.filter(({ bar, place }) =>
    isFound(frame, bar) || place === frame.selectedBar
  );
  for (const { place, x, from, to, half } of ringed.slice(0, 200)) {
    const colour = place === frame.selectedBar ? "text" : "invalid";
    brush.stroke({ colour, width: 2 }, (path) => {
      path.rect(x - half - 2.5, from - 2.5, 2 * half + 5, to - from + 5);
    });
  }
  return bars;
}

function isFound({ found }: DiagramFrame, { invoke, completion }: OpBar): boolean {
  return found.has(invoke.index) || (completion !== undefined && found.has(completion.index));
}

/** How many bars have a label. */
const MAX_BAR_LABELS = 200;

function labelBars(
  brush: Brush,
  frame: DiagramFrame,
  ruler: Ruler,
  bars: readonly PaintedBar[],
  room: LabelRoom,
): void {
  if (bars.length > 3 * MAX_BAR_LABELS) return;
  const first = bars.filter(({ bar }) => !frame.columns.folded.has(bar.lane)).sort((a, b) =>
    Number(isFound(frame, b.bar)) - Number(isFound(frame, a.bar))
  );
  for (const { bar, x, from, to, half } of first.slice(0, MAX_BAR_LABELS)) {
    // Below the beginning of its request's arrow.
    const y = Math.max(ruler.top + 8, Math.min((from + to) / 2, from + 12));
    const left = x + half + 4;
    const right = bars.reduce(
      (end, other) =>
        other.x > x && other.from < y + 7 && other.to > y - 7
          ? Math.min(end, other.x - other.half - 4)
          : end,
      brush.width - MARGIN_PX,
    );
    const text = brush.fit(bar.label, right - left);
    if (text === "" || !room.take(left, y, brush.measure(text))) continue;
    const colour = isFound(frame, bar) ? "invalid" : "text";
    brush.text(text, left, y, { colour });
  }
}

function paintGutter(
  brush: Brush,
  ruler: Ruler,
  ticks: Ticks,
  { scene }: DiagramFrame,
  faults: readonly FaultShade[],
): void {
  brush.rect("page", 0, 0, GUTTER_PX - 4, brush.height);
  brush.rect("page", brush.width - MARGIN_PX, 0, MARGIN_PX, brush.height);
  for (const { at, text } of ticks) {
    brush.text(text, GUTTER_PX - 12, ruler.y(at), { colour: "muted", align: "right", halo: false });
  }
  const ends: number[] = [];
  for (const fault of faults.slice(0, 100)) {
    const [from, to] = spanOf(scene, fault, ruler);
    const free = ends.findIndex((end) => end <= from);
    const slot = free === -1 ? ends.length : free;
    ends[slot] = to;
    if (slot < 3) brush.rect("fault-edge", GUTTER_PX - 4 - 3 * slot, from, 2, to - from);
  }
}

function paintHeader(
  brush: Brush,
  { scene, columns: { xs, widths, folded } }: DiagramFrame,
  current: ReadonlyMap<number, string>,
  bars: readonly PaintedBar[],
): void {
  brush.rect("card", 0, 0, brush.width, HEADER_PX - 2);
  brush.rect("line", 0, HEADER_PX - 2, brush.width, 1);
  const write = (text: string, x: number, y: number, colour: ColourName, bold: boolean) =>
    brush.text(text, x, y, { align: "center", halo: false, colour, bold });
  for (const [lane, { kind }] of scene.lanes.entries()) {
    const [x, width = 0] = [xs[lane], widths[lane]];
    if (x === undefined || folded.has(lane)) continue;
    const [name, below] = headOf(scene, lane, current, bars.length > MAX_HEAD_BARS ? [] : bars);
    const bold = kind !== "client";
    write(brush.fit(name, width - 4, bold), x, below === "" ? 18 : 12, "text", bold);
    const colour = kind === "node" ? stateColour(below) : "other";
    write(brush.fit(below, width - 4), x, 26, colour === "other" ? "muted" : colour, false);
  }
  const runs = runsOf(folded);
  for (const run of runs) {
    const [first = 0, last = 0] = [run[0], run.at(-1)].map((lane) => xs[lane ?? 0]);
    const room = last - first + (runs.length === 1 ? 30 : widths[run[0] ?? 0] ?? 0);
    const names = [`${run.length} clients`, "clients", String(run.length)];
    const name = names.find((each) => brush.measure(each, true) <= room) ?? "";
    const left = GUTTER_PX + brush.measure(name, true) / 2;
    write(name, Math.max((first + last) / 2, left), 18, "text", true);
  }
  brush.rect("card", 0, 0, GUTTER_PX - 4, HEADER_PX - 2);
  brush.text("time", GUTTER_PX - 12, 18, { colour: "muted", align: "right", halo: false });
}

/** Of how many operations in view the processes are told, rather than all of the column's. */
const MAX_HEAD_BARS = 600;

/** The two lines over a column: a process, as findings name it, with its client; a node with its state. */
function headOf(
  { lanes, messages }: Scene,
  lane: number,
  current: ReadonlyMap<number, string>,
  bars: readonly PaintedBar[],
): readonly [string, string] {
  const { kind = "node", name = "", processes = [] } = lanes[lane] ?? {};
  if (kind !== "client") {
    return [
      printableLine(name),
      kind === "node" ? current.get(lane) ?? "" : kind === "setup" ? "clients" : kind,
    ];
  }
  const own = bars.flatMap(({ bar }) => bar.lane === lane ? [bar] : []);
  const inView = [...new Set(own.map(({ invoke }) => String(invoke.process)))];
  const clients = new Set(own.map(({ request = -1 }) => messages[request]?.src ?? name));
  return [
    processText(inView.length > 0 ? inView : processes),
    printableLine(clients.size > 0 ? [...clients].join(", ") : name),
  ];
}

/** Lanes that stand beside each other. */
function runsOf(lanes: ReadonlySet<number>): number[][] {
  const runs: number[][] = [];
  for (const lane of lanes) {
    const last = runs.at(-1);
    if (last?.at(-1) === lane - 1) last.push(lane);
    else runs.push([lane]);
  }
  return runs;
}

/** How much of all columns is in view. */
function paintScrollbar(brush: Brush, { maxOffset, offset }: ColumnLayout): void {
  const room = brush.width - GUTTER_PX - MARGIN_PX;
  const share = room / (room + maxOffset);
  const left = GUTTER_PX + offset * share;
  brush.rect("muted", left + 2, brush.height - 6, room * share - 4, 4, 0.6);
}
