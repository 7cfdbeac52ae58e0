/**
 * The connection to a NATS server as messages see it: what can be sent now, and what is lost.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import type { NatsConnection } from "@nats-io/transport-node";

/** How often one kind of loss is told at most, in milliseconds. */
const TELL_MS = 5000;

/** Tells what is lost: the first of a kind at once, then how many there were in the last seconds. */
export class Losses {
  readonly #log: (text: string) => void;
  readonly #tellMs: number;
  readonly #counts = new Map<string, number>();

  constructor(log: (text: string) => void, tellMs: number = TELL_MS) {
    this.#log = log;
    this.#tellMs = tellMs;
  }

  /** Counts a message that is dropped, and why. */
  count(why: string): void {
    const count = this.#counts.get(why);
    if (count !== undefined) {
      this.#counts.set(why, count + 1);
      return;
    }
    this.#log(`Dropped a message: ${why}`);
    this.#counts.set(why, 0);
    this.#tellLater(why);
  }

  /** Tells what is not told yet. */
  tell(): void {
    for (const [why, count] of this.#counts) {
      if (count > 0) this.#log(`Dropped ${count} more messages: ${why}`);
      this.#counts.set(why, 0);
    }
  }

  #tellLater(why: string): void {
    const timer = setTimeout(() => {
      const count = this.#counts.get(why) ?? 0;
      if (count === 0) {
        this.#counts.delete(why);
      } else {
        this.#log(`Dropped ${count} more messages: ${why}`);
        this.#counts.set(why, 0);
        this.#tellLater(why);
      }
    }, this.#tellMs);
    Deno.unrefTimer(timer);
  }
}

/** How many bytes are sent before the server is asked to confirm that it has them. */
const CONFIRM_BYTES = 256 << 10;

/** How many may be on their way to the server before input pauses. */
const FULL_BYTES = 4 << 20;

/** How many may be at all; further messages are dropped. */
const MAX_SENT_BYTES = 64 << 20;

/**
 * What a process sends to a server, at most once: a message is dropped where there is no connection,
 * or the server takes what was sent before too slowly. The client library would keep messages
 * without a bound instead, and send some of them when they are old.
 */
export class Link {
  readonly connection: NatsConnection;
  readonly losses: Losses;
  readonly #log: (text: string) => void;
  #isConnected = true;
  /** What was sent since the server last confirmed that it had everything. */
  #sentBytes = 0;
  #confirming: Promise<void> | undefined;
  readonly #lost = new AbortController();
  #isClosing = false;

  constructor(connection: NatsConnection, log: (text: string) => void) {
    this.connection = connection;
    this.#log = log;
    this.losses = new Losses(log);
    this.#watch();
  }

  /** Aborts when the connection has ended for good: the server has refused it, for instance. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** How many bytes a message may have; no bound is known without a connection. */
  get maxBytes(): number {
    return this.connection.info?.max_payload ?? Infinity;
  }

  /** Sends a message of at most {@linkcode Link.maxBytes}, or drops it. */
  send(subject: string, bytes: Uint8Array): void {
    if (!this.#isConnected) return this.losses.count("there is no connection to the NATS server");
    if (this.#sentBytes + bytes.length > MAX_SENT_BYTES) {
      return this.losses.count("the NATS server takes them too slowly");
    }
    try {
      this.connection.publish(subject, bytes);
    } catch (error) {
      return this.losses.count(`the NATS client refuses it: ${errorText(error)}`);
    }
    this.#sentBytes += bytes.length;
    if (this.#sentBytes > CONFIRM_BYTES) this.#confirming ??= this.#confirm();
  }

  /** Whether so much is on its way that input should pause. */
  get full(): boolean {
    return this.#sentBytes > FULL_BYTES;
  }

  /** Resolves when it is no longer {@linkcode Link.full}. */
  async drained(): Promise<void> {
    while (this.full) await (this.#confirming ??= this.#confirm());
  }

  /** Resolves when the server has all that was sent, or the connection is lost. */
  async flush(): Promise<void> {
    if (this.#isConnected) await this.connection.flush().catch(() => {});
  }

  /** Closes the connection when the server has all that was sent; at once where it is lost. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.losses.tell();
    if (this.#isConnected) await this.flush();
    await this.connection.close();
  }

  async #confirm(): Promise<void> {
    const bytes = this.#sentBytes;
    await this.flush();
    // What was on its way when the connection broke is lost, and counted as sent no more.
    this.#sentBytes = Math.max(0, this.#sentBytes - bytes);
    this.#confirming = undefined;
  }

  async #watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === "disconnect") {
        if (this.#isConnected) {
          this.#log("Lost the NATS server: what is sent is dropped until it is back");
        }
        this.#isConnected = false;
        this.#sentBytes = 0;
      } else if (status.type === "reconnect") {
        this.#isConnected = true;
        this.losses.tell();
        this.#log("Reached the NATS server again");
      } else if (status.type === "error") {
        this.#log(`The NATS server says: ${errorText(status.error)}`);
      }
    }
    this.#isConnected = false;
    if (this.#isClosing) return;
    const cause = await this.connection.closed();
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    this.#lost.abort(new Error(`Lost the NATS server for good${why}`));
  }
}
