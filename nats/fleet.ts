/**
 * What a sweep over many machines keeps on a NATS server: its parts in a work queue, their results,
 * and the program; and the shapes of all messages.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import config from "@eddy/workbench/deno.json" with { type: "json" };
import { join } from "@std/path/join";
import {
  type Consumer,
  jetstream,
  JetStreamApiError,
  type JetStreamClient,
  JetStreamError,
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
} from "@nats-io/jetstream";
import {
  ConnectionError,
  type NatsConnection,
  NoRespondersError,
  RequestError,
  TimeoutError,
} from "@nats-io/transport-node";
import { type ObjectStore, Objm } from "@nats-io/obj";
import { createHash } from "node-crypto";
import { gunzipSync, gzipSync } from "node-zlib";
import * as v from "valibot";

/** After how long a part is given to another worker, if the one that has it is not heard of. */
export const ACK_WAIT_MS = 10_000;

/** How long parts, results and programs are kept if nobody removes them. */
const MAX_AGE_MS = 7 * 24 * 3600 * 1000;

const MS = 1_000_000;
const MIB = 1 << 20;

/** How many bytes a program has at most. */
export const MAX_PROGRAM_BYTES = 64 * MIB;

/** How many bytes the settings of a sweep have at most. */
const MAX_SETTINGS_BYTES = MIB;

/** How many bytes a result has at most, once it is unpacked. */
const MAX_RESULT_BYTES = 64 * MIB;

/** How many runs a part has at most. */
export const MAX_PART_RUNS = 32;

const PARTS = "eddy_sweep_parts";
const RESULTS = "eddy_sweep_results";
const FILES = "eddy_sweep_files";

/** Subjects that are not kept: workers say that they are there, and sweeps that they wait. */
export const WORKER_SUBJECT = "eddy_sweep.status.worker";
export const SWEEP_SUBJECT = "eddy_sweep.status.sweep";

/** How often they do. */
export const STATUS_MS = 2000;

const streams: readonly (Partial<StreamConfig> & { readonly name: string })[] = [
  {
    name: PARTS,
    description: "Parts of Eddy's sweeps that are to be done",
    subjects: ["eddy_sweep.part.*.*.*"],
    retention: "workqueue",
    max_bytes: 64 * MIB,
  },
  {
    name: RESULTS,
    description: "What the parts of Eddy's sweeps came to",
    subjects: ["eddy_sweep.result.*.*"],
    retention: "limits",
    max_bytes: 512 * MIB,
  },
];

/** What all streams have: a second message of one subject is refused, and nothing is pushed out. */
const once: Partial<StreamConfig> = {
  storage: "file",
  discard: "new",
  max_msgs_per_subject: 1,
  discard_new_per_subject: true,
  max_age: MAX_AGE_MS * MS,
};

const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const token = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, "expected letters and digits"));
const index = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A part of a sweep: each of its runs by its place, and after it the seeds that it varies. */
export const partSchema = v.object({
  sweep: token,
  name: token,
  runs: v.pipe(
    v.array(v.pipe(v.array(index), v.minLength(1), v.maxLength(64))),
    v.minLength(1),
    v.maxLength(MAX_PART_RUNS),
  ),
});

/** A part of a sweep. */
export type SweepPart = v.InferOutput<typeof partSchema>;

/** The settings of a sweep, which all its parts have. */
export const settingsSchema = v.object({
  /** The command line, without what the machine of whoever waits is told alone. */
  args: v.pipe(v.array(text(65_536)), v.maxLength(10_000)),
  programs: v.pipe(
    v.array(v.object({
      /** How the command line names it. */
      bin: text(4096),
      /** Where it was read from. */
      path: text(4096),
      kind: v.union([v.literal("module"), v.literal("wasm")]),
      /** The SHA-256 of its file, or of its bundle; the name of its object. */
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      /** The same of its source map, if it has one. */
      map: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
    })),
    v.maxLength(1000),
  ),
});

/** The settings of a sweep. */
export type SweepSettings = v.InferOutput<typeof settingsSchema>;

/** What a worker says of itself. */
export const workerStatus = v.object({
  worker: token,
  version: text(200),
  jobs: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(100_000)),
});

/** What a sweep says of itself. */
export const sweepStatus = v.object({ sweep: token, version: text(200) });

/** The SHA-256 of some bytes or of a text, in hexadecimal. */
export function digestOf(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** The version of what runs depend on. */
export interface FleetVersion {
  /** For people. */
  readonly name: string;
  /** For subjects. */
  readonly token: string;
}

/** The folders whose sources decide what a run comes to. */
const FOLDERS = ["node", "handlers", "mutants", "workbench", "nats"];

/** The version of this Eddy: its number, what its sources are, and which Deno runs them. */
export async function fleetVersion(root = new URL("../", import.meta.url)): Promise<FleetVersion> {
  const hash = createHash("sha256");
  const decoded = decodeURIComponent(root.pathname);
  const files = FOLDERS.flatMap((folder) => sourcesIn(join(decoded, folder)));
  // It has the versions of packages.
  hash.update(await Deno.readFile(join(decoded, "nats", "deno.json")));
  for (const path of files) {
    hash.update(`\0${path.slice(decoded.length)}\0`).update(await Deno.readFile(path));
  }
  hash.update(Deno.version.deno);
  const digest = hash.digest("hex").slice(0, 16);
  return {
    name: `${config.version} (${digest}, Deno ${Deno.version.deno})`,
    token: digest,
  };
}

/** The sources of a folder and below, in order. */
function sourcesIn(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return name === "node_modules" ? [] : sourcesIn(path);
    return /\.(ts|js)$/.test(name) && !name.endsWith("_test.ts") ? [path] : [];
  });
}

