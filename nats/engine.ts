/**
 * A run of the workbench whose nodes are processes on a NATS server.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { readNodeCommand } from "@eddy/handlers/workloads";
import { UsageError } from "@eddy/maelstrom/flags";
import type { Engine } from "@eddy/workbench/cli/engine.ts";
import { toRunOptions } from "@eddy/workbench/cli/flags.ts";
import { SUBJECT_NAME_RULE } from "@eddy/workbench/cli/nats.ts";
import type { TestFlags } from "@eddy/workbench/cli/test.ts";
import type { Cluster, ClusterOptions } from "@eddy/workbench/cluster.ts";
import { LoadMeter } from "@eddy/workbench/load_meter.ts";
import { checkOptions, type RunOptions, whyNotForProcesses } from "@eddy/workbench/options.ts";
import {
  checkArgsAndHooks,
  type RunHooks,
  runIn,
  type RunResult,
  type Watcher,
} from "@eddy/workbench/run.ts";
import { createRealWorld, type World } from "@eddy/workbench/world.ts";
import { join } from "@std/path/join";
import type { NatsConnection } from "@nats-io/transport-node";
import type { ConnectFlags } from "./connect.ts";
import { createNatsCluster, NatsNetwork, NOT_BETWEEN } from "./nats_cluster.ts";
import { isSubjectName } from "./subjects.ts";

/** What a run over NATS has beside its options. */
export interface NatsRun {
  /** The workbench's own connection. */
  readonly connection: NatsConnection;
  /** How nodes connect. */
  readonly server: ConnectFlags;
  /** What every node is started with, after its workload. */
  readonly args: readonly string[];
}

/** What the engine is called in results. */
const ENGINE_NAME = "Real time, Eddy's own node as processes over NATS";

/**
 * What runs Eddy's own node over NATS.
 *
 * @param connect called once it is known that all of it can be run
 * @throws {UsageError} if the flags ask for what there is not over NATS, or the node has no such
 * options.
 */
export async function natsEngine(
  flags: TestFlags,
  args: readonly string[],
  connect: () => Promise<NatsConnection>,
): Promise<Engine> {
  refuseFlags(flags);
  await checkNodeArgs(flags.workload, args);
  const connection = await connect();
  const server = { nats: flags.nats, creds: flags.creds, tlsca: flags.tlsca };
  return {
    name: ENGINE_NAME,
    isVirtual: false,
    run: (options, hooks, drawn = args) => {
      return runOnServer({ connection, server, args: drawn }, options, hooks);
    },
  };
}

function refuseFlags(flags: TestFlags): void {
  const { bin, nemesis, plan, compute } = flags;
  if (bin !== undefined) {
    throw new UsageError(`Cannot use --bin ${bin} over NATS: only Eddy's own node runs there`);
  }
  if (typeof nemesis === "string") {
    throw new UsageError(
      `Cannot use --nemesis ${nemesis} over NATS: it draws faults that only virtual time has; name ` +
        "the kinds of faults",
    );
  }
  if (compute !== undefined) {
    throw new UsageError("Cannot use --compute over NATS: nodes run in real time");
  }
  // A plan's options are checked when it is run.
  if (plan !== undefined) return;
  const why = whyNotOverNats(toRunOptions(flags, flags.seed ?? 0));
  if (why !== undefined) throw new UsageError(why);
}

/** Why options cannot be run over NATS, as a sentence; undefined if they can. */
function whyNotOverNats({ nemesis, latency, disk, nodeIds }: RunOptions): string | undefined {
  for (const fault of nemesis) {
    const why = fault === "slow" ? NOT_BETWEEN : whyNotForProcesses(fault);
    if (why !== undefined) return `Cannot use --nemesis ${fault} over NATS: ${why}`;
  }
  if (latency.meanMs > 0) return `Cannot use --latency over NATS: ${NOT_BETWEEN}`;
  if (disk) return "Cannot use --disk over NATS: nodes have the machine's disk";
  const name = nodeIds.find((id) => !isSubjectName(id));
  if (name === undefined) return undefined;
  const quoted = JSON.stringify(name);
  return `Cannot use the node name ${quoted} over NATS: expected ${SUBJECT_NAME_RULE}`;
}

