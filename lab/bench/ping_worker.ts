/**
 * One end of a node under a steady load, in a thread of its own: the thread sleeps or waits for the
 * pipe, so no event loop and no timer of a millisecond is in the figures.
 *
 * The pipes are opened anew through `/proc`, since those of a `Deno.Command` are not read or
 * written by calls that wait.
 *
 * @module
 */

import type { ThreadScope } from "@eddy/workbench/threads.ts";
import { monotonicMs } from "./clock.ts";
import { type Chunk, echo, Output, requestBytes } from "./load.ts";

/** What a thread is to do. */
export interface PingJob {
  readonly end: "write" | "read";
  /** The node's process. */
  readonly pid: number;
  /** How many requests of the echo load. */
  readonly count: number;
  /** When the first is due, by {@linkcode monotonicMs}. */
  readonly beginMs: number;
  /** Requests a second. */
  readonly rate: number;
}

/** When requests were sent, or what was read; `null` if the node ended, and at the start. */
export type PingDone = Float64Array | Chunk[] | null;

const READ_BYTES = 1 << 16;
/** A write that takes longer has met a full pipe. */
const FULL_MS = 1;

function sleepUntil(dueMs: number): void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (let leftMs = dueMs - monotonicMs(); leftMs > 0; leftMs = dueMs - monotonicMs()) {
    Atomics.wait(never, 0, 0, leftMs);
  }
}

/** One of a node's pipes; `undefined` if it has closed it or has ended. */
function openPipe(pid: number, fd: 0 | 1): Deno.FsFile | undefined {
  try {
    return Deno.openSync(`/proc/${pid}/fd/${fd}`, fd === 0 ? { write: true } : { read: true });
  } catch {
    return undefined;
  }
}

/** Writes a line; `false` if there is nobody to read it. */
function write(input: Deno.FsFile, line: Uint8Array): boolean {
  try {
    for (let done = 0; done < line.length;) done += input.writeSync(line.subarray(done));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}

/**
 * Writes each request when it is due, whether or not others are answered.
 *
 * A request that is late since this thread overslept counts from when it is written; one that is
 * late since the pipe was full counts from when it was due.
 */
function writeAll({ pid, count, beginMs, rate }: PingJob): Float64Array | null {
  using input = openPipe(pid, 0);
  if (input === undefined) return null;
  const sentMs = new Float64Array(count);
  let fullUntilMs = 0;
  for (let index = 0; index < count; index++) {
    const line = requestBytes(echo, index, index + 1);
    const dueMs = beginMs + index * 1000 / rate;
    sleepUntil(dueMs);
    const nowMs = monotonicMs();
    sentMs[index] = dueMs < fullUntilMs ? dueMs : nowMs;
    if (!write(input, line)) return null;
    const writtenMs = monotonicMs();
    if (writtenMs - nowMs > FULL_MS) fullUntilMs = writtenMs;
  }
  return sentMs;
}

function readAll({ pid, count }: PingJob): Chunk[] | null {
  using pipe = openPipe(pid, 1);
  if (pipe === undefined) return null;
  const buffer = new Uint8Array(READ_BYTES);
  const output = new Output(count);
  while (!output.isDone) {
    const size = pipe.readSync(buffer);
    const atMs = monotonicMs();
    if (size === null) return null;
    output.add(buffer.slice(0, size), atMs);
  }
  return output.chunks;
}

const thread = self as unknown as ThreadScope<PingJob, PingDone>;
thread.onmessage = ({ data: job }) => {
  thread.postMessage(job.end === "write" ? writeAll(job) : readAll(job));
};
thread.postMessage(null); // It has started.
