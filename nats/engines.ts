/**
 * The same workloads by three engines: `deno task nats:engines --help`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { type Flags, type FlagValues, integer, number } from "@eddy/maelstrom/flags";
import {
  defaultOptions,
  runProgram,
  type RunResult,
  type RunSettings,
  simulate,
  type WorkloadName,
  WORKLOADS,
} from "@eddy/workbench";
import { verdict } from "@eddy/workbench/explain.ts";
import { table } from "@eddy/workbench/cli/wrap.ts";
import { bundle } from "../scripts/bundle.ts";
import {
  attempt,
  projectPath,
  runCommand,
  runDeno,
  say,
  ScriptError,
  warn,
  whenInterrupted,
  withTempDir,
} from "../scripts/support.ts";
import { connectTo } from "./connect.ts";
import { runOnServer } from "./engine.ts";
import { hasServer, NatsServer } from "./testing.ts";

/** The page that `--write` writes the table into. */
const PAGE = "docs/many_machines.md";

/** What the table stands between there. */
const MARKS = ["<!-- engines -->", "<!-- /engines -->"] as const;

const flags = {
  rate: {
    help: "Operations a second, over all clients",
    value: "R",
    ...number(1, 100_000),
    default: 50,
  },
  "time-limit": { help: "Seconds of operations", value: "S", ...number(1, 1000), default: 10 },
  seed: { help: "The seed of all runs", value: "N", ...integer(0, 1e9), default: 1 },
  only: {
    help: "Names of workloads, comma separated",
    value: "NAMES",
    accepts: `some of ${WORKLOADS.join(", ")}`,
    parse: parseNames,
  },
  write: { help: `Write the table into ${PAGE}` },
} satisfies Flags;

const usage = `Usage: deno task nats:engines [options]

Runs every workload on three nodes in virtual time, as processes on standard input and output, which
is what Maelstrom starts, and as processes over a NATS server, which it starts on the loopback. It
prints for each the verdict, messages for each operation and latencies at the rate asked for; and of
processes, by a second run of 2 s, how many operations a second there are when no client waits
between two. All of it takes about ten minutes. The exit code is 1 if a run was not valid.`;

function parseNames(text: string): WorkloadName[] | undefined {
  const names = text.split(",").map((name) => WORKLOADS.find((known) => known === name));
  return names.every((name) => name !== undefined) ? names : undefined;
}

type EnginesFlags = FlagValues<typeof flags>;

/** What runs a workload. */
type RunBy = (workload: WorkloadName, settings: RunSettings) => Promise<RunResult>;

const VIRTUAL = "virtual time";

/** The engines by their names in the table; what they need ends with `use`. */
async function withEngines<T>(
  use: (engines: ReadonlyMap<string, RunBy>) => T,
): Promise<Awaited<T>> {
  return await withTempDir({ prefix: "eddy-engines-" }, async (folder) => {
    const bin = join(folder, "eddy.js");
    await bundle(bin, "main.ts", ["--quiet", "--allow-all"]);
    await using server = await NatsServer.start({ folder: join(folder, "nats") });
    const withdraw = whenInterrupted(() => void server.stop("SIGKILL"));
    const at = { nats: server.url };
    const connection = await connectTo(at, "eddy engines");
    try {
      return await use(
        new Map<string, RunBy>([
          [VIRTUAL, (workload, settings) => {
            return simulate({ workload, ...settings });
          }],
          ["stdio", (workload, settings) => {
            const options = defaultOptions(workload, settings);
            return runProgram({ bin, args: [workload] }, options);
          }],
          ["NATS", (workload, settings) => {
            const options = defaultOptions(workload, settings);
            return runOnServer({ connection, server: at, args: [] }, options);
          }],
        ]),
      );
    } finally {
      await connection.close();
      withdraw();
    }
  });
}

const HEADS = [
  ...["workload", "engine", "verdict", "messages/op", "between servers"],
  ...["p50, ms", "p99, ms", "most ops/s"],
];

/** What makes clients begin the next operation at once. */
const FULL_SPEED = { rate: 100_000, timeLimitSeconds: 2 } as const;

