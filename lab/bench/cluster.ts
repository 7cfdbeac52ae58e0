/**
 * Three nodes of `lin-kv`, the network between them, and its clients.
 *
 * @module
 */

import { type LoadBody, requestLine } from "./load.ts";
import { readLine, wrongLine } from "./replies.ts";
import { blaming, type RunningTarget, type Target, withNodes } from "./target.ts";

const IDS = ["n0", "n1", "n2"];
/** Clients, each of which has one operation open and asks one node. */
const CLIENTS = 30;
const KEYS = 10;
/** How long a client waits where no leader is known. */
const RETRY_MS = 20;
const TEMPORARILY_UNAVAILABLE = 11;
/** No such key, and a compare-and-set whose comparison fails. */
const DEFINITE = [20, 22];

const encoder = new TextEncoder();

/** What some operations took. */
export interface ClusterCost {
  readonly elapsedMs: number;
  /** Of the nodes together. */
  readonly cpuMs: number;
  /** Between nodes. */
  readonly messages: number;
}

/** Operation number `index`: reads, writes and compare-and-sets in turn, over some keys. */
function operation(index: number): LoadBody {
  const key = index % KEYS;
  const kind = Math.floor(index / KEYS) % 3;
  if (kind === 0) return { type: "write", key, value: index % 5 };
  if (kind === 1) return { type: "read", key };
  return { type: "cas", key, from: index % 5, to: (index + 1) % 5 };
}

/** Three running nodes that reach each other through this process. */
export class Cluster {
  readonly #nodes: ReadonlyMap<string, RunningTarget>;
  /** The number of each client's open operation. */
  readonly #asked = new Map<string, number>();
  #next = 0;
  #end = 0;
  #open = 0;
  #messages = 0;
  #done: () => void = () => {};

  private constructor(nodes: readonly RunningTarget[]) {
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
  }

  /** Calls `use` with a cluster, and ends the nodes whatever happens. */
  static with<T>(target: Target, use: (cluster: Cluster) => Promise<T>): Promise<T> {
    const wanted = IDS.map((id) => ({ target, workload: "lin-kv", id, ids: IDS }));
    return blaming(target, () =>
      withNodes(wanted, (nodes) => {
        const cluster = new Cluster(nodes);
        // Each goes on until its node ends.
        return Promise.race([use(cluster), ...nodes.map((node) => cluster.#serve(node))]);
      }));
  }

  /** Does operations, as many at a time as there are clients, and waits for all. */
  async run(count: number): Promise<ClusterCost> {
    this.#end = this.#next + count;
    this.#open = count;
    this.#messages = 0;
    const before = this.#cpuMs();
    const startMs = performance.now();
    const done = new Promise<void>((resolve) => this.#done = resolve);
    this.#deliver(Array.from({ length: CLIENTS }, (_, client) => this.#invoke(`c${client}`)));
    await done;
    const elapsedMs = performance.now() - startMs;
    return { elapsedMs, cpuMs: this.#cpuMs() - before, messages: this.#messages };
  }

  #cpuMs(): number {
    return [...this.#nodes.values()].reduce((sum, node) => sum + node.cpuMs(), 0);
  }

  /** A client's next operation, if any is left, or the one that it repeats. */
  #invoke(client: string, index = this.#next < this.#end ? this.#next++ : undefined): Sent {
    if (index === undefined) return undefined;
    this.#asked.set(client, index);
    const dest = IDS[Number(client.slice(1)) % IDS.length] ?? "";
    return { dest, line: requestLine(index + 1, operation(index), client, dest) };
  }

  /** Passes on what a node sends, in order and at once: the lines of one read in one write. */
  async #serve(node: RunningTarget): Promise<never> {
    const decoder = new TextDecoder();
    let pending = "";
    while (true) {
      const lines = (pending + decoder.decode(await node.read(), { stream: true })).split("\n");
      pending = lines.pop() ?? "";
      this.#deliver(lines.map((line) => this.#route(line)));
      if (this.#open === 0) this.#done();
    }
  }

  #route(line: string): Sent {
    const { dest, body } = readLine(line);
    if (typeof dest !== "string") throw wrongLine("no message", line);
    if (this.#nodes.has(dest)) {
      this.#messages++;
      return { dest, line: `${line}\n` };
    }
    const index = Number(body["in_reply_to"]) - 1;
    if (this.#asked.get(dest) !== index) throw wrongLine("reply to no request", line);
    this.#asked.delete(dest);
    const { type, code } = body;
    if (type === "error" && code === TEMPORARILY_UNAVAILABLE) {
      setTimeout(() => this.#deliver([this.#invoke(dest, index)]), RETRY_MS);
      return undefined;
    }
    const right = type === "error"
      ? DEFINITE.includes(Number(code))
      : type === `${operation(index).type}_ok`;
    if (!right) throw wrongLine("wrong reply", line);
    this.#open--;
    return this.#invoke(dest);
  }

  #deliver(all: readonly Sent[]): void {
    const sent = all.filter((one) => one !== undefined);
    for (const [id, node] of this.#nodes) {
      const text = sent.map(({ dest, line }) => dest === id ? line : "").join("");
      // Not awaited: what the pipe does not take queues up. A node that has ended ends the reading.
      if (text !== "") node.write(encoder.encode(text)).catch(() => {});
    }
  }
}

/** A line and the node that it is for. */
type Sent = { readonly dest: string; readonly line: string } | undefined;
