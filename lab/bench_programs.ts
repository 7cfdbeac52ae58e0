/**
 * Measures programs in six languages under virtual time and as processes:
 * `deno task bench:programs --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer, UsageError } from "@eddy/maelstrom/flags";
import { type Program, simulate, writePlan } from "@eddy/workbench";
import { PLAN_VERSION } from "@eddy/workbench/plan.ts";
import { printableLine } from "@eddy/workbench/explain.ts";
import { isLoadable } from "@eddy/workbench/program.ts";
import { caseOf } from "./campaign/cases.ts";
import type { Figure } from "./bench/measurements.ts";
import {
  describeMachine,
  type Machine,
  machine,
  median,
  type Series,
  tableOfMedians,
} from "./bench/summary.ts";
import { runOne } from "./bench_workbench/runs.ts";
import { languages, nativeNode, virtualNode } from "./programs/languages.ts";
import {
  attempt,
  runCommand,
  say,
  ScriptError,
  warn,
  whenInterrupted,
  withTempDir,
} from "../scripts/support.ts";

const flags = {
  rounds: { help: "How often to measure each", value: "N", ...integer(1, 1000), default: 5 },
  seconds: { help: "How long a run is", value: "N", ...integer(1, 1000), default: 10 },
  only: {
    help: "Measure only nodes with this in the name of their file",
    value: "TEXT",
    accepts: `a part of one of these names: ${languages.map(({ file }) => file).join(", ")}`,
    parse: (text: string) => languages.some(({ file }) => file.includes(text)) ? text : undefined,
  },
  "no-processes": { help: "Only under virtual time" },
  bin: {
    help: "Measure this program, too, under virtual time; may be given several times",
    value: "FILE",
    accepts: "the file of a program in TypeScript, JavaScript or WebAssembly",
    parse: (text: string) => isLoadable(text) ? text : undefined,
    many: true,
  },
  quick: { help: "One round of runs of a second, to see that all works" },
  json: { help: "Print the figures as JSON" },
} satisfies Flags; // Keeps `many: true` from widening, for the type of its value.

const usage = `Usage: deno task bench:programs [options]

Runs the nodes of lab/programs with one plan of echo, each run in a process of its own, in turn with
Eddy's own handler, and prints medians (least-most) over rounds. A language whose compiler or
interpreter is missing is left out. A message is a request or a reply. A node that fails is left out
from then on; at the end is said why, and the exit code is 1. Ctrl-C prints what has been measured
until then.

Examples:
  deno task bench:programs --rounds 3
  deno task bench:programs --only node.go --no-processes --seconds 40 --bin ./my_node.wasm`;

/** A node to be measured. */
interface Contestant {
  readonly name: string;
  /** Its file for virtual time; Eddy's own handler has none. */
  readonly bin?: string | undefined;
  /** The same as a process. */
  readonly process?: Program | undefined;
  readonly goals?: Goals;
}

/** At most how much it may take. */
interface Goals {
  readonly addedUs: number;
  readonly startMs: number;
}

const GOALS: Goals = { addedUs: 15, startMs: 500 };
/** Go brings a runtime of its own. */
const GO_GOALS: Goals = { addedUs: 40, startMs: 1000 };

/** How many nodes are started where the start is measured. */
const STARTED = 25;

const us = (label: string): Figure => ({ label, unit: "us", digits: 1 });
const ms = (label: string): Figure => ({ label, unit: "ms", digits: 0 });

const figures = {
  perMessage: us("cpu per message"),
  added: us("  added to Eddy's own handler"),
  addedGoal: us("  goal: at most"),
  start: ms(`start of ${STARTED} nodes`),
  startGoal: ms("  goal: at most"),
  load: ms("bundling or compiling, once"),
  wall: ms("whole run, clock"),
  cpu: ms("whole run, cpu"),
  messages: { label: "messages", unit: "count", digits: 0 },
  realWall: ms("as processes, clock"),
  realCpu: ms("as processes, cpu of nodes and workbench"),
  realMessages: { label: "as processes, messages", unit: "count", digits: 0 },
} satisfies Record<string, Figure>;

