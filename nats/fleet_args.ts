/**
 * Which arguments of a sweep are sent to other machines: those that decide what its runs come to, and
 * none that names a file.
 *
 * @module
 */

import { type Flags, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { ignoredFlags, OF_PROGRAM } from "@eddy/workbench/cli/flags.ts";
import { natsFlags } from "@eddy/workbench/cli/nats.ts";
import { sweepFlags } from "@eddy/workbench/cli/sweep.ts";

const accepted: Flags = { ...sweepFlags, ...ignoredFlags };

/** What says where the server is. */
const SERVER = Object.keys(natsFlags);

/** What only the machine that waits is told. */
const KEPT = [
  ...[...SERVER, "store", "json", "color", "jobs", "junit", "no-shrink"],
  ...Object.keys(ignoredFlags),
];

/** What cannot be used, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  shard: "the parts are made by themselves",
  "nodes-file": "files are not sent; --nodes has the names",
  "real-time": "a program that runs as processes is not sent to other machines",
};

/**
 * The arguments of a sweep that are sent.
 *
 * @throws {UsageError} if one cannot be.
 */
export function sentArgs(args: readonly string[]): string[] {
  const sent = without(KEPT, args);
  checkSent(sent);
  return sent;
}

/** The arguments of the same sweep on one machine, which repeat its runs. */
export function ownArgs(args: readonly string[]): string[] {
  return without(SERVER, args);
}

/** Arguments without some flags. */
function without(flags: readonly string[], args: readonly string[]): string[] {
  const sent: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") {
      sent.push(...args.slice(i));
      break;
    }
    const [, name = "", equals] = /^--([\w-]+)(=)?/.exec(arg) ?? [];
    const isShort = /^-\w$/.test(arg);
    const takesNext = equals === undefined && !/^-(?!\d)/.test(args[i + 1] ?? "") &&
      (isShort || (Object.hasOwn(accepted, name) && accepted[name]?.value !== undefined));
    const words = takesNext ? args.slice(i, i + 2) : [arg];
    if (takesNext) i++;
    if (!flags.includes(name)) sent.push(...words);
  }
  return sent;
}

/**
 * Checks arguments that another machine has sent.
 *
 * @throws {UsageError} if they are no sweep's, or have more than {@linkcode sentArgs} sends.
 */
export function checkSent(args: readonly string[]): void {
  const { flags, words } = parseFlags({ ...sweepFlags, ...ignoredFlags }, args, OF_PROGRAM);
  if (words.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(words[0])}`);
  const given: Readonly<Record<string, unknown>> = flags;
  const varied = flags.vary.map(({ name }) => name);
  for (const name of Object.keys(accepted)) {
    const value = given[name];
    const isGiven = value !== undefined && value !== false && value !== accepted[name]?.default;
    const why = REFUSED[name] ?? (KEPT.includes(name) ? "it is not sent" : undefined);
    if (why === undefined || !(isGiven || varied.includes(name))) continue;
    throw new UsageError(`Cannot use --${name} over NATS: ${why}`);
  }
}
