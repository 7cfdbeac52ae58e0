/**
 * `sweep --nats`: puts the runs of a sweep into a queue on a NATS server, and waits for what workers
 * make of them. All else is as in a sweep of one machine.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { stderrLog } from "@eddy/maelstrom/stdio";
import { plural } from "@eddy/workbench/checkers/checker.ts";
import { ignoredFlags, OF_PROGRAM } from "@eddy/workbench/cli/flags.ts";
import { sweptFigures } from "@eddy/workbench/cli/merge.ts";
import type { Fleet, FleetHooks } from "@eddy/workbench/cli/run_all.ts";
import { type Labelled, sweepFlags, sweepOn } from "@eddy/workbench/cli/sweep.ts";
import { printableLine } from "@eddy/workbench/explain.ts";
import type { RunFigures } from "@eddy/workbench/sweep.ts";
import type { NatsConnection } from "@nats-io/transport-node";
import * as v from "valibot";
import { connectTo, ServerWatch } from "./connect.ts";
import {
  ACK_WAIT_MS,
  digestOf,
  FleetStore,
  type FleetVersion,
  fleetVersion,
  MAX_PART_RUNS,
  MAX_PROGRAM_BYTES,
  pause,
  putSettings,
  removeSettings,
  STATUS_MS,
  SWEEP_SUBJECT,
  type SweepPart,
  type SweepSettings,
  unlessAborted,
  unpack,
  WORKER_SUBJECT,
  workerStatus,
} from "./fleet.ts";
import { ownArgs, sentArgs } from "./fleet_args.ts";

/** How many parts there are about, if that makes them small enough: each goes to a core. */
const PARTS = 250;

/** How many messages are on their way to the server at a time. */
const WINDOW = 100;

/** After how long without a result is looked whether the server has lost something. */
const STALL_MS = 2 * ACK_WAIT_MS;

/** Runs the command and returns the exit code of the worst run. */
export async function sweepOverNats(args: readonly string[]): Promise<number> {
  const { flags } = parseFlags({ ...sweepFlags, ...ignoredFlags }, args, OF_PROGRAM);
  const sent = sentArgs(args);
  const connection = await connectTo(flags, "eddy sweep");
  const fleet = new NatsFleet(connection, await fleetVersion(), sent);
  try {
    const code = await sweepOn(ownArgs(args), fleet);
    await fleet.finish();
    return code;
  } catch (error) {
    await fleet.withdraw();
    throw error;
  } finally {
    fleet.close();
    await connection.close();
  }
}

/** A part whose result is awaited. */
interface AwaitedPart extends SweepPart {
  readonly jobs: readonly Labelled[];
  /** The place of its first job among those that were given. */
  readonly offset: number;
}

/** A sweep as it is on the server. */
interface SentSweep {
  readonly name: string;
  readonly settings: SweepSettings;
  /** The programs, by their SHA-256. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Workers on a NATS server, which do the runs of one sweep. */
class NatsFleet implements Fleet<Labelled> {
  readonly #connection: NatsConnection;
  readonly #version: FleetVersion;
  readonly #args: readonly string[];
  readonly #workers: Workers;
  readonly #server: ServerWatch;
  #store: FleetStore | undefined;
  #sweep: SentSweep | undefined;
  #done = 0;
  readonly #beganMs = performance.now();

  constructor(connection: NatsConnection, version: FleetVersion, args: readonly string[]) {
    this.#connection = connection;
    this.#version = version;
    this.#args = args;
    this.#server = new ServerWatch(connection, stderrLog);
    this.#workers = new Workers(connection, version, this.#server);
  }

