/**
 * Proves sweeps over many machines: `deno task nats:prove`. Does one sweep on this machine, one with
 * workers on a NATS server, and one where workers and the server are killed all the time; all must have
 * the same lines. Prints what was killed, and how much processor time the first two took a seed.
 *
 * @module
 */

import { type Flags, type FlagValues, integer, number } from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";
import { seededRandom } from "@eddy/workbench/random.ts";
import { runCommand, say, ScriptError, withTempDir } from "../scripts/support.ts";
import { pause } from "./fleet.ts";
import { sweepLines } from "./fleet_testing.ts";
import { hasServer, NatsServer } from "./testing.ts";

const flags = {
  seeds: { help: "How many runs", value: "N", ...integer(1, 100_000), default: 2000 },
  workers: {
    help: "How many workers, one run at once each",
    value: "N",
    ...integer(1),
    default: 4,
  },
  kills: { help: "How often a worker is killed", value: "N", ...integer(0), default: 20 },
  every: { help: "Seconds between two of them, at most", value: "S", ...number(0.1), default: 12 },
  seed: { help: "Decides when, and which", value: "N", ...integer(0), default: 1 },
} satisfies Flags;

const usage = `Usage: deno task nats:prove [options]

Does one sweep of lin-kv on this machine, one with workers on a NATS server that it starts, and one
where workers and, once, the server are killed with kill -9. It takes some 15 minutes on two cores.
The exit code is 1 if the lines of the sweeps differ, or a process is left over.`;

/** Seconds of processor time, with that of child processes. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly seconds: number;
}

const pathOf = (name: string) => decodeURIComponent(new URL(name, import.meta.url).pathname);

/** Runs a command, passes SIGTERM on to it, and writes at last how long its processes took. */
const TIMED = 'file=$1; shift; "$@" & p=$!; trap "kill -TERM $p" TERM; wait $p; code=$?; ' +
  'while kill -0 $p 2>/dev/null; do wait $p; code=$?; done; times >"$file"; exit $code';

/** A process of Eddy's whose processor time is told when it has ended. */
class Timed {
  readonly #child: Deno.ChildProcess;
  readonly #file: string;
  readonly #stdout: Promise<string>;

  constructor(folder: string, args: readonly string[]) {
    this.#file = join(folder, crypto.randomUUID());
    this.#child = new Deno.Command("sh", {
      args: ["-c", TIMED, "sh", this.#file, Deno.execPath(), ...eddyArgs(args)],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      cwd: folder,
    }).spawn();
    this.#stdout = new Response(this.#child.stdout).text();
  }

  end(): void {
    this.#child.kill("SIGTERM");
  }

  async ended(): Promise<Ended> {
    const stdout = await this.#stdout;
    const { code } = await this.#child.status;
    const times = [...(await Deno.readTextFile(this.#file)).matchAll(/(\d+)m([\d.]+)s/g)];
    const seconds = times.reduce((sum, [, m, s]) => sum + 60 * Number(m) + Number(s), 0);
    return { code, stdout, seconds };
  }
}

function eddyArgs([command = "", ...args]: readonly string[]): string[] {
  const program = args.some((arg) => arg === "--nats")
    ? ["--config", pathOf("deno.json"), pathOf("main.ts")]
    : [pathOf("../workbench/cli/main.ts")];
  return ["run", "--quiet", "--allow-all", ...program, command, ...args];
}

/** Seconds of processor time of the NATS servers that this process started. */
function serverSeconds(): number {
  let ticks = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const text = Deno.readTextFileSync(`/proc/${name}/stat`);
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      if (!text.includes("(nats-server)") || fields[1] !== String(Deno.pid)) continue;
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It has just ended.
    }
  }
  return ticks / 100;
}

/** How many processes that do runs of these sources are there. */
function runnersLeft(): number {
  const runner = pathOf("fleet_runner.ts");
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      return /^\d+$/.test(name) && Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(runner);
    } catch {
      return false;
    }
  }).length;
}

