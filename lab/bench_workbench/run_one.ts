/**
 * Does one run in a process of its own, and prints what that took; its argument is an
 * {@linkcode Order} as JSON. `deno task profile` runs it where V8 takes samples.
 *
 * @module
 */

import { isJsonObject } from "@eddy/maelstrom";
import { UsageError } from "@eddy/maelstrom/flags";
import {
  loadProgram,
  parsePlan,
  type RunHooks,
  runProgram,
  type RunResult,
  simulate,
  simulateProgram,
} from "@eddy/workbench";
import { caseOf } from "../campaign/cases.ts";
import { serveFlooding } from "../campaign/flooding_node.ts";
import { attempt, runScript, say } from "../../scripts/support.ts";
import { childrenCpuMs, ownCpuMs } from "./cpu.ts";

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
  /** A program's file for virtual time. */
  readonly bin?: string;
  /** The file of a plan to follow. */
  readonly plan?: string;
}

/** What it took. */
export interface Bill {
  readonly valid: boolean;
  readonly wallMs: number;
  /** Processor time of this process, without its nodes if those are others. */
  readonly cpuMs: number;
  /** Time to bundle or compile a program for virtual time, which is not in the others. */
  readonly loadMs: number;
  /** Time until all nodes were ready. */
  readonly startMs: number;
  /** As `cpuMs`, without the start. */
  readonly mainCpuMs: number;
  /** Processor time of nodes that are other processes. */
  readonly nodesCpuMs: number;
  readonly messages: number;
  readonly operations: number;
}

await runScript(async (args) => {
  say(JSON.stringify(await executeAll(readOrder(args))));
  return 0;
});

/** Whoever calls this by hand need not know more than the two parts of an order that it must have. */
function readOrder(args: readonly string[]): Order {
  const [text = ""] = args;
  let order: unknown;
  try {
    order = JSON.parse(text);
  } catch {
    // It is no order, as what lacks its parts.
  }
  if (
    args.length === 1 && isJsonObject(order) && typeof order["line"] === "string" &&
    Number.isInteger(order["seed"])
  ) return order as unknown as Order;
  throw new UsageError(
    `Cannot use ${JSON.stringify(args.join(" "))} as what to run: expected one argument such as ` +
      `'{"line":"-w echo","seed":1}'; see deno task profile --help`,
  );
}

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
    loadMs: mean(({ loadMs }) => loadMs),
    startMs: mean(({ startMs }) => startMs),
    mainCpuMs: mean(({ mainCpuMs }) => mainCpuMs),
    nodesCpuMs: mean(({ nodesCpuMs }) => nodesCpuMs),
    messages: mean(({ messages }) => messages),
    operations: mean(({ operations }) => operations),
  };
}

async function execute(order: Order): Promise<Bill> {
  const { wayToRun, loadMs } = await prepare(order);
  const before = { ms: performance.now(), cpuMs: ownCpuMs(), nodesMs: childrenCpuMs() };
  let ready = before;
  const { results } = await wayToRun({
    onProgress({ stage, elapsedMs }) {
      if (stage !== "main" || elapsedMs > 0) return;
      ready = { ...before, ms: performance.now(), cpuMs: ownCpuMs() };
    },
  });
  const operations = results.stats["count"];
  return {
    valid: results.valid === true,
    wallMs: performance.now() - before.ms,
    cpuMs: ownCpuMs() - before.cpuMs,
    loadMs,
    startMs: ready.ms - before.ms,
    mainCpuMs: ownCpuMs() - ready.cpuMs,
    nodesCpuMs: childrenCpuMs() - before.nodesMs,
    messages: results.net.all.msgCount,
    operations: typeof operations === "number" ? operations : 0,
  };
}

/** How an order is run, once all that it needs has been read, and how long that took. */
async function prepare(
  { line, seed, flooding = false, program, bin, plan: file }: Order,
): Promise<{ wayToRun: (hooks: RunHooks) => Promise<RunResult>; loadMs: number }> {
  const { job: { options, args } } = caseOf(line, seed);
  const plan = file === undefined ? undefined : parsePlan(await Deno.readTextFile(file));
  const [command, ...programArgs] = program ?? [];
  if (command !== undefined) {
    const processes = { bin: command, args: programArgs };
    return { wayToRun: (hooks) => runProgram(processes, options, { ...hooks, plan }), loadMs: 0 };
  }
  if (bin !== undefined) {
    const began = performance.now();
    const loaded = await attempt(`load ${bin}`, () => loadProgram(bin));
    const loadMs = performance.now() - began;
    return {
      wayToRun: (hooks) => simulateProgram(loaded, [], options, { ...hooks, plan }),
      loadMs,
    };
  }
  const install = flooding && { install: serveFlooding };
  return {
    wayToRun: (hooks) => simulate({ ...options, args, ...install, ...hooks, plan }),
    loadMs: 0,
  };
}
