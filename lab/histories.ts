/**
 * Runs whose files must not change by accident: `deno task histories --help`.
 *
 * @module
 */

import { join } from "@std/path/join";
import type { Flags, FlagValues } from "@eddy/maelstrom/flags";
import { WORKLOADS } from "@eddy/workbench";
import { projectPath, runCommand, say, ScriptError } from "../scripts/support.ts";

/** Where the digests are kept. */
export const DIGESTS_FILE = "lab/testdata/histories.json";

/** The files of a run that depend on nothing but its options. */
const FILES = ["history.jsonl", "messages.jsonl", "results.json"] as const;

/** The SHA-256 of each file of a run, in hexadecimal. */
export type Digests = Readonly<Record<typeof FILES[number], string>>;

const common = [
  "--node-count=3",
  "--time-limit=10",
  "--rate=20",
  "--latency=20",
  "--nemesis-interval=3",
  "--seed=7",
];

function run(workload: string, nemesis: string): [name: string, args: readonly string[]] {
  const args = [`--workload=${workload}`, ...common, `--nemesis=${nemesis}`];
  return [`${workload} ${nemesis}`, args];
}

/** The arguments of `deno task workbench test`, by the names of the runs. */
export const runs: ReadonlyMap<string, readonly string[]> = new Map([
  ...WORKLOADS.map((workload) => run(workload, "partition")),
  run("kafka", "kill"),
  run("lin-kv", "kill"),
  run("broadcast", "loss"),
  run("lin-kv", "slow"),
  run("txn-list-append", "one-way"),
  run("g-set", "pause,duplicate"),
  run("lin-kv", "disk-lose,disk-torn,disk-slow"),
  run("kafka", "disk-full,disk-eio"),
  run("lin-kv", "clock,partition"),
]);

/**
 * Does a run and reads what it wrote.
 *
 * @throws {Error} if the run wrote nothing.
 */
export async function digestsOf(args: readonly string[]): Promise<Digests> {
  const store = await Deno.makeTempDir();
  try {
    await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--allow-all", "workbench/cli/main.ts", "test"],
        ...[...args, `--store=${store}`],
      ],
      cwd: projectPath("."),
      stdout: "null",
    }).output();
    const digests = FILES.map(async (file) => {
      const bytes = await Deno.readFile(join(store, "latest", file));
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      return [file, digest.toHex()] as const;
    });
    return Object.fromEntries(await Promise.all(digests)) as Digests;
  } finally {
    await Deno.remove(store, { recursive: true });
  }
}

/** The digests that are kept, by the names of the runs. */
export function keptDigests(): Readonly<Record<string, Digests>> {
  return JSON.parse(Deno.readTextFileSync(projectPath(DIGESTS_FILE)));
}

const flags = {
  write: { help: `Write the digests to ${DIGESTS_FILE}` },
} satisfies Flags;

const usage = `Usage: deno task histories [--write]

Does the runs of ${DIGESTS_FILE} and lists those that wrote another file than before. With --write
the new digests take the place of the old ones: only for a change that is meant to change runs.`;

async function main({ write }: FlagValues<typeof flags>): Promise<number> {
  const kept = keptDigests();
  const found: Record<string, Digests> = {};
  for (const [name, args] of runs) {
    found[name] = await digestsOf(args);
    const changed = FILES.filter((file) => kept[name]?.[file] !== found[name]?.[file]);
    const known = kept[name] === undefined ? "new" : "changed";
    if (changed.length > 0) say(`${name}: ${known} ${changed.join(", ")}`);
  }
  if (write) {
    await Deno.writeTextFile(projectPath(DIGESTS_FILE), JSON.stringify(found, null, 2) + "\n");
    say(`Wrote ${DIGESTS_FILE}`);
  } else if (JSON.stringify(found) !== JSON.stringify(kept)) {
    throw new ScriptError(`Runs differ from ${DIGESTS_FILE}: pass --write if they should`);
  }
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);
