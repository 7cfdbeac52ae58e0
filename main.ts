#!/usr/bin/env -S deno run
/**
 * The node binary: reads messages line by line, runs each in a handler of its own, and answers.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import config from "./deno.json" with { type: "json" };
import { readNodeCommand } from "@eddy/handlers/workloads";
import { Node, type OpenStorage, StorageError } from "@eddy/maelstrom";
import { UsageError } from "@eddy/maelstrom/flags";
import { failReading, guardProcess, stderrLog, stdin, stdoutLine } from "@eddy/maelstrom/stdio";

const hint = `Type messages, one JSON object per line; end with Ctrl-D. Begin with:
{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}`;

/** Serves a workload until input ends, a signal comes or the storage fails. */
async function serve(install: (node: Node) => void, storage?: OpenStorage): Promise<void> {
  const { stopped } = guardProcess();
  const node = new Node({ storage });
  install(node);
  if (Deno.stdin.isTerminal()) stderrLog(hint);

  const signal = AbortSignal.any([stopped, node.failed]);
  const lines = stdin({ signal }).pipeThrough<string>(new TextLineStream());
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
    const asked = await readNodeCommand(args, {
      command: "eddy",
      version: config.version,
      loadDisk: () => import("@eddy/maelstrom/disk"),
    });
    if ("text" in asked) stdoutLine(asked.text);
    else await serve(asked.install, asked.storage);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof StorageError)) failReading(error);
    stderrLog(error.message);
    return error instanceof UsageError ? 2 : error.exitCode;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
