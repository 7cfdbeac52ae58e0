/**
 * The worker threads: which are free, which processes they run, and their clients.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";
import { Client, type ClientContext } from "./client.ts";
import type { RunOptions } from "./options.ts";
import { randomBelow } from "./random.ts";
import type { ClientCall, ClientSession, Threads, Workload } from "./generator.ts";

/** One thread, which does one operation at a time. */
export interface Worker {
  readonly thread: number;
  /** The node to which it sends all requests. */
  readonly node: string;
  /** Its process: a new one after each operation whose outcome is unknown. */
  process: number;
  busy: boolean;
  /** Its client, from its first operation on. */
  connection: Connection | undefined;
}

interface Connection {
  /** The process that it was opened for. */
  readonly process: number;
  readonly client: Client;
  readonly session: ClientSession;
}

/** What workers need of the run. */
interface WorkersContext extends ClientContext {
  readonly workload: Workload;
  readonly options: RunOptions;
  /** Draws whose turn it is, if the thread order is random. */
  readonly random: Random;
}

/** All worker threads. */
export class Workers implements Threads {
  readonly #context: WorkersContext;
  readonly #workers: Worker[];
  /** Undefined where turns go round. */
  readonly #random: Random | undefined;
  /** Whose turn it is, if free. */
  #turn = 0;
  #busyCount = 0;

  constructor(context: WorkersContext) {
    this.#context = context;
    const { nodeIds, concurrency, threadOrder } = context.options;
    this.#random = threadOrder === "random" ? context.random : undefined;
    this.#workers = Array.from({ length: concurrency }, (_, thread) => ({
      thread,
      node: nodeIds[thread % nodeIds.length] as string,
      process: thread,
      busy: false,
      connection: undefined,
    }));
  }

  get count(): number {
    return this.#workers.length;
  }

  /** How many have an operation to do. */
  get busyCount(): number {
    return this.#busyCount;
  }

  process(thread: number): number {
    return this.#at(thread).process;
  }

  nextFree(from = 0, to = this.#workers.length): number | undefined {
    if (this.#busyCount === this.#workers.length) return undefined;
    const turn = this.#random === undefined
      ? this.#turn
      : from + randomBelow(this.#random, to - from);
    const first = turn > from && turn < to ? turn : from;
    return this.#firstFree(first, to) ?? this.#firstFree(from, first);
  }

  /**
   * Takes a free thread for an operation.
   *
   * @throws {Error} if it is busy.
   */
  take(thread: number): Worker {
    const worker = this.#at(thread);
    if (worker.busy) throw new Error(`Cannot use thread ${thread}: it is busy`);
    worker.busy = true;
    this.#busyCount++;
    this.#turn = (thread + 1) % this.#workers.length;
    return worker;
  }

  /**
   * Gives a thread back.
   *
   * @param crashed whether its operation's outcome is unknown: its process is then over
   */
  release(worker: Worker, crashed: boolean): void {
    worker.busy = false;
    this.#busyCount--;
    if (crashed) worker.process += this.#workers.length;
  }

  /**
   * The session in which a thread does its next operation.
   *
   * A client that does not outlive its process is replaced only now, so that until here a late
   * reply still finds it.
   */
  session(worker: Worker): ClientSession {
    const { workload } = this.#context;
    const { connection, process } = worker;
    if (connection !== undefined && (workload.reusableClients || connection.process === process)) {
      return connection.session;
    }
    this.#close(worker);
    const opened = this.#open(worker);
    worker.connection = opened;
    return opened.session;
  }

  /** Closes all clients; what they wait for is given up. */
  close(): void {
    for (const worker of this.#workers) this.#close(worker);
  }

  #close(worker: Worker): void {
    worker.connection?.client.close();
    worker.connection = undefined;
  }

  #open({ node, process }: Worker): Connection {
    const { workload, options } = this.#context;
    const client = new Client(this.#context);
    return { process, client, session: workload.session(callOn(client, node), options) };
  }

  #firstFree(from: number, to: number): number | undefined {
    for (let thread = from; thread < to; thread++) {
      if (!this.#at(thread).busy) return thread;
    }
    return undefined;
  }

  #at(thread: number): Worker {
    const worker = this.#workers[thread];
    if (worker === undefined) throw new RangeError(`Cannot use thread ${thread}: there is none`);
    return worker;
  }
}

/** A function that sends a client's requests to one node. */
export function callOn(client: Client, node: string): ClientCall {
  return (request, schema, timeoutMs) => client.call(node, request, schema, timeoutMs);
}
