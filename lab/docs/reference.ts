/**
 * Writes docs/cli.md, the page of the command line, from the commands and their flags.
 *
 * Run with `deno task reference`, which says whether the page is as they are, or with `--write`.
 *
 * @module
 */

import { commonFlags, dataFlags } from "@eddy/handlers";
import { findWorkload, workloads } from "@eddy/handlers/workloads";
import type { Flag, Flags, FlagValues } from "@eddy/maelstrom/flags";
import { type Command, commands } from "@eddy/workbench/cli/commands.ts";
import { VERDICT_CODES } from "@eddy/workbench/cli/exit_codes.ts";
import { ignoredFlags, runFlags } from "@eddy/workbench/cli/flags.ts";
import { findMutant } from "@eddy/mutants";
import { type WorkloadName, WORKLOADS } from "@eddy/workbench";
import { attempt, projectPath, runCommand, say, ScriptError } from "../../scripts/support.ts";

/** The page, and the command that writes it. */
const PAGE = "docs/cli.md";
export const WRITE_COMMAND = "deno task reference --write";

/** Where there is more to read about a command. */
const MORE: Readonly<Record<string, string>> = {
  test: "[Nodes in your language](nodes.md), [faults](faults.md), [plans](plan.md), " +
    "[continuous integration](ci.md), [the files of a run](store.md).",
  sweep: "[Find a rare bug](rare_bug.md), [the files of a sweep](store.md#a-sweep).",
  check: "[Checkers and their findings](checkers.md).",
  report: "[The page of a run](report.md).",
  shrink: "[Search](search.md#a-small-run).",
  diff: "[Search](search.md#twice-the-same).",
  serve: "[The server](report.md#the-server).",
  mutants: "[Which mutant shows which finding](checkers.md).",
  init: "[Nodes in your language](nodes.md).",
};

/** What an example that is not run needs. */
function whyNotRun(example: string): string | undefined {
  if (example.startsWith("serve")) return "it ends when it is interrupted";
  if (example.startsWith("shrink")) return "they need a run that is not valid";
  if (example.includes("--nats")) return "they need a NATS server";
  if (example.startsWith("diff")) return "they end with 1, for the runs part";
  return /\.\/| history\.edn/.test(example) ? "they need files of your own" : undefined;
}

/** Examples that take longer than tests should, or need what those leave. */
const IS_LONG = /^(sweep|merge|demo|playground|test -w broadcast)/;

/** What the mutants of examples are found by. */
function expected(example: string): string {
  const [, workload, bin] = /-w (\S+) --bin (mutant:\S+)/.exec(example) ?? [];
  if (bin === undefined) return "";
  return `   # invalid: ${findMutant(bin, workload as WorkloadName).anomaly}`;
}

/** Examples in blocks: those that run, and those that do not, with the reason. */
function exampleBlocks(examples: readonly string[]): string[] {
  const marks = examples.map((example) => {
    const reason = whyNotRun(example);
    return reason === undefined ? IS_LONG.test(example) ? "ci" : "run" : `skip: ${reason}`;
  });
  return [...new Set(marks)].flatMap((mark) => {
    const lines = examples.filter((_, i) => marks[i] === mark);
    return ["```sh " + mark, ...lines.map((line) => `eddy ${line}${expected(line)}`), "```", ""];
  });
}

/** A text of the help in a paragraph, or in a cell of a table. */
function prose(text: string): string {
  const flag = /(?<!`)--(?:[a-z][\w-]*(?: mutant:NAME)?)?(?=[ .,;:)]|$)/g;
  return text.replaceAll("|", "\\|").replaceAll(flag, (word) => `\`${word}\``);
}

/** The end of a flag's help that says what it is where it is not given. */
const DEFAULT_IN_WORDS = / \(default:? ([^)]+)\)$/;