type FigureName = keyof typeof figures;
type Values = Partial<Record<FigureName, number>>;

/** What is measured on this machine, compiled into a folder. */
function contestants(folder: string, only = ""): Contestant[] {
  const chosen = languages.filter(({ file }) => file.includes(only));
  const built = chosen.flatMap((language): Contestant[] => {
    const bin = virtualNode(language, folder);
    if (bin === undefined) {
      warn(`No ${language.name}: ${language.compiled?.needs} would be needed`);
      return [];
    }
    const process = nativeNode(language, folder);
    if (process === undefined) warn(`${language.name} not as processes: nothing here runs it`);
    const goals = language.name === "Go" ? GO_GOALS : GOALS;
    return [{ name: language.file, bin, process, goals }];
  });
  return [{ name: "eddy" }, ...built];
}

async function measure(
  { bin, process, goals }: Contestant,
  line: string,
  plan: string,
): Promise<Values> {
  const order = { line, seed: 1, plan, ...(bin !== undefined && { bin }) };
  const run = await runOne(order);
  const idle = `-w echo --node-count ${STARTED} --rate 1 --time-limit 1`;
  const { startMs } = await runOne({ line: idle, seed: 1, ...(bin !== undefined && { bin }) });
  const values: Values = {
    perMessage: 1000 * run.mainCpuMs / run.messages,
    start: startMs,
    wall: run.wallMs,
    cpu: run.cpuMs,
    messages: run.messages,
    ...(bin !== undefined && { load: run.loadMs }),
    ...(goals !== undefined && { addedGoal: goals.addedUs, startGoal: goals.startMs }),
  };
  if (process === undefined) return values;
  const real = await runOne({ ...order, program: [process.bin, ...process.args] });
  return {
    ...values,
    realWall: real.wallMs,
    realCpu: real.cpuMs + real.nodesCpuMs,
    realMessages: real.messages,
  };
}

/** Those of `--bin`, by the names of their files. */
async function programsOf(bins: readonly string[]): Promise<Contestant[]> {
  const taken = new Set(["eddy", ...languages.map(({ file }) => file)]);
  const found: Contestant[] = [];
  for (const bin of bins) {
    const name = bin.slice(bin.lastIndexOf("/") + 1);
    if (taken.has(name)) {
      const why = `expected a file with a name other than ${[...taken].join(", ")}`;
      throw new UsageError(`Cannot use ${JSON.stringify(bin)} for --bin: ${why}`);
    }
    taken.add(name);
    await attempt(`read ${printableLine(bin)}`, () => Deno.stat(bin));
    found.push({ name: printableLine(name), bin });
  }
  return found;
}

/** What is known until now. */
interface Found {
  /** The values of each round, by the name of what was measured. */
  readonly rounds: Map<string, Values>[];
  /** Why a contestant was left out, by its name. */
  readonly failures: Map<string, string>;
}

/** Measures all in turn; one that fails is left out from then on. */
async function measureAll(
  all: readonly Contestant[],
  { line, plan, rounds }: { line: string; plan: string; rounds: number },
  found: Found,
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    const values = new Map<string, Values>();
    found.rounds.push(values);
    for (const contestant of all) {
      const { name } = contestant;
      if (found.failures.has(name)) continue;
      warn(`round ${round} of ${rounds}: ${name}`);
      try {
        const measured = await measure(contestant, line, plan);
        const own = values.get("eddy")?.perMessage;
        if (own !== undefined) measured.added = (measured.perMessage ?? NaN) - own;
        values.set(name, measured);
      } catch (error) {
        if (!(error instanceof ScriptError)) throw error;
        const why = printableLine(error.message.trimEnd());
        warn(`${name}: ${why}`);
        found.failures.set(name, `round ${round}: ${why}`);
      }
    }
  }
}

