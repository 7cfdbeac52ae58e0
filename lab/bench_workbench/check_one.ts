/**
 * Checks one file in a process of its own, and prints what that took; its arguments are a workload
 * and a history.
 *
 * @module
 */

import { UsageError } from "@eddy/maelstrom/flags";
import { check, type WorkloadName, WORKLOADS } from "@eddy/workbench";
import { readStoredHistory } from "@eddy/workbench/cli/check.ts";
import { attempt, runScript, say } from "../../scripts/support.ts";
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

await runScript(async (args) => {
  const [name, file] = args;
  const workload = WORKLOADS.find((known) => known === name);
  if (workload === undefined || file === undefined) {
    throw new UsageError(
      `Cannot check ${
        JSON.stringify(args.join(" "))
      }: expected a workload and the file of a history`,
    );
  }
  say(JSON.stringify(await checkOne(workload, file)));
  return 0;
});

async function checkOne(workload: WorkloadName, file: string): Promise<CheckBill> {
  const began = performance.now();
  const history = await attempt(`read ${file}`, async () => {
    const { readable } = await Deno.open(file);
    return await readStoredHistory(readable);
  });
  const readMs = performance.now() - began;
  const { valid } = check(history, { workload, consistencyModels: ["strict-serializable"] });
  return {
    valid,
    events: history.length,
    readMs,
    checkMs: performance.now() - began - readMs,
    cpuMs: ownCpuMs(),
    peakMiB: peakMiB(),
  };
}

function peakMiB(): number {
  const [, kB] = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status")) ?? [];
  return Number(kB) / 1024;
}
