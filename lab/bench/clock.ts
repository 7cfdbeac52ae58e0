/**
 * Clocks of Linux: the one that all threads share, and the processor time of a process.
 *
 * `performance.now()` counts from the start of its own thread, and `performance.timeOrigin` is by
 * the clock on the wall, which may be set in between. The times in `/proc` are in units of 10 ms.
 *
 * @module
 */

const CLOCK_MONOTONIC = 1;
/** `CPUCLOCK_SCHED` of the kernel, in the lowest bits of the clock of a process. */
const CPUCLOCK_SCHED = 2;

const libc = Deno.build.os !== "linux" ? undefined : Deno.dlopen("libc.so.6", {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
});
const timespec = new BigInt64Array(2);

function readMs(clock: number): number {
  const failed = libc?.symbols.clock_gettime(clock, timespec) !== 0;
  const [seconds = 0n, nanoseconds = 0n] = timespec;
  return failed ? NaN : Number(seconds) * 1e3 + Number(nanoseconds) / 1e6;
}

/** Milliseconds that can be compared between threads. */
export function monotonicMs(): number {
  return readMs(CLOCK_MONOTONIC);
}

/**
 * The processor time that all threads of a process have used, user and system, ended ones included.
 *
 * @returns milliseconds; `NaN` if there is no such process.
 */
export function cpuMs(pid: number): number {
  return readMs((~pid << 3) | CPUCLOCK_SCHED);
}
