/**
 * The workloads that the node binary serves, by Maelstrom's names.
 *
 * @module
 */

import { type Flags, type FlagValues, parseFlags, UsageError } from "../node/flags.ts";
import type { Node } from "../node/node.ts";
import { serveEcho } from "./echo.ts";
import { serveUniqueIds } from "./unique_ids.ts";

/** A workload: what it is, what can be set, and how a node comes to serve it. */
export interface Workload {
  /** One line for `--help`. */
  readonly summary: string;
  readonly flags: Flags;
  /**
   * Reads a command line and returns what registers the handlers.
   *
   * @throws {UsageError} if it cannot be obeyed.
   */
  readonly configure: (args: readonly string[]) => (node: Node) => void;
}

/** What every command line accepts, whatever the workload. */
export const commonFlags = {
  help: { help: "Say this" },
  version: { help: "Say which version this is" },
} satisfies Flags;

function workload<F extends Flags>(
  summary: string,
  flags: F,
  serve: (node: Node, options: FlagValues<F>) => void,
): Workload {
  return {
    summary,
    flags,
    configure(args) {
      const { flags: options, words, rest } = parseFlags({ ...flags, ...commonFlags }, args);
      const [extra] = [...words, ...rest];
      if (extra !== undefined) {
        const what = `Unexpected argument ${JSON.stringify(extra)}`;
        throw new UsageError(`${what}: one workload is accepted, before its options`);
      }
      return (node) => serve(node, options as FlagValues<F>);
    },
  };
}

/** All workloads with handlers. */
export const workloads: Readonly<Record<string, Workload>> = {
  echo: workload("says back what it is told", {}, serveEcho),
  "unique-ids": workload("makes ids that no other node makes", {}, serveUniqueIds),
};

/**
 * The workload of a name.
 *
 * @throws {UsageError} naming those there are.
 */
export function findWorkload(name: string): Workload {
  const found = Object.hasOwn(workloads, name) ? workloads[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(workloads).join(", ");
  throw new UsageError(`Unknown workload ${JSON.stringify(name)}: accepted are ${known}`);
}
