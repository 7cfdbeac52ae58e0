/**
 * A replicated state machine whose log is in Maelstrom's lin-kv service.
 *
 * It is here to compare consensus with: Maelstrom never cuts that service off from any node, so
 * this is available in every partition. What changes is one key, the root, which names segments
 * that never change: a batch of operations each. To append is to write a segment and to set the
 * root from what it was to what it is with that segment at its end.
 *
 * @module
 */

import { ErrorCode, errorText, type Json, KV, type Node, pause, RpcError } from "@eddy/maelstrom";
import type { Machine, Outcome } from "@eddy/handlers/raft/replica";

/** What the root says; two roots with the same `length` are the same. */
type Root = {
  /** How many segments there are. */
  length: number;
  /** How many of them the checkpoint covers. */
  base: number;
  /** The segments after those. */
  names: string[];
  /** The number of each writer's newest segment. */
  newest: { [writer: string]: number };
};

/** A batch of this node's operations. */
interface Batch {
  readonly name: string;
  readonly number: number;
  readonly operations: readonly Waiting[];
  isSettled: boolean;
}

interface Waiting {
  readonly operation: Json;
  readonly settle: (outcome: Outcome) => void;
}

interface WaitingRead {
  readonly answer: () => void;
  readonly refuse: (error: RpcError) => void;
}

const ROOT = "eddy-root";
const EMPTY: Root = { length: 0, base: 0, names: [], newest: {} };
/** After how many segments a checkpoint is written. */
const CHECKPOINT_EVERY = 64;
/** How many operations share a segment at most. */
const MAX_BATCH = 1024;
/** How long to go on with a batch; clients wait little longer. */
const GIVE_UP_MS = 4500;
/** The longest pause after another node came first, in milliseconds. */
const MAX_PAUSE_MS = 50;

/** A state machine over a log in the lin-kv service. */
export class SharedLog<Operation extends Json, Reply extends object> {
  readonly #node: Node;
  readonly #machine: Machine<Operation, Reply>;
  readonly #maxLatencyMs: number;
  readonly #roots: KV<string, Root>;
  readonly #segments: KV<string, Json[]>;
  #root = EMPTY;
  /** How many segments the state machine has. */
  #applied = 0;
  #writer = "";
  #number = 0;
  #own: Batch | undefined;
  #commands: Waiting[] = [];
  #reads: WaitingRead[] = [];
  /** How long the log was when this node last added to it, and how long it took to set the root. */
  #lastLength = 0;
  #setMs = 0;
  #isWriting = false;
  #isReading = false;

  /** @param maxLatencyMs how long an operation may wait for others to share a segment with */
  constructor(node: Node, machine: Machine<Operation, Reply>, maxLatencyMs = 0) {
    this.#node = node;
    this.#machine = machine;
    this.#maxLatencyMs = maxLatencyMs;
    this.#roots = new KV(node, "lin-kv");
    this.#segments = new KV(node, "lin-kv");
    node.onInit(() => {
      this.#writer = `${node.id}-${Math.floor(node.random.next() * 2 ** 32).toString(36)}`;
    });
  }

