/**
 * A request to a node or service from a shell.
 *
 * @module
 */

import { errorText, isJsonObject, type Json, type JsonObject, parseJson } from "@eddy/maelstrom";
import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { stdoutLine } from "@eddy/maelstrom/stdio";
import { callFlags } from "@eddy/workbench/cli/nats.ts";
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { connectTo } from "./connect.ts";
import { rpcSubjectOf } from "./subjects.ts";

/** The exit code where the reply is an error. */
const ERROR_REPLY = 1;

/** Sends a request, prints the reply's body, and returns the exit code. */
export async function callCommand(args: readonly string[]): Promise<number> {
  const { flags, words, rest } = parseFlags(callFlags, args);
  const [node, body, extra] = [...words, ...rest];
  if (node === undefined || body === undefined || extra !== undefined) {
    throw new UsageError(
      `Cannot call: expected a node's name and a body, as in n1 '{"type":"read"}'`,
    );
  }
  refuseUnlessBody(body);
  const subject = rpcSubjectOf(flags.cluster, node);
  const connection = await connectTo(flags, "eddy call");
  try {
    const reply = await call(connection, { ...flags, subject, node, body });
    stdoutLine(JSON.stringify(reply));
    return reply.type === "error" ? ERROR_REPLY : 0;
  } finally {
    await connection.close();
  }
}

/** Refuses what no node would take: its answer would say less. */
function refuseUnlessBody(text: string): void {
  let body: Json;
  try {
    body = parseJson(text);
  } catch (cause) {
    throw new UsageError(`Cannot use ${JSON.stringify(text)} as a body: ${errorText(cause)}`);
  }
  if (isJsonObject(body) && typeof body.type === "string") return;
  throw new UsageError(
    `Cannot use ${JSON.stringify(text)} as a body: expected an object with a type, a text`,
  );
}

/**
 * Sends a request and waits for the reply's body.
 *
 * @throws {Error} if there is no such node, or it does not answer in time.
 */
async function call(
  connection: NatsConnection,
  { subject, node, body, cluster, timeout }: {
    readonly subject: string;
    readonly node: string;
    readonly body: string;
    readonly cluster: string;
    readonly timeout: number;
  },
): Promise<JsonObject> {
  let text: string;
  try {
    text = (await connection.request(subject, body, { timeout })).string();
  } catch (cause) {
    if (isNoResponder(cause)) throw new Error(`No node ${node} in cluster ${cluster}`, { cause });
    if (cause instanceof errors.TimeoutError || isTimeout(cause)) {
      const text = `No reply from ${node} in ${timeout} ms: what was asked for may have happened`;
      throw new Error(text, { cause });
    }
    throw new Error(`Cannot call ${node}: ${errorText(cause)}`, { cause });
  }
  const reply = parseJson(text);
  if (isJsonObject(reply)) return reply;
  throw new Error(`Cannot read the reply of ${node}: ${text.slice(0, 120)}`);
}

function isNoResponder(error: unknown): boolean {
  return error instanceof errors.NoRespondersError ||
    (error instanceof errors.RequestError && error.isNoResponders());
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof errors.TimeoutError;
}
