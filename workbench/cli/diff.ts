/**
 * `diff`: two programs, or two values of an option, in the same run.
 *
 * @module
 */

import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { plural } from "../checkers/checker.ts";
import { printableLine, verdict } from "../explain.ts";
import type { Op } from "../history.ts";
import type { NetEvent } from "../journal.ts";
import type { PlannedParts, RunResult } from "../run.ts";
import { outcomeOf, reasonOf } from "../sweep.ts";
import { type Parting, Traces } from "../trace.ts";
import { OF_PROGRAM, runFlags, toRunOptions } from "./flags.ts";
import { colorFlag, type Line, printJson, Terminal } from "./terminal.ts";
import { engineOf } from "./test.ts";

/** The flags of `diff`. */
export const diffFlags = {
  ...runFlags,
  bin: { ...runFlags.bin, help: "The program, where two values of an option are compared" },
  seed: { ...runFlags.seed, help: "Seed of all random choices", default: 1 },
  json: { help: "Print the result as JSON" },
  ...colorFlag,
};

/** Flags of a run that decide what both runs have in common. */
const FIXED: ReadonlySet<string> = new Set([
  ...["workload", "seed", "node-count", "nodes", "node", "nodes-file", "concurrency"],
  ...[
    "time-limit",
    "rate",
    "nemesis",
    "nemesis-interval",
    "heal",
    "fail-fast",
    "every-group-reads",
  ],
  ...["key-count", "max-txn-length", "max-writes-per-key", "run-timeout", "real-time"],
]);

/** What names Eddy's own node. */
const OWN = "eddy";

/** Runs the command; the exit code is 0 if both runs are the same, and 1 if they part. */
export async function diffCommand(args: readonly string[]): Promise<number> {
  const { flags: { json, color, bin }, words, rest } = parseFlags(diffFlags, args, OF_PROGRAM);
  const [a, b, extra] = words;
  if (a === undefined || b === undefined || extra !== undefined) {
    throw new UsageError(
      `Cannot compare ${plural(words.length, "word")}: accepted are two programs, such as ${OWN} ` +
        "./node.ts, or two values of an option, such as max-latency=0 max-latency=300",
    );
  }
  const [name, other] = words.map(optionOf);
  if (name !== undefined && other !== undefined && name !== other) {
    throw new UsageError(`Cannot compare ${name} with ${other}: accepted are values of one option`);
  }
  const fixed = words.find((word) => FIXED.has(optionOf(word) ?? ""));
  if (fixed !== undefined) {
    throw new UsageError(
      `Cannot compare values of ${
        optionOf(fixed)
      }: the second run has the nodes, the operations and ` +
        "the faults of the first",
    );
  }
  const program = words.find((word) => optionOf(word) === undefined);
  if (bin !== undefined && program !== undefined) {
    throw new UsageError(`Cannot use --bin beside ${program}: it is the program`);
  }
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  const traces = new Traces();
  const first = await runOf(a, own, rest, (event) => traces.addFirst(event));
  // What chance decides of messages follows from the seed, in both.
  const plan = { ...first.plan(), links: [] };
  const second = await runOf(b, own, rest, (event) => traces.addSecond(event), plan);
  const { parting } = traces;
  const operation = firstOther(first.history, second.history);
  const rows = figures([first, second]);
  if (json) {
    const parts = { parting: parting ?? null, operation: operation ?? null };
    printJson({ names: words, ...parts, figures: Object.fromEntries(rows) }, 2);
  } else {
    const terminal = new Terminal(color);
    terminal.printTable([["figure", ...words], ...rows.map(([name, texts]) => [name, ...texts])]);
    terminal.print([...reasons(words, [first, second]), ...describe(words, parting, operation)]);
  }
  return parting === undefined ? 0 : 1;
}

/** The name of an option that an operand gives a value; undefined if it is a program. */
function optionOf(operand: string): string | undefined {
  return /^([\w-]+)=/.exec(operand)?.[1];
}

