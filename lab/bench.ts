/**
 * Measures the node, and others beside it: `deno task bench --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer, UsageError } from "@eddy/maelstrom/flags";
import { tableOfGoals } from "./bench/goals.ts";
import { measurements, type Scale, tryOut } from "./bench/measurements.ts";
import { type Chosen, Rounds } from "./bench/rounds.ts";
import {
  describeMachine,
  type Machine,
  machine,
  type Series,
  tableOfFigures,
} from "./bench/summary.ts";
import type { Target } from "./bench/target.ts";
import { bundle } from "../scripts/bundle.ts";
import {
  projectPath,
  quoteForShell,
  runCommand,
  say,
  ScriptError,
  warn,
  whenInterrupted,
  withTempDir,
} from "../scripts/support.ts";

const flags = {
  vs: {
    help: "Measure this echo node too, in turn with ours; may be given several times",
    value: 'NAME="COMMAND"',
    accepts: 'a name and a command, as in go="/tmp/maelstrom-echo"',
    parse: parsePeer,
    many: true,
  },
  only: {
    help: `Measure only these, of ${Object.keys(measurements).join(", ")}`,
    value: "NAMES",
    accepts: `names of ${Object.keys(measurements).join(", ")}, with commas between`,
    parse: parseOnly,
  },
  rounds: { help: "How often to measure each", value: "N", ...integer(1, 1000), default: 5 },
  requests: {
    help: "Requests of the echo load, of which other loads have a share",
    value: "N",
    ...integer(1000, 10_000_000),
    default: 300_000,
  },
  "ping-seconds": {
    help: "How long to ping each node at each rate, in every round; three times as long at 1/s",
    value: "N",
    ...integer(1, 30),
    default: 5,
  },
  "no-peers": { help: "Measure ours and those of --vs only" },
  stderr: { help: "Show what the nodes say on standard error" },
  quick: { help: "One short round, to see that all works" },
  json: { help: "Print the figures as JSON" },
} satisfies Flags; // Keeps `many: true` from widening, for the type of its value.

/** The names of targets that are not of `--vs`. */
const OWN_NAMES = ["eddy", "bundled", "cat", "floor", "floor bundled", "naive", "script"];

/** The least that a node can do. */
const FLOOR = "lab/bench/floor_node.ts";

const usage = `Usage: deno task bench [options]

Starts nodes as processes, drives them through pipes, and prints medians, least and most over the
rounds, ratios, and goals with the median and the worst round.
Compared with, unless --no-peers: cat, which shows what the driver and the pipes can do at most,
floor, a read loop that parses and answers and checks nothing, naive, a node with one console.log
per reply, and script, three lines around the read loop. Goals beside Maelstrom's Go library take
an echo node on it as --vs go="COMMAND". Nodes of --vs are asked for one reply first. A node that
fails, or takes more than two minutes for one measurement, is left out of that from then on; at the
end is said why, and the exit code is 1. Ctrl-C prints what has been measured until then.

All takes about 20 minutes, with --quick one or two, which shows that all works.

Examples:
  deno task bench --quick
  deno task bench --only echo,start --rounds 3
  deno task bench --only echo,stall --vs go="./maelstrom-echo"`;

function parsePeer(text: string): Target | undefined {
  const [, name, command] = /^([\w.-]+)=(.+)$/s.exec(text) ?? [];
  return name === undefined || command === undefined ? undefined : { name, command };
}

function parseOnly(text: string): string[] | undefined {
  const names = text.split(",");
  return names.every((name) => Object.hasOwn(measurements, name)) ? names : undefined;
}

/** What runs what is measured: this Deno, with no permissions. */
function denoRun(path: string): string {
  return `${quoteForShell(Deno.execPath())} run --quiet ${quoteForShell(path)}`;
}

