/**
 * Does one run in a process of its own, and prints what that took.
 *
 * @module
 */

import { runProgram, simulate } from "@eddy/workbench";
import { caseOf } from "../campaign/cases.ts";
import { serveFlooding } from "../campaign/flooding_node.ts";
import { ownCpuMs } from "./cpu.ts";

/** What to run. */
export interface Order {
  /** Flags of `deno task workbench test`. */
  readonly line: string;
  /** The first seed. */
  readonly seed: number;
  /** How many seeds to run, of which the mean is taken; one unless said. */
  readonly seeds?: number;
  /** Whether nodes flood, instead of being Eddy's own. */
  readonly flooding?: boolean;
  /** A program for real time, with its arguments. */
  readonly program?: readonly string[];
}

/** What it took. */
export interface Bill {
  readonly valid: boolean;
  readonly wallMs: number;
  /** Processor time of this process, without its nodes if those are others. */
  readonly cpuMs: number;
  readonly messages: number;
  readonly operations: number;
}

const [text = ""] = Deno.args;
console.log(JSON.stringify(await executeAll(JSON.parse(text) as Order)));

async function executeAll(order: Order): Promise<Bill> {
  const { seed, seeds = 1 } = order;
  const bills: Bill[] = [];
  for (let i = 0; i < seeds; i++) bills.push(await execute({ ...order, seed: seed + i }));
  const mean = (of: (bill: Bill) => number) =>
    bills.reduce((sum, bill) => sum + of(bill), 0) / seeds;
  return {
    valid: bills.every(({ valid }) => valid),
    wallMs: mean(({ wallMs }) => wallMs),
    cpuMs: mean(({ cpuMs }) => cpuMs),
    messages: mean(({ messages }) => messages),
    operations: mean(({ operations }) => operations),
  };
}

async function execute({ line, seed, flooding = false, program }: Order): Promise<Bill> {
  const { job: { options, args } } = caseOf(line, seed);
  const cpuBeforeMs = ownCpuMs();
  const began = performance.now();
  const [bin, ...programArgs] = program ?? [];
  const { results } = bin !== undefined
    ? await runProgram({ bin, args: programArgs }, options)
    : await simulate({ ...options, args, ...(flooding && { install: serveFlooding }) });
  const operations = results.stats["count"];
  return {
    valid: results.valid === true,
    wallMs: performance.now() - began,
    cpuMs: ownCpuMs() - cpuBeforeMs,
    messages: results.net.all.msgCount,
    operations: typeof operations === "number" ? operations : 0,
  };
}
