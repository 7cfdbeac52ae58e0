/**
 * A simulated kafka cluster and its clients, right or wrong in one chosen way, for tests.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import type { Op } from "@eddy/workbench";
import { type Reply, Run } from "@eddy/workbench/testing.ts";

/** What the simulated node does wrong, now and then. */
export type Fault =
  | "lose" // acknowledges a message and keeps its offset empty
  | "store twice" // appends a message at two offsets
  | "same offset" // appends a message where another is
  | "store failed" // stores a message and says that it failed
  | "skip" // leaves a message out of a poll
  | "skip first" // begins a poll one message late
  | "reverse" // returns a poll's messages backwards
  | "reread" // begins a poll at the message before
  | "insert" // puts a message below others of the same client
  | "invent" // returns a message that was never sent
  | "commit ahead"; // tells a client to begin after the last message

/** A simulation's settings; all counts are exact. */
export interface Simulation {
  readonly seed: number;
  readonly operations: number;
  readonly fault?: Fault;
}

/** What a simulation did. */
export interface Simulated {
  readonly ops: readonly Op[];
  /** How often the fault had its way. */
  readonly faults: number;
}

type Entry = [offset: number, value: number];

interface Client {
  process: number;
  offsets: Map<string, number>;
  /** Ends the operation under way. */
  finish: (() => void) | undefined;
}

const CLIENTS = 6;
const KEYS = ["1", "2", "3", "4"];

/** A history of clients that overlap, crash and reassign, and that read everything in the end. */
export function simulate({ seed, operations, fault }: Simulation): Simulated {
  const simulator = new Simulator(seed, fault);
  for (let i = 0; i < operations; i++) simulator.step();
  simulator.finish();
  return { ops: simulator.run.ops, faults: simulator.faults };
}

class Simulator {
  readonly run = new Run();
  faults = 0;
  readonly #fault: Fault | undefined;
  readonly #logs = new Map<string, Entry[]>(KEYS.map((key) => [key, []]));
  readonly #committed = new Map<string, number>();
  readonly #values = new Map<string, number>();
  readonly #clients: Client[];
  #state: number;
  #isFinal = false;