  describe(): string {
    const seconds = (performance.now() - this.#beganMs) / 1000;
    return `${(this.#done / seconds).toFixed(1)} runs/s by ${this.#workers.describe()}`;
  }

  async run(jobs: readonly Labelled[], from: number, hooks: FleetHooks): Promise<void> {
    const { signal, onOutcome } = hooks;
    const process = jobs.find(({ bin }) => bin !== undefined);
    if (process !== undefined) {
      throw new UsageError(
        `Cannot run ${process.bin} over NATS: a program that runs as processes is not sent to other ` +
          "machines",
      );
    }
    const store = this.#store ??= await FleetStore.open(this.#connection, signal);
    const sweep = this.#sweep ??= await sentSweep(jobs, this.#args, this.#version);
    const awaited = new Map(partsOf(sweep.name, jobs, from).map((part) => [part.name, part]));
    const take = (name: string, bytes: Uint8Array) => {
      const part = awaited.get(name);
      if (part === undefined) return;
      const runs = readRuns(part, bytes);
      awaited.delete(name);
      this.#done += runs.length;
      runs.forEach(({ outcome, tookMs }, i) => onOutcome(outcome, part.offset + i, tookMs));
    };
    const telling = this.#workers.tell(sweep.name, hooks);
    try {
      for (let from = 1; awaited.size > 0;) {
        await store.ensure();
        await this.#publish(store, sweep, awaited, take);
        if (awaited.size > 0) from = await listen(store, sweep.name, from, awaited, take, signal);
      }
    } catch (error) {
      // Else the same command would only read it again.
      if (error instanceof PartFailed) await store.removeResults(sweep.name, error.part);
      throw error;
    } finally {
      telling.stop();
    }
  }

  /** Takes the results that are there, and puts the parts that are nowhere into the queue. */
  async #publish(
    store: FleetStore,
    { name, settings, files }: SentSweep,
    awaited: ReadonlyMap<string, AwaitedPart>,
    take: (name: string, bytes: Uint8Array) => void,
  ): Promise<void> {
    for (const [sha256, bytes] of files) await store.putFile(sha256, bytes);
    await putSettings(store, name, settings);
    for (const finished of await store.finished(name)) {
      const part = awaited.get(finished);
      const bytes = part && await store.resultOf(part);
      if (bytes !== undefined) take(finished, bytes);
    }
    const waiting = await store.waiting(this.#version.token, name);
    const missing = [...awaited.values()].filter((part) => !waiting.has(part.name));
    for (let i = 0; i < missing.length; i += WINDOW) {
      await Promise.all(
        missing.slice(i, i + WINDOW).map(({ sweep, name, runs }) =>
          store.putPart(this.#version.token, { sweep, name, runs })
        ),
      );
    }
  }

  /** Removes all of the sweep that is of no use any more. */
  async finish(): Promise<void> {
    const [store, sweep] = [this.#store, this.#sweep];
    if (store === undefined || sweep === undefined) return;
    await quickly(async () => {
      await store.withdraw(this.#version.token, sweep.name);
      await store.removeResults(sweep.name);
      await removeSettings(store, sweep.name);
    });
  }

  /** Takes what no worker has begun out of the queue; what is done stays for the next call. */
  async withdraw(): Promise<void> {
    const sweep = this.#sweep;
    if (sweep === undefined) return;
    await quickly(async () => {
      const store = await FleetStore.open(this.#connection, AbortSignal.timeout(LAST_MS));
      await store.withdraw(this.#version.token, sweep.name);
      stderrLog(
        "What has been done so far is kept on the NATS server for 7 days, and the same command " +
          "goes on from there",
      );
    });
  }

  /** Hears no more of workers. */
  close(): void {
    this.#workers.close();
  }
}

/** How long is tried to leave the server in order at the end. */
const LAST_MS = 3000;

/** Does something that is of no consequence if the server is not there to do it. */
async function quickly(act: () => Promise<void>): Promise<void> {
  const ended = new AbortController();
  const late = pause(LAST_MS, ended.signal).then(() => {
    throw new Error("it does not answer");
  });
  try {
    await Promise.race([act(), late]);
  } catch (error) {
    stderrLog(
      printableLine(`What is left on the NATS server stays for 7 days: ${errorText(error)}`),
    );
  } finally {
    late.catch(() => {});
    ended.abort();
  }
}

/** What is sent of a sweep. */
async function sentSweep(
  jobs: readonly Labelled[],
  args: readonly string[],
  { name: version }: FleetVersion,
): Promise<SentSweep> {
  const files = new Map<string, Uint8Array>();
  const programs = new Map<string, SweepSettings["programs"][number]>();
  const keep = (bin: string, bytes: Uint8Array): string => {
    if (bytes.length > MAX_PROGRAM_BYTES) {
      throw new UsageError(`Cannot send ${bin}: it has more than ${MAX_PROGRAM_BYTES} bytes`);
    }
    const sha256 = digestOf(bytes);
    files.set(sha256, bytes);
    return sha256;
  };
  for (const { program, planned } of jobs) {
    if (program === undefined || planned === undefined || programs.has(planned.bin)) continue;
    const { kind, path } = program;
    const { bin } = planned;
    const code = kind === "wasm" ? await Deno.readFile(path) : encoder.encode(program.code);
    const map = kind === "wasm" || program.map === undefined
      ? undefined
      : keep(bin, encoder.encode(program.map));
    const sha256 = keep(bin, code);
    if (sha256 !== planned.sha256) throw new Error(`Cannot send ${bin}: it has just changed`);
    programs.set(bin, { bin, path, kind, sha256, map });
  }
  const settings: SweepSettings = { args: [...args], programs: [...programs.values()] };
  const name = digestOf(JSON.stringify([version, settings])).slice(0, 32);
  return { name, settings, files };
}

const encoder = new TextEncoder();

/** The parts that some runs make. */
function partsOf(sweep: string, jobs: readonly Labelled[], from: number): AwaitedPart[] {
  const size = Math.min(MAX_PART_RUNS, Math.ceil(jobs.length / PARTS));
  return Array.from({ length: Math.ceil(jobs.length / size) }, (_, i) => {
    const offset = i * size;
    const own = jobs.slice(offset, offset + size);
    const runs = own.map(({ parents = [] }, k) => [from + offset + k, ...parents]);
    // What the others reached decides what is varied, and so is part of the name.
    const name = `${from + offset}-${digestOf(JSON.stringify(runs)).slice(0, 16)}`;
    return { sweep, name, runs, jobs: own, offset };
  });
}

const resultSchema = v.union([
  v.object({ error: v.string() }),
  v.object({
    runs: v.array(v.object({
      index: v.number(),
      tookMs: v.pipe(v.number(), v.minValue(0)),
      outcome: v.looseObject({
        ...sweptFigures.entries,
        reached: v.optional(v.array(v.string())),
        anomalies: v.array(v.string()),
        path: v.optional(v.undefined()),
      }),
    })),
  }),
]);

/** A part that could not be done, by what its worker says. */
class PartFailed extends Error {
  readonly part: string;

  constructor(part: string, message: string) {
    super(message);
    this.part = part;
  }
}

/**
 * The runs of a part.
 *
 * @throws {PartFailed} if they could not be done, or are not those that were asked for.
 */
function readRuns(
  { name, runs, jobs }: AwaitedPart,
  bytes: Uint8Array,
): { readonly outcome: RunFigures; readonly tookMs: number }[] {
  const [first, last] = [jobs[0], jobs.at(-1)].map((job) => job?.options.seed);
  const which = `the runs of seeds ${first} to ${last}`;
  let result: v.InferOutput<typeof resultSchema>;
  try {
    const value = unpack(bytes);
    // What is read is kept as it is: the order of names, too, is that of one machine.
    v.assert(resultSchema, value);
    result = value;
  } catch (error) {
    throw new PartFailed(name, `Cannot read what ${which} came to: ${errorText(error)}`);
  }
  if ("error" in result) {
    throw new PartFailed(name, `Cannot do ${which}: ${printableLine(result.error)}`);
  }
  const done = result.runs;
  const areThose = done.length === runs.length &&
    done.every(({ index, outcome }, i) =>
      index === runs[i]?.[0] && outcome.seed === jobs[i]?.options.seed
    );
  if (!areThose) throw new PartFailed(name, `Cannot take ${which}: others were done`);
  return done.map(({ outcome, tookMs }) => ({
    outcome: { ...outcome, path: undefined } as unknown as RunFigures,
    tookMs,
  }));
}

/**
 * Takes results as they come, until all are there or none has come for long.
 *
 * @param from where the first that is new may be in the stream of results
 * @returns the same for those after the last.
 */
async function listen(
  store: FleetStore,
  sweep: string,
  from: number,
  awaited: ReadonlyMap<string, AwaitedPart>,
  take: (name: string, bytes: Uint8Array) => void,
  signal: AbortSignal,
): Promise<number> {
  const consumer = await store.results(sweep, from);
  const messages = await unlessAborted(consumer.consume(), signal);
  let newsMs = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - newsMs > STALL_MS) messages.stop();
  }, 1000);
  const stop = () => messages.stop();
  signal.addEventListener("abort", stop);
  try {
    if (signal.aborted) stop();
    for await (const { seq, subject, data } of messages) {
      newsMs = performance.now();
      from = seq + 1;
      take(subject.slice(subject.lastIndexOf(".") + 1), data);
      if (awaited.size === 0) break;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    clearInterval(timer);
    messages.stop();
  }
  signal.throwIfAborted();
  return from;
}

/** How long a worker counts as there after it was heard. */
const HEARD_MS = 5 * STATUS_MS;

/** How long a sweep waits for workers before it says that there are none. */
const PATIENCE_MS = 2 * STATUS_MS + 1000;

/** How many workers are remembered. */
const MAX_WORKERS = 10_000;

/** The workers that are heard of. */
class Workers {
  readonly #connection: NatsConnection;
  readonly #version: FleetVersion;
  readonly #server: ServerWatch;
  readonly #heard = new Map<string, { version: string; jobs: number; atMs: number }>();
  readonly #subscription: { unsubscribe(): void };

  constructor(connection: NatsConnection, version: FleetVersion, server: ServerWatch) {
    this.#connection = connection;
    this.#version = version;
    this.#server = server;
    this.#subscription = connection.subscribe(WORKER_SUBJECT, {
      callback: (error, message) => {
        if (error === null) this.#hear(message.data);
      },
    });
  }

  #hear(data: Uint8Array): void {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(data));
    } catch {
      return;
    }
    const parsed = v.safeParse(workerStatus, value);
    if (!parsed.success) return;
    const { worker, version, jobs } = parsed.output;
    if (this.#heard.size >= MAX_WORKERS && !this.#heard.has(worker)) return;
    this.#heard.set(worker, { version, jobs, atMs: performance.now() });
  }

  /** Those that are there, of this version and of others. */
  #present() {
    const nowMs = performance.now();
    for (const [worker, { atMs }] of this.#heard) {
      if (nowMs - atMs > HEARD_MS) this.#heard.delete(worker);
    }
    const all = [...this.#heard.values()];
    const isOurs = ({ version }: { version: string }) => version === this.#version.name;
    return { ours: all.filter(isOurs), others: all.filter((each) => !isOurs(each)) };
  }

  /** How many there are. */
  describe(): string {
    const { ours } = this.#present();
    const jobs = ours.reduce((sum, { jobs }) => sum + jobs, 0);
    return `${plural(ours.length, "worker")}, ${jobs} at once`;
  }

  /** Tells them of a sweep while it waits, and says where there are none that do its runs. */
  tell(sweep: string, { say }: FleetHooks): { stop(): void } {
    const beganMs = performance.now();
    let said = "";
    const tell = () => {
      if (this.#connection.isClosed()) return;
      this.#connection.publish(
        SWEEP_SUBJECT,
        JSON.stringify({ sweep, version: this.#version.name }),
      );
      const sinceMs = Math.max(beganMs, this.#server.reachedMs);
      if (!this.#server.isThere || performance.now() - sinceMs < PATIENCE_MS) return;
      const text = this.#lack();
      if (text !== "" && text !== said) say(text);
      said = text;
    };
    tell();
    const timer = setInterval(tell, STATUS_MS);
    return { stop: () => clearInterval(timer) };
  }

  #lack(): string {
    const { ours, others } = this.#present();
    const versions = [...new Set(others.map(({ version }) => printableLine(version)))].sort();
    const refusing = others.length === 0
      ? ""
      : `${plural(others.length, "worker")} of another version (${
        versions.slice(0, 3).join("; ")
      }) will not do runs of this one (${this.#version.name})`;
    if (ours.length > 0) return refusing;
    const none = this.#connection.isClosed() || others.length > 0
      ? "no other worker is there"
      : "No worker is there";
    return `${refusing === "" ? "" : `${refusing}; `}${none}: eddy worker --nats URL starts one`;
  }

  close(): void {
    this.#subscription.unsubscribe();
  }
}
