#!/usr/bin/env node
import { createInterface } from "node:readline";

createInterface({ input: process.stdin }).on("line", (line) => {
  const { src, dest, body } = JSON.parse(line);
  console.log("received", body.type, "from", src);
  const reply = { type: `${body.type}_ok`, in_reply_to: body.msg_id, echo: body.echo };
  console.log(JSON.stringify({ src: dest, dest: src, body: reply }));
});
