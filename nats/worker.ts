/**
 * `worker`: does parts of the sweeps that are on a NATS server, one on each core.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { stderrLog } from "@eddy/maelstrom/stdio";
import { workerFlags } from "@eddy/workbench/cli/nats.ts";
import { printableLine } from "@eddy/workbench/explain.ts";
import type { Consumer, JsMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import * as v from "valibot";
import { connectTo, ServerWatch } from "./connect.ts";
import {
  ACK_WAIT_MS,
  digestOf,
  FleetStore,
  type FleetVersion,
  fleetVersion,
  MAX_PROGRAM_BYTES,
  pack,
  partSchema,
  pause,
  readSettings,
  STATUS_MS,
  SWEEP_SUBJECT,
  type SweepPart,
  sweepStatus,
  unlessAborted,
  WORKER_SUBJECT,
} from "./fleet.ts";
import { RunnerDied, RunnerProcess, RunsRefused } from "./fleet_process.ts";
import type { DoneRun, SentProgram } from "./fleet_runner.ts";

/** How often the server hears that a part is still being done. */
const HEARTBEAT_MS = ACK_WAIT_MS / 3;

/** How long the server is asked for a part at a time; after that a process with nothing to do ends. */
const ASK_MS = 30_000;

/** How often a part is begun here when the process that does it dies. */
const MAX_ATTEMPTS = 3;

/** How often a part is given to workers before it counts as one that ends them. */
const MAX_DELIVERIES = 30;

/** After how long a part is given out again that could not be begun. */
const LATER_MS = 5000;

/** After how long without a word of a sweep its runs are given back: it may have been ended. */
const SILENT_MS = 30_000;

/** How many sweeps are remembered. */
const MAX_SWEEPS = 10_000;

/** The signals that end a worker. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What a part came to, as it is packed. */
export type PartResult = { readonly runs: readonly DoneRun[] } | { readonly error: string };

/** Runs the command until a signal ends it. */
export async function workerCommand(args: readonly string[]): Promise<number> {
  const { flags, words, rest } = parseFlags(workerFlags, args);
  const [word] = [...words, ...rest];
  if (word !== undefined) throw new UsageError(`Unexpected argument ${JSON.stringify(word)}`);
  const controller = new AbortController();
  const end = () => controller.abort(new Error("The worker was ended"));
  SIGNALS.forEach((signal) => Deno.addSignalListener(signal, end));
  const connection = await connectTo(flags, "eddy worker");
  try {
    const version = await fleetVersion();
    const store = await FleetStore.open(connection, controller.signal);
    const jobs = flags.jobs ?? navigator.hardwareConcurrency;
    const worker = new FleetWorker(connection, store, version, controller.signal);
    stderrLog(`Worker of version ${version.name}, runs at once: ${jobs}; Ctrl-C ends it`);
    await worker.run(jobs);
    return 0;
  } catch (error) {
    if (controller.signal.aborted) return 0;
    throw error;
  } finally {
    SIGNALS.forEach((signal) => Deno.removeSignalListener(signal, end));
    await connection.close();
  }
}

/** Does parts, several at once. */
class FleetWorker {
  readonly #connection: NatsConnection;
  readonly #store: FleetStore;
  readonly #version: FleetVersion;
  readonly #signal: AbortSignal;
  /** When each sweep was last heard of. */
  readonly #heardMs = new Map<string, number>();
  readonly #server: ServerWatch;
  /** What has been said, so that it is said once. */
  readonly #said = new Set<string>();

  constructor(
    connection: NatsConnection,
    store: FleetStore,
    version: FleetVersion,
    signal: AbortSignal,
  ) {
    this.#connection = connection;
    this.#store = store;
    this.#version = version;
    this.#signal = signal;
    this.#server = new ServerWatch(connection, stderrLog);
  }

  /** Whether a sweep has not been heard of for long, since a moment, though the server was there. */
  #isSilent = (sweep: string, sinceMs: number): boolean => {
    const heardMs = this.#heardMs.get(sweep) ?? 0;
    const fromMs = Math.max(heardMs, sinceMs, this.#server.reachedMs);
    return this.#server.isThere && performance.now() - fromMs > SILENT_MS;
  };

