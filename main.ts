#!/usr/bin/env -S deno run
/**
 * The node binary: reads messages line by line, runs each in a handler of its own, and answers.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import config from "./deno.json" with { type: "json" };
import { workloads } from "./handlers/workloads.ts";
import { describeFlags, parseFlags, UsageError } from "./node/flags.ts";
import { Node } from "./node/node.ts";
import { guardProcess, stderrLog, stdin, stdoutLine } from "./node/stdio.ts";

const flags = {
  help: { help: "Say this" },
  version: { help: "Say which version this is" },
};

const help = `Usage: eddy [workload] [options]

A Maelstrom node: reads one JSON message per line from standard input and answers on standard output.

Workloads (default echo):
${
  Object.entries(workloads).map(([name, { summary }]) => `  ${name.padEnd(17)}${summary}`).join(
    "\n",
  )
}

Options:
${describeFlags(flags)}`;

const hint = `Type messages, one JSON object per line; end with Ctrl-D. Begin with:
{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}`;

/** Serves a workload until input ends or a signal comes. */
async function serve(name: string): Promise<void> {
  const workload = Object.hasOwn(workloads, name) ? workloads[name] : undefined;
  if (workload === undefined) {
    const known = Object.keys(workloads).join(", ");
    throw new UsageError(`Unknown workload ${JSON.stringify(name)}: accepted are ${known}`);
  }
  const { stopped } = guardProcess();
  const node = new Node();
  workload.serve(node);
  if (Deno.stdin.isTerminal()) stderrLog(hint);

  const lines = stdin({ signal: stopped }).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    // Starts a detached handler and returns: nothing is waited for here but room for the answers.
    node.receive(line);
    if (node.busy) await node.ready();
  }
  await node.drain();
}

/** Obeys a command line and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const { flags: { help: wantsHelp, version }, words, rest } = parseFlags(flags, args);
    const [name = "echo", extra] = [...words, ...rest];
    if (extra !== undefined) {
      throw new UsageError(
        `Unexpected argument ${JSON.stringify(extra)}: one workload is accepted`,
      );
    }
    if (wantsHelp) stdoutLine(help);
    else if (version) stdoutLine(config.version);
    else await serve(name);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderrLog(error.message);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