/** A worker that can be killed. */
function startWorker(url: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: eddyArgs(["worker", "--nats", url, "--jobs", "1"]),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

async function end(worker: Deno.ChildProcess | undefined, signal: Deno.Signal): Promise<void> {
  try {
    worker?.kill(signal);
  } catch {
    // It has ended.
  }
  await worker?.status;
}

/** What a sweep with kills came to. */
interface Killed extends Ended {
  readonly kills: number;
  readonly serverKills: number;
}

/** Does a sweep while workers are killed one after the other, and once the server. */
async function withKills(
  folder: string,
  sweep: readonly string[],
  { workers, kills, every, seed }: {
    readonly workers: number;
    readonly kills: number;
    readonly every: number;
    readonly seed: number;
  },
): Promise<Killed> {
  const stream = seededRandom(seed, "kills");
  const random = () => stream.next();
  const kept = join(folder, "jetstream");
  let server = await NatsServer.start({ folder: kept });
  const running = Array.from({ length: workers }, () => startWorker(server.url));
  const waiting = new Timed(folder, [...sweep, "--nats", server.url]);
  let isOver = false;
  const ended = waiting.ended().finally(() => isOver = true);
  const count = { kills: 0, serverKills: 0 };
  try {
    while (!isOver && count.kills < kills) {
      await Promise.race([ended, pause(1000 * every * random())]);
      if (isOver) break;
      const which = Math.floor(random() * workers);
      await end(running[which], "SIGKILL");
      count.kills++;
      if (count.kills === Math.ceil(kills / 2)) {
        await server.stop("SIGKILL");
        await pause(1000 * random());
        server = await NatsServer.start({ folder: kept, port: server.port });
        count.serverKills++;
      }
      // One that finds no server at its start ends.
      running[which] = startWorker(server.url);
    }
    return { ...await ended, ...count };
  } finally {
    await Promise.all(running.map((worker) => end(worker, "SIGTERM")));
    await server.stop();
  }
}

/** Does a sweep with workers, and returns what all of it took. */
async function withWorkers(
  folder: string,
  sweep: readonly string[],
  workers: number,
): Promise<Ended> {
  await using server = await NatsServer.start();
  const running = Array.from(
    { length: workers },
    () => new Timed(folder, ["worker", "--nats", server.url, "--jobs", "1"]),
  );
  const waiting = await new Timed(folder, [...sweep, "--nats", server.url]).ended();
  for (const worker of running) worker.end();
  const all = await Promise.all(running.map((worker) => worker.ended()));
  const seconds = all.reduce((sum, each) => sum + each.seconds, waiting.seconds) + serverSeconds();
  return { ...waiting, seconds };
}

async function prove({ seeds, ...given }: FlagValues<typeof flags>): Promise<number> {
  if (!hasServer) throw new ScriptError("Cannot prove anything: nats-server is not installed");
  return await withTempDir({ prefix: "eddy-prove-" }, async (folder) => {
    const sweep = ["sweep", "-w", "lin-kv", "--seeds", String(seeds), "--json", "--no-shrink"];
    const perSeed = ({ seconds }: Ended) => `${(1000 * seconds / seeds).toFixed(1)} ms a seed`;
    const plain = await new Timed(folder, sweep).ended();
    say(`One machine: ${perSeed(plain)}, exit code ${plain.code}`);
    const fleet = await withWorkers(folder, sweep, given.workers);
    const ratio = (fleet.seconds / plain.seconds).toFixed(3);
    const isSame = (other: Ended) =>
      other.code === plain.code &&
      sweepLines(other.stdout).join("\n") === sweepLines(plain.stdout).join("\n");
    say(
      `${given.workers} workers: ${perSeed(fleet)}, ratio ${ratio}, same lines: ${isSame(fleet)}`,
    );
    const killed = await withKills(folder, sweep, given);
    const { kills, serverKills } = killed;
    say(
      `${kills} kills of workers, ${serverKills} of the server, same lines: ${isSame(killed)}`,
    );
    await pause(1000);
    const left = runnersLeft();
    say(`Processes left over: ${left}`);
    return isSame(fleet) && isSame(killed) && left === 0 ? 0 : 1;
  });
}

if (import.meta.main) await runCommand(usage, flags, prove);