function row([name, flag]: [string, Flag<unknown>]): string {
  const word = flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`;
  const [said, inWords] = flag.default === undefined
    ? [flag.help.replace(DEFAULT_IN_WORDS, ""), DEFAULT_IN_WORDS.exec(flag.help)?.[1] ?? ""]
    : [flag.help, String(flag.default)];
  const cells = [
    `\`${flag.value === undefined ? word : `${word} ${flag.value}`}\``,
    prose(said),
    prose(inWords),
    flag.words === WORKLOADS ? "a [workload](#workloads)" : prose(flag.accepts ?? ""),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** A table of flags. */
function table(flags: Flags): string[] {
  const rows = Object.entries(flags).map(row);
  return ["| flag | what it does | default | accepts |", "|---|---|---|---|", ...rows, ""];
}

/** The flags of a command that are not those of every run. */
function ownFlags(flags: Flags): Flags {
  const shared: Flags = runFlags;
  const isOfRun = Object.keys(shared).every((name) => Object.hasOwn(flags, name));
  if (!isOfRun) return flags;
  return Object.fromEntries(
    Object.entries(flags).filter(([name, flag]) => shared[name] !== flag),
  );
}

async function section([name, command]: [string, Command]): Promise<string[]> {
  const { usage, summary, details, examples } = command;
  const { flags } = await command.load();
  const own = ownFlags(flags);
  const beside = own === flags ? "" : "Beside the [flags of a run](#flags-of-a-run):";
  const more = MORE[name];
  return [
    `## eddy ${name}`,
    "",
    prose(details === undefined ? `${summary}.` : `${summary}. ${details}`),
    "",
    "```text",
    `eddy ${usage}`,
    "```",
    "",
    ...(Object.keys(own).length === 0 ? [] : [beside, "", ...table(own)]),
    ...(name === "node" ? await nodeOptions() : []),
    ...exampleBlocks(examples),
    ...codes(command),
    ...(more === undefined ? [] : [`More: ${more}`, ""]),
  ];
}

/** The exit codes of a command that has others than a verdict's. */
function codes({ exitCodes }: Command): string[] {
  if (exitCodes === VERDICT_CODES) return ["Its exit code is a [verdict's](#exit-codes).", ""];
  const all = exitCodes.map(([code, meaning]) => `${code} ${meaning}`);
  return [`Exit codes: ${all.join("; ")}.`, ""];
}

/** The options of Eddy's own node, which are also what follows `--` in `test` and `sweep`. */
async function nodeOptions(): Promise<string[]> {
  const named = Object.keys(workloads).map(async (name) => ({ name, ...await findWorkload(name) }));
  const rows = (await Promise.all(named)).flatMap(({ name, summary, flags }) => {
    const own = Object.entries(flags).map(row);
    // The first row of a workload says what its node is.
    return own.length === 0
      ? [`| \`${name}\`: ${summary} | none | | | |`]
      : own.map((each, i) => `| ${i === 0 ? `\`${name}\`: ${summary}` : ""} ${each}`);
  });
  return [
    "The workload is echo by default. The options are also what follows `--` in `eddy test` and " +
    "`eddy sweep` without `--bin`, and what `--vary` takes:",
    "",
    "| workload | option | what it does | default | accepts |",
    "|---|---|---|---|---|",
    ...rows,
    "",
    `With every workload: ${
      Object.entries(commonFlags).map(([name, { help }]) => `\`--${name}\` (${help})`).join(", ")
    }.`,
    "",
    "Of a node that is a process of its own, with every workload, too ([storage](storage.md)):",
    "",
    "| option | what it does | default | accepts |",
    "|---|---|---|---|",
    ...Object.entries(dataFlags).map(row),
    "",
  ];
}

const INTRODUCTION = `# The command line

This page is for people who call \`eddy\` and look for a command, a flag, its default, what it
accepts, or an exit code.

The page is made of the flags in the code, by \`${WRITE_COMMAND}\`; \`eddy COMMAND --help\` prints the
same. [workbench.md](workbench.md) says what the workbench does and how to have the command.

\`--rate 5\` and \`--rate=5\` are the same. A flag that is given twice has the last value, unless it may
be repeated. A flag without a value in the tables is a switch. Names of commands and flags that are
nearly right are refused with the one that is meant. Paths are those of the folder that \`eddy\` is
called in.
`;

/** The page, as the formatter leaves it. */
export async function referencePage(): Promise<string> {
  const list = Object.entries(commands).map(([name, { summary }]) =>
    `| [\`eddy ${name}\`](#eddy-${name}) | ${prose(summary)} |`
  );
  const lines = [
    INTRODUCTION,
    ...["| command | what it does |", "|---|---|", ...list, ""],
    ...["`eddy --version` says which version this is; `eddy --help`, and `--help` or `-h` after a"],
    ...["command, print help.", "", "## Exit codes", ""],
    ...["| code | of commands with a verdict (test, sweep, check, demo) |", "|---|---|"],
    ...VERDICT_CODES.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    "",
    "255 is that of a run that was interrupted or took longer than `--run-timeout`, of one in which " +
    "a node never answered `init` or a program cannot be started, although the verdict, where there " +
    "is one, says unknown; and of a file that was asked for and cannot be written. A node that does " +
    "not return ends the command by SIGKILL, which a shell shows as 137 " +
    "([interruptions.md](interruptions.md)). `eddy test --watch` has the code of its last run.",
    "",
    ...["## Workloads", "", WORKLOADS.map((name) => `\`${name}\``).join(", ") + ". The"],
    "[README](../README.md#the-ten-workloads) says what clients do in each.",
    "",
    ...["## Flags of a run", "", "For `eddy test` and `eddy sweep`:", ""],
    ...table(runFlags),
    "Accepted from Maelstrom's command lines, and ignored: " +
    Object.keys(ignoredFlags).map((name) => `\`--${name}\``).join(", ") + ".",
    "",
    ...(await Promise.all(Object.entries(commands).map(section))).flat(),
  ];
  return await formatted(lines.join("\n"));
}

async function formatted(markdown: string): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext", "md", "-"],
    cwd: projectPath("."),
    stdin: "piped",
    stdout: "piped",
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(markdown));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new ScriptError(`Cannot format ${PAGE}: deno fmt failed`);
  return new TextDecoder().decode(stdout);
}

/** The first line of the page that is not as the flags are; undefined if all are. */
export async function outdatedLine(): Promise<string | undefined> {
  const wanted = (await referencePage()).split("\n");
  const page = await attempt(`read ${PAGE}`, () => Deno.readTextFile(projectPath(PAGE)));
  const lines = page.split("\n");
  const at = wanted.findIndex((line, i) => line !== lines[i]);
  if (at === -1 && wanted.length === lines.length) return undefined;
  return `${PAGE}:${(at === -1 ? wanted.length : at) + 1}`;
}

const flags = { write: { help: `Write ${PAGE}` } } satisfies Flags;

const usage = `Usage: deno task reference [--write]

Says whether ${PAGE} is as the commands and their flags are. With --write it is made so.`;

async function main({ write }: FlagValues<typeof flags>): Promise<number> {
  if (write) {
    const page = await referencePage();
    await attempt(`write ${PAGE}`, () => Deno.writeTextFile(projectPath(PAGE), page));
    say(`Wrote ${PAGE}`);
    return 0;
  }
  const outdated = await outdatedLine();
  if (outdated === undefined) return 0;
  throw new ScriptError(`${outdated} is not as the flags are: run ${WRITE_COMMAND}`);
}

if (import.meta.main) await runCommand(usage, flags, main);
