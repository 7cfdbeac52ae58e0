/**
 * Runs the bundled node under the real Maelstrom.
 *
 * @module
 */

import { workloads } from "@eddy/handlers/workloads";
import { UsageError } from "@eddy/maelstrom/flags";
import { bundle } from "./bundle.ts";
import { projectPath, runScript, say, ScriptError } from "./support.ts";

const help = `Usage: deno task maelstrom -w WORKLOAD [Maelstrom's options] [-- the node's options]

Bundles the node and runs \`maelstrom test\` on it; ends with Maelstrom's exit code. For example:
  deno task maelstrom -w echo --node-count 1 --time-limit 10

Options of its own (all others are Maelstrom's, and passed on):
  --maelstrom PATH  Where Maelstrom is (default $MAELSTROM, or maelstrom on the PATH)
  -w, --workload W  The workload, of ${Object.keys(workloads).join(", ")}; the node is told too
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
  let wantsHelp = false;
  for (let at = 0; at < end; at++) {
    const arg = args[at] ?? "";
    const [, name, joined] = /^(-w|--workload|--maelstrom)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) {
      if (arg === "--help") wantsHelp = true;
      else options.push(arg);
      continue;
    }
    const value = joined ?? (++at < end ? args[at] : undefined);
    if (!value) throw new UsageError(`Missing value of ${name}`);
    ours.set(name === "-w" ? "--workload" : name, value);
  }
  return {
    wantsHelp,
    maelstrom: ours.get("--maelstrom"),
    workload: ours.get("--workload"),
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

async function main(args: readonly string[]): Promise<number> {
  const { wantsHelp, maelstrom, workload, options, nodeOptions } = readRequest(args);
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
  const bin = projectPath("dist/eddy.js");
  await bundle(bin);
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
