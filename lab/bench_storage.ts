/**
 * Measures the storage on disk: `deno task bench:storage --help`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { findWorkload } from "@eddy/handlers/workloads";
import { type JsonObject, Node, type Storage } from "@eddy/maelstrom";
import { openDisk } from "@eddy/maelstrom/disk";
import { type Flags, type FlagValues, integer } from "@eddy/maelstrom/flags";
import { table } from "@eddy/workbench/cli/wrap.ts";
import { attempt, runCommand, say, warn, withTempDir } from "../scripts/support.ts";

const flags = {
  directory: {
    help: "Where to make a temporary directory, so that its disk is measured (default: the " +
      "system's place for such, which may be in memory)",
    value: "DIR",
  },
  syncs: { help: "How many syncs of each size", value: "N", ...integer(10, 1e6), default: 2000 },
  entries: { help: "Of the log that is read", value: "N", ...integer(1, 1e7), default: 100_000 },
  operations: {
    help: "Of which the data is weighed; the default are ten minutes at rate 1000",
    value: "N",
    ...integer(1, 1e8),
    default: 600_000,
  },
  seconds: { help: "How long timers are watched", value: "N", ...integer(1, 600), default: 5 },
} satisfies Flags;

type Options = FlagValues<typeof flags>;

const usage = `Usage: deno task bench:storage [options]

Prints how long syncs of 1, 10 and 100 entries take, how long a start with a long log takes, and how
late timers are while a node writes and syncs in every turn of the event loop. An entry has about 100
characters. Then what is on disk when one node of each workload has served many operations, all of
which write, and has ended. All of it takes one to three minutes.

Example:
  deno task bench:storage --directory .`;

/** How many entries are written, and requests sent, before others have their turn. */
const AT_ONCE = 1000;

/** How often the timer is due whose lateness is measured. */
const TIMER_MS = 10;

/** Entries of about 100 characters, with numbers from `first` on. */
function entriesFrom(first: number, count: number): JsonObject[] {
  return Array.from({ length: count }, (_, i) => {
    const key = (first + i) % 100;
    return { term: 3, command: { f: "write", key, value: `${first + i}`.padEnd(50, "x") } };
  });
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** The cells for times: p50, p99 and the longest. */
function cells(times: readonly number[]): string[] {
  const sorted = times.toSorted((a, b) => a - b);
  return [0.5, 0.99, 1].map((share) => `${quantile(sorted, share).toFixed(2)} ms`);
}

function timed(act: () => void): number {
  const startMs = performance.now();
  act();
  return performance.now() - startMs;
}

/** Ends a turn of the event loop, so that what takes long hears of signals. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Appends entries and syncs. */
function write(storage: Storage, count: number): void {
  const log = storage.log("log");
  log.append(entriesFrom(log.last + 1, count));
  storage.sync();
}

async function measureSyncs(directory: string, { syncs }: Options): Promise<string[][]> {
  const rows: string[][] = [];
  for (const count of [1, 10, 100]) {
    const storage = await openDisk(directory, { run: "1" })(`syncs-${count}`);
    const times: number[] = [];
    for (let sync = 0; sync < syncs; sync++) {
      times.push(timed(() => write(storage, count)));
      await turn();
    }
    storage.close();
    rows.push([`sync of ${count}`, ...cells(times)]);
  }
  return rows;
}

async function measureStart(directory: string, { entries }: Options): Promise<string[]> {
  const open = openDisk(directory, { run: "1" });
  const storage = await open("start");
  for (let left = entries; left > 0; left -= AT_ONCE) {
    write(storage, Math.min(left, AT_ONCE));
    await turn();
  }
  storage.close();
  const times: number[] = [];
  for (let start = 0; start < 7; start++) {
    const startMs = performance.now();
    const again = await open("start");
    again.log("log").entries();
    times.push(performance.now() - startMs);
    again.close();
    await turn();
  }
  return [`start with ${entries} entries`, ...cells(times)];
}

/** How late a timer is, with syncs of so many entries in every turn of the event loop. */
async function measureTimers(
  directory: string,
  { seconds }: Options,
  count: number,
): Promise<string[]> {
  const storage = await openDisk(directory, { run: "1" })(`timers-${count}`);
  const late: number[] = [];
  let dueMs = performance.now() + TIMER_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    late.push(Math.max(0, nowMs - dueMs));
    dueMs = nowMs + TIMER_MS;
  }, TIMER_MS);
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    if (count > 0) write(storage, count);
    // As a node, which syncs when a turn has ended.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  clearInterval(timer);
  storage.close();
  const what = count === 0 ? "no syncs" : `syncs of ${count} in every turn`;
  return [`timer late, ${what}`, ...cells(late)];
}

/** An operation that writes, of each workload. */
const WRITES: Readonly<Record<string, (i: number) => JsonObject>> = {
  "lin-kv": (i) => ({ type: "write", key: i % 100, value: i }),
  kafka: (i) => ({ type: "send", key: `${i % 20}`, msg: i }),
  broadcast: (i) => ({ type: "broadcast", message: i }),
  "txn-list-append": (i) => ({ type: "txn", txn: [["append", i % 1000, i]] }),
  "txn-rw-register": (i) => ({ type: "txn", txn: [["w", i % 1000, i]] }),
};

/** The size of what a node keeps, after operations that write. */
async function measureGrowth(
  data: string,
  name: string,
  write: (i: number) => JsonObject,
  operations: number,
): Promise<string[]> {
  const directory = join(data, name);
  let answers = 0;
  const output = { write: () => void answers++ };
  const node = new Node({ storage: openDisk(directory, { run: "1" }), output, log: warn });
  (await findWorkload(name)).configure([])(node);
  const send = (body: JsonObject) => node.receive(JSON.stringify({ src: "c1", dest: "n1", body }));
  const answered = async (count: number) => {
    while (answers < count) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  send({ type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1"] });
  await answered(1);
  for (let i = 0; i < operations; i++) {
    send({ ...write(i), msg_id: i + 2 });
    if (i % AT_ONCE === AT_ONCE - 1) await answered(i + 2);
  }
  await answered(operations + 1);
  await node.drain();
  let bytes = 0;
  for (const { name: file } of Deno.readDirSync(join(directory, "n1"))) {
    bytes += Deno.statSync(join(directory, "n1", file)).size;
  }
  return [name, `${(bytes / 1e6).toFixed(1)} MB`];
}

async function main(options: Options): Promise<number> {
  const { directory } = options;
  await withTempDir(
    { ...(directory && { dir: directory }), prefix: "eddy-storage-" },
    async (folder) => {
      const data = join(folder, "data");
      await attempt(`measure in ${data}`, async () => {
        warn("syncs");
        const rows = [["", "p50", "p99", "longest"], ...await measureSyncs(data, options)];
        warn("start");
        rows.push(await measureStart(data, options));
        warn("timers");
        for (const count of [0, 10, 100]) rows.push(await measureTimers(data, options, count));
        say(table(rows));
        const sizes = [[`${options.operations} writes`, "on disk"]];
        for (const [name, write] of Object.entries(WRITES)) {
          warn(name);
          sizes.push(await measureGrowth(data, name, write, options.operations));
        }
        say(`\n${table(sizes)}`);
      });
    },
  );
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);
