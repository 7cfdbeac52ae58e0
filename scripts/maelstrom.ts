/**
 * Runs the bundled node under the real Maelstrom.
 *
 * @module
 */

import { workloads } from "@eddy/handlers/workloads";
import { UsageError } from "@eddy/maelstrom/flags";
import { bundle } from "./bundle.ts";
import { attempt, projectPath, quoteForShell, runScript, say, ScriptError } from "./support.ts";

const help = `Usage: deno task maelstrom -w WORKLOAD [Maelstrom's options] [-- the node's options]

Bundles the node and runs \`maelstrom test\` on it; ends with Maelstrom's exit code. For example:
  deno task maelstrom -w echo --node-count 1 --time-limit 10
  deno task maelstrom -w lin-kv --data data --data-reset --node-count 3 --time-limit 30

Options of its own (all others are Maelstrom's, and passed on):
  --maelstrom PATH  Where Maelstrom is (default $MAELSTROM, or maelstrom on the PATH)
  -w, --workload W  The workload, of ${Object.keys(workloads).join(", ")}; the node is told too
  --data DIR        Keep the nodes' data in this directory, as a run of its own: a script that gives
                    the node its permissions and a fresh --run is written there, for Maelstrom
  --data-reset      Remove what nodes of another run have kept there
  --help            Say this`;

const notFound =
  "Cannot find Maelstrom: get it from https://github.com/jepsen-io/maelstrom/releases " +
  "(it needs Java, gnuplot and graphviz) and name its launcher by --maelstrom PATH or $MAELSTROM, " +
  "or put it on the PATH";

/** What a command line asks for. */
export interface Request {
  readonly wantsHelp: boolean;
  readonly maelstrom: string | undefined;
  readonly workload: string | undefined;
  /** Where nodes keep their data. */
  readonly data: string | undefined;
  readonly resetsData: boolean;
  /** Maelstrom's options. */
  readonly options: readonly string[];
  /** The node's options. */
  readonly nodeOptions: readonly string[];
}

/**
 * Takes our own options out of a command line; all others are Maelstrom's.
 *
 * @throws {UsageError} if an option of ours lacks its value.
 */
export function readRequest(args: readonly string[]): Request {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const options: string[] = [];
  const ours = new Map<string, string>();
  let [wantsHelp, resetsData] = [false, false];
  for (let at = 0; at < end; at++) {
    const arg = args[at] ?? "";
    const [, name, joined] = /^(-w|--workload|--maelstrom|--data)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) {
      if (arg === "--help") wantsHelp = true;
      else if (arg === "--data-reset") resetsData = true;
      else options.push(arg);
      continue;
    }
    const value = joined ?? (++at < end ? args[at] : undefined);
    if (!value) throw new UsageError(`Missing value of ${name}`);
    ours.set(name === "-w" ? "--workload" : name, value);
  }
  if (resetsData && !ours.has("--data")) {
    throw new UsageError("Cannot use --data-reset without --data DIR: no data is kept");
  }
  return {
    wantsHelp,
    maelstrom: ours.get("--maelstrom"),
    workload: ours.get("--workload"),
    data: ours.get("--data"),
    resetsData,
    options,
    nodeOptions: args.slice(end + 1),
  };
}

/** The launcher: what was named, or the first on the PATH. */
async function findMaelstrom(named: string | undefined): Promise<string> {
  const given = named ?? Deno.env.get("MAELSTROM");
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "");
  const candidates = given ? [given] : folders.map((folder) => `${folder}/maelstrom`);
  for (const path of candidates) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isFile) return await Deno.realPath(path);
  }
  throw new ScriptError(given ? `${notFound}; nothing is at ${given}` : notFound);
}

/** Refuses a path that no permission can name. */
function refuseComma(path: string): void {
  if (!path.includes(",")) return;
  throw new ScriptError(`Cannot keep data in ${path}: deno takes a comma for two paths`);
}

/**
 * Writes a script that runs the bundle on data, because the bundle's first line gives no permission.
 *
 * @returns its path.
 */
async function writeWrapper(bundled: string, data: string, resetsData: boolean): Promise<string> {
  refuseComma(data);
  return await attempt(`write a script for the nodes into ${data}`, async () => {
    await Deno.mkdir(data, { recursive: true });
    const directory = await Deno.realPath(data);
    const path = `${directory}/eddy.sh`;
    refuseComma(directory);
    const permissions = ["read", "write"].map((name) => `--allow-${name}=${directory}`);
    const command = [Deno.execPath(), "run", "--quiet", "--no-prompt", ...permissions, bundled];
    const settings = ["--data", directory, "--run", crypto.randomUUID()];
    if (resetsData) settings.push("--data-reset");
    const [before, after] = [command, settings].map((words) => words.map(quoteForShell).join(" "));
    // By exec, so that the process that Maelstrom starts and ends is the node.
    const text = `#!/bin/sh\nexec ${before} "$@" ${after}\n`;
    await Deno.writeTextFile(path, text);
    await Deno.chmod(path, 0o755);
    return path;
  });
}

async function main(args: readonly string[]): Promise<number> {
  const request = readRequest(args);
  const { wantsHelp, maelstrom, workload, options, nodeOptions, data, resetsData } = request;
  if (wantsHelp) {
    say(help);
    return 0;
  }
  const known = Object.keys(workloads).join(", ");
  if (workload === undefined) throw new UsageError(`Missing -w WORKLOAD: accepted are ${known}`);
  if (!Object.hasOwn(workloads, workload)) {
    throw new UsageError(`Unknown workload ${JSON.stringify(workload)}: accepted are ${known}`);
  }
  const launcher = await findMaelstrom(maelstrom);
  const bundled = projectPath("dist/eddy.js");
  await bundle(bundled);
  const bin = data === undefined ? bundled : await writeWrapper(bundled, data, resetsData);
  // Ctrl-C goes to Maelstrom too, which then ends the nodes; this process waits for that.
  Deno.addSignalListener("SIGINT", () => {});
  const { code } = await new Deno.Command(launcher, {
    args: ["test", "-w", workload, "--bin", bin, ...options, "--", workload, ...nodeOptions],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
}

if (import.meta.main) await runScript(main);
