/**
 * Where the operations of a register stand in its drawing.
 *
 * Time is not to scale: each beginning and each end of an operation has a place of its own, and what
 * is between two of them is as wide as what is written there needs.
 *
 * @module
 */

/** An operation to be drawn. Its ends are places in the history. */
export interface BarInput {
  readonly process: number | string;
  readonly invokedAt: number;
  /** Where its completion stands, whatever that says; Infinity without one. */
  readonly endedAt: number;
  /** How wide its text is, in pixels. */
  readonly textWidth: number;
  /** Its place in the order, from 0; undefined for one that has none. */
  readonly place?: number | undefined;
}

/** Where an operation is drawn, in pixels. */
export interface Bar {
  readonly left: number;
  readonly right: number;
  /** The row, from 0. */
  readonly lane: number;
  /** Where it takes effect, which may be behind its right end if its outcome is unknown. */
  readonly pointAt?: number | undefined;
}

/** A drawing's measures, in pixels. */
export interface RegisterLayout {
  /** In the order of the input. */
  readonly bars: readonly Bar[];
  readonly laneCount: number;
  readonly width: number;
  /** Where the beginnings and ends are, with their places in the history. */
  readonly moments: readonly { readonly at: number; readonly x: number }[];
}

/** How wide the space between two moments is at least, and what each point in it needs. */
const GAP = 10;
const POINT_GAP = 22;

/** Lays the operations of a register out. */
export function layOutRegister(inputs: readonly BarInput[]): RegisterLayout {
  const places = inputs.flatMap(({ invokedAt, endedAt }) =>
    endedAt === Infinity ? [invokedAt] : [invokedAt, endedAt]
  );
  const moments = [...new Set(places)].sort((a, b) => a - b);
  const columns = new Map(moments.map((at, column) => [at, column]));
  const columnOf = (at: number) => columns.get(at) ?? moments.length;
  const points = pointsOf(inputs, columnOf);
  const spans = inputs.map((input, i) => {
    const from = columnOf(input.invokedAt);
    const point = points.columns[i];
    const end = Math.max(columnOf(input.endedAt), from + 1);
    return { from, end, until: Math.max(end, point === undefined ? 0 : point + 1) };
  });
  const gaps = gapsOf(inputs, spans, points.counts, moments.length + 1);
  const xs = gaps.reduce<number[]>((xs, gap) => [...xs, (xs.at(-1) ?? 0) + gap], [0]);
  const x = (column: number) => xs[column] ?? xs.at(-1) ?? 0;
  const lanes = lanesOf(inputs, spans);
  const bars = inputs.map((_, i): Bar => {
    const { from, end } = spans[i] ?? { from: 0, end: 1 };
    const column = points.columns[i];
    const share = points.shares[i] ?? 0;
    const pointAt = column === undefined
      ? undefined
      : x(column) + share * (x(column + 1) - x(column));
    return { left: x(from) + 1, right: x(end) - 1, lane: lanes[i] ?? 0, pointAt };
  });
  return {
    bars,
    laneCount: Math.max(0, ...lanes) + 1,
    width: x(xs.length - 1),
    moments: moments.map((at, column) => ({ at, x: x(column) })),
  };
}

/**
 * Where operations take effect: each as soon as it can, which is when it or one before it in the
 * order begins; several at once side by side.
 */
function pointsOf(inputs: readonly BarInput[], columnOf: (at: number) => number) {
  const ordered = [...inputs.entries()]
    .filter(([, { place }]) => place !== undefined)
    .sort(([, a], [, b]) => (a.place ?? 0) - (b.place ?? 0));
  const columns: (number | undefined)[] = inputs.map(() => undefined);
  const ranks: number[] = [];
  const counts: number[] = [];
  let column = 0;
  for (const [i, { invokedAt }] of ordered) {
    column = Math.max(column, columnOf(invokedAt));
    columns[i] = column;
    counts[column] = (counts[column] ?? 0) + 1;
    ranks[i] = counts[column] ?? 1;
  }
  const shares = inputs.map((_, i) => (ranks[i] ?? 0) / ((counts[columns[i] ?? -1] ?? 0) + 1));
  return { columns, counts, shares };
}

/** How wide what is between two moments is, so that each text fits into its bar. */
function gapsOf(
  inputs: readonly BarInput[],
  spans: readonly { readonly from: number; readonly end: number }[],
  counts: readonly number[],
  length: number,
): number[] {
  const gaps = Array.from(
    { length },
    (_, column) => Math.max(GAP, ((counts[column] ?? 0) + 1) * POINT_GAP / 2),
  );
  const byEnd = [...spans.entries()].sort(([, a], [, b]) => a.end - b.end);
  for (const [i, { from, end }] of byEnd) {
    const width = gaps.slice(from, end).reduce((sum, gap) => sum + gap, 0);
    const missing = (inputs[i]?.textWidth ?? 0) - width;
    if (missing > 0) gaps[end - 1] = (gaps[end - 1] ?? 0) + missing;
  }
  return gaps;
}

/** A row for each operation: that of its process if it is free, else the first that is. */
function lanesOf(
  inputs: readonly BarInput[],
  spans: readonly { readonly from: number; readonly until: number }[],
): number[] {
  const lanes: number[] = [];
  const freeFrom: number[] = [];
  const ofProcess = new Map<number | string, number>();
  const byStart = [...spans.entries()].sort(([, a], [, b]) => a.from - b.from);
  for (const [i, { from, until }] of byStart) {
    const process = inputs[i]?.process ?? "";
    const own = ofProcess.get(process);
    const isFree = (lane: number) => (freeFrom[lane] ?? 0) <= from;
    let lane = own !== undefined && isFree(own) ? own : freeFrom.findIndex((at) => at <= from);
    if (lane === -1) lane = freeFrom.length;
    freeFrom[lane] = until;
    lanes[i] = lane;
    ofProcess.set(process, lane);
  }
  return lanes;
}
