/**
 * What a node sends, held back until the writes before it are durable.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { isClient } from "./message.ts";
import type { Output } from "./stdio.ts";
import type { Storage } from "./storage.ts";

/** How much may be held back before input pauses, in characters. */
const MAX_HELD_CHARS = 1 << 19;

/** How far apart syncs are, at least, for the answers of several clients, in milliseconds. */
const SYNC_SPACING_MS = 10;

/** A client that was answered within this time may soon ask again, in milliseconds. */
const LATELY_MS = 100;

/** A line that is held back, and whom it is for. */
interface HeldLine {
  readonly line: string;
  readonly dest: string;
}

/**
 * Holds back lines until what was written to a storage before them is durable.
 *
 * The lines keep their order, so that all that follows a line held back is held back, too. A sync
 * begins at the end of the turn, for all that came in it. Only if nothing but clients' answers is
 * held back, and others were answered lately that do not wait, it waits for these to share it (group
 * commit; as `commit_delay` and `commit_siblings` of PostgreSQL). So neither a client alone nor
 * another node waits for company.
 */
export class DurableOutput {
  readonly #output: Output;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #onFailure: (error: unknown) => void;
  #held: HeldLine[] = [];
  #heldChars = 0;
  #syncing: Promise<void> | undefined;
  #failed = false;
  #syncedMs = -Infinity;
  /** The clients whose answers are held back, and whether messages to nodes are, too. */
  readonly #waiting = new Set<string>();
  #holdsUpNodes = false;
  /** The clients that were answered lately, and those before. */
  #clients = new Set<string>();
  #earlier = new Set<string>();
  #countedMs = -Infinity;

  /** @param onFailure called once, with what a sync has thrown; nothing is written any more */
  constructor(
    output: Output,
    storage: Storage,
    clock: Clock,
    onFailure: (error: unknown) => void,
  ) {
    this.#output = output;
    this.#storage = storage;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Takes a line, and whom it is for. */
  write(line: string, dest: string): void {
    if (this.#failed) return;
    const isAnswer = isClient(dest);
    if (isAnswer) this.#count(dest);
    if (this.#syncing === undefined && !this.#storage.isDirty) {
      return this.#output.write(line, dest);
    }
    if (isAnswer) this.#waiting.add(dest);
    else this.#holdsUpNodes = true;
    this.#held.push({ line, dest });
    this.#heldChars += line.length + 1;
    this.#syncing ??= this.#sync();
  }

  /** Whether so much is held back, or buffered, that input should pause. */
  get full(): boolean {
    return this.#heldChars > MAX_HELD_CHARS || this.#output.full === true;
  }

  /** Resolves when it is no longer {@linkcode DurableOutput.full}. */
  async drained(): Promise<void> {
    while (this.full && !this.#failed) {
      if (this.#heldChars > MAX_HELD_CHARS) await this.#syncing;
      else await this.#output.drained?.();
    }
  }

  /** Resolves when all that was written is durable, and has left the process. */
  async flush(): Promise<void> {
    if (this.#storage.isDirty) this.#syncing ??= this.#sync();
    await this.#syncing;
    await this.#output.flush?.();
  }

  async #sync(): Promise<void> {
    try {
      await this.#pause(0);
      while (this.#storage.isDirty) {
        await this.#awaitCompany();
        this.#syncedMs = this.#clock.now();
        const lines = this.#take();
        await this.#storage.sync();
        for (const { line, dest } of lines) this.#output.write(line, dest);
      }
      for (const { line, dest } of this.#take()) this.#output.write(line, dest);
    } catch (error) {
      this.#failed = true;
      this.#take();
      this.#onFailure(error);
    }
    this.#syncing = undefined;
  }

  #take(): readonly HeldLine[] {
    const held = this.#held;
    this.#held = [];
    this.#heldChars = 0;
    this.#waiting.clear();
    this.#holdsUpNodes = false;
    return held;
  }

  async #awaitCompany(): Promise<void> {
    while (!this.#holdsUpNodes && this.#mayCome) {
      const waitMs = this.#syncedMs + SYNC_SPACING_MS - this.#clock.now();
      if (waitMs <= 0) return;
      await this.#pause(Math.min(waitMs, 1));
    }
  }

  /** Whether a client was answered lately that does not wait. */
  get #mayCome(): boolean {
    return this.#waiting.size < Math.max(this.#clients.size, this.#earlier.size);
  }

  #count(client: string): void {
    const nowMs = this.#clock.now();
    if (nowMs - this.#countedMs > LATELY_MS) {
      this.#countedMs = nowMs;
      this.#earlier = this.#clients;
      this.#clients = new Set();
    }
    this.#clients.add(client);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.schedule(ms, resolve));
  }
}
