/**
 * What the figures are to reach.
 *
 * @module
 */

import { layOut, median, ratios, type Series } from "./summary.ts";

/** A bound on a figure of ours as a multiple of another target's. */
export interface Goal {
  /** The figure's label. */
  readonly figure: string;
  readonly ours: string;
  readonly theirs: string;
  /** The bound, of which one is given. */
  readonly most?: number;
  readonly least?: number;
}

const PINGED = ["1/s", "100/s", "10k/s"]
  .flatMap((rate) => ["p50", "p99"].map((share) => `ping at ${rate}, ${share}`));

/** All goals; those beside `go` are for a peer of that name, on Maelstrom's Go library. */
export const goals: readonly Goal[] = [
  { figure: "echo, CPU a message", ours: "eddy", theirs: "floor", most: 1.15 },
  { figure: "echo", ours: "eddy", theirs: "go", least: 8 },
  { figure: "echo", ours: "eddy", theirs: "naive", least: 4.5 },
  ...PINGED.map((figure) => ({ figure, ours: "eddy", theirs: "go", most: 1 })),
  { figure: "start to init_ok", ours: "bundled", theirs: "floor bundled", most: 1.15 },
  { figure: "start to init_ok", ours: "eddy", theirs: "floor", most: 1.3 },
  { figure: "memory of 25 nodes", ours: "eddy", theirs: "script", most: 1.1 },
  { figure: "memory of 25 nodes", ours: "bundled", theirs: "script", most: 1.1 },
];

/** The table of those goals whose figures were measured: median and worst round; empty if none. */
export function tableOfGoals(all: readonly Series[], wanted: readonly Goal[] = goals): string {
  const valuesOf = (figure: string, target: string) =>
    all.find((series) => series.figure.label === figure && series.target === target)?.values;
  const rows = wanted.flatMap(({ figure, ours, theirs, most, least = 0 }) => {
    const [own, other] = [valuesOf(figure, ours), valuesOf(figure, theirs)];
    if (own === undefined || other === undefined) return [];
    const rounds = ratios(own, other);
    const name = `${figure}, ${ours}/${theirs}`;
    const middle = median(rounds);
    const worst = most === undefined ? Math.min(...rounds) : Math.max(...rounds);
    const bound = most === undefined ? `>= ${least}x` : `<= ${most}x`;
    if (rounds.length === 0) return [[name, bound, "-", "-", "not measured"]];
    const reached = most === undefined ? middle >= least : middle <= most;
    const shown = [middle, worst].map((value) => `${value.toFixed(2)}x`);
    return [[name, bound, ...shown, reached ? "yes" : "no"]];
  });
  return rows.length === 0 ? "" : layOut([["", "goal", "median", "worst", "reached"], ...rows]);
}