function seriesOf(all: readonly Contestant[], rounds: readonly Map<string, Values>[]): Series[] {
  const names = Object.keys(figures) as FigureName[];
  return names.flatMap((name) =>
    all.flatMap(({ name: target }) => {
      const all = rounds.flatMap((round) => round.get(target)?.[name] ?? []);
      // A goal is the same in every round.
      const values = name.endsWith("Goal") ? all.slice(0, 1) : all;
      return values.length === 0
        ? []
        : [{ measurement: name, figure: figures[name], target, values }];
    })
  );
}

/** Which goals are missed, in one sentence each. */
function missed(all: readonly Contestant[], series: readonly Series[]): string[] {
  const middle = (measurement: FigureName, target: string) =>
    median(series.find((s) => s.measurement === measurement && s.target === target)?.values ?? []);
  return all.flatMap(({ name, goals }) => {
    if (goals === undefined) return [];
    const added = middle("added", name), start = middle("start", name);
    return [
      ...(!(added > goals.addedUs) ? [] : [
        `${name}: ${added.toFixed(1)} us added per message, and the goal is ${goals.addedUs}`,
      ]),
      ...(!(start > goals.startMs) ? [] : [
        `${name}: a start of ${start.toFixed(0)} ms, and the goal is ${goals.startMs}`,
      ]),
    ];
  });
}

async function main(given: FlagValues<typeof flags>): Promise<number> {
  if (Deno.build.os !== "linux") {
    throw new ScriptError("Cannot measure here: processor time is read from Linux's /proc");
  }
  const { rounds, seconds } = given.quick ? { rounds: 1, seconds: 1 } : given;
  const line = `-w echo --node-count 5 --concurrency 2n --rate 2000 --time-limit ${seconds}`;
  const before = machine();
  const own = await programsOf(given.bin);
  return await withTempDir({ prefix: "eddy-bench-" }, async (folder) => {
    const plan = `${folder}/plan.json`;
    const { options } = caseOf(line, 1).job;
    const planned = (await simulate(options)).plan();
    const text = writePlan({ version: PLAN_VERSION, args: [], options, ...planned });
    await attempt(`write ${plan}`, () => Deno.writeTextFile(plan, text));
    const built = await attempt("make what is measured", () => contestants(folder, given.only));
    const every = [...built, ...own];
    const all = given["no-processes"]
      ? every.map((each) => ({ ...each, process: undefined }))
      : every;
    const found: Found = { rounds: [], failures: new Map() };
    const tell = (isInterrupted: boolean) =>
      report({ before, line, all, found, isInterrupted, json: given.json });
    const withdraw = whenInterrupted(() => tell(true));
    await measureAll(all, { line, plan, rounds }, found);
    withdraw();
    tell(false);
    return found.failures.size > 0 ? 1 : 0;
  });
}

function report(
  { before, line, all, found, isInterrupted, json }: {
    before: Machine;
    line: string;
    all: readonly Contestant[];
    found: Found;
    isInterrupted: boolean;
    json: boolean;
  },
): void {
  const series = seriesOf(all, found.rounds);
  const misses = missed(all, series);
  const failures = [...found.failures].map(([name, why]) => `${name}, ${why}`);
  if (json) {
    const told = { machine: before, line, isInterrupted, series, missed: misses, failures };
    return say(JSON.stringify(told, null, 2));
  }
  if (series.length === 0 && failures.length === 0) return warn("Nothing was measured");
  say(`\n${describeMachine(before)}\nThe run: ${line}\n`);
  if (isInterrupted) say("Interrupted: what had been measured until then.\n");
  say(`Medians over the rounds (least-most):\n${tableOfMedians(series)}\n`);
  if (misses.length > 0) say(`Missed:\n${misses.join("\n")}`);
  else if (failures.length === 0 && !isInterrupted) say("All goals are reached.");
  if (failures.length > 0) say(`Not measured, in this round nor after it:\n${failures.join("\n")}`);
}

if (import.meta.main) await runCommand(usage, flags, main);
