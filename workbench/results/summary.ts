/**
 * A run on a terminal: verdict, figures, and what went wrong.
 *
 * @module
 */

import { plural } from "../checkers/wording.ts";
import type { Validity } from "../history.ts";
import type { RunOptions } from "../types.ts";
import type { RunReport } from "./report.ts";

/** How many explanations and warnings are shown; the stored results have all. */
const MAX_SHOWN = 3;

/** A verdict in a word. */
export function verdict(valid: Validity): string {
  return valid === true ? "valid" : valid === false ? "INVALID" : "unknown";
}

/** A run in a few lines. */
export function summarize(report: RunReport, options: RunOptions): string {
  return [
    headline(report, options),
    ...figures(report),
    ...failures(report),
    ...report.warnings.slice(0, MAX_SHOWN).map((warning) => `Warning: ${warning}`),
    ...more(report.warnings.length - MAX_SHOWN, "warnings"),
  ].join("\n");
}

function headline(report: RunReport, { workload, nodeIds, nemesis, seed }: RunOptions): string {
  const faults = nemesis.length === 0 ? "no faults" : nemesis.join(" + ");
  return `${workload}, ${plural(nodeIds.length, "node")}, ${faults}, seed ${seed}: ${
    verdict(report["valid?"])
  }`;
}

function figures({ stats, availability, net, latencies, workload, faults }: RunReport): string[] {
  const rows: [string, string][] = [
    ["operations", `${count(stats["count"])}, ok-fraction ${fixed(availability["ok-fraction"])}`],
    [
      "messages",
      `${fixed(net.all["msgs-per-op"])} per operation, ${
        fixed(net.servers["msgs-per-op"])
      } between servers`,
    ],
  ];
  if (latencies.count > 0) {
    const { p50, p99, max } = latencies;
    rows.push(["latencies", `median ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)}`]);
  }
  const stable = workload["stable-latencies"] as Record<string, number> | undefined;
  if (stable !== undefined && stable["0.5"] !== undefined) {
    rows.push(["stable", `median ${ms(stable["0.5"])}, max ${ms(stable["1"])}`]);
  }
  const lag = workload["worst-realtime-lag"] as { lag?: number } | undefined;
  if (typeof lag?.lag === "number") rows.push(["worst lag", `${lag.lag.toFixed(3)} s`]);
  if (faults.length > 0) rows.push(["faults", describeFaults(faults)]);
  return rows.map(([name, text]) => `  ${name.padEnd(11)}${text}`);
}

function describeFaults(faults: RunReport["faults"]): string {
  const counts = new Map<string, number>();
  for (const { fault } of faults) counts.set(fault, (counts.get(fault) ?? 0) + 1);
  return [...counts].map(([fault, n]) => `${fault} ${plural(n, "time")}`).join(", ");
}

const UP_TO_THERE = "Up to there, with what was still on its way counted as lost:";

function failures({ broke, explanations, ...report }: RunReport): string[] {
  const lines = explanations.slice(0, MAX_SHOWN).flat();
  lines.push(...more(explanations.length - MAX_SHOWN, "findings"));
  if (broke !== undefined) lines.unshift(broke.text, ...(lines.length > 0 ? [UP_TO_THERE] : []));
  return report["valid?"] === true ? [] : lines;
}

function more(count: number, what: string): string[] {
  return count > 0 ? [`... and ${count} more ${what}; results.json has all that is kept`] : [];
}

function count(value: unknown): string {
  return typeof value === "number" ? String(value) : "?";
}

function fixed(value: unknown): string {
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : "?";
}

function ms(value: number | undefined): string {
  return value === undefined ? "?" : `${Number(value.toPrecision(3))} ms`;
}
