/**
 * What the network did, counted as Maelstrom counts it.
 *
 * @module
 */

import type { Packet } from "./network.ts";

/** One thing that happened to a message. */
export interface NetEvent {
  /** What happened. */
  readonly type: "send" | "recv" | "drop";
  /** When, by the world's clock. */
  readonly timeMs: number;
  /** The message, with its network id. */
  readonly message: Packet;
  /** What dropped it. */
  readonly why?: string;
}

/** A message that was not delivered. */
export interface DroppedMessage {
  /** When, by the world's clock. */
  readonly timeMs: number;
  readonly id: number;
  readonly src: string;
  readonly dest: string;
  readonly type: string;
  /** The fault that dropped it; or `closed`, `restart`, `queue full`. */
  readonly why: string;
}

/** The figures of one kind of traffic. */
export interface TrafficStats {
  /** Messages sent. */
  readonly sendCount: number;
  /** Messages delivered, copies of one message counted each. */
  readonly recvCount: number;
  /** Distinct messages. */
  readonly msgCount: number;
  /** Messages for each operation of a client; known of a whole run, where there are any. */
  readonly msgsPerOp?: number | undefined;
}

/** The figures of a network. */
export interface NetStats {
  /** All traffic. */
  readonly all: TrafficStats;
  /** Traffic from and to clients. */
  readonly clients: TrafficStats;
  /** Traffic between nodes, and between nodes and services. */
  readonly servers: TrafficStats;
}

/** How many dropped messages are kept one by one; the counts cover all. */
const MAX_DROPPED = 10_000;

/** Counts what happens to messages, and passes each event on to an observer. */
export class Journal {
  /** Called for every event; for a log of messages. */
  observer: ((event: NetEvent) => void) | undefined;
  /** The first dropped messages. */
  readonly dropped: DroppedMessage[] = [];
  /** How many messages were dropped, by fault or other reason. */
  readonly dropCounts: Map<string, number> = new Map();
  readonly #clients = { sent: 0, received: 0 };
  readonly #servers = { sent: 0, received: 0 };

  /** A message was sent. */
  send(timeMs: number, message: Packet, isClients: boolean): void {
    (isClients ? this.#clients : this.#servers).sent++;
    this.observer?.({ type: "send", timeMs, message });
  }

  /** A message was delivered. */
  receive(timeMs: number, message: Packet, isClients: boolean): void {
    (isClients ? this.#clients : this.#servers).received++;
    this.observer?.({ type: "recv", timeMs, message });
  }

  /** A message, or a copy of it, will never be delivered. */
  drop(timeMs: number, message: Packet, why: string): void {
    this.dropCounts.set(why, (this.dropCounts.get(why) ?? 0) + 1);
    if (this.dropped.length < MAX_DROPPED) {
      const { id, src, dest, type } = message;
      this.dropped.push({ timeMs, id, src, dest, type, why });
    }
    this.observer?.({ type: "drop", timeMs, message, why });
  }

  /** The figures so far. */
  stats(): NetStats {
    const all = {
      sent: this.#clients.sent + this.#servers.sent,
      received: this.#clients.received + this.#servers.received,
    };
    return {
      all: trafficStats(all),
      clients: trafficStats(this.#clients),
      servers: trafficStats(this.#servers),
    };
  }
}

function trafficStats({ sent, received }: { sent: number; received: number }): TrafficStats {
  // What is received was sent before, under the same id, so the distinct ids are those sent.
  return { sendCount: sent, recvCount: received, msgCount: sent };
}
