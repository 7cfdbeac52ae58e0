#!/usr/bin/env -S deno run --quiet
/**
 * A node in TypeScript for Deno, on no library: echo, unique-ids and broadcast.
 *
 * Given a fault: "wrong-echo" changes what it returns, "same-ids" leaves its name out of its ids,
 * "deaf" ignores what other nodes tell it.
 */

interface Body {
  readonly type: string;
  readonly msg_id?: number;
  readonly node_id?: string;
  readonly node_ids?: readonly string[];
  readonly echo?: unknown;
  readonly message?: number;
  readonly messages?: readonly number[];
}

const [fault] = Deno.args;
const seen = new Set<number>();
let me = "";
let peers: string[] = [];
let count = 0;

function send(dest: string, body: object): void {
  console.log(JSON.stringify({ src: me, dest, body }));
}

/** Tells all other nodes everything, every now and then: what is lost is told again. */
function gossip(): void {
  for (const peer of peers) send(peer, { type: "gossip", messages: [...seen] });
}

/** Handles a message, and returns the keys of the reply. */
function handle({ type, node_id = "", node_ids = [], echo, message, messages = [] }: Body): object {
  switch (type) {
    case "init":
      me = node_id;
      peers = node_ids.filter((name) => name !== me);
      return {};
    case "topology":
      setInterval(gossip, 100);
      return {};
    case "echo":
      return { echo: fault === "wrong-echo" ? `${echo}!` : echo };
    case "generate":
      return { id: fault === "same-ids" ? count++ : `${me}-${count++}` };
    case "broadcast":
      if (message !== undefined) seen.add(message);
      return {};
    case "read":
      return { messages: [...seen] };
    case "gossip":
      if (fault !== "deaf") messages.forEach((each) => seen.add(each));
  }
  return {};
}

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const { src, body }: { src: string; body: Body } = JSON.parse(line);
    const keys = handle(body);
    if (body.msg_id === undefined) continue;
    send(src, { type: `${body.type}_ok`, in_reply_to: body.msg_id, ...keys });
  }
}
