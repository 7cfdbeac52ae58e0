#!/usr/bin/env node
// A node that makes unique ids. Given the name of a fault, it has that one.

const [fault] = process.argv.slice(2);
let me;
let count = 0;

function send(dest, body) {
  process.stdout.write(JSON.stringify({ src: me, dest, body }) + "\n");
}

function generate() {
  count++;
  switch (fault) {
    case "nameless":
      return { id: count };
    case "extra":
      return { id: `${me}-${count}`, node: me };
    case "crash":
      if (count === 10) throw new Error("Cannot count any further");
  }
  return { id: `${me}-${count}` };
}

function receive({ src, body }) {
  if (body.type === "init") me = body.node_id;
  const result = body.type === "init" ? {} : generate();
  const reply = { type: `${body.type}_ok`, in_reply_to: body.msg_id, ...result };
  if (fault === "in-pieces") {
    // In pieces, as any pipe may deliver it: no fault at all.
    const text = JSON.stringify({ src: me, dest: src, body: reply });
    process.stdout.write(text.slice(0, 20));
    process.stdout.write(text.slice(20) + "\n");
  } else send(src, reply);
}

let rest = "";
process.stdin.setEncoding("utf8").on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const line of lines) receive(JSON.parse(line));
});
