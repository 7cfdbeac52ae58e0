/**
 * Runs of the workbench as processes, with what they took.
 *
 * @module
 */

import { outputOf, projectPath, ScriptError, withTempDir } from "../../scripts/support.ts";
import { childrenCpuMs } from "./cpu.ts";
import type { Bill, Order } from "./run_one.ts";

/** What a whole process took, its start included. */
export interface ProcessBill {
  readonly wallMs: number;
  /** Processor time of the process and of those that it started and waited for. */
  readonly cpuMs: number;
}

/**
 * Runs Deno with some arguments.
 *
 * @throws {ScriptError} if it fails.
 */
export async function runDeno(
  args: readonly string[],
): Promise<ProcessBill & { readonly output: string }> {
  const cpuBeforeMs = childrenCpuMs();
  const began = performance.now();
  const { code, stdout, stderr } = await outputOf(
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", ...args],
      cwd: projectPath("."),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true, // Ctrl-C is for this process, which ends that one: it has not failed then.
    }),
  );
  const bill = { wallMs: performance.now() - began, cpuMs: childrenCpuMs() - cpuBeforeMs };
  const decoder = new TextDecoder();
  if (code !== 0) {
    const said = decoder.decode(stderr) + decoder.decode(stdout);
    throw new ScriptError(`Cannot measure ${args.join(" ")}: exit code ${code}: ${said}`);
  }
  return { ...bill, output: decoder.decode(stdout) };
}

/**
 * Runs a command of `deno task workbench`, results stored and all, without what `deno task` takes.
 *
 * @param line the command with its flags
 */
export async function runCommand(line: string): Promise<ProcessBill> {
  return await withTempDir(
    { prefix: "eddy-bench-" },
    (store) => runDeno(["workbench/cli/main.ts", ...line.split(" "), "--store", store]),
  );
}

/**
 * Does a run in a fresh process, and tells what the run itself took.
 *
 * @throws {ScriptError} if it was not valid.
 */
export async function runOne(order: Order): Promise<Bill> {
  const { output } = await runDeno(["lab/bench_workbench/run_one.ts", JSON.stringify(order)]);
  const bill = JSON.parse(output) as Bill;
  if (!bill.valid) throw new ScriptError(`Cannot measure ${order.line}: the run is not valid`);
  return bill;
}
