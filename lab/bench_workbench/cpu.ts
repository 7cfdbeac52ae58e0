/**
 * Processor time, from Linux.
 *
 * @module
 */

/** The unit of processor times in /proc, which Linux fixes for all it shows to programs. */
const TICK_MS = 10;

/** Processor time of all threads of this process. */
export function ownCpuMs(): number {
  return sumOfFields(11, 12);
}

/** Processor time of all processes that this one has waited for. */
export function childrenCpuMs(): number {
  return sumOfFields(13, 14);
}

function sumOfFields(user: number, system: number): number {
  const stat = Deno.readTextFileSync("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[user]) + Number(fields[system])) * TICK_MS;
}
