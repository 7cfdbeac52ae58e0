/**
 * The shortest script around the read loop, three lines, to compare memory with.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
const text = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const line of text.pipeThrough(new TextLineStream())) console.log(line);
