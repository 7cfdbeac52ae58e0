/**
 * The workloads that the node binary serves, by Maelstrom's names, and its command line.
 *
 * @module
 */

import { errorText, type Node, type OpenStorage } from "@eddy/maelstrom";
import {
  describeFlags,
  didYouMean,
  type Flags,
  parseFlags,
  UsageError,
} from "@eddy/maelstrom/flags";
import { commonFlags, dataFlags, type Workload } from "./workload.ts";

/** All workloads. Each is made when it is asked for, so that a node starts without the others. */
export const workloads = {
  broadcast: async (): Promise<Workload> => (await import("./broadcast.ts")).broadcast,
  echo: async (): Promise<Workload> => (await import("./echo.ts")).echo,
  "g-counter": async (): Promise<Workload> => (await import("./counter.ts")).gCounter,
  "g-set": async (): Promise<Workload> => (await import("./g_set.ts")).gSet,
  kafka: async (): Promise<Workload> => (await import("./kafka.ts")).kafka,
  "lin-kv": async (): Promise<Workload> => (await import("./lin_kv.ts")).linKv,
  "pn-counter": async (): Promise<Workload> => (await import("./counter.ts")).pnCounter,
  "txn-list-append": async (): Promise<Workload> => (await import("./txn.ts")).txnListAppend,
  "txn-rw-register": async (): Promise<Workload> => (await import("./txn.ts")).txnRwRegister,
  "unique-ids": async (): Promise<Workload> => (await import("./unique_ids.ts")).uniqueIds,
};

/** The name of a workload. */
export type WorkloadName = keyof typeof workloads;

/**
 * The workload of a name. An error for its arguments says that they are the node's: other programs
 * take options of their own before them.
 *
 * @throws {UsageError} if there is none; the message lists the names.
 */
export async function findWorkload(name: string): Promise<Workload> {
  if (Object.hasOwn(workloads, name)) {
    const workload = await workloads[name as WorkloadName]();
    return { ...workload, configure: (args) => configureNode(name, workload, args) };
  }
  const known = Object.keys(workloads);
  const hint = didYouMean(name, known);
  throw new UsageError(
    `Unknown workload ${JSON.stringify(name)}${hint}: accepted are ${known.join(", ")}`,
  );
}

function configureNode(name: string, workload: Workload, args: readonly string[]) {
  try {
    return workload.configure(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`Options of the node for ${name}: ${error.message}`);
  }
}

/** What a command line asks for: a text to be printed, or a node with some handlers. */
export type NodeCommand =
  | { readonly text: string }
  | {
    readonly install: (node: Node) => void;
    /** What keeps the node's data, if anything is to. */
    readonly storage: OpenStorage | undefined;
  };

/** Loads the module `@eddy/maelstrom/disk`. */
export type DiskLoader = () => Promise<{
  openDisk(
    directory: string,
    options: { run?: string | undefined; program: string; reset?: boolean | undefined },
  ): OpenStorage;
}>;

/**
 * Reads the command line of a node.
 *
 * @param command what stands before the workload, for `--help`
 * @param version what `--version` prints
 * @param loadDisk loads what keeps data on disk; called where `--data` is given only, so that neither
 * the start of a node nor a browser has it
 * @throws {UsageError} if there is no such workload, or it has no such options.
 */
export async function readNodeCommand(
  args: readonly string[],
  { command, version, loadDisk }: {
    readonly command: string;
    readonly version: string;
    readonly loadDisk: DiskLoader;
  },
): Promise<NodeCommand> {
  // Maelstrom's own separator may come along.
  const words = args[0] === "--" ? args.slice(1) : args;
  if (words.includes("--help") || words.includes("-h")) return { text: await help(command) };
  if (words.includes("--version")) return { text: version };
  const [first, ...options] = words;
  const isNamed = first !== undefined && !first.startsWith("-");
  const name = isNamed ? first : "echo";
  const workload = await findWorkload(name);
  const [ours, theirs] = splitDataFlags(isNamed ? options : words);
  refuseUnknown(name, theirs, workload.flags);
  const install = workload.configure(theirs);
  return { install, storage: await openStorage(name, ours, loadDisk) };
}

/** The arguments that say where data is kept, and those of the workload. */
function splitDataFlags(args: readonly string[]): [ours: string[], theirs: string[]] {
  const [ours, theirs]: [string[], string[]] = [[], []];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    const [, name = "", joined] = /^--([^=]+)(=|$)/.exec(arg) ?? [];
    if (!Object.hasOwn(dataFlags, name)) {
      theirs.push(arg);
      continue;
    }
    ours.push(arg);
    const takesNext = name !== "data-reset" && joined === "" && !/^-\D/.test(args[at + 1] ?? "-");
    if (takesNext) ours.push(...args.slice(++at, at + 1));
  }
  return [ours, theirs];
}

/** Refuses an option that there is not, with all that there are: those of data among them. */
function refuseUnknown(workload: string, args: readonly string[], flags: Flags): void {
  const known = { ...flags, ...dataFlags, ...commonFlags };
  const unknown = args.find((arg) => {
    const [, name] = /^--([^=]+)/.exec(arg) ?? [];
    return name !== undefined && !Object.hasOwn(known, name);
  });
  if (unknown === undefined) return;
  try {
    parseFlags(known, [unknown]);
  } catch (error) {
    const why = errorText(error);
    throw new UsageError(`Options of the node for ${workload}: ${why}`, { cause: error });
  }
}

/** What `--data` asks for. */
async function openStorage(
  program: string,
  args: readonly string[],
  loadDisk: DiskLoader,
): Promise<OpenStorage | undefined> {
  const { data, run, "data-reset": reset } = parseFlags(dataFlags, args).flags;
  if (data !== undefined) {
    const { openDisk } = await loadDisk();
    return openDisk(data, { run, program, reset });
  }
  const [lone] = args;
  if (lone === undefined) return undefined;
  throw new UsageError(`Cannot use ${lone.split("=")[0]} without --data DIR: no data is kept`);
}

async function help(command: string): Promise<string> {
  const sections = Object.keys(workloads).map(async (name) => {
    const { summary, flags } = await findWorkload(name);
    return `  ${name.padEnd(17)}${summary}\n${describeFlags(flags, 19)}`.trimEnd();
  });
  return `Usage: ${command} [workload] [options]

A Maelstrom node: reads one JSON message a line from standard input and answers on standard output.

Workloads, each with its options (default echo):
${(await Promise.all(sections)).join("\n")}

${describeFlags({ ...dataFlags, ...commonFlags })}

Examples:
  ${command} broadcast --max-latency 1000
  ${command} lin-kv --data data --run 1`;
}
