/**
 * Measures the node, and others beside it: `deno task bench --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer } from "@eddy/maelstrom/flags";
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
} from "../scripts/support.ts";

const flags = {
  vs: {
    help: "Measure this node too, in turn with ours; may be given several times",
    value: "NAME=COMMAND",
    accepts: 'a name and a command, as in go="/tmp/maelstrom-echo"',
    parse: parsePeer,
    many: true,
  },
  only: {
    help: `Measure only these, of ${Object.keys(measurements).join(",")}`,
    value: "NAMES",
    accepts: `names of ${Object.keys(measurements).join(", ")}, with commas between`,
    parse: parseOnly,
  },
  rounds: { help: "How often to measure each", value: "N", ...integer(1, 1000), default: 5 },
  requests: {
    help: "Requests of the throughput load",
    value: "N",
    ...integer(1000, 10_000_000),
    default: 300_000,
  },
  "no-peers": { help: "Leave out cat, the floor and the naive node" },
  stderr: { help: "Show what the nodes say on standard error" },
  quick: { help: "One short round, to see that all works" },
  json: { help: "Print the figures as JSON" },
} satisfies Flags; // Keeps `many: true` from widening, for the type of its value.

/** The least that a node can do. */
const FLOOR = "lab/bench/floor_node.ts";

const usage = `Usage: deno task bench [options]

Starts nodes as processes, drives them through pipes, and prints medians (least-most) over rounds.
Compared with, unless --no-peers: cat, which shows what the driver and the pipes can do at most,
floor, a read loop that parses and answers and checks nothing, and naive, a node with one
console.log per reply.`;

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
  const only = ["start", "idle"];
  const usual: Target[] = [
    { name: "cat", command: "cat", mirror: true },
    { name: "floor", command: denoRun(projectPath(FLOOR)) },
    { name: "floor bundled", command: denoRun(floorBundled), only },
    { name: "naive", command: denoRun(projectPath("lab/bench/naive_node.ts")) },
  ];
  return [
    { name: "eddy", command: denoRun(projectPath("main.ts")) },
    { name: "bundled", command: denoRun(bundled), only },
    ...(bare ? [] : usual),
    ...peers,
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
  for (const [measurement, { figures, run }] of chosen) {
    const taking = targets.filter(({ only }) => only?.includes(measurement) ?? true);
    const series = taking.map(({ name: target }) =>
      figures.map((figure) => ({ measurement, figure, target, values: [] as number[] }))
    );
    for (let round = 0; round < rounds; round++) {
      for (const [index, target] of taking.entries()) {
        warn(`${measurement}, round ${round + 1} of ${rounds}: ${target.name}`);
        const values = await run(target, scale);
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
    ? { requests: Math.min(given.requests, 20_000), pings: 300, openSeconds: 1, starts: 1 }
    : { requests: given.requests, pings: 5000, openSeconds: 3, starts: 7 };
  const before = machine();
  const folder = await Deno.makeTempDir({ prefix: "eddy-bench-" });
  try {
    const targets = (await targetsOf(given.vs, given["no-peers"], folder))
      .map((target) => ({ ...target, showStderr: given.stderr }));
    const all = await measureAll(targets, chosen, given.quick ? 1 : given.rounds, scale);
    if (given.json) say(JSON.stringify({ machine: before, scale, series: all }, null, 2));
    else report(before, chosen, all);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
  for (const [name, { about }] of chosen) say(`${name}: ${about}.`);
}

if (import.meta.main) await runCommand(usage, flags, main);
