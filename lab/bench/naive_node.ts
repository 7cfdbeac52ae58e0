/**
 * The node that a first afternoon gives, to compare with: one `console.log` per reply.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";

let nodeId = "";
let nextMsgId = 0;
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());

for await (const line of lines) {
  const { src, body: { type, msg_id, node_id, ...rest } } = JSON.parse(line);
  nodeId ||= node_id;
  const keys = type === "init" ? {} : rest;
  const body = { type: `${type}_ok`, ...keys, in_reply_to: msg_id, msg_id: nextMsgId++ };
  console.log(JSON.stringify({ src: nodeId, dest: src, body }));
}
