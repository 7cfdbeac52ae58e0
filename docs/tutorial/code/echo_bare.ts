#!/usr/bin/env -S deno run
let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const { src, dest, body } = JSON.parse(line);
    console.error("received", body.type, "from", src);
    const reply = { type: `${body.type}_ok`, in_reply_to: body.msg_id, echo: body.echo };
    console.log(JSON.stringify({ src: dest, dest: src, body: reply }));
  }
}
