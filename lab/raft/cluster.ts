/**
 * A cluster of replicas under virtual time, with faults, clients and an auditor.
 *
 * @module
 */

import type { Raft, RaftOptions, Timing } from "@eddy/handlers/raft";
import { MemoryRaftStorage } from "@eddy/handlers/raft/log";
import type { Message } from "@eddy/handlers/raft/message.ts";
import { type Outcome, Replica, Sessions } from "@eddy/handlers/raft/replica";
import { KeyValueMachine } from "@eddy/handlers/raft/state_machines.ts";
import { type Json, type Random, RpcError } from "@eddy/maelstrom";
import type { Op } from "@eddy/workbench";
import { randomBelow, seededRandom } from "@eddy/workbench/random.ts";
import { VirtualClock } from "@eddy/workbench/virtual_clock.ts";
import { Auditor } from "./auditor.ts";

/** What to run, and with which parts. */
export interface ClusterOptions {
  readonly seed: number;
  readonly nodeCount: number;
  /** How long faults and clients go on, in virtual milliseconds. @default 6000 */
  readonly durationMs?: number;
  readonly makeRaft?: ((options: RaftOptions) => Raft) | undefined;
  readonly makeStorage?: () => MemoryRaftStorage;
  readonly makeSessions?: () => Sessions;
  readonly timing?: Partial<Timing>;
  readonly leaseReads?: boolean;
  /**
   * Whether leaders come and go so fast that little else happens.
   *
   * @default for every second seed
   */
  readonly isStormy?: boolean;
  /** Whether nodes are paused. @default true */
  readonly pauses?: boolean;
  /** Whether nodes are restarted. @default true */
  readonly restarts?: boolean;
}

/** One node: what a restart leaves, and what it does not. */
export interface Slot {
  readonly id: string;
  readonly storage: MemoryRaftStorage;
  machine: KeyValueMachine;
  sessions: Sessions;
  replica: Replica<Operation>;
  pausedUntilMs: number;
  turnAtMs: number;
  life: number;
}

/** How bad the network is at present. */
export interface Weather {
  /** Which links are cut, as in "n0 n1". */
  readonly cut: Set<string>;
  loss: number;
  duplicates: number;
  slow: number;
}

type Read = [f: "read", key: Json];
type Operation = Parameters<KeyValueMachine["apply"]>[0];

/** A machine that notices when it does the same thing twice. */
class CountingMachine extends KeyValueMachine {
  readonly #seen = new Set<Json | undefined>();

  override apply(operation: Operation): () => Outcome {
    const id = operation[operation.length - 1];
    if (this.#seen.has(id)) throw new Error(`Executed twice: ${JSON.stringify(id)}`);
    this.#seen.add(id);
    return super.apply(operation);
  }

  override restore(items: readonly Json[]): void {
    this.#seen.clear();
    super.restore(items);
  }
}

/** A cluster under virtual time. */
export class Cluster {
  readonly slots: Slot[] = [];
  readonly history: Op[] = [];
  readonly auditor: Auditor = new Auditor();
  messages = 0;
  /** Of each link, as in "n0 n1", how many messages repeated one that was not answered. */
  readonly repeats: Map<string, number> = new Map<string, number>();
  readonly #options: ClusterOptions;
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly weather: Weather = { cut: new Set(), loss: 0, duplicates: 0, slow: 1 };
  readonly #delayMs: number;
  readonly #isStormy: boolean;
  readonly #ids: string[];
  #values = 0;
  #processes = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed, "cluster");
    this.#isStormy = options.isStormy ?? options.seed % 2 === 0;
    const delays = this.#isStormy ? [5, 15, 30] : [0.1, 1, 5, 30];
    this.#delayMs = delays[randomBelow(this.#random, delays.length)] ?? 1;
    this.#ids = Array.from({ length: options.nodeCount }, (_, i) => `n${i}`);
    for (const id of this.#ids) {
      const storage = (options.makeStorage ?? (() => new MemoryRaftStorage()))();
      const sessions = (options.makeSessions ?? (() => new Sessions()))();
      const machine = new CountingMachine();
      const replica = this.#replica(id, storage, machine, sessions, 0);
      const slot: Slot = {
        id,
        storage,
        machine,
        sessions,
        replica,
        pausedUntilMs: 0,
        turnAtMs: Infinity,
        life: 0,
      };
      this.slots.push(slot);
      this.#turnAt(slot, 0);
    }
  }

  /** Milliseconds since the cluster began. */
  get nowMs(): number {
    return this.#clock.now();
  }

