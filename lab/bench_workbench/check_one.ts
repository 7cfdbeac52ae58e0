/**
 * Checks one file in a process of its own, and prints what that took.
 *
 * @module
 */

import { check } from "@eddy/workbench";
import { readStoredHistory } from "@eddy/workbench/cli/check.ts";
import type { WorkloadName } from "@eddy/workbench";
import { ownCpuMs } from "./cpu.ts";

/** What it took. */
export interface CheckBill {
  readonly valid: boolean | "unknown";
  readonly events: number;
  readonly readMs: number;
  readonly checkMs: number;
  readonly cpuMs: number;
  /** The most memory that was in use at once. */
  readonly peakMiB: number;
}

const [workload = "", file = ""] = Deno.args;
const began = performance.now();
const { readable } = await Deno.open(file);
const history = await readStoredHistory(readable);
const readMs = performance.now() - began;
const { valid } = check(history, {
  workload: workload as WorkloadName,
  consistencyModels: ["strict-serializable"],
});
const bill: CheckBill = {
  valid,
  events: history.length,
  readMs,
  checkMs: performance.now() - began - readMs,
  cpuMs: ownCpuMs(),
  peakMiB: peakMiB(),
};
console.log(JSON.stringify(bill));

function peakMiB(): number {
  const [, kB] = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status")) ?? [];
  return Number(kB) / 1024;
}