/** Runs what an operand names: a program, or a program with a value of an option. */
async function runOf(
  operand: string,
  own: readonly string[],
  rest: readonly string[],
  onMessage: (event: NetEvent) => void,
  plan?: PlannedParts,
): Promise<RunResult> {
  const option = optionOf(operand);
  const isOurs = option !== undefined && Object.hasOwn(runFlags, option);
  const { flags } = parseFlags(diffFlags, isOurs ? [...own, `--${operand}`] : own);
  const args = option === undefined || isOurs ? rest : [...rest, `--${operand}`];
  const bin = option !== undefined ? flags.bin : operand === OWN ? undefined : operand;
  const run = { ...flags, bin };
  const engine = await engineOf(run, args);
  if (!engine.isVirtual) {
    throw new UsageError(`Cannot compare ${bin}: it runs as processes, in real time`);
  }
  const { nemesis, seed } = run;
  const drawn = typeof nemesis === "string"
    ? (await (await import("./drawn_run.ts")).drawerOf(run, nemesis, args))(seed)
    : undefined;
  const options = drawn?.options ?? toRunOptions(run, seed);
  const parts = plan ?? (drawn && { faults: drawn.faults });
  return await engine.run(options, { onMessage, plan: parts }, drawn?.args);
}

/** The figures of both runs, by name. */
function figures(runs: readonly RunResult[]): [name: string, texts: string[]][] {
  const outcomes = runs.map(({ results, options }) => outcomeOf(results, options));
  const row = (
    name: string,
    of: (outcome: typeof outcomes[number]) => number | undefined,
    digits: number,
  ): [string, string[]] => [name, outcomes.map((outcome) => of(outcome)?.toFixed(digits) ?? "")];
  const all: [name: string, texts: string[]][] = [
    ["verdict", outcomes.map(({ valid }) => verdict(valid))],
    row("operations", ({ operations }) => operations, 0),
    row("ok-fraction", ({ okFraction }) => okFraction, 3),
    row("msgs/op", ({ allPerOp }) => allPerOp, 2),
    row("msgs/op between servers", ({ serversPerOp }) => serversPerOp, 2),
    row("latency median ms", ({ latencyMs }) => latencyMs?.median, 1),
    row("latency p99 ms", ({ latencyMs }) => latencyMs?.p99, 1),
    row("latency max ms", ({ latencyMs }) => latencyMs?.max, 1),
    row("stable median ms", ({ stableMs }) => stableMs?.median, 1),
    row("stable max ms", ({ stableMs }) => stableMs?.max, 1),
  ];
  return all.filter(([, texts]) => texts.some((text) => text !== ""));
}

/** An event of a history that is another in the second. */
interface OtherOp {
  readonly first: Op | undefined;
  readonly second: Op | undefined;
}

/** The first event in which two histories are not the same, whenever it was, and whatever was said. */
function firstOther(first: readonly Op[], second: readonly Op[]): OtherOp | undefined {
  const text = (op: Op | undefined) => JSON.stringify({ ...op, time: 0, error: op?.error?.code });
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    if (text(first[i]) !== text(second[i])) return { first: first[i], second: second[i] };
  }
  return undefined;
}

/** The first thing that is wrong with each run that is not valid. */
function reasons(words: readonly string[], runs: readonly RunResult[]): string[] {
  return runs.flatMap(({ results }, i) =>
    results.valid === true
      ? []
      : `${printableLine(words[i] ?? "")}: ${reasonOf(results).split("\n")[0] ?? ""}`
  );
}

/** How much of a message or an operation is shown. */
const MAX_SHOWN = 300;

function describe(
  words: readonly string[],
  parting: Parting | undefined,
  operation: OtherOp | undefined,
): Line[] {
  if (parting === undefined) return ["Both do the same: not one message differs."];
  const { common, first, second } = parting;
  const both = (texts: readonly (string | undefined)[]) =>
    texts.map((text = "nothing more", i) => {
      const line = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
      return { text: `  ${printableLine(words[i] ?? "")}: ${printableLine(line)}` };
    });
  const ops = [operation?.first, operation?.second].map((op) => op && JSON.stringify(op));
  return [
    `They part after ${plural(common, "event")} of the network:`,
    ...both([first, second]),
    ...operation === undefined ? ["All operations of clients end as in the other."] : [
      "The first event of the histories that is another:",
      ...both(ops),
    ],
  ];
}