  /**
   * Runs faults and clients, then heals everything and waits for agreement.
   *
   * @throws {Error} at the first thing that no cluster may do.
   */
  run(): void {
    const { durationMs = 6000 } = this.#options;
    const clients = 2 * this.#options.nodeCount;
    for (let client = 0; client < clients; client++) this.#startClient(client, durationMs);
    this.#changeWeather(durationMs);
    this.runUntil(durationMs);
    this.#heal();
    this.runUntil(durationMs + 6000);
    this.auditor.checkLogs(this.slots);
    this.auditor.checkAgreement(this.slots);
  }

  /** Sends a request to a node. */
  request(node: number, operation: Operation | Read, settle: (outcome: Outcome) => void): void {
    const slot = this.#slot(node);
    const { life, machine } = slot;
    const once = (outcome: Outcome) => void (slot.life === life && settle(outcome));
    if (operation[0] === "read") {
      const [, key] = operation;
      slot.replica.query(() => machine.read(key), this.nowMs, once);
    } else slot.replica.execute(operation, this.nowMs, once);
    this.#turnAt(slot, this.nowMs);
  }

  /** Restarts a node: what is in storage stays, and the state machine where the log begins late. */
  restart(slot: Slot): void {
    slot.life++;
    const { storage } = slot;
    let { applied } = slot.replica;
    if (storage.baseIndex === 0) {
      slot.machine = new CountingMachine();
      slot.sessions = (this.#options.makeSessions ?? (() => new Sessions()))();
      applied = 0;
    }
    slot.replica = this.#replica(slot.id, storage, slot.machine, slot.sessions, applied);
    this.auditor.forget(slot.id, applied);
    this.#turnAt(slot, this.nowMs);
  }

  #replica(
    id: string,
    storage: MemoryRaftStorage,
    machine: KeyValueMachine,
    sessions: Sessions,
    applied: number,
  ): Replica<Operation> {
    const { makeRaft, timing, leaseReads } = this.#options;
    const pace = this.#isStormy ? { heartbeatMs: 5 } : {};
    return new Replica({
      id,
      nodeIds: this.#ids,
      random: this.#random,
      nowMs: this.nowMs,
      machine,
      storage,
      sessions,
      applied,
      makeRaft,
      timing: { ...pace, ...timing },
      leaseReads,
    });
  }