  constructor(seed: number, fault: Fault | undefined) {
    this.#state = seed >>> 0;
    this.#fault = fault;
    this.#clients = Array.from({ length: CLIENTS }, (_, process) => ({
      process,
      offsets: new Map<string, number>(),
      finish: undefined,
    }));
  }

  step(): void {
    const client = this.#clients[this.#below(CLIENTS)];
    if (client === undefined) return;
    if (client.finish !== undefined) {
      client.finish();
      client.finish = undefined;
      return;
    }
    const dice = this.#below(40);
    if (dice < 1) this.#crash(client);
    else if (dice < 5) this.#assign(client, KEYS.filter(() => this.#below(2) === 0), false);
    else if (dice < 20) this.#poll(client);
    else this.#send(client);
  }

  finish(): void {
    for (const client of this.#clients) client.finish?.();
    this.#isFinal = true;
    for (const client of this.#clients) {
      this.#crash(client);
      this.#assign(client, KEYS, true);
      client.finish?.();
      do {
        this.#poll(client);
        client.finish?.();
      } while (this.#isBehind(client));
    }
  }

  #isBehind({ offsets }: Client): boolean {
    return KEYS.some((key) => (this.#log(key).at(-1)?.[0] ?? -1) >= (offsets.get(key) ?? 0));
  }

  #crash(client: Client): void {
    this.run.crash(client.process);
    client.process += CLIENTS;
    client.offsets = new Map();
  }

  #assign(client: Client, keys: string[], fromBeginning: boolean): void {
    const { process } = client;
    this.run.event(process, "invoke", "assign", keys);
    client.finish = () => {
      const at = (key: string) => client.offsets.get(key) ?? this.#committedOf(key);
      client.offsets = new Map(keys.map((key) => [key, fromBeginning ? 0 : at(key)]));
      this.run.event(process, "ok", "assign", keys);
    };
  }

  #committedOf(key: string): number {
    const next = (this.#log(key).at(-1)?.[0] ?? -1) + 1;
    const committed = this.#committed.get(key) ?? 0;
    if (next <= committed || !this.#strikes("commit ahead")) return committed;
    return next;
  }

  #send(client: Client): void {
    const { process } = client;
    const key = KEYS[this.#below(KEYS.length)] ?? "1";
    const value = (this.#values.get(key) ?? 0) + 1;
    this.#values.set(key, value);
    const sent: Json = [["send", key, value]];
    this.run.event(process, "invoke", "send", sent);
    const fate = this.#below(20);
    if (fate === 0 && !this.#strikes("store failed", 1)) {
      client.finish = () => this.run.event(process, "fail", "send", sent);
      return;
    }
    // Appended now or at the end, as the network would have it.
    const early = this.#below(2) === 0 ? this.#append(key, value) : undefined;
    client.finish = () => {
      const offset = early ?? this.#append(key, value);
      if (fate === 0) this.run.event(process, "fail", "send", sent);
      else if (fate === 1) this.#giveUp(client, "send", sent);
      else this.run.event(process, "ok", "send", [["send", key, [offset, value]]]);
    };
  }

  #giveUp(client: Client, f: string, value: Json): void {
    this.run.event(client.process, "info", f, value, { code: 0, text: "Timeout" });
    client.process += CLIENTS;
    client.offsets = new Map();
  }

  #append(key: string, value: number): number {
    const log = this.#log(key);
    const last = log.at(-1);
    const offset = (last?.[0] ?? -1) + 1 + (this.#below(3) === 0 ? this.#below(1000) : 0);
    if (this.#strikes("lose")) return offset;
    if (last !== undefined && this.#strikes("same offset")) {
      log.push([last[0], value]);
      return last[0];
    }
    if (last !== undefined && last[0] > 10 && this.#strikes("insert")) {
      const used = new Set(log.map(([taken]) => taken));
      let below = last[0] - 1;
      while (used.has(below)) below--;
      log.push([below, value]);
      log.sort((a, b) => a[0] - b[0]);
      return below;
    }
    log.push([offset, value]);
    if (this.#strikes("store twice")) log.push([offset + 1, value]);
    return offset;
  }

  #poll(client: Client): void {
    const { process } = client;
    this.run.event(process, "invoke", "poll", [["poll"]]);
    const lost = !this.#isFinal && this.#below(30) === 0;
    client.finish = () => {
      const reply: Reply = {};
      for (const [key, offset] of client.offsets) {
        const entries = this.#read(key, offset);
        if (entries.length > 0) reply[key] = entries;
      }
      for (const [key, entries] of Object.entries(reply) as [string, Entry[]][]) {
        const highest = Math.max(...entries.map(([offset]) => offset));
        client.offsets.set(key, Math.max(client.offsets.get(key) ?? 0, highest + 1));
        this.#committed.set(key, Math.max(this.#committed.get(key) ?? 0, highest));
      }
      if (lost) this.#giveUp(client, "poll", [["poll"]]);
      else this.run.event(process, "ok", "poll", [["poll", reply]]);
    };
  }

  #read(key: string, offset: number): Entry[] {
    const log = this.#log(key);
    let start = log.findIndex(([at]) => at >= offset);
    if (start < 0) return [];
    if (start > 0 && this.#strikes("reread")) start--;
    if (log.length - start > 1 && this.#strikes("skip first")) start++;
    const entries = log.slice(start, start + 1 + this.#below(8));
    if (entries.length > 2 && this.#strikes("skip")) entries.splice(1, 1);
    if (entries.length > 1 && this.#strikes("reverse")) entries.reverse();
    const last = entries.at(-1);
    if (last !== undefined && this.#strikes("invent")) last[1] = -1;
    return entries.map(([at, value]) => [at, value]);
  }

  #log(key: string): Entry[] {
    return this.#logs.get(key) ?? [];
  }

  #strikes(fault: Fault, oneIn = 10): boolean {
    if (this.#fault !== fault || this.#below(oneIn) > 0) return false;
    this.faults++;
    return true;
  }

  /** A whole number below `limit`, by the generator of Numerical Recipes. */
  #below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor(this.#state / 2 ** 32 * limit);
  }
}
