/**
 * What keeps a process to the protocol: its console, its uncaught errors, and signals.
 *
 * @module
 */

import { describeError } from "./errors.ts";
import { fail, stderrLog } from "./stdio.ts";

/**
 * Makes all of `console` write to standard error. The methods that print by themselves are made
 * anew, for Deno's hold on to standard output.
 */
function redirectConsole(): void {
  const print = console.error;
  const counts = new Map<string, number>();
  const startsMs = new Map<string, number>();
  const printTime = (label = "default", ...values: unknown[]) => {
    const nowMs = performance.now();
    const ms = nowMs - (startsMs.get(label) ?? nowMs);
    print(`${label}: ${ms.toFixed(3)} ms`, ...values);
  };
  Object.assign(console, {
    log: print,
    info: print,
    debug: print,
    dirxml: print,
    dir: (value: unknown, options?: Deno.InspectOptions) => print(Deno.inspect(value, options)),
    table: (rows: unknown) => print(rows),
    clear: () => {},
    count(label = "default") {
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      print(`${label}: ${count}`);
    },
    countReset: (label = "default") => void counts.delete(label),
    time: (label = "default") => void startsMs.set(label, performance.now()),
    timeLog: printTime,
    timeEnd(label = "default") {
      printTime(label);
      startsMs.delete(label);
    },
  });
}

/** Settings of {@linkcode guardProcess}. */
export interface GuardOptions {
  /**
   * How long the process may take to end after a signal, in milliseconds; then it ends all the
   * same, with exit code 1. It takes long when handlers hang or nobody reads what they said.
   *
   * @default 15000
   */
  graceMs?: number;
}

/** What {@linkcode guardProcess} gives. */
export interface ProcessGuard {
  /** Aborts at the first SIGTERM or SIGINT; at a later one the process ends at once. */
  readonly stopped: AbortSignal;
}

/** Signals this close are one: of a Ctrl-C, `deno task` passes on what the terminal sent already. */
const SAME_SIGNAL_MS = 500;

/**
 * Keeps the process to the protocol: `console` writes to standard error, an error that nobody
 * caught is reported and survived, and signals become an orderly end.
 */
export function guardProcess({ graceMs = 15_000 }: GuardOptions = {}): ProcessGuard {
  redirectConsole();
  const report = (event: Event, error: unknown) => {
    event.preventDefault();
    stderrLog(`Nobody caught: ${describeError(error)}`);
  };
  globalThis.addEventListener("unhandledrejection", (event) => report(event, event.reason));
  globalThis.addEventListener("error", (event) => report(event, event.error));
  const stop = new AbortController();
  let stoppedAtMs: number | undefined;
  const onSignal = () => {
    stoppedAtMs ??= performance.now();
    if (performance.now() - stoppedAtMs > SAME_SIGNAL_MS) Deno.exit(1);
    if (stop.signal.aborted) return;
    stop.abort();
    setTimeout(() => fail(`Gave up: still not done ${graceMs} ms after the signal`), graceMs);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, onSignal);
  return { stopped: stop.signal };
}
