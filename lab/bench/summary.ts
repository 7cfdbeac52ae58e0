/**
 * Figures of several rounds made into medians, ratios and a table.
 *
 * @module
 */

import type { Figure } from "./measurements.ts";

/** What one target scored in one figure, round by round. */
export interface Series {
  readonly measurement: string;
  readonly figure: Figure;
  readonly target: string;
  readonly values: readonly number[];
}

/** The middle of some numbers; of the two in the middle, their mean. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2;
}

/**
 * How many times `ours` is `theirs`, round by round: the two runs of a round were neighbours in
 * time, and what else the machine did hit both.
 */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => value / (theirs[round] ?? NaN));
}

/** A number as it is printed: `612,345`, `1.85`. */
export function show(value: number, { digits }: Figure): string {
  if (!Number.isFinite(value)) return "-";
  const [whole = "", part] = value.toFixed(digits).split(".");
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? grouped : `${grouped}.${part}`;
}

function cell({ figure, values }: Series): string {
  const middle = show(median(values), figure);
  if (values.length < 2) return middle;
  return `${middle} (${show(Math.min(...values), figure)}-${show(Math.max(...values), figure)})`;
}

/** Lays out rows in columns: the first flush left, the others flush right. */
export function layOut(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from(
    { length: columns },
    (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row.map((text, column) =>
      column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)
    ).join("  ").trimEnd()
  ).join("\n");
}

/** A row per figure with one cell per target; a target that was not measured has none. */
function rowsOf(
  all: readonly Series[],
  targets: readonly string[],
  cellOf: (series: Series, figure: readonly Series[]) => string,
): string[][] {
  const labels = [...new Set(all.map(({ figure }) => figure.label))];
  return labels.map((label) => {
    const figure = all.filter((series) => series.figure.label === label);
    const cells = targets.map((name) => {
      const series = figure.find(({ target }) => target === name);
      return series === undefined ? "" : cellOf(series, figure);
    });
    return [`${label}, ${figure[0]?.figure.unit}`, ...cells];
  });
}

/** The table of medians, with the range over the rounds where there were several. */
export function tableOfMedians(all: readonly Series[]): string {
  const targets = [...new Set(all.map(({ target }) => target))];
  return layOut([["", ...targets], ...rowsOf(all, targets, cell)]);
}

/** The table of ratios of `ours` to every other target; empty if there is none. */
export function tableOfRatios(all: readonly Series[], ours: string): string {
  const others = [...new Set(all.map(({ target }) => target))].filter((name) => name !== ours);
  const rows = rowsOf(all, others, (series, figure) => {
    const own = figure.find(({ target }) => target === ours);
    const times = own === undefined ? NaN : median(ratios(own.values, series.values));
    return Number.isFinite(times) ? `${times.toFixed(2)}x` : "";
  });
  if (others.length === 0) return "";
  return layOut([["", ...others.map((name) => `${ours}/${name}`)], ...rows]);
}

/** What figures depend on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
  readonly deno: string;
  /** Load averages. */
  readonly loads: readonly string[];
}

/** The machine, now. */
export function machine(): Machine {
  const { os, arch } = Deno.build;
  const cpu = /^model name\s*: (.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? arch;
  const loads = Deno.loadavg().map((load) => load.toFixed(2));
  const deno = `Deno ${Deno.version.deno} (V8 ${Deno.version.v8})`;
  return {
    cpu,
    cores: navigator.hardwareConcurrency,
    os: `${os} ${Deno.osRelease()}`,
    deno,
    loads,
  };
}

/** A machine in one line. */
export function describeMachine({ cpu, cores, os, deno, loads }: Machine): string {
  return `On ${cores} cores of ${cpu}, ${os}, ${deno}; load average before: ${loads.join(", ")}`;
}
