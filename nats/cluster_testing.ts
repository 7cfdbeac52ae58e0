/**
 * Nodes over NATS for tests: in the test's own process, and as processes.
 *
 * @module
 */

import { findWorkload } from "@eddy/handlers/workloads";
import { type JsonObject, type Node, parseJson } from "@eddy/maelstrom";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { serveNode } from "./node.ts";
import { serveServices } from "./services.ts";
import { rpcSubjectOf } from "./subjects.ts";
import type { NatsServer } from "./testing.ts";

/** Waits until something holds; a test fails when it does not in two minutes or more. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2400; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Waited in vain until ${what}`);
}

/** A connection that comes back after the server does, as those of commands. */
export function connectForTest({ url }: NatsServer): Promise<NatsConnection> {
  return connect({
    servers: url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    reconnectJitter: 1,
    noAsyncTraces: true,
  });
}

/** What a cluster in a test's process is made of. */
interface LocalClusterOptions {
  readonly server: NatsServer;
  /** A workload's name, or what registers handlers. */
  readonly serve: string | ((node: Node) => void);
  readonly nodes?: readonly string[];
  /** Those that are started here. @default all */
  readonly only?: readonly string[];
  readonly cluster?: string;
  readonly controlled?: boolean;
  readonly maxInFlight?: number;
  /** Whether the services are there, too. */
  readonly services?: boolean;
}

/** Nodes in the test's own process, each with a connection of its own, and one for the test. */
export class LocalCluster implements AsyncDisposable {
  readonly cluster: string;
  readonly connection: NatsConnection;
  /** What the nodes have logged. */
  readonly log: string[] = [];
  readonly #stop = new AbortController();
  #ends: Promise<void>[] = [];

  private constructor(cluster: string, connection: NatsConnection) {
    this.cluster = cluster;
    this.connection = connection;
  }

  /** Starts nodes, and resolves when all are ready. */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const { server, serve, nodes = ["n1"], cluster = "eddy", services = false } = options;
    const { controlled, maxInFlight, only = nodes } = options;
    const own = new LocalCluster(cluster, await connectForTest(server));
    const install = typeof serve === "string" ? (await findWorkload(serve)).configure([]) : serve;
    const log = (text: string) => void own.log.push(text);
    const { signal: stopped } = own.#stop;
    if (services) {
      own.#ends.push(serveServices(await connectForTest(server), { cluster, stopped, log }));
    }
    for (const name of only) {
      const connection = await connectForTest(server);
      own.#ends.push(
        serveNode(connection, {
          ...{ install, cluster, name, nodes, controlled, stopped, log },
          ...maxInFlight !== undefined && { maxInFlight },
        }),
      );
    }
    const count = only.length + Number(services);
    await Promise.race([
      until("all are ready", () => own.logged(/ready on/) === count),
      Promise.all(own.#ends),
    ]);
    return own;
  }

  /** How many lines of the log match. */
  logged(pattern: RegExp): number {
    return this.log.filter((line) => pattern.test(line)).length;
  }

  /** Makes a request, given as a body or its text, and returns the reply's body. */
  async request(node: string, body: JsonObject | string, timeout = 10_000): Promise<JsonObject> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const subject = rpcSubjectOf(this.cluster, node);
    const reply = await this.connection.request(subject, text, { timeout });
    return parseJson(reply.string()) as JsonObject;
  }

  /** Makes a request again until its reply is no error; a node may be without a leader at first. */
  async succeed(node: string, body: JsonObject): Promise<JsonObject> {
    let reply: JsonObject = {};
    await until(`${node} does ${JSON.stringify(body)}`, async () => {
      reply = await this.request(node, body, 2000).catch(() => ({ type: "error" }));
      return reply.type !== "error";
    });
    return reply;
  }

  /** Ends the nodes as a signal does; what is in flight is finished. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#ends);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.connection.close();
  }
}

/** A process of nats/main.ts. */
export class CommandProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Promise<string>;
  readonly #read: Promise<void>;
  /** What has come on standard error. */
  stderr = "";

  /** Starts it. */
  constructor(args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--allow-all", "--config"],
        new URL("deno.json", import.meta.url).pathname,
        new URL("main.ts", import.meta.url).pathname,
        ...args,
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new Response(this.#child.stdout).text();
    this.#read = this.#readStderr();
  }

  /** Starts a node or the services, and resolves when they are ready. */
  static async ready(args: readonly string[]): Promise<CommandProcess> {
    const process = new CommandProcess(args);
    let ended = false;
    process.#child.status.then(() => ended = true);
    await until("it is ready or has ended", () => ended || /ready on/.test(process.stderr));
    if (ended) throw new Error(`It ended: ${process.stderr}`);
    return process;
  }

  /** Its exit code and output, when it has ended. */
  async result(): Promise<{ code: number; stdout: string; stderr: string }> {
    const { code } = await this.#child.status;
    await this.#read;
    return { code, stdout: await this.#stdout, stderr: this.stderr };
  }

  /** Sends a signal. */
  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  /** Sends a signal, and returns what it came to. */
  async end(signal: Deno.Signal): Promise<{ code: number; stdout: string; stderr: string }> {
    this.signal(signal);
    return await this.result();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }

  async #readStderr(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.stderr += text;
    }
  }
}