/** In virtual time nothing takes time but latencies, of which there are none here. */
const NO_LIMIT = "any";

/** Runs a workload by an engine, and returns a row of the table. */
async function rowOf(
  engine: string,
  run: (settings: RunSettings) => Promise<RunResult>,
  settings: RunSettings,
): Promise<string[]> {
  const { results, options: { workload } } = await run(settings);
  const full = engine === VIRTUAL ? undefined : await run({ ...settings, ...FULL_SPEED });
  const bad = [results, full?.results].find((each) => each !== undefined && each.valid !== true);
  for (const line of bad?.explanations.flat() ?? []) warn(line);
  const digits = (value: number | undefined, count: number) => value?.toFixed(count) ?? "";
  const { net, latencies } = results;
  return [
    ...[workload, engine, verdict((bad ?? results).valid)],
    ...[digits(net.all.msgsPerOp, 1), digits(net.servers.msgsPerOp, 1)],
    ...[digits(latencies.p50, 2), digits(latencies.p99, 1)],
    full === undefined ? NO_LIMIT : digits(endedASecond(full), 0),
  ];
}

/** How many operations ended a second, without those after the main phase. */
function endedASecond({ history, options: { timeLimitSeconds } }: RunResult): number {
  const ended = history.filter(({ process, type, final }) =>
    process !== "nemesis" && (type === "ok" || type === "fail") && !final
  );
  return ended.length / timeLimitSeconds;
}

async function main(given: EnginesFlags): Promise<number> {
  if (!hasServer) throw new ScriptError("Cannot run nodes over NATS: nats-server is not installed");
  if (given.write && given.only !== undefined) {
    throw new ScriptError(
      `Cannot write a part of the table into ${PAGE}: --write goes without --only`,
    );
  }
  const settings = {
    nodeCount: 3,
    rate: given.rate,
    timeLimitSeconds: given["time-limit"],
    seed: given.seed,
  };
  const [load = 0] = Deno.loadavg();
  const rows = await withEngines(async (engines) => {
    const rows: string[][] = [];
    for (const workload of given.only ?? WORKLOADS) {
      for (const [name, run] of engines) {
        const row = await rowOf(name, (each) => run(workload, each), settings);
        rows.push(row);
        warn(row.join(", "));
      }
    }
    return rows;
  });
  say(table([HEADS, ...rows]));
  if (given.write) await write(sectionOf(given, load, rows));
  return rows.every(([, , said]) => said === verdict(true)) ? 0 : 1;
}

/** What stands between the marks: how it was measured, and the table. */
function sectionOf(
  { rate, "time-limit": seconds, seed }: EnginesFlags,
  load: number,
  rows: string[][],
): string {
  const date = new Date().toISOString().slice(0, 10);
  const lines = [HEADS, HEADS.map((_, i) => i < 3 ? "---" : "---:"), ...rows];
  return [
    `\`deno task nats:engines --write\` of ${date}: three nodes, ${rate} operations a second for ` +
    `${seconds} s, seed ${seed}, the server on the loopback, on a machine with ` +
    `${navigator.hardwareConcurrency} cores whose load was ${load.toFixed(1)} before it began.`,
    "",
    ...lines.map((cells) => `| ${cells.join(" | ")} |`),
  ].join("\n");
}

async function write(section: string): Promise<void> {
  const path = projectPath(PAGE);
  const text = await attempt(`read ${PAGE}`, () => Deno.readTextFile(path));
  const [begin, end] = MARKS.map((mark) => text.indexOf(mark));
  if (begin === undefined || end === undefined || begin === -1 || end < begin) {
    throw new ScriptError(`Cannot write into ${PAGE}: it has no ${MARKS.join(" and then ")}`);
  }
  const page = `${text.slice(0, begin + MARKS[0].length)}\n\n${section}\n\n${text.slice(end)}`;
  await attempt(`write ${PAGE}`, () => Deno.writeTextFile(path, page));
  await runDeno(["fmt", "--quiet", PAGE]);
}

if (import.meta.main) await runCommand(usage, flags, main);
