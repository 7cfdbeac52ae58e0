/**
 * `test --nats`: the workbench's `test`, with nodes that are processes on a NATS server.
 *
 * It is all the same command but for what runs the nodes: flags, faults, checkers, results and exit
 * codes are those of `workbench/cli/test.ts`.
 *
 * @module
 */

import { type EngineMaker, testCommand } from "@eddy/workbench/cli/test.ts";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectTo } from "./connect.ts";
import { natsEngine } from "./engine.ts";

/** What the server calls the workbench. */
const NAME = "eddy test";

/**
 * Runs the command and returns the exit code.
 *
 * @throws {UsageError} if the command line asks for what there is not over NATS.
 * @throws {Error} if no server can be reached.
 */
export async function testOverNats(args: readonly string[]): Promise<number> {
  let connection: NatsConnection | undefined;
  const makeEngine: EngineMaker = (flags, nodeArgs) => {
    return natsEngine(flags, nodeArgs, async () => connection ??= await connectTo(flags, NAME));
  };
  try {
    return await testCommand(args, makeEngine);
  } finally {
    await connection?.close();
  }
}