/** Packs a value, for a message or a file. */
export function pack(value: unknown): Uint8Array {
  return gzipSync(JSON.stringify(value), { level: 4 });
}

/** Unpacks what {@linkcode pack} made. */
export function unpack(bytes: Uint8Array, maxOutputLength: number = MAX_RESULT_BYTES): unknown {
  return JSON.parse(new TextDecoder().decode(gunzipSync(bytes, { maxOutputLength })));
}

/** How long after a failure is tried again. */
const RETRY_MS = 500;

/** Waits; an abort ends that early. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted) end();
    signal?.addEventListener("abort", end);
  });
}

/** Resolves as a promise does, or rejects when a signal aborts. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => {});
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Whether an error ends by itself, as that of a server that starts again. */
export function isPassing(error: unknown): boolean {
  if (error instanceof JetStreamApiError) {
    const isFull = /maximum .*exceeded|insufficient/.test(error.message);
    return (error.status >= 500 && !isFull) || isMissing(error);
  }
  return [TimeoutError, NoRespondersError, RequestError, ConnectionError, JetStreamError]
    .some((kind) => error instanceof kind);
}

/** Whether something is not there: an index of streams may still be read. */
function isMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.status === 404;
}

/** What of sweeps is on a server. */
export class FleetStore {
  readonly #signal: AbortSignal;
  readonly #js: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #connection: NatsConnection;

  private constructor(
    connection: NatsConnection,
    manager: JetStreamManager,
    signal: AbortSignal,
  ) {
    this.#connection = connection;
    this.#js = jetstream(connection);
    this.#manager = manager;
    this.#signal = signal;
  }

  /**
   * Opens it, and makes the streams that are missing.
   *
   * @param signal ends whatever waits for a server that does not answer
   * @throws {Error} if the server has no JetStream, or streams of other settings by these names.
   */
  static async open(connection: NatsConnection, signal: AbortSignal): Promise<FleetStore> {
    try {
      const manager = await jetstreamManager(connection);
      const store = new FleetStore(connection, manager, signal);
      await store.ensure();
      return store;
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw new Error(`Cannot use JetStream of the NATS server: ${errorText(cause)}`, { cause });
    }
  }

