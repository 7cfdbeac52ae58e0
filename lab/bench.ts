/**
 * Measures the node, and others beside it: `deno task bench --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer } from "@eddy/maelstrom/flags";
import { tableOfGoals } from "./bench/goals.ts";
import { type Measurement, measurements, type Scale } from "./bench/measurements.ts";
import {
  describeMachine,
  machine,
  type Series,
  tableOfMedians,
  tableOfRatios,
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
  withTempDir,
} from "../scripts/support.ts";

const flags = {
  vs: {
    help: "Measure this echo node too, in turn with ours; may be given several times",
    value: "NAME=COMMAND",
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

/** The least that a node can do. */
const FLOOR = "lab/bench/floor_node.ts";

const usage = `Usage: deno task bench [options]

Starts nodes as processes, drives them through pipes, and prints medians (least-most) over rounds,
ratios, and goals with the median and the worst round.
Compared with, unless --no-peers: cat, which shows what the driver and the pipes can do at most,
floor, a read loop that parses and answers and checks nothing, naive, a node with one console.log
per reply, and script, three lines around the read loop. Goals beside Maelstrom's Go library take
an echo node on it as --vs go="COMMAND".`;

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

/** Measures every target in turn, round after round. */
async function measureAll(
  targets: readonly Target[],
  chosen: readonly (readonly [string, Measurement])[],
  rounds: number,
  scale: Scale,
): Promise<Series[]> {
  const all: (Series & { values: number[] })[] = [];
  for (const [measurement, { figures, run, together }] of chosen) {
    const taking = targets.filter(({ only }) => only?.includes(measurement) ?? true);
    const groups = together ? [taking] : taking.map((target) => [target]);
    const series = taking.map(({ name: target }) =>
      figures.map((figure) => ({ measurement, figure, target, values: [] as number[] }))
    );
    for (let round = 0; round < rounds; round++) {
      const found: number[][] = [];
      for (const group of groups) {
        const names = group.map(({ name }) => name).join(", ");
        warn(`${measurement}, round ${round + 1} of ${rounds}: ${names}`);
        found.push(...await run(group, scale));
      }
      for (const [index, values] of found.entries()) {
        values.forEach((value, at) => series[index]?.[at]?.values.push(value));
      }
    }
    all.push(...series.flat());
  }
  return all;
}

async function main(
  given: FlagValues<typeof flags>,
): Promise<number> {
  if (Deno.build.os !== "linux") {
    throw new ScriptError(
      "Cannot measure here: processor time and memory are read from Linux's /proc",
    );
  }
  const names = given.only ?? Object.keys(measurements);
  const chosen = Object.entries(measurements).filter(([name]) => names.includes(name));
  const scale: Scale = given.quick
    ? { requests: Math.min(given.requests, 20_000), pingSeconds: 1, starts: 1, stalled: 100_000 }
    : { requests: given.requests, pingSeconds: given["ping-seconds"], starts: 7, stalled: 800_000 };
  const before = machine();
  await withTempDir({ prefix: "eddy-bench-" }, async (folder) => {
    const targets = (await targetsOf(given.vs, given["no-peers"], folder))
      .map((target) => ({ ...target, showStderr: given.stderr }));
    const all = await measureAll(targets, chosen, given.quick ? 1 : given.rounds, scale);
    if (given.json) say(JSON.stringify({ machine: before, scale, series: all }, null, 2));
    else report(before, chosen, all);
  });
  return 0;
}

function report(
  before: ReturnType<typeof machine>,
  chosen: readonly (readonly [string, Measurement])[],
  all: readonly Series[],
): void {
  say(`\n${describeMachine(before)}\n`);
  say(`Medians over the rounds (least-most):\n${tableOfMedians(all)}\n`);
  const ratios = tableOfRatios(all, "eddy");
  if (ratios !== "") say(`Ratios (median of the rounds' ratios):\n${ratios}\n`);
  const reached = tableOfGoals(all);
  if (reached !== "") say(`Goals (ratios):\n${reached}\n`);
  for (const [name, { about }] of chosen) say(`${name}: ${about}.`);
}

if (import.meta.main) await runCommand(usage, flags, main);
