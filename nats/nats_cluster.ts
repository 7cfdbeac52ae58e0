/**
 * Nodes that are processes on a NATS server, as the workbench's cluster has them.
 *
 * Nodes send to each other without the workbench, which sees every message on the cluster's subjects
 * and does to its own network what was done: its journal, its clients and its services are those of
 * every other run. Its clients and services send by publishing.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { delay } from "@std/async/delay";
import type { Cluster, ClusterOptions, LaunchContext } from "@eddy/workbench/cluster.ts";
import { type LinkRule, LinkRules, toLinks } from "@eddy/workbench/links.ts";
import { Network, type Packet } from "@eddy/workbench/network.ts";
import { ChildIncarnation, createProcessCluster, type Start } from "@eddy/workbench/process.ts";
import type { Stdout } from "@eddy/workbench/protocol.ts";
import type { World } from "@eddy/workbench/world.ts";
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { type Control, controlSubjectOf, subjectOf } from "./subjects.ts";

/** How long a node may take to say that it knows what it loses, before it is told again. */
const CONTROL_TIMEOUT_MS = 1000;

/** How much time is between two attempts to reach a node that has not subscribed yet. */
const CONTROL_RETRY_MS = 5;

/** What a network over NATS is made of. */
interface NatsNetworkOptions {
  readonly connection: NatsConnection;
  /** The cluster's name on the server. */
  readonly cluster: string;
  /** The nodes, which alone send without the workbench. */
  readonly nodeIds: readonly string[];
}

/** A process of a node, as the network knows it. */
interface Attached {
  /** Takes the messages that it publishes; muted once it has ended. */
  readonly stdout: Stdout;
  /** Counts the changes of what it is to lose. */
  version: number;
  telling: Promise<void> | undefined;
}

/**
 * The workbench's network, where nodes have another one of their own.
 *
 * A message of a node has been delivered by the server when it is seen here. It goes through this
 * network all the same, which counts it, drops it where the receiver has been told to, or the receiver
 * is down, and hands it to the client or the service that it is for.
 */
export class NatsNetwork extends Network {
  readonly #connection: NatsConnection;
  readonly #cluster: string;
  readonly #nodeIds: readonly string[];
  readonly #attached = new Map<string, Attached>();
  readonly #faults = new LinkRules();
  readonly #subscription: Subscription;
  readonly #decoder = new TextDecoder();
  #refused: Error | undefined;
  #unsent = 0;
  #whyUnsent: string | undefined;

  /** Subscribes; {@linkcode NatsNetwork.joined} says when the server has it. */
  constructor({ clock, random }: World, { connection, cluster, nodeIds }: NatsNetworkOptions) {
    super({ clock, random, latency: { meanMs: 0, distribution: "constant" } });
    this.#connection = connection;
    this.#cluster = cluster;
    this.#nodeIds = nodeIds;
    const callback = (error: Error | null, msg: Msg) => {
      if (error === null) this.#see(this.#decoder.decode(msg.data));
      else this.#refused ??= error;
    };
    this.#subscription = connection.subscribe(`eddy.${cluster}.*`, { callback });
  }