async function targetsOf(
  peers: readonly Target[],
  bare: boolean,
  folder: string,
): Promise<Target[]> {
  const [bundled, floorBundled] = [`${folder}/eddy.js`, `${folder}/floor.js`];
  await bundle(bundled);
  await bundle(floorBundled, FLOOR);
  const pings = ["ping-1", "ping-100", "ping-10k"];
  const script = "lab/bench/script_node.ts";
  const usual: Target[] = [
    { name: "cat", command: "cat", mirror: true, only: ["echo", ...pings] },
    { name: "floor", command: denoRun(projectPath(FLOOR)) },
    { name: "floor bundled", command: denoRun(floorBundled), only: ["start"] },
    { name: "naive", command: denoRun(projectPath("lab/bench/naive_node.ts")), only: ["echo"] },
    { name: "script", command: denoRun(projectPath(script)), only: ["memory"], mirror: true },
  ];
  const ofPeers = ["echo", ...pings, "start", "memory", "stall"];
  return [
    { name: "eddy", command: denoRun(projectPath("main.ts")) },
    { name: "bundled", command: denoRun(bundled), only: ["start", "memory"] },
    ...(bare ? [] : usual),
    ...peers.map((peer) => ({ ...peer, only: ofPeers })),
  ];
}

/** Refuses names that would stand for two targets. */
function refuseSameNames(peers: readonly Target[]): void {
  const taken = new Set(OWN_NAMES);
  for (const { name } of peers) {
    if (taken.has(name)) {
      const why = `expected a name other than ${[...taken].join(", ")}`;
      throw new UsageError(`Cannot use ${JSON.stringify(name)} for --vs: ${why}`);
    }
    taken.add(name);
  }
}

async function main(
  given: FlagValues<typeof flags>,
): Promise<number> {
  if (Deno.build.os !== "linux") {
    throw new ScriptError(
      "Cannot measure here: processor time and memory are read from Linux's /proc",
    );
  }
  const { vs, only = Object.keys(measurements), quick, json, stderr: showStderr } = given;
  refuseSameNames(vs);
  const peers = vs.map((peer) => ({ ...peer, showStderr }));
  for (const peer of peers) await tryOut(peer);
  const chosen = Object.entries(measurements).filter(([name]) => only.includes(name));
  const scale: Scale = quick
    ? { requests: Math.min(given.requests, 20_000), pingSeconds: 1, starts: 1, stalled: 20_000 }
    : { requests: given.requests, pingSeconds: given["ping-seconds"], starts: 7, stalled: 100_000 };
  const before = machine();
  const rounds = new Rounds();
  const tell = (isInterrupted: boolean) =>
    json
      ? tellJson(before, scale, rounds, isInterrupted)
      : report(before, chosen, rounds, isInterrupted);
  const withdraw = whenInterrupted(() => tell(true));
  try {
    await withTempDir({ prefix: "eddy-bench-" }, async (folder) => {
      const targets = (await targetsOf(peers, given["no-peers"], folder))
        .map((target) => ({ ...target, showStderr }));
      await rounds.measure(targets, chosen, quick ? 1 : given.rounds, scale);
    });
  } catch (error) {
    tell(true); // Such as a mistake in the benchmark itself, after hours.
    throw error;
  } finally {
    withdraw();
  }
  tell(false);
  return rounds.failures.length > 0 ? 1 : 0;
}

function tellJson(
  machine: Machine,
  scale: Scale,
  { series, failures, notes }: Rounds,
  isInterrupted: boolean,
): void {
  say(JSON.stringify({ machine, scale, isInterrupted, series, failures, notes }, null, 2));
}

function report(machine: Machine, chosen: Chosen, rounds: Rounds, isInterrupted: boolean): void {
  const { series, failures, notes } = rounds;
  if (series.every(({ values }) => values.length === 0) && failures.length === 0) {
    return warn("Nothing was measured");
  }
  say(`\n${describeMachine(machine)}\n`);
  if (isInterrupted) say("Interrupted: what had been measured until then.\n");
  const failedRound = ({ measurement, target }: Series) => rounds.failedRound(measurement, target);
  say(`Medians over the rounds, and ratios (median of the rounds' ratios):`);
  say(`${tableOfFigures(series, "eddy", failedRound)}\n`);
  const reached = tableOfGoals(series);
  if (reached !== "") say(`Goals (ratios):\n${reached}\n`);
  for (const [name, { about }] of chosen) say(`${name}: ${about}.`);
  if (notes.length > 0) say(`\nWhat became of the nodes:\n${notes.join("\n")}`);
  const failed = failures.map(({ measurement, round, target, why }) =>
    `${measurement}, round ${round}: ${target}: ${why}`
  );
  if (failed.length > 0) say(`\nNot measured, in this round nor after it:\n${failed.join("\n")}`);
}

if (import.meta.main) await runCommand(usage, flags, main);
