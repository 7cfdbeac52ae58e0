/**
 * The least that a node can do, to compare with: the read loop of `main.ts`, `JSON.parse` and
 * `JSON.stringify`, replies in as few writes as the pipe takes, and no check at all.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";

const encoder = new TextEncoder();
let replies: string[] = [];
let writing: Promise<void> | undefined;

async function writeAll(): Promise<void> {
  await Promise.resolve();
  while (replies.length > 0) {
    const bytes = encoder.encode(`${replies.join("\n")}\n`);
    replies = [];
    for (let done = 0; done < bytes.length;) {
      done += await Deno.stdout.write(bytes.subarray(done));
    }
  }
  writing = undefined;
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const line of lines) {
  const { src, dest, body } = JSON.parse(line);
  const reply = { type: `${body.type}_ok`, echo: body.echo, in_reply_to: body.msg_id };
  replies.push(JSON.stringify({ src: dest, dest: src, body: reply }));
  writing ??= writeAll();
}
await writing;