  /** Does parts until the signal, or an error that does not pass. */
  async run(jobs: number): Promise<void> {
    const worker = crypto.randomUUID().slice(0, 8);
    const status = JSON.stringify({ worker, version: this.#version.name, jobs });
    const tell = () => {
      if (!this.#connection.isClosed()) this.#connection.publish(WORKER_SUBJECT, status);
    };
    tell();
    const timer = setInterval(tell, STATUS_MS);
    const sweeps = this.#connection.subscribe(SWEEP_SUBJECT, {
      callback: (error, message) => {
        if (error === null) this.#hear(message.data);
      },
    });
    const closed = this.#connection.closed().then((error) => {
      throw error ?? new Error("The connection to the NATS server was closed");
    });
    closed.catch(() => {});
    const others = new AbortController();
    const signal = AbortSignal.any([this.#signal, others.signal]);
    const slots = Array.from(
      { length: jobs },
      () => new Slot(this.#store, signal, this.#say, this.#isSilent),
    );
    const working = slots.map((slot) => slot.run(this.#version.token));
    try {
      await Promise.race([Promise.all(working), closed]);
    } finally {
      others.abort(new Error("Another slot has failed"));
      await Promise.allSettled(working);
      clearInterval(timer);
      sweeps.unsubscribe();
      if (!this.#connection.isClosed()) await withinSecond(this.#connection.flush());
    }
  }

  /** Hears of a sweep that waits. */
  #hear(data: Uint8Array): void {
    const heard = v.safeParse(sweepStatus, parsedJson(data));
    if (!heard.success) return;
    if (heard.output.version === this.#version.name) {
      const { sweep } = heard.output;
      if (this.#heardMs.has(sweep) || this.#heardMs.size < MAX_SWEEPS) {
        this.#heardMs.set(sweep, performance.now());
      }
      return;
    }
    this.#say(
      `Cannot do runs of a sweep of version ${heard.output.version}: this worker is of version ` +
        this.#version.name,
    );
  }

  #say = (text: string): void => {
    // As many different ones as this are no news.
    if (this.#said.has(text) || this.#said.size > 1000) return;
    this.#said.add(text);
    stderrLog(printableLine(text));
  };
}

/** What does one run at a time. */
export class Slot {
  readonly #store: FleetStore;
  readonly #signal: AbortSignal;
  readonly #say: (text: string) => void;
  readonly #isSilent: (sweep: string, sinceMs: number) => boolean;
  #runner: { readonly sweep: string; readonly process: RunnerProcess } | undefined;

  /** @param isSilent whether a sweep has not been heard of for long, since a moment */
  constructor(
    store: FleetStore,
    signal: AbortSignal,
    say: (text: string) => void,
    isSilent: (sweep: string, sinceMs: number) => boolean = () => false,
  ) {
    this.#store = store;
    this.#signal = signal;
    this.#say = say;
    this.#isSilent = isSilent;
  }

  /** Does parts until the signal. */
  async run(version: string): Promise<void> {
    let consumer: Consumer | undefined;
    try {
      while (!this.#signal.aborted) {
        consumer ??= await this.#store.consumer(version);
        let message: JsMsg | null;
        try {
          message = await unlessAborted(consumer.next({ expires: ASK_MS }), this.#signal);
        } catch (error) {
          // The server has gone, or the stream: both are asked for again.
          if (!this.#signal.aborted) this.#say(`No parts are to be had now: ${errorText(error)}`);
          await pause(500, this.#signal);
          await this.#store.ensure();
          consumer = undefined;
          continue;
        }
        if (message === null) await this.#endRunner();
        else await this.#take(message);
      }
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      await this.#endRunner();
    }
  }

  /** Does a part, and says so to the server once its result is stored. */
  async #take(message: JsMsg): Promise<void> {
    const parsed = v.safeParse(partSchema, parsedJson(message.data));
    if (!parsed.success) {
      this.#say("A message in the queue is no part of a sweep, and is left out");
      message.term("it is no part of a sweep");
      return;
    }
    const part = parsed.output;
    const timer = setInterval(() => quietly(() => message.working()), HEARTBEAT_MS);
    try {
      if (await this.#store.resultOf(part) === undefined) {
        const result = await this.#resultOf(part, message.info.deliveryCount);
        if (result === undefined) {
          quietly(() => message.nak(LATER_MS));
          return;
        }
        await this.#store.putResult(part, result);
      }
      // If this is lost the part is given out again, and its result is found.
      await unlessAborted(message.ackAck(), this.#signal).catch(() => {});
    } catch (error) {
      quietly(() => message.nak(this.#signal.aborted ? undefined : LATER_MS));
      if (this.#signal.aborted) throw error;
      this.#say(`A result cannot be stored: ${errorText(error)}`);
      await pause(LATER_MS, this.#signal);
    } finally {
      clearInterval(timer);
    }
  }

  /** What a part came to, packed; undefined if it could not be begun. */
  async #resultOf(part: SweepPart, deliveries: number): Promise<Uint8Array | undefined> {
    const result = deliveries > MAX_DELIVERIES
      ? { error: `Workers began it ${MAX_DELIVERIES} times, and none ended it` }
      : await this.#runsOf(part);
    if (result === undefined) return undefined;
    const bytes = pack(result);
    const most = this.#store.maxMessageBytes;
    return bytes.length <= most
      ? bytes
      : pack({ error: `Its result has ${bytes.length} bytes, and the server takes ${most}` });
  }

  async #runsOf(part: SweepPart): Promise<PartResult | undefined> {
    for (let attempt = 1;; attempt++) {
      const given = new AbortController();
      const sinceMs = performance.now();
      const timer = setInterval(() => {
        if (this.#isSilent(part.sweep, sinceMs)) given.abort(new Error("The sweep is gone"));
      }, 1000);
      try {
        const runner = await this.#runnerOf(part.sweep);
        const signal = AbortSignal.any([this.#signal, given.signal]);
        return runner && { runs: await unlessAborted(runner.run(part.runs), signal) };
      } catch (error) {
        if (this.#signal.aborted) throw error;
        await this.#endRunner();
        if (given.signal.aborted) return undefined;
        if (error instanceof RunsRefused) return { error: error.message };
        if (!(error instanceof RunnerDied)) throw error;
        this.#say(error.message);
        if (attempt === MAX_ATTEMPTS) {
          return { error: `${error.message} (${MAX_ATTEMPTS} times)` };
        }
      } finally {
        clearInterval(timer);
      }
    }
  }

  /** The process that does runs of a sweep; undefined if its settings or programs are not there. */
  async #runnerOf(sweep: string): Promise<RunnerProcess | undefined> {
    if (this.#runner?.sweep === sweep) return this.#runner.process;
    await this.#endRunner();
    const settings = await readSettings(this.#store, sweep);
    if (settings === undefined) {
      this.#say(`The settings of sweep ${sweep} are not there; its runs are left for later`);
      return undefined;
    }
    const programs: SentProgram[] = [];
    for (const { bin, path, kind, sha256, map } of settings.programs) {
      const file = await this.#fileOf(sha256);
      const mapped = map === undefined ? undefined : await this.#fileOf(map);
      if (file === undefined || (map !== undefined && mapped === undefined)) {
        this.#say(`The program of sweep ${sweep} is not there; its runs are left for later`);
        return undefined;
      }
      const content = kind === "wasm"
        ? { wasm: file.toBase64() }
        : { code: decoder.decode(file), map: mapped && decoder.decode(mapped) };
      programs.push({ bin, path, sha256, ...content });
    }
    this.#say(`Does runs of: sweep ${settings.args.join(" ")}`);
    const process = new RunnerProcess();
    this.#runner = { sweep, process };
    await unlessAborted(process.begin({ args: settings.args, programs }), this.#signal);
    return process;
  }

  async #fileOf(sha256: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#store.file(sha256, MAX_PROGRAM_BYTES);
    const is = bytes && digestOf(bytes);
    if (is === undefined || is === sha256) return bytes;
    throw new Error(`A program has SHA-256 ${is} in place of ${sha256}`);
  }

  async #endRunner(): Promise<void> {
    const runner = this.#runner;
    this.#runner = undefined;
    await runner?.process.end();
  }
}

/** Tells the server something that it would find out by itself; the connection may be closed. */
function quietly(tell: () => void): void {
  try {
    tell();
  } catch {
    // The part is given out again when nothing was heard of it for long enough.
  }
}

const decoder = new TextDecoder();

/** The value of a JSON text; undefined if it is none. */
function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

/** Waits for a promise, but not long: the server may be gone. */
async function withinSecond(promise: Promise<unknown>): Promise<void> {
  const ended = new AbortController();
  await Promise.race([promise.catch(() => {}), pause(1000, ended.signal)]);
  ended.abort();
}
