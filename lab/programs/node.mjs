#!/usr/bin/env node
// A node in JavaScript for Node.js, without packages: echo, unique-ids and broadcast.
//
// Given a fault: "wrong-echo" changes what it returns, "same-ids" leaves its name out of its ids,
// "deaf" ignores what other nodes tell it, "extra" adds a key to a reply, "crash" throws after ten
// ids. "in-pieces" writes a line in two parts, as any pipe may deliver it: no fault at all.

// deno-lint-ignore no-external-import -- Node.js knows its modules by such names only.
import { createInterface } from "node:readline";

const [fault] = process.argv.slice(2);
const seen = new Set();
let me;
let peers = [];
let count = 0;

function send(dest, body) {
  const line = JSON.stringify({ src: me, dest, body }) + "\n";
  if (fault !== "in-pieces") return process.stdout.write(line);
  process.stdout.write(line.slice(0, 20));
  process.stdout.write(line.slice(20));
}

/** Tells all other nodes everything, every now and then: what is lost is told again. */
function gossip() {
  for (const peer of peers) send(peer, { type: "gossip", messages: [...seen] });
}

function generate() {
  count++;
  if (fault === "same-ids") return { id: count };
  if (fault === "extra") return { id: `${me}-${count}`, node: me };
  if (fault === "crash" && count === 10) throw new Error("Cannot count any further");
  return { id: `${me}-${count}` };
}

const handlers = {
  init({ node_id, node_ids }) {
    me = node_id;
    peers = node_ids.filter((name) => name !== me);
  },
  topology: () => void setInterval(gossip, 100),
  echo: ({ echo }) => ({ echo: fault === "wrong-echo" ? `${echo}!` : echo }),
  generate,
  broadcast: ({ message }) => void seen.add(message),
  read: () => ({ messages: [...seen] }),
  gossip({ messages }) {
    if (fault !== "deaf") messages.forEach((message) => seen.add(message));
  },
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { src, body } = JSON.parse(line);
  const keys = handlers[body.type](body);
  if (body.msg_id === undefined) return;
  send(src, { type: `${body.type}_ok`, in_reply_to: body.msg_id, ...keys });
});