/** Refuses options that the node does not have, before any node is started. */
async function checkNodeArgs(workload: string, args: readonly string[]): Promise<void> {
  try {
    const asked = await readNodeCommand([workload, ...args], {
      command: "eddy",
      version: "",
      loadDisk: () => import("@eddy/maelstrom/disk"),
    });
    if (!("text" in asked)) return;
  } catch (error) {
    throw new UsageError(errorText(error), { cause: error });
  }
  throw new UsageError(`Cannot run nodes with ${args.join(" ")}: they would print a text and end`);
}

/**
 * Runs a workload against processes of Eddy's own node on a NATS server, in a cluster of a name of
 * its own.
 *
 * @throws {RangeError} if the options cannot be run.
 */
export async function runOnServer(
  { connection, server, args }: NatsRun,
  options: RunOptions,
  hooks: RunHooks = {},
): Promise<RunResult> {
  checkArgsAndHooks(args, hooks);
  checkOptions(options);
  const why = whyNotOverNats(options);
  if (why !== undefined) throw new RangeError(why);
  const cluster = `run-${crypto.randomUUID()}`;
  const { nodeIds, workload } = options;
  const real = createRealWorld(options.seed);
  const network = new NatsNetwork(real, { connection, cluster, nodeIds });
  const of = ["--cluster", cluster, "--nodes", nodeIds.join(","), "--controlled"];
  const nodeArgs = [...commandLine(workload), ...serverFlags(server), ...of, ...args];
  const make = (given: ClusterOptions) => createNatsCluster({ ...given, network, args: nodeArgs });
  const makeMeter = ({ clock }: World, cluster: Cluster) => {
    return new LoadMeter(clock, () => cluster.processIds);
  };
  const watchers = [new ConnectionWatcher(connection, network)];
  try {
    await network.joined();
    const result = await runIn({ ...real, network }, make, options, hooks, { watchers, makeMeter });
    // No message waits for the workbench: there are no draws of latencies to be repeated.
    return { ...result, plan: () => ({ ...result.plan(), links: [] }) };
  } finally {
    network.leave();
  }
}

/** What Deno runs a node with. */
function commandLine(workload: string): string[] {
  const [config, main] = ["deno.json", "main.ts"].map((name) => {
    return decodeURIComponent(new URL(name, import.meta.url).pathname);
  });
  return ["run", "--quiet", "--allow-all", `--config=${config}`, `${main}`, workload];
}

/** The flags by which a node connects, whose working directory is another one. */
function serverFlags({ nats = "", creds, tlsca }: ConnectFlags): string[] {
  const file = (name: string, path: string | undefined) =>
    path === undefined ? [] : [`--${name}`, path.startsWith("/") ? path : join(Deno.cwd(), path)];
  return ["--nats", nats, ...file("creds", creds), ...file("tlsca", tlsca)];
}

/** Says what of a run's messages the workbench could not send, or see: those of a time without server. */
class ConnectionWatcher implements Watcher {
  readonly #connection: NatsConnection;
  readonly #network: NatsNetwork;
  #losses = 0;
  #isOver = false;

  constructor(connection: NatsConnection, network: NatsNetwork) {
    this.#connection = connection;
    this.#network = network;
  }

  get warnings(): readonly string[] {
    const { warnings } = this.#network;
    if (this.#losses === 0) return warnings;
    const times = this.#losses === 1 ? "once" : `${this.#losses} times`;
    return [
      ...warnings,
      `The workbench lost the NATS server ${times}: messages of that time are not in the figures, ` +
      "and replies may have been lost",
    ];
  }

  async during<T>(main: () => Promise<T>): Promise<T> {
    void this.#watch();
    try {
      return await main();
    } finally {
      this.#isOver = true;
    }
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (this.#isOver) return;
      if (type === "disconnect") this.#losses++;
    }
  }
}
