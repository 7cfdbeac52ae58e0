/**
 * The connection to a NATS server as messages see it: what can be sent now, and what is lost.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import type { NatsConnection } from "@nats-io/transport-node";

/** How soon what is lost is told again, and how rarely in the end, in milliseconds. */
const FIRST_TELL_MS = 5000;
const LAST_TELL_MS = 320_000;

/** What is lost for one reason, and not told yet. */
interface DropCount {
  untold: number;
  tellMs: number;
}

/**
 * Tells what is lost: the first of a kind at once, then how many there were since, at ever longer
 * intervals for as long as it goes on.
 */
export class DropCounts {
  readonly #log: (text: string) => void;
  readonly #drops = new Map<string, DropCount>();

  constructor(log: (text: string) => void) {
    this.#log = log;
  }

  /** Counts a message that is dropped, and why. */
  count(why: string): void {
    const known = this.#drops.get(why);
    if (known !== undefined) {
      known.untold++;
      return;
    }
    this.#log(`Dropped a message: ${why}`);
    const loss = { untold: 0, tellMs: FIRST_TELL_MS };
    this.#drops.set(why, loss);
    this.#tellLater(why, loss);
  }

  /** Tells what is not told yet. */
  tell(): void {
    for (const [why, loss] of this.#drops) this.#tell(why, loss);
  }

  #tell(why: string, loss: DropCount): void {
    if (loss.untold > 0) this.#log(`Dropped ${loss.untold} more messages: ${why}`);
    loss.untold = 0;
  }

  #tellLater(why: string, loss: DropCount): void {
    const timer = setTimeout(() => {
      if (loss.untold === 0) {
        this.#drops.delete(why);
        return;
      }
      this.#tell(why, loss);
      loss.tellMs = Math.min(2 * loss.tellMs, LAST_TELL_MS);
      this.#tellLater(why, loss);
    }, loss.tellMs);
    Deno.unrefTimer(timer);
  }
}

/** How many bytes are sent before the server is asked to confirm that it has them. */
const CONFIRM_BYTES = 256 << 10;

/** How many may be on their way to the server before input pauses. */
const FULL_BYTES = 4 << 20;

/** How many may be at all; further messages are dropped. */
const MAX_SENT_BYTES = 64 << 20;

/** How often the server is asked whether it is there, in milliseconds. */
const BEAT_MS = 5000;

/** How many beats in a row may pass without its answer. */
const MAX_SILENT_BEATS = 3;

/**
 * What a process sends to a server, at most once: a message is dropped where there is no connection,
 * or the server takes what was sent before too slowly. The client library would keep messages
 * without a bound instead, and send some of them when they are old.
 */
export class ServerLink {
  readonly connection: NatsConnection;
  readonly drops: DropCounts;
  readonly #log: (text: string) => void;
  #isConnected = true;
  /** What was sent since the server last confirmed that it had everything. */
  #sentBytes = 0;
  #confirming: Promise<void> | undefined;
  readonly #lost = new AbortController();
  #isClosing = false;

  #beat: ReturnType<typeof setInterval> | undefined;

  /** @param beatMs how often the server is asked whether it is there, in milliseconds */
  constructor(
    connection: NatsConnection,
    log: (text: string) => void,
    beatMs: number = BEAT_MS,
  ) {
    this.connection = connection;
    this.#log = log;
    this.drops = new DropCounts(log);
    this.#watch();
    this.#keepAsking(beatMs);
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

  /** Sends a message of at most {@linkcode ServerLink.maxBytes}, or drops it. */
  send(subject: string, bytes: Uint8Array): void {
    if (!this.#isConnected) return this.drops.count("there is no connection to the NATS server");
    if (this.#sentBytes + bytes.length > MAX_SENT_BYTES) {
      return this.drops.count("the NATS server takes them too slowly");
    }
    try {
      this.connection.publish(subject, bytes);
    } catch (error) {
      return this.drops.count(`the NATS client refuses it: ${errorText(error)}`);
    }
    this.#sentBytes += bytes.length;
    if (this.#sentBytes > CONFIRM_BYTES) this.#confirming ??= this.#confirm();
  }

  /** Whether so much is on its way that input should pause. */
  get full(): boolean {
    return this.#sentBytes > FULL_BYTES;
  }

  /** Resolves when it is no longer {@linkcode ServerLink.full}. */
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
    clearInterval(this.#beat);
    this.drops.tell();
    if (this.#isConnected) await this.flush();
    await this.connection.close();
  }

  /**
   * Breaks a connection whose server is silent, so that it is made again, perhaps to another server.
   * A machine that vanishes closes no connections; the client library by itself notices after
   * minutes. This process may have been paused itself, so one answer that is late proves nothing.
   */
  #keepAsking(beatMs: number): void {
    let asked: Promise<void> | undefined;
    let silentBeats = 0;
    const beat = setInterval(() => {
      if (!this.#isConnected || asked === undefined) {
        silentBeats = 0;
        if (this.#isConnected) asked = this.flush().then(() => asked = undefined);
      } else if (++silentBeats === MAX_SILENT_BEATS) {
        this.#log("The NATS server is silent: its connection is broken off");
        silentBeats = 0;
        this.connection.reconnect().catch(() => {});
      }
    }, beatMs);
    Deno.unrefTimer(beat);
    this.#beat = beat;
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
        this.drops.tell();
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

/** Resolves when one of some signals aborts. */
export function firstOf(...signals: readonly AbortSignal[]): Promise<undefined> {
  const any = AbortSignal.any([...signals]);
  return new Promise((resolve) => {
    if (any.aborted) resolve(undefined);
    else any.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
