/**
 * The threads beside the main one, and where their modules are.
 *
 * @module
 */

import { activity } from "./watchdog.ts";

/** The names of the threads: one does runs of a sweep, one watches nodes that do not return. */
export type ThreadName = "sweep" | "watchdog";

/**
 * Starts a thread.
 *
 * @param module where its module is, among the sources
 * @param sources where the sources are: the caller's own `import.meta.url`
 * @returns the thread, which waits for what it is sent.
 */
export function startThread(name: ThreadName, module: string, sources: string): Worker {
  const isBundle = !sources.endsWith(".ts");
  return new Worker(isBundle ? entry() : new URL(module, sources), { type: "module", name });
}

/** The entry of a bundle, which each thread loads; its name says what it is for. */
function entry(): string {
  return currentThread() === undefined ? Deno.mainModule : location.href;
}

/** How long a handler may take, in seconds of the machine's time. */
const LIMIT_SECONDS = 30;

/** What a watchdog's own thread is started with. */
export interface WatchOrder {
  readonly buffer: ArrayBufferLike;
  readonly limitSeconds: number;
}

/**
 * Ends the process, with one sentence on standard error, when a node in this thread has not
 * returned for too long while a run was under way.
 *
 * @param askedSeconds how long; 30 by default and at most
 * @returns a function that ends the watch.
 */
export function startWatchdog(askedSeconds: number = LIMIT_SECONDS): () => void {
  const limitSeconds = Math.min(LIMIT_SECONDS, Math.ceil(askedSeconds));
  const worker = startThread("watchdog", "./watchdog_worker.ts", import.meta.url);
  worker.postMessage({ buffer: activity.buffer, limitSeconds } satisfies WatchOrder);
  return () => worker.terminate();
}

/** The thread that this code runs in; undefined in the main one, and in threads of others. */
export function currentThread(): ThreadName | undefined {
  const { name, postMessage } = globalThis as { name?: unknown; postMessage?: unknown };
  if (postMessage === undefined) return undefined;
  return name === "sweep" || name === "watchdog" ? name : undefined;
}

/**
 * The scope of a thread, to receive what it is sent and to answer.
 *
 * @typeParam Received what it is sent
 * @typeParam Sent what it answers
 */
export interface ThreadScope<Received, Sent = never> {
  /** Called with what it is sent. */
  onmessage: (event: MessageEvent<Received>) => void;
  /** Answers. */
  postMessage(answer: Sent): void;
}