  /**
   * Resolves when the server passes on all messages: no node may publish anything before.
   *
   * @throws {Error} if the server refuses, as it may for want of permission.
   */
  async joined(): Promise<void> {
    await this.#connection.flush();
    if (this.#refused === undefined) return;
    const why = errorText(this.#refused);
    throw new Error(`Cannot watch the cluster's messages: ${why}`, { cause: this.#refused });
  }

  /** Takes no messages any more. */
  leave(): void {
    this.#subscription.unsubscribe();
  }

  /**
   * Puts a fault's rule into force: the nodes that it concerns are told.
   *
   * Which messages a node loses or doubles by chance it alone knows; here they count as delivered once.
   *
   * @throws {RangeError} if nodes cannot be told so.
   */
  override addRule(rule: LinkRule): () => void {
    if (rule.holds !== undefined || rule.slow !== undefined) {
      throw new RangeError(`Cannot inject ${rule.fault} over NATS: ${NOT_BETWEEN}`);
    }
    const end = super.addRule({ fault: rule.fault, drops: rule.drops ?? new Map() });
    this.#faults.add(rule);
    this.#tellAll();
    return () => {
      end();
      this.#faults.remove(rule);
      this.#tellAll();
    };
  }

  /**
   * Takes the messages of a process that has just been started as those of a node.
   *
   * @returns a promise that resolves when the process has subscribed, or has ended before. What other
   * nodes send to it until then is lost.
   */
  async attach(node: string, stdout: Stdout): Promise<void> {
    this.#attached.set(node, { stdout, version: 0, telling: undefined });
    const others = this.#nodeIds.filter((name) => name !== node);
    const endRule = super.addRule({ fault: "restart", drops: toLinks({ [node]: others }) });
    await this.#tell(node).finally(endRule);
  }

  /** Whether a line of a node's log says that it takes messages, and has done its `init`. */
  saysReady(node: string, line: string): boolean {
    return line.startsWith(`Node ${node} of cluster ${this.#cluster} is ready`);
  }

  /** Publishes a message of a client or a service; those of nodes are published already. */
  publish({ src, dest, text }: Packet): void {
    if (this.#nodeIds.includes(src)) return;
    const line = `{"src":"${src}","dest":"${dest}","body":${text}}`;
    try {
      this.#connection.publish(subjectOf(this.#cluster, dest), line);
    } catch (error) {
      // It is longer than the server takes, or the server has ended the connection for good.
      this.#unsent++;
      this.#whyUnsent ??= errorText(error);
    }
  }

  /** A sentence if messages of clients or services could not be sent. */
  get warnings(): readonly string[] {
    if (this.#unsent === 0) return [];
    const what = this.#unsent === 1 ? "a message" : `${this.#unsent} messages`;
    return [`The workbench could not send ${what} to nodes: ${this.#whyUnsent}`];
  }

  /** Takes a message that somebody has published. */
  #see(line: string): void {
    // What this network publishes comes back, too; its senders are no nodes.
    this.#attached.get(sourceOf(line))?.stdout.acceptOwn(line);
  }

  #tellAll(): void {
    for (const node of this.#attached.keys()) void this.#tell(node);
  }

  /** Tells a node what it loses, until it has said that it knows the last of it, or has ended. */
  #tell(node: string): Promise<void> {
    const attached = this.#attached.get(node);
    if (attached === undefined) return Promise.resolve();
    attached.version++;
    return attached.telling ??= this.#keepTelling(node, attached)
      .finally(() => attached.telling = undefined);
  }

  async #keepTelling(node: string, attached: Attached): Promise<void> {
    const subject = controlSubjectOf(this.#cluster, node);
    while (!attached.stdout.muted && !this.#connection.isClosed()) {
      const { version } = attached;
      const payload = JSON.stringify(this.#controlOf(node));
      try {
        // A node that stands still obeys when it goes on: the server keeps what comes for it.
        await this.#connection.request(subject, payload, { timeout: CONTROL_TIMEOUT_MS });
        if (attached.version === version) return;
      } catch {
        // It has not subscribed yet, or stands still.
        await delay(CONTROL_RETRY_MS);
      }
    }
  }

  #controlOf(node: string): Required<Control> {
    const { loss, duplication: duplicate } = this.#faults;
    const drop = this.#nodeIds.filter((src) => this.#faults.dropping(src, node) !== undefined);
    return { drop, loss, duplicate };
  }
}

/** Why messages between nodes cannot be kept back. */
export const NOT_BETWEEN = "messages between nodes do not go by way of the workbench";

/** The `src` of a message; empty where there is none. */
function sourceOf(line: string): string {
  const [, src] = /^\{"src":"([^"\\]*)"/.exec(line) ?? [];
  if (src !== undefined) return src;
  try {
    return String(JSON.parse(line)?.src ?? "");
  } catch {
    return "";
  }
}

/** A process that takes its messages from the server. */
class NatsIncarnation extends ChildIncarnation {
  readonly #network: NatsNetwork;
  readonly #stdout: Stdout;
  /** What came before it was ready; undefined from then on. */
  #waiting: Packet[] | undefined = [];

  constructor(context: LaunchContext, start: Start, network: NatsNetwork) {
    const { node, stdout } = context;
    const ready = Promise.withResolvers<void>();
    const log = (text: string) => {
      if (network.saysReady(node, text)) ready.resolve();
      context.log(text);
    };
    super({ ...context, log }, { ...start, args: [...start.args, "--name", node] });
    this.#network = network;
    this.#stdout = stdout;
    Promise.all([ready.promise, network.attach(node, stdout)]).then(() => this.#begin());
  }

  override deliver(packet: Packet): void {
    if (this.#waiting === undefined) this.#network.publish(packet);
    else this.#waiting.push(packet);
  }

  #begin(): void {
    if (this.#stdout.muted) return;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const packet of waiting) {
      if (packet.type === "init") this.#answerInit(packet);
      else this.#network.publish(packet);
    }
  }

  /** The process has done its own `init`, by its command line, and refuses another one. */
  #answerInit({ src, dest, body: { msg_id = null } }: Packet): void {
    const body = { type: "init_ok", in_reply_to: msg_id };
    this.#stdout.acceptOwn(JSON.stringify({ src: dest, dest: src, body }));
  }
}

/** Settings of {@linkcode createNatsCluster}. */
interface NatsClusterOptions extends ClusterOptions {
  readonly network: NatsNetwork;
  /** What Deno runs each node with, but for its name. */
  readonly args: readonly string[];
}

/** A cluster of processes of Deno, whose messages go over a NATS server. */
export function createNatsCluster({ network, ...options }: NatsClusterOptions): Cluster {
  // A node takes messages as soon as it has subscribed: nothing can be held back until its `init`.
  return createProcessCluster(
    { ...options, bin: Deno.execPath(), holdUntilInit: false },
    (context, start) => new NatsIncarnation(context, start, network),
  );
}
