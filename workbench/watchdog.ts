/**
 * What nodes in this thread do at present, for a thread that watches them.
 *
 * @module
 */

/** How much of a name or a message is quoted: every message is copied, so it must be little. */
const MAX_TEXT = 40;

/** What the thread that runs nodes leaves for the one that watches it. */
export interface Activity {
  /** How often a node was given something to do. */
  readonly beats: number;
  /** The seed of the run under way; undefined between runs. */
  readonly seed: number | undefined;
  /** The node that was given something last. */
  readonly node: string;
  /** The beginning of the message that it was given; empty for a timer. */
  readonly message: string;
}

const BEATS = 0;
const RUNS = 1;
const NODE_CHARS = 2;
const MESSAGE_CHARS = 3;

/** Memory that threads share; a page that was opened from disk has none, and no watchdog. */
function newMemory(): ArrayBufferLike {
  const size = 24 + 4 * MAX_TEXT;
  return typeof SharedArrayBuffer === "undefined"
    ? new ArrayBuffer(size)
    : new SharedArrayBuffer(size);
}

/** {@linkcode Activity} in memory that two threads share. */
export class SharedActivity {
  /** The memory. */
  readonly buffer: ArrayBufferLike;
  readonly #counts: Int32Array;
  readonly #seed: Float64Array;
  readonly #node: Uint16Array;
  readonly #message: Uint16Array;

  /** @param buffer what another thread's has; new memory by default */
  constructor(buffer: ArrayBufferLike = newMemory()) {
    this.buffer = buffer;
    this.#counts = new Int32Array(buffer, 0, 4);
    this.#seed = new Float64Array(buffer, 16, 1);
    this.#node = new Uint16Array(buffer, 24, MAX_TEXT);
    this.#message = new Uint16Array(buffer, 24 + 2 * MAX_TEXT, MAX_TEXT);
  }

  /** A run begins. */
  begin(seed: number): void {
    this.#seed[0] = seed;
    this.#add(RUNS, 1);
    this.#add(BEATS, 1);
  }

  /** A run has ended. */
  end(): void {
    this.#add(RUNS, -1);
  }

  /** A node is given a message, or a timer of its own. */
  mark(node: string, message: string): void {
    this.#counts[NODE_CHARS] = copy(node, this.#node);
    this.#counts[MESSAGE_CHARS] = copy(message, this.#message);
    this.#add(BEATS, 1);
  }

  /** What there is at present. */
  read(): Activity {
    const [beats = 0, runs = 0, nodeChars, messageChars] = this.#counts;
    return {
      beats,
      seed: runs > 0 ? this.#seed[0] : undefined,
      node: String.fromCharCode(...this.#node.subarray(0, nodeChars)),
      message: String.fromCharCode(...this.#message.subarray(0, messageChars)),
    };
  }

  #add(index: number, change: number): void {
    this.#counts[index] = ((this.#counts[index] ?? 0) + change) | 0;
  }
}

/** Copies the beginning of a text, and returns how long it is. */
function copy(text: string, chars: Uint16Array): number {
  const count = Math.min(text.length, chars.length);
  for (let i = 0; i < count; i++) chars[i] = text.charCodeAt(i);
  return count;
}

/** What nodes in this thread do. */
export const activity: SharedActivity = new SharedActivity();
