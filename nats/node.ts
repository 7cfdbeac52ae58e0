/**
 * A node between machines: the same handlers as on standard input and output, over a NATS server.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { readNodeCommand } from "@eddy/handlers/workloads";
import { Node, type NodeOptions, StorageError } from "@eddy/maelstrom";
import {
  describeFlags,
  type Flags,
  type FlagValues,
  parseFlags,
  UsageError,
} from "@eddy/maelstrom/flags";
import { guardProcess, stderrLog, stdoutLine } from "@eddy/maelstrom/stdio";
import { natsFlags } from "@eddy/workbench/cli/nats.ts";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectTo } from "./connect.ts";
import { firstOf, ServerLink } from "./server_link.ts";
import { clusterFlag, isSubjectName } from "./subjects.ts";
import { NatsTransport } from "./transport.ts";

/** The flags of a node that are not its workload's. */
const nodeFlags = {
  ...natsFlags,
  name: { help: "The node's name, one of --nodes", value: "NAME", accepts: "a name" },
  nodes: {
    help: "The names of all nodes of the cluster, comma separated; the same on each",
    value: "NAMES",
    accepts: "names of letters, digits, - and _, comma separated, each of them once",
    parse: nodeNames,
  },
  ...clusterFlag,
  controlled: { help: "Lose messages when told so on the node's subject control, for tests" },
} satisfies Flags;

function nodeNames(text: string): readonly string[] | undefined {
  const names = text.split(",").map((name) => name.trim());
  return names.every(isSubjectName) && new Set(names).size === names.length ? names : undefined;
}

/** Serves a workload until a signal comes or the storage fails, and returns the exit code. */
export async function nodeCommand(args: readonly string[]): Promise<number> {
  const [ours, theirs] = splitFlags(args, nodeFlags);
  const { flags } = parseFlags(nodeFlags, ours);
  const asked = await readNodeCommand(theirs, {
    command: "nats/main.ts",
    version: config.version,
    loadDisk: () => import("@eddy/maelstrom/disk"),
  });
  if ("text" in asked) {
    stdoutLine(theirs.includes("--version") ? asked.text : helpText(asked.text));
    return 0;
  }
  const { name, nodes } = identityOf(flags);
  const connection = await connectTo(flags, `eddy node ${name} of ${flags.cluster}`);
  const { stopped } = guardProcess();
  try {
    await serveNode(connection, {
      ...asked,
      cluster: flags.cluster,
      name,
      nodes,
      controlled: flags.controlled,
      stopped,
      log: stderrLog,
    });
    return 0;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    stderrLog(error.message);
    return error.exitCode;
  }
}

/** The arguments that are some flags and their values, and the others. */
export function splitFlags(
  args: readonly string[],
  flags: Flags,
): [ours: string[], theirs: string[]] {
  const [ours, theirs]: [string[], string[]] = [[], []];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    const [, name = "", joined] = /^--([^=]+)(=|$)/s.exec(arg) ?? [];
    if (!Object.hasOwn(flags, name)) {
      theirs.push(arg);
      continue;
    }
    ours.push(arg);
    if (flags[name]?.value !== undefined && joined === "") ours.push(...args.slice(++at, at + 1));
  }
  return [ours, theirs];
}

function identityOf(
  { name, nodes }: FlagValues<typeof nodeFlags>,
): { readonly name: string; readonly nodes: readonly string[] } {
  if (name === undefined || nodes === undefined) {
    const missing = name === undefined ? "--name NAME" : "--nodes NAMES";
    throw new UsageError(`Cannot serve a node without ${missing}`);
  }
  if (!nodes.includes(name)) {
    throw new UsageError(
      `Cannot use ${JSON.stringify(name)} for --name: expected one of --nodes, ${nodes.join(", ")}`,
    );
  }
  return { name, nodes };
}

/** What is said of a node on standard input and output, and what is otherwise here. */
function helpText(text: string): string {
  return `A node between machines: its messages go over a NATS server instead.

${describeFlags(nodeFlags)}

Example:
  nats/main.ts lin-kv --nats nats://127.0.0.1:4222 --name n1 --nodes n1,n2,n3

Maelstrom's services for nodes are \`nats/main.ts services\`, which has --help, as have sweep, worker,
test and call, the commands of \`eddy\`.

Workloads and their options are those of a node on standard input and output:

${text}`;
}

/** What a node over NATS is made of. */
interface ServedNode extends Pick<NodeOptions, "storage" | "maxInFlight"> {
  readonly install: (node: Node) => void;
  readonly cluster: string;
  readonly name: string;
  readonly nodes: readonly string[];
  /** @default false */
  readonly controlled?: boolean | undefined;
  /** Ends the node: what is in flight is finished. */
  readonly stopped: AbortSignal;
  readonly log: (text: string) => void;
}

/**
 * Serves a node on a connection, until it is stopped; then closes the connection.
 *
 * @throws {StorageError} if the node's storage fails.
 * @throws {Error} if another process serves the name, or the connection ends for good.
 */
export async function serveNode(connection: NatsConnection, served: ServedNode): Promise<void> {
  const { install, storage, maxInFlight, cluster, name, nodes, controlled, stopped, log } = served;
  const link = new ServerLink(connection, log);
  const transport = new NatsTransport({ link, cluster, id: name, nodes, controlled, log });
  try {
    const node = new Node({ output: transport, log, storage, maxInFlight });
    install(node);
    await transport.listen(node);
    const ended = firstOf(stopped, node.failed, link.lost);
    const init = transport.request({ type: "init", node_id: name, node_ids: [...nodes] });
    const reply = await Promise.race([init, ended]);
    if (reply?.type === "error") throw new Error(`Cannot start ${name}: ${reply.text}`);
    if (reply !== undefined) {
      log(`Node ${name} of cluster ${cluster} is ready on ${connection.getServer()}`);
    }
    await ended;
    transport.stopRequests();
    await node.drain();
    link.lost.throwIfAborted();
  } finally {
    transport.close();
    await link.close();
  }
}