  /** Has an operation executed once, by all nodes. */
  execute(operation: Operation): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome) =>
        outcome instanceof RpcError ? reject(outcome) : resolve(outcome as Reply);
      this.#commands.push({ operation, settle });
      if (this.#isWriting) return;
      this.#isWriting = true;
      this.#node.clock.schedule(this.#maxLatencyMs, () => void this.#write());
    });
  }

  /** Calls `read` when the state machine's state is no older than now, and returns its outcome. */
  query<Value extends object>(read: () => Outcome<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const answer = () => {
        const outcome = read();
        if (outcome instanceof RpcError) reject(outcome);
        else resolve(outcome);
      };
      this.#reads.push({ answer, refuse: reject });
      if (this.#isReading) return;
      this.#isReading = true;
      this.#node.clock.schedule(this.#maxLatencyMs, () => void this.#read());
    });
  }

  /** Writes batch after batch, one at a time: what comes meanwhile shares the next. */
  async #write(): Promise<void> {
    while (this.#commands.length > 0) {
      const operations = this.#commands.splice(0, MAX_BATCH);
      const number = ++this.#number;
      const batch = { name: `${this.#writer}/${number}`, number, operations, isSettled: false };
      this.#own = batch;
      try {
        await this.#append(batch);
      } catch (error) {
        for (const { settle } of operations) if (!batch.isSettled) settle(toRpcError(error));
      }
      this.#own = undefined;
      if (this.#commands.length > 0) await this.#yield();
    }
    this.#isWriting = false;
  }

  /**
   * Lets others come first now and then: the node that set the root last knows it, and would win
   * again and again over those that must read it first.
   */
  async #yield(): Promise<void> {
    const isShared = this.#root.length - this.#lastLength > 1;
    this.#lastLength = this.#root.length;
    const { clock, random } = this.#node;
    if (isShared) await pause(clock, (1 + 2 * random.next()) * this.#setMs);
  }

  /** Answers all waiting reads from one look at the root, taken after the last of them came. */
  async #read(): Promise<void> {
    while (this.#reads.length > 0) {
      const reads = this.#reads.splice(0);
      try {
        await this.#refresh();
        for (const { answer } of reads) answer();
      } catch (error) {
        const text = `Cannot read from lin-kv: ${toRpcError(error).message}`;
        const unavailable = new RpcError(ErrorCode.temporarilyUnavailable, text);
        for (const { refuse } of reads) refuse(unavailable);
      }
    }
    this.#isReading = false;
  }

  /**
   * Puts a batch at the end of the log.
   *
   * @throws {RpcError} with code 11 if that certainly did not happen, 0 if it may have.
   */
  async #append(batch: Batch): Promise<void> {
    const { clock } = this.#node;
    const endMs = clock.now() + GIVE_UP_MS;
    await this.#put(batch.name, batch.operations.map(({ operation }) => operation));
    for (let tries = 1; clock.now() < endMs; tries++) {
      try {
        // The root is read again after every wait: if it changed meanwhile, setting it fails.
        const before = this.#root;
        const after = await this.#extended(before, batch);
        const startMs = clock.now();
        await this.#set(before, after);
        this.#setMs = clock.now() - startMs;
        await this.#catchUp(after);
      } catch (error) {
        const { code } = toRpcError(error);
        const isLost = code === ErrorCode.preconditionFailed || code === ErrorCode.abort;
        if (isLost) {
          await pause(clock, this.#node.random.next() * Math.min(2 ** tries, MAX_PAUSE_MS));
        } else if (code !== ErrorCode.timeout) throw error;
        await this.#refresh().catch(() => undefined);
      }
      if (batch.isSettled) return;
      if ((this.#root.newest[this.#writer] ?? 0) >= batch.number) break;
    }
    throw new RpcError(ErrorCode.timeout, "It is not known what came of this");
  }

  /** Writes what never changes; to write it twice does no harm. */
  async #put(name: string, items: Json[]): Promise<void> {
    try {
      await this.#node.retry(() => this.#segments.write(name, items), { maxTries: 3 });
    } catch (error) {
      const text = `Cannot write to lin-kv: ${toRpcError(error).message}`;
      throw new RpcError(ErrorCode.temporarilyUnavailable, text);
    }
  }

  /** A root with one more segment; where there are many, a checkpoint takes their place. */
  async #extended(root: Root, { name, number }: Batch): Promise<Root> {
    const newest = { ...root.newest, [this.#writer]: number };
    const length = root.length + 1;
    if (root.names.length < CHECKPOINT_EVERY || this.#applied !== root.length) {
      return { length, base: root.base, names: [...root.names, name], newest };
    }
    // The snapshot is made before the wait, of the state that the root describes.
    await this.#put(checkpointName(root.length), this.#machine.snapshot());
    return { length, base: root.length, names: [name], newest };
  }

  async #set(before: Root, after: Root): Promise<void> {
    if (before.length > 0) return await this.#roots.cas(ROOT, before, after);
    if (await this.#roots.createIfMissing(ROOT, after)) return;
    throw new RpcError(ErrorCode.preconditionFailed, "Another node began the log");
  }

  /** Takes over all that the log has now. */
  async #refresh(): Promise<void> {
    await this.#catchUp(await this.#roots.readOr(ROOT, EMPTY));
  }

  /** Applies what a root names and the state machine has not. */
  async #catchUp(root: Root): Promise<void> {
    if (root.length > this.#root.length) this.#root = root;
    if (this.#applied < root.base) {
      const items = await this.#segments.read(checkpointName(root.base));
      // Other calls catch up too: the first one restores.
      if (this.#applied < root.base) {
        this.#machine.restore(items);
        this.#applied = root.base;
      }
    }
    const from = this.#applied;
    const names = root.names.slice(from - root.base);
    const segments = await Promise.all(names.map((name) => this.#segment(name)));
    for (const [position, name] of names.entries()) {
      if (this.#applied === from + position) this.#apply(name, segments[position] ?? []);
    }
  }

  async #segment(name: string): Promise<readonly Json[]> {
    if (this.#own?.name === name) return this.#own.operations.map(({ operation }) => operation);
    return await this.#segments.read(name);
  }

  #apply(name: string, operations: readonly Json[]): void {
    this.#applied++;
    const own = this.#own?.name === name ? this.#own : undefined;
    if (own !== undefined) own.isSettled = true;
    for (const [position, operation] of operations.entries()) {
      const waiting = own?.operations[position];
      const outcome = this.#machine.apply(operation as Operation);
      waiting?.settle(outcome());
    }
  }
}

function checkpointName(length: number): string {
  return `eddy-checkpoint-${length}`;
}

function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError(ErrorCode.crash, errorText(error), { cause: error });
}
