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
 * How many times `ours` is `theirs`, in each round that both have: the two runs of a round were
 * neighbours in time, and what else the machine did hit both.
 */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return theirs.slice(0, ours.length).map((value, round) => (ours[round] ?? NaN) / value);
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

/**
 * The table of medians, with the range over the rounds where there were several: a row per figure
 * with one cell per target, which is empty if it was not measured.
 */
export function tableOfMedians(all: readonly Series[]): string {
  const targets = [...new Set(all.map(({ target }) => target))];
  const labels = [...new Set(all.map(({ figure }) => figure.label))];
  const rows = labels.map((label) => {
    const series = all.filter(({ figure }) => figure.label === label);
    const cells = targets.map((name) => {
      const one = series.find(({ target }) => target === name);
      return one === undefined ? "" : cell(one);
    });
    return [`${label}, ${series[0]?.figure.unit}`, ...cells];
  });
  return layOut([["", ...targets], ...rows]);
}

/** In which round a target could not be measured, counted from 1; `undefined` if it could. */
export type FailedRound = (series: Series) => number | undefined;

/** A figure with a row for each target: least and most where there are rounds, and our ratio to it. */
function rowsOfFigure(
  series: readonly Series[],
  { ours, isRepeated, failedRound }: {
    ours: string;
    isRepeated: boolean;
    failedRound: FailedRound;
  },
): string[][] {
  const own = series.find(({ target }) => target === ours)?.values ?? [];
  return series.map((one) => {
    const { figure, target, values } = one;
    const failed = failedRound(one);
    const times = target === ours ? NaN : median(ratios(own, values));
    return [
      `  ${target}`,
      show(median(values), figure),
      ...(isRepeated ? [Math.min(...values), Math.max(...values)].map((v) => show(v, figure)) : []),
      Number.isFinite(times) ? `${times.toFixed(2)}x` : "",
      failed === undefined ? "" : `failed in round ${failed}`,
    ];
  });
}

/**
 * The table of figures, a row for each target below the name of the figure: the median, least and
 * most where there were several rounds, and what `ours` is as a multiple of it (the median of the
 * rounds' ratios).
 */
export function tableOfFigures(
  all: readonly Series[],
  ours: string,
  failedRound: FailedRound,
): string {
  const isRepeated = all.some(({ values }) => values.length > 1);
  const labels = [...new Set(all.map(({ figure }) => figure.label))];
  const rows = labels.flatMap((label) => {
    const series = all.filter(({ figure }) => figure.label === label);
    const head = `${label}, ${series[0]?.figure.unit}`;
    return [[head], ...rowsOfFigure(series, { ours, isRepeated, failedRound })];
  });
  const range = isRepeated ? ["least", "most"] : [];
  return layOut([["", "median", ...range, `${ours} / it`], ...rows]);
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
