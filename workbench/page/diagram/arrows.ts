/**
 * Draws the messages of a diagram, one by one or in bundles.
 *
 * @module
 */

import type { Brush, ColourName } from "./brush.ts";
import { RELATION } from "./causes.ts";
import type { LabelRoom } from "./columns.ts";
import { type Bundle, MAX_SINGLE_ARROWS } from "./index.ts";
import type { DiagramFrame, Ruler } from "./painter.ts";
import { ARROW, type Scene } from "./scene.ts";

/** An arrow in pixels. */
export interface Segment {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** How many arrows a canvas has room for. */
const CROWD = 220;
/** How much of its way a lost message is drawn. */
const LOST_SHARE = 0.6;
/** How far to the side a message to oneself goes, in pixels. */
const LOOP_PX = 18;

/** Where an arrow is drawn; undefined where one of its lanes is hidden. */
export function segmentOf(
  { scene: { arrows }, index, columns }: DiagramFrame,
  ruler: Ruler,
  arrow: number,
): Segment | undefined {
  const x1 = columns.xs[arrows.fromLane[arrow] ?? 0];
  const x2 = columns.xs[arrows.toLane[arrow] ?? 0];
  if (x1 === undefined || x2 === undefined) return undefined;
  const [y1, y2] = [ruler.y(index.from(arrow)), ruler.y(index.to(arrow))];
  const kind = arrows.kind[arrow];
  if (kind !== ARROW.dropped && kind !== ARROW.open) return { x1, y1, x2, y2 };
  return { x1, y1, x2: x1 + (x2 - x1) * LOST_SHARE, y2 };
}

/** How strong arrows are drawn. */
type Strength = "normal" | "faded" | "strong" | "self";
const LOOKS: Record<Strength, { readonly width: number; readonly alpha: number }> = {
  normal: { width: 1.25, alpha: 0.9 },
  faded: { width: 1, alpha: 0.26 },
  strong: { width: 2.5, alpha: 1 },
  self: { width: 4, alpha: 1 },
};

/** Arrows that are drawn alike. */
interface ArrowBatch {
  readonly colour: ColourName;
  readonly strength: Strength;
  readonly isDashed: boolean;
  readonly segments: Segment[];
  readonly lost: Segment[];
  readonly copies: Segment[];
}

/** Draws the arrows in view; says which, and how many messages they are. */
export function paintArrows(
  brush: Brush,
  frame: DiagramFrame,
  ruler: Ruler,
): { readonly list: Int32Array; readonly messages: number } {
  const { index, viewport: { from, to }, matches, scene: { arrows } } = frame;
  const list = index.between(from, to, matches.messages);
  let messages = 0;
  let last = -1;
  for (const arrow of list) {
    // The arrows of a message follow each other.
    if (arrows.message[arrow] !== last) messages++;
    last = arrows.message[arrow] ?? 0;
  }
  if (list.length > MAX_SINGLE_ARROWS) paintBundles(brush, frame, ruler, list);
  else {
    for (const batch of batchesOf(frame, ruler, list)) paintBatch(brush, batch, list.length);
  }
  return { list, messages };
}

function batchesOf(frame: DiagramFrame, ruler: Ruler, list: Int32Array): ArrowBatch[] {
  const { scene: { arrows, lanes }, relations, isError, matches } = frame;
  const batches = new Map<string, ArrowBatch>();
  for (const arrow of list) {
    const segment = segmentOf(frame, ruler, arrow);
    if (segment === undefined) continue;
    const kind = arrows.kind[arrow];
    const message = arrows.message[arrow] ?? 0;
    const [fromLane = 0, toLane = 0] = [arrows.fromLane[arrow], arrows.toLane[arrow]];
    const colour = kind === ARROW.dropped
      ? "invalid"
      : isError[message] === 1
      ? "unknown"
      : isClients(lanes, fromLane) || isClients(lanes, toLane)
      ? "muted"
      : "message";
    const strength = strengthOf(relations?.of[message], matches.messages !== undefined);
    const isDashed = kind === ARROW.delayed || kind === ARROW.open;
    const key = `${colour} ${strength} ${isDashed}`;
    const batch = batches.get(key) ??
      { colour, strength, isDashed, segments: [], lost: [], copies: [] };
    batches.set(key, batch);
    if (kind === ARROW.copy) batch.copies.push(segment);
    else if (kind === ARROW.dropped) batch.lost.push(segment);
    else batch.segments.push(segment);
  }
  const order: readonly Strength[] = ["faded", "normal", "strong", "self"];
  return [...batches.values()].sort((a, b) =>
    order.indexOf(a.strength) - order.indexOf(b.strength)
  );
}

/** Whether a lane is one of clients. */
function isClients(lanes: Scene["lanes"], lane: number): boolean {
  const kind = lanes[lane]?.kind;
  return kind === "client" || kind === "setup";
}

/** How strong a message is drawn; those that a filter has chosen do not fade. */
function strengthOf(relation: number | undefined, isChosen: boolean): Strength {
  if (relation === RELATION.self) return "self";
  if (relation === RELATION.concurrent && !isChosen) return "faded";
  return relation === RELATION.cause || relation === RELATION.effect ? "strong" : "normal";
}

function paintBatch(
  brush: Brush,
  { colour, strength, isDashed, segments, lost, copies }: ArrowBatch,
  count: number,
): void {
  // Where many share the canvas each is lighter, and has no head.
  const crowd = strength === "normal" ? Math.min(1, Math.max(0.4, CROWD / count)) : 1;
  const width = LOOKS[strength].width * (0.5 + crowd / 2);
  const alpha = LOOKS[strength].alpha * crowd;
  const head = count > 3 * CROWD ? 0 : 5 + width;
  const cross = count > 2 * CROWD ? 2 : 4;
  brush.stroke({ colour, width, alpha, dash: isDashed ? [5, 3] : [] }, (path) => {
    for (const segment of segments) trace(path, segment, 0);
    for (const segment of lost) trace(path, segment, 0);
    // Two lines, side by side.
    for (const segment of copies) {
      for (const side of [-1, 1]) trace(path, segment, side * (0.75 + width / 2));
    }
  });
  if (head > 0) {
    brush.fill(colour, (path) => {
      for (const segment of segments) arrowhead(path, segment, head);
      for (const segment of copies) arrowhead(path, segment, head + 1);
    }, alpha);
  }
  if (lost.length > 0) {
    brush.stroke({ colour, width: width + 0.75, alpha }, (path) => {
      for (const { x2, y2 } of lost) {
        path.moveTo(x2 - cross, y2 - cross);
        path.lineTo(x2 + cross, y2 + cross);
        path.moveTo(x2 - cross, y2 + cross);
        path.lineTo(x2 + cross, y2 - cross);
      }
    });
  }
  if (strength === "faded" || head === 0) return;
  for (const { x1, x2, y2 } of copies.slice(0, 100)) {
    brush.text("2", x2 - Math.sign(x2 - x1) * 14, y2 - 7, { colour, align: "center", bold: true });
  }
}

function trace(path: CanvasRenderingContext2D, { x1, y1, x2, y2 }: Segment, side: number): void {
  path.moveTo(x1, y1 + side);
  if (x1 === x2) path.lineTo(x1 + LOOP_PX, (y1 + y2) / 2 + side);
  path.lineTo(x2, y2 + side);
}

function arrowhead(
  path: CanvasRenderingContext2D,
  { x1, y1, x2, y2 }: Segment,
  size: number,
): void {
  const angle = Math.atan2(y2 - y1, x2 - (x1 === x2 ? x1 + LOOP_PX : x1));
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  path.moveTo(x2, y2);
  path.lineTo(x2 - size * cos + size * 0.42 * sin, y2 - size * sin - size * 0.42 * cos);
  path.lineTo(x2 - size * cos - size * 0.42 * sin, y2 - size * sin + size * 0.42 * cos);
}

/** How many messages in view may have labels. */
const MAX_LABELS = 220;
/** How much room a label may take on a short arrow. */
const MIN_LABEL_PX = 64;
/** Where on its way a message's label may stand; the first free one is taken. */
const LABEL_SHARES: readonly number[] = [0.5, 0.36, 0.64, 0.24, 0.76];

/** Keeps labels off the crosses of lost messages. */
export function keepCrosses(
  frame: DiagramFrame,
  ruler: Ruler,
  list: Int32Array,
  room: LabelRoom,
): void {
  if (list.length > 3 * MAX_LABELS) return;
  for (const arrow of list) {
    if (frame.scene.arrows.kind[arrow] !== ARROW.dropped) continue;
    const segment = segmentOf(frame, ruler, arrow);
    if (segment !== undefined) room.take(segment.x2 - CROSS_PX, segment.y2, 2 * CROSS_PX);
  }
}

/** Half the room of a cross, in pixels. */
const CROSS_PX = 7;

/** Where a label may stand: on an arrow, above or below one that it would hide, beyond a cross. */
function labelPlaces(
  { x1, y1, x2, y2 }: Segment,
  width: number,
  isLost: boolean,
): (readonly [left: number, y: number])[] {
  const at = (share: number, aside: number) =>
    [x1 + (x2 - x1) * share - width / 2, y1 + (y2 - y1) * share + aside] as const;
  const beyond = [x2 < x1 ? x2 - CROSS_PX - width : x2 + CROSS_PX, y2] as const;
  const isShort = width + 24 > Math.abs(x2 - x1);
  const places = isShort
    ? [at(0.5, -ASIDE_PX), at(0.5, ASIDE_PX)]
    : LABEL_SHARES.map((share) => at(share, 0));
  return isLost ? [...places, beyond] : places;
}

/** How far above or below an arrow its label stands, in pixels. */
const ASIDE_PX = 8;

/** Writes what messages are, as far as there is room. */
export function labelArrows(
  brush: Brush,
  frame: DiagramFrame,
  ruler: Ruler,
  list: Int32Array,
  room: LabelRoom,
): void {
  const { scene: { arrows }, relations, labelOf, matches } = frame;
  if (list.length > 3 * MAX_LABELS) return;
  const rank = (arrow: number) => relations?.of[arrows.message[arrow] ?? 0] ?? 0;
  const first = relations === undefined ? [...list] : [...list].sort((a, b) => rank(b) - rank(a));
  for (const arrow of first.slice(0, MAX_LABELS)) {
    const segment = segmentOf(frame, ruler, arrow);
    if (segment === undefined || arrows.kind[arrow] === ARROW.copy) continue;
    const isFaded = relations !== undefined && rank(arrow) === RELATION.concurrent;
    if (isFaded && matches.messages === undefined) continue;
    const isLost = arrows.kind[arrow] === ARROW.dropped;
    const all = labelOf(arrows.message[arrow] ?? 0);
    const length = Math.abs(segment.x2 - segment.x1) / (isLost ? LOST_SHARE : 1);
    const text = brush.fit(all, Math.max(MIN_LABEL_PX, length - 10));
    const width = brush.measure(text);
    const isSelf = rank(arrow) === RELATION.self && relations !== undefined;
    for (const [left, at] of labelPlaces(segment, width, isLost)) {
      const y = at - (isSelf ? 9 : 0);
      if (y < ruler.top + 7 || y > ruler.bottom - 7 || !room.take(left, y, width)) continue;
      brush.text(text, left, y, { bold: isSelf });
      break;
    }
  }
}

/** Bundles by how many messages they are: the more, the stronger. */
function paintBundles(brush: Brush, frame: DiagramFrame, ruler: Ruler, list: Int32Array): void {
  const { index, viewport: { from, to }, columns, scene: { lanes, axis } } = frame;
  const height = ruler.bottom - ruler.top;
  const { bundles, bands } = index.bundles(list, from, to, Math.floor(height / 5));
  const [start, end] = [ruler.y(axis.start), ruler.y(axis.end)];
  // Those of one band stand apart.
  const y = (place: number, slot: number) =>
    Math.max(start, Math.min(end, ruler.y(place) + (slot - 0.5) * height / bands));
  const groups = new Map<string, { colour: ColourName; level: number; own: Bundle[] }>();
  for (const bundle of bundles) {
    const level = Math.min(4, Math.floor(Math.log2(bundle.count) / 2));
    const isOfClients = isClients(lanes, bundle.fromLane) || isClients(lanes, bundle.toLane);
    const colour = bundle.isLoss ? "invalid" : isOfClients ? "muted" : "message";
    const key = `${level} ${colour}`;
    const group = groups.get(key) ?? { colour, level, own: [] };
    groups.set(key, group);
    group.own.push(bundle);
  }
  for (const { colour, level, own } of [...groups.values()].sort((a, b) => a.level - b.level)) {
    const look = { colour, width: 1 + 0.5 * level, alpha: 0.25 + 0.15 * level };
    brush.stroke(look, (path) => {
      for (const { fromLane, toLane, from, to, slot, isLoss } of own) {
        const [x1, x2] = [columns.xs[fromLane], columns.xs[toLane]];
        if (x1 === undefined || x2 === undefined) continue;
        const share = isLoss ? LOST_SHARE : 1;
        trace(path, { x1, y1: y(from, slot), x2: x1 + (x2 - x1) * share, y2: y(to, slot) }, 0);
      }
    });
  }
}