  /** How many bytes a message has at most. */
  get maxMessageBytes(): number {
    // Some room for the subject and headers.
    return (this.#connection.info?.max_payload ?? MIB) - 1024;
  }

  /** Makes the streams that are missing. */
  async ensure(): Promise<void> {
    for (const stream of streams) await this.#ensureStream({ ...once, ...stream });
  }

  async #ensureStream(wanted: Partial<StreamConfig> & { readonly name: string }): Promise<void> {
    const { name, retention } = wanted;
    const { config } = await this.#lasting(async () => {
      try {
        return await this.#manager.streams.info(name);
      } catch (error) {
        if (!isMissing(error)) throw error;
        return await this.#manager.streams.add(wanted);
      }
    });
    if (config.retention !== retention || !config.discard_new_per_subject) {
      throw new Error(`its stream ${name} has other settings than Eddy's; remove it`);
    }
  }

  /** The consumer that all workers of a version share. */
  consumer(version: string): Promise<Consumer> {
    const name = `eddy_workers_${version}`;
    return this.#lasting(async () => {
      await this.#manager.consumers.add(PARTS, {
        durable_name: name,
        ack_policy: "explicit",
        ack_wait: ACK_WAIT_MS * MS,
        max_ack_pending: 10_000,
        max_deliver: -1,
        filter_subject: `eddy_sweep.part.${version}.*.*`,
        inactive_threshold: MAX_AGE_MS * MS,
      });
      return await this.#js.consumers.get(PARTS, name);
    });
  }

  /** Puts a part into the queue, unless it is there. */
  async putPart(version: string, part: SweepPart): Promise<void> {
    const subject = `eddy_sweep.part.${version}.${part.sweep}.${part.name}`;
    await this.#putOnce(subject, new TextEncoder().encode(JSON.stringify(part)));
  }

  /** Keeps what a part came to, unless that is kept. */
  async putResult({ sweep, name }: SweepPart, bytes: Uint8Array): Promise<void> {
    await this.#putOnce(resultSubject(sweep, name), bytes);
  }

  async #putOnce(subject: string, bytes: Uint8Array): Promise<void> {
    await this.#lasting(async () => {
      try {
        await this.#js.publish(subject, bytes);
      } catch (error) {
        if (!(error instanceof JetStreamApiError && /per subject/.test(error.message))) throw error;
      }
    });
  }

  /** What a part came to; undefined if that is not there. */
  resultOf({ sweep, name }: SweepPart): Promise<Uint8Array | undefined> {
    return this.#lasting(async () => {
      const query = { last_by_subj: resultSubject(sweep, name) };
      return (await this.#manager.streams.getMessage(RESULTS, query))?.data;
    });
  }

  /** The names of the parts of a sweep that are in the queue, or with a worker. */
  waiting(version: string, sweep: string): Promise<Set<string>> {
    return this.#namesIn(PARTS, `eddy_sweep.part.${version}.${sweep}.*`);
  }

  /** The names of the parts that have a result. */
  finished(sweep: string): Promise<Set<string>> {
    return this.#namesIn(RESULTS, resultSubject(sweep, "*"));
  }

  #namesIn(stream: string, filter: string): Promise<Set<string>> {
    return this.#lasting(async () => {
      const { state } = await this.#manager.streams.info(stream, { subjects_filter: filter });
      return new Set(
        Object.keys(state.subjects ?? {}).map((subject) =>
          subject.slice(subject.lastIndexOf(".") + 1)
        ),
      );
    });
  }

  /** Delivers the results of a sweep, from a place in their stream on. */
  results(sweep: string, from: number): Promise<Consumer> {
    return this.#lasting(() =>
      this.#js.consumers.get(RESULTS, {
        filter_subjects: resultSubject(sweep, "*"),
        deliver_policy: "by_start_sequence",
        opt_start_seq: from,
      })
    );
  }

  /** Takes the parts of a sweep that no worker has begun out of the queue, and those that one has. */
  async withdraw(version: string, sweep: string): Promise<void> {
    const filter = `eddy_sweep.part.${version}.${sweep}.*`;
    await this.#lasting(() => this.#manager.streams.purge(PARTS, { filter }));
  }

  /** Removes the results of a sweep, or of one of its parts. */
  async removeResults(sweep: string, name = "*"): Promise<void> {
    const filter = resultSubject(sweep, name);
    await this.#lasting(() => this.#manager.streams.purge(RESULTS, { filter }));
  }

  /** Keeps a file, unless it is kept. */
  async putFile(name: string, bytes: Uint8Array): Promise<void> {
    await this.#lasting(async () => {
      const files = await this.#files();
      const kept = await files.info(name);
      if (kept === null || kept.deleted) await files.putBlob({ name }, bytes);
    });
  }

  /** A file; undefined if it is not there. */
  file(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    return this.#lasting(async () => {
      const files = await this.#files();
      const kept = await files.info(name);
      if (kept === null || kept.deleted) return undefined;
      if (kept.size > maxBytes) {
        throw new Error(`Cannot take file ${name}: it has more than ${maxBytes} bytes`);
      }
      return await files.getBlob(name) ?? undefined;
    });
  }

  /** Removes a file. */
  async removeFile(name: string): Promise<void> {
    await this.#lasting(async () => {
      const files = await this.#files();
      if (await files.info(name) !== null) await files.delete(name);
    });
  }

  #files(): Promise<ObjectStore> {
    return new Objm(this.#js).create(FILES, {
      description: "The settings and programs of Eddy's sweeps",
      storage: "file",
      ttl: MAX_AGE_MS * MS,
      max_bytes: 512 * MIB,
    });
  }

  /** Does something on the server, and again for as long as it does not answer. */
  async #lasting<T>(act: () => Promise<T>): Promise<T> {
    const signal = this.#signal;
    for (let tries = 0;; tries++) {
      signal.throwIfAborted();
      try {
        return await unlessAborted(act(), signal);
      } catch (error) {
        const isLost = isMissing(error) && tries >= 3;
        if (signal.aborted || !isPassing(error) || isLost) throw error;
        await pause(RETRY_MS, signal);
      }
    }
  }
}

function resultSubject(sweep: string, name: string): string {
  return `eddy_sweep.result.${sweep}.${name}`;
}

/** Keeps the settings of a sweep, by its name. */
export async function putSettings(
  store: FleetStore,
  sweep: string,
  settings: SweepSettings,
): Promise<void> {
  const bytes = pack(settings);
  if (bytes.length > MAX_SETTINGS_BYTES) {
    throw new Error(`Cannot send settings of ${bytes.length} bytes`);
  }
  await store.putFile(`sweep-${sweep}`, bytes);
}

/** The settings of a sweep; undefined if they are not there. */
export async function readSettings(
  store: FleetStore,
  sweep: string,
): Promise<SweepSettings | undefined> {
  const bytes = await store.file(`sweep-${sweep}`, MAX_SETTINGS_BYTES);
  return bytes && v.parse(settingsSchema, unpack(bytes));
}

/** Removes the settings of a sweep. */
export async function removeSettings(store: FleetStore, sweep: string): Promise<void> {
  await store.removeFile(`sweep-${sweep}`);
}
