/**
 * What is sent to a node, made before the clock starts, and what is read of it.
 *
 * @module
 */

const encoder = new TextEncoder();

/** The body of a request or a reply, less `msg_id` and `in_reply_to`. */
export interface LoadBody {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Requests of one kind, by number. */
export interface Load {
  /** What the figures call it. */
  readonly name: string;
  /** The workload that a node is started for. */
  readonly workload: string;
  /** How many there are for each request of the echo load. */
  readonly share: number;
  /** How many of the first are not measured. */
  readonly unmeasured?: number;
  /** How many are open at the same time at most; as many as the pipe takes if it is left out. */
  readonly open?: number;
  /** Request number `index`. */
  readonly request: (index: number) => LoadBody;
  /** Whether request number `index` is answered by `body`, in a node that was sent no other. */
  readonly isAnswer: (body: LoadBody, index: number) => boolean;
}

/** Values that the list read in the load of reads grows to, and entries that a poll returns. */
export const LIST_LENGTH = 1000;
const READS_PER_VALUE = 20;
const KEYS = Array.from({ length: 10 }, (_, key) => `k${key}`);
const FROM_THE_START = Object.fromEntries(KEYS.map((key) => [key, 0]));

function keyOf(index: number): string {
  return KEYS[index % KEYS.length] ?? "";
}

/** What request number `index` says, as Maelstrom's echo workload words it. */
function echoOf(index: number): string {
  return `Please echo ${index % 128}`;
}

function entriesOf(msgs: unknown): number {
  return Object.values(msgs as Record<string, unknown[]>)
    .reduce((sum, entries) => sum + entries.length, 0);
}

/** The load that every node is measured with. */
export const echo: Load = {
  name: "echo",
  workload: "echo",
  share: 1,
  request: (index) => ({ echo: echoOf(index), type: "echo" }),
  isAnswer: ({ type, echo }, index) => type === "echo_ok" && echo === echoOf(index),
};

/** All loads on one node. */
export const loads: readonly Load[] = [
  echo,
  {
    name: "unique-ids",
    workload: "unique-ids",
    share: 0.5,
    request: () => ({ type: "generate" }),
    isAnswer: ({ type, id }) => type === "generate_ok" && id !== undefined,
  },
  {
    name: "broadcast",
    workload: "broadcast",
    share: 0.5,
    request: (index) => ({ type: "broadcast", message: index }),
    isAnswer: ({ type }) => type === "broadcast_ok",
  },
  {
    name: "broadcast, read",
    workload: "broadcast",
    share: 0.07,
    request: (index) =>
      index % (READS_PER_VALUE + 1) === 0 && valuesAt(index) <= LIST_LENGTH
        ? { type: "broadcast", message: index }
        : { type: "read" },
    isAnswer: ({ type, messages }, index) =>
      type === "broadcast_ok" ||
      (messages as unknown[]).length === Math.min(valuesAt(index), LIST_LENGTH),
  },
  {
    name: "pn-counter, add",
    workload: "pn-counter",
    share: 0.5,
    request: (index) => ({ type: "add", delta: index % 11 - 5 }),
    isAnswer: ({ type }) => type === "add_ok",
  },
  {
    name: "kafka, send",
    workload: "kafka",
    share: 0.5,
    request: (index) => ({ type: "send", key: keyOf(index), msg: index }),
    isAnswer: ({ type, offset }) => type === "send_ok" && Number.isInteger(offset),
  },
  {
    name: "kafka, poll",
    workload: "kafka",
    share: 0.05,
    unmeasured: LIST_LENGTH,
    request: (index) =>
      index < LIST_LENGTH
        ? { type: "send", key: keyOf(index), msg: index }
        : { type: "poll", offsets: FROM_THE_START },
    isAnswer: ({ type, msgs }, index) =>
      index < LIST_LENGTH ? type === "send_ok" : entriesOf(msgs) === LIST_LENGTH,
  },
  {
    name: "txn-list-append",
    workload: "txn-list-append",
    share: 0.2,
    open: 4096, // A node refuses more than 16,384 that wait for its log.
    request: (index) => ({
      type: "txn",
      txn: [["append", index >> 3, index], ["r", index >> 3, null]],
    }),
    isAnswer: ({ txn }, index) => (txn as [unknown, unknown, unknown[]][])[1]?.[2].at(-1) === index,
  },
];

/** How many values the load of reads has sent when request number `index` is answered. */
function valuesAt(index: number): number {
  return Math.floor(index / (READS_PER_VALUE + 1)) + 1;
}

/** The first line that a node gets. */
export function initLine(id: string, ids: readonly string[] = [id]): Uint8Array<ArrayBuffer> {
  const body = { type: "init", node_id: id, node_ids: ids, msg_id: 1 };
  return encoder.encode(`${JSON.stringify({ id: 0, src: "c0", dest: id, body })}\n`);
}

/** A message from a client as a line, with the order of keys that Maelstrom's have. */
export function requestLine(msgId: number, body: LoadBody, src = "c2", dest = "n0"): string {
  return `${JSON.stringify({ id: msgId, src, dest, body: { ...body, msg_id: msgId } })}\n`;
}

/** Requests `from` up to, not including, `to`, as bytes to write. */
export function requestBytes(load: Load, from: number, to: number): Uint8Array<ArrayBuffer> {
  const lines: string[] = [];
  for (let index = from; index < to; index++) lines.push(requestLine(index, load.request(index)));
  return encoder.encode(lines.join(""));
}

/** How many lines end in `bytes`; all that is done to output while the clock runs. */
export function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}

/** Bytes that were read, and when. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** By the clock of who read them. */
  readonly atMs: number;
}

/** A line that is longer is no reply to any request here. */
const MAX_LINE_BYTES = 1 << 20;
/** More than all replies of a load that fits into memory. */
const MAX_BYTES = 2 ** 31;

/** What a node sends, until as many lines have come as are waited for, or too much to go on. */
export class Output {
  readonly chunks: Chunk[] = [];
  #missing: number;
  #bytes = 0;
  #lineBytes = 0;

  constructor(lines: number) {
    this.#missing = lines;
  }

  /** Takes bytes, which are kept. */
  add(bytes: Uint8Array, atMs: number): void {
    this.chunks.push({ bytes, atMs });
    this.#missing -= countLines(bytes);
    this.#bytes += bytes.length;
    const last = bytes.lastIndexOf(10);
    this.#lineBytes = last === -1 ? this.#lineBytes + bytes.length : bytes.length - 1 - last;
  }

  /** Whether nothing more is to be read. What is too much is found by the check of replies. */
  get isDone(): boolean {
    return this.#missing <= 0 || this.#lineBytes > MAX_LINE_BYTES || this.#bytes > MAX_BYTES;
  }
}
