/**
 * What of a diagram is at a point.
 *
 * @module
 */

import { type Segment, segmentOf } from "./arrows.ts";
import { barsInView, type DiagramFrame, type Ruler } from "./painter.ts";
import type { NodeMark } from "./scene.ts";

/** A message or an operation, by its place, or a mark. */
export type Hit =
  | { readonly kind: "message"; readonly place: number }
  | { readonly kind: "bar"; readonly place: number }
  | { readonly kind: "mark"; readonly mark: NodeMark };

/** How far from the pointer something may be, in pixels. */
const REACH_PX = 7;

/** The nearest thing at a point; undefined where there is none. */
export function hitAt(frame: DiagramFrame, ruler: Ruler, x: number, y: number): Hit | undefined {
  if (y < ruler.top) return undefined;
  for (const { place, x: middle, from, to, half } of barsInView(frame, ruler)) {
    const isNear = Math.abs(x - middle) <= half + 1 && y >= from - 2 && y <= to + 2;
    if (isNear) return { kind: "bar", place };
  }
  const { scene: { marks, arrows }, markPlaces, columns, viewport, index, matches } = frame;
  const mark = marks.find(({ lane }, i) =>
    Math.abs((columns.xs[lane] ?? -100) - x) <= 6 &&
    Math.abs(ruler.y(markPlaces[i] ?? 0) - y) <= 6
  );
  if (mark !== undefined) return { kind: "mark", mark };
  const perPx = viewport.span / (ruler.bottom - ruler.top);
  const at = viewport.from + (y - ruler.top) * perPx;
  let nearest: number | undefined;
  let best = REACH_PX;
  for (
    const arrow of index.between(at - REACH_PX * perPx, at + REACH_PX * perPx, matches.messages)
  ) {
    const segment = segmentOf(frame, ruler, arrow);
    if (segment === undefined) continue;
    const distance = distanceTo(segment, x, y);
    if (distance >= best) continue;
    best = distance;
    nearest = arrows.message[arrow];
  }
  return nearest === undefined ? undefined : { kind: "message", place: nearest };
}

/** How far a point is from a line between two. */
function distanceTo({ x1, y1, x2, y2 }: Segment, x: number, y: number): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : ((x - x1) * dx + (y - y1) * dy) / length;
  const along = Math.min(1, Math.max(0, share));
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}