  #slot(node: number): Slot {
    const slot = this.slots[node % this.slots.length];
    if (slot === undefined) throw new Error(`No node ${node}`);
    return slot;
  }

  #at(atMs: number, run: () => void): void {
    this.#clock.schedule(atMs - this.nowMs, run);
  }

  /** Lets time pass. */
  runUntil(endMs: number): void {
    let isOver = false;
    this.#at(endMs, () => isOver = true);
    while (!isOver) this.#clock.step();
  }

  #turnAt(slot: Slot, atMs: number): void {
    if (atMs >= slot.turnAtMs || atMs === Infinity) return;
    const dueMs = Math.max(atMs, this.nowMs);
    slot.turnAtMs = dueMs;
    this.#at(dueMs, () => {
      if (slot.turnAtMs !== dueMs) return;
      slot.turnAtMs = Infinity;
      if (this.nowMs < slot.pausedUntilMs) this.#turnAt(slot, slot.pausedUntilMs);
      else this.#turn(slot);
    });
  }

  #turn(slot: Slot): void {
    const messages = slot.replica.turn(this.nowMs);
    this.auditor.watch(slot, this.slots);
    for (const { to, message, isRepeat } of messages) {
      const link = `${slot.id} ${to}`;
      if (isRepeat) this.repeats.set(link, (this.repeats.get(link) ?? 0) + 1);
      this.#send(slot.id, to, message);
    }
    // Time moves on, however little, so that a replica which wants another turn now gets it later.
    this.#turnAt(slot, Math.max(slot.replica.wakeAtMs, this.nowMs + 0.01));
  }

  #send(from: string, to: string, message: Message): void {
    const { cut, loss, duplicates, slow } = this.weather;
    this.messages++;
    const text = JSON.stringify(message);
    const copies = this.#random.next() < duplicates ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random.next() < loss) continue;
      const spread = this.#random.next() < 0.1 ? 4 : 1;
      const lateMs = copy === 0 ? 0 : this.#random.next() ** 2 * 1500;
      const delayMs = this.#delayMs * slow * spread * (0.5 + this.#random.next()) + lateMs;
      this.#at(this.nowMs + delayMs, () => {
        if (!cut.has(`${from} ${to}`)) this.#deliver(from, to, text);
      });
    }
  }

  #deliver(from: string, to: string, text: string): void {
    const slot = this.slots.find(({ id }) => id === to);
    if (slot === undefined) return;
    if (this.nowMs < slot.pausedUntilMs) {
      this.#at(slot.pausedUntilMs, () => this.#deliver(from, to, text));
      return;
    }
    slot.replica.step(from, JSON.parse(text) as Message, this.nowMs);
    this.#turnAt(slot, this.nowMs);
  }

  #heal(): void {
    this.weather.cut.clear();
    this.weather.loss = 0;
    this.weather.duplicates = 0;
    this.weather.slow = 1;
  }

  #changeWeather(untilMs: number): void {
    const random = () => this.#random.next();
    this.#heal();
    const weather = this.weather;
    const kind = Math.floor(random() * 8);
    if (kind <= 1) this.#cut((a, b) => a !== b);
    if (kind === 2) this.#cut((a) => a);
    if (kind === 3) {
      for (const a of this.#ids) {
        for (const b of this.#ids) if (random() < 0.3) weather.cut.add(`${a} ${b}`);
      }
    }
    if (kind === 4) weather.loss = random() * 0.4;
    if (kind >= 4 && random() < 0.7) weather.duplicates = 0.3;
    if (kind === 5) weather.slow = 10;
    const { pauses = true, restarts = true } = this.#options;
    const slot = this.#slot(Math.floor(random() * this.slots.length));
    if (kind === 6 && pauses) slot.pausedUntilMs = this.nowMs + random() * 1500;
    if (random() < 0.3 && restarts) this.restart(slot);
    if (this.#isStormy) this.#storm();
    const nextMs = this.nowMs + (this.#isStormy ? 10 + random() * 250 : 100 + random() * 900);
    if (nextMs < untilMs) this.#at(nextMs, () => this.#changeWeather(untilMs));
  }

  /** Makes leaders go: they restart, or are cut off for a moment. */
  #storm(): void {
    for (const slot of this.slots) {
      if (slot.replica.raft.role !== "leader" || this.#random.next() < 0.3) continue;
      if (this.#random.next() < 0.5 && this.#options.restarts !== false) this.restart(slot);
      else for (const id of this.#ids) this.weather.cut.add(`${slot.id} ${id}`);
    }
  }

  /** Cuts the links from one side of a random split to the other where `isCut` says so. */
  #cut(isCut: (fromLeft: boolean, toLeft: boolean) => boolean): void {
    const left = new Set(this.#ids.filter(() => this.#random.next() < 0.5));
    for (const a of this.#ids) {
      for (const b of this.#ids) {
        if (left.has(a) !== left.has(b) && isCut(left.has(a), left.has(b))) {
          this.weather.cut.add(`${a} ${b}`);
        }
      }
    }
  }

  #startClient(client: number, untilMs: number): void {
    let process = this.#processes++;
    const next = () => {
      if (this.nowMs > untilMs) return;
      const operation = this.#drawOperation(client);
      const op = { process, f: String(operation[0]), node: `n${client % this.slots.length}` };
      this.#record({ ...op, type: "invoke", value: toValue(operation) });
      let isOver = false;
      const end = (type: Op["type"], value: Json, isNewProcess: boolean) => {
        if (isOver) return;
        isOver = true;
        this.#record({ ...op, type, value });
        if (isNewProcess) process = this.#processes++;
        this.#at(this.nowMs + this.#random.next() * 40, next);
      };
      this.#at(this.nowMs + 1000, () => end("info", toValue(operation), true));
      this.request(client, operation, (outcome) => {
        if (outcome instanceof RpcError) {
          if (outcome.code === 11) this.auditor.refused(operation);
          end(outcome.definite ? "fail" : "info", toValue(operation), !outcome.definite);
        } else end("ok", toValue(operation, outcome), false);
      });
    };
    this.#at(this.#random.next() * 50, next);
  }

  #drawOperation(client: number): Operation | Read {
    const key = randomBelow(this.#random, 2);
    const dice = this.#random.next();
    if (dice < 0.5 || client === 0) return ["read", key];
    this.#values++;
    if (dice < 0.85) return ["write", key, this.#values];
    return [
      "cas",
      key,
      Math.max(0, this.#values - 1 - randomBelow(this.#random, 3)),
      this.#values,
    ];
  }

  #record(op: Omit<Op, "index" | "time">): void {
    this.history.push({ ...op, index: this.history.length, time: Math.round(this.nowMs * 1e6) });
  }
}

/** An operation in Maelstrom's shape of a history's value. */
function toValue(
  [f, key = null, first = null, second = null]: Json[],
  outcome: Outcome = {},
): Json {
  if (f === "read") return [key, "value" in outcome ? outcome.value as Json : null];
  return f === "write" ? [key, first] : [key, [first, second]];
}
