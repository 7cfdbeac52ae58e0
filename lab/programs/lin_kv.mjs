#!/usr/bin/env node
// A lin-kv node that hands everything on to the lin-kv service.
//
// Given a fault: "cache" remembers what it read, "seq-kv" asks that service instead, "eager"
// acknowledges writes before they are written.

const [fault] = process.argv.slice(2);
const service = fault === "seq-kv" ? "seq-kv" : "lin-kv";
const waiting = new Map();
const cache = new Map();
let me;
let nextId = 0;

function send(dest, body) {
  process.stdout.write(JSON.stringify({ src: me, dest, body }) + "\n");
}

function ask(body, onReply) {
  const id = nextId++;
  waiting.set(id, onReply);
  send(service, { ...body, msg_id: id });
}

function handle({ src, body }) {
  const { type, msg_id, ...request } = body;
  const answer = ({ in_reply_to: _, ...reply }) => send(src, { ...reply, in_reply_to: msg_id });
  if (type === "init") {
    me = body.node_id;
    return answer({ type: "init_ok" });
  }
  if (fault === "cache" && type === "read" && cache.has(body.key)) {
    return answer(cache.get(body.key));
  }
  if (fault === "eager" && type === "write") {
    answer({ type: "write_ok" });
    return setTimeout(() => ask({ type, ...request }, () => {}), 30);
  }
  ask({ type, ...request }, (reply) => {
    if (type === "read" && reply.type === "read_ok" && !cache.has(body.key)) {
      cache.set(body.key, reply);
      setTimeout(() => cache.delete(body.key), 300);
    }
    answer(reply);
  });
}

function receive(message) {
  const { in_reply_to } = message.body;
  if (in_reply_to === undefined) return handle(message);
  waiting.get(in_reply_to)?.(message.body);
  waiting.delete(in_reply_to);
}

let rest = "";
process.stdin.setEncoding("utf8").on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const line of lines) receive(JSON.parse(line));
});
