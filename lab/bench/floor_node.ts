/**
 * The least that a node can do, to compare with: the read loop of `main.ts`, `JSON.parse` and
 * `JSON.stringify`, replies in as few writes as the pipe takes, and no check at all.
 *
 * It serves the workload that its first argument names, echo if there is none. In `lin-kv` it is no
 * right node: any node sends an operation to the others and answers at the first acknowledgement,
 * which are the messages that a majority of three takes.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";

const encoder = new TextEncoder();
let output: string[] = [];
let writing: Promise<void> | undefined;

async function writeAll(): Promise<void> {
  await Promise.resolve();
  while (output.length > 0) {
    const bytes = encoder.encode(`${output.join("\n")}\n`);
    output = [];
    for (let done = 0; done < bytes.length;) {
      done += await Deno.stdout.write(bytes.subarray(done));
    }
  }
  writing = undefined;
}

function send(src: string, dest: string, body: unknown): void {
  output.push(JSON.stringify({ src, dest, body }));
  writing ??= writeAll();
}

// deno-lint-ignore no-explicit-any -- it checks nothing
type Body = any;
type Handler = (body: Body, src: string, dest: string) => unknown;

let nodeIds: string[] = [];
let count = 0;
const values: unknown[] = [];
const lists = new Map<unknown, unknown[]>();
const registers = new Map<unknown, unknown>();
const waiting = new Map<number, () => void>();

function listOf(key: unknown): unknown[] {
  let list = lists.get(key);
  if (list === undefined) lists.set(key, list = []);
  return list;
}

/** Applies an operation once one other node has acknowledged it. */
function agree(body: Body, src: string, dest: string): undefined {
  const asked = ++count;
  for (const other of nodeIds) {
    if (other === dest) continue;
    send(dest, other, { type: "accept", operation: body, msg_id: asked });
  }
  waiting.set(asked, () => {
    waiting.delete(asked);
    const reply = { type: `${body.type}_ok`, value: apply(body), in_reply_to: body.msg_id };
    send(dest, src, reply);
  });
}

function apply({ type, key, value, to }: Body): unknown {
  if (type === "read") return registers.get(key);
  registers.set(key, type === "write" ? value : to);
}

const workloads: Record<string, Record<string, Handler>> = {
  echo: {
    echo: ({ echo, msg_id }) => ({ type: "echo_ok", echo, in_reply_to: msg_id }),
  },
  "unique-ids": {
    generate: ({ msg_id }, _, dest) => (
      { type: "generate_ok", id: `${dest}-${count++}`, in_reply_to: msg_id }
    ),
  },
  broadcast: {
    broadcast({ message, msg_id }) {
      values.push(message);
      return { type: "broadcast_ok", in_reply_to: msg_id };
    },
    read: ({ msg_id }) => ({ type: "read_ok", messages: values, in_reply_to: msg_id }),
  },
  "pn-counter": {
    add({ delta, msg_id }) {
      count += delta;
      return { type: "add_ok", in_reply_to: msg_id };
    },
  },
  kafka: {
    send({ key, msg, msg_id }) {
      const log = listOf(key);
      const offset = log.length;
      log.push([offset, msg]);
      return { type: "send_ok", offset, in_reply_to: msg_id };
    },
    poll({ offsets, msg_id }) {
      const msgs: Record<string, unknown[]> = {};
      for (const key in offsets) msgs[key] = listOf(key).slice(offsets[key]);
      return { type: "poll_ok", msgs, in_reply_to: msg_id };
    },
  },
  "txn-list-append": {
    txn({ txn, msg_id }) {
      const done = txn.map(([f, key, value]: [string, unknown, unknown]) => {
        if (f === "r") return [f, key, [...listOf(key)]];
        listOf(key).push(value);
        return [f, key, value];
      });
      return { type: "txn_ok", txn: done, in_reply_to: msg_id };
    },
  },
  "lin-kv": {
    read: agree,
    write: agree,
    cas: agree,
    accept({ operation, msg_id }) {
      apply(operation);
      return { type: "accept_ok", in_reply_to: msg_id };
    },
    accept_ok: ({ in_reply_to }) => waiting.get(in_reply_to)?.(),
  },
};

const handlers: Record<string, Handler> = {
  init({ node_ids, msg_id }) {
    nodeIds = node_ids;
    return { type: "init_ok", in_reply_to: msg_id };
  },
  ...workloads[Deno.args[0] ?? "echo"],
};

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const line of lines) {
  const { src, dest, body } = JSON.parse(line);
  const reply = handlers[body.type]?.(body, src, dest);
  if (reply !== undefined) send(dest, src, reply);
}
await writing;
