/**
 * Golden transcripts, for tests: what goes into a node and what comes out, line by line, each with
 * its time.
 *
 * @module
 */

import { Node } from "@eddy/maelstrom";
import { ManualClock, settle } from "@eddy/maelstrom/testing";

/**
 * Plays the incoming lines of a transcript to a node, and returns the transcript with the lines
 * that came out.
 *
 * An incoming line is `<ms> <src> -> <body>`, an outgoing one `<ms> <dest> <- <body>`; lines that
 * begin with `#` are comments, which the node never sees, and are returned as they stand. A line
 * with a time alone lets time pass.
 *
 * @param serve registers the handlers of node `id`
 */
export async function play(
  transcript: string,
  id: string,
  serve: (node: Node) => void,
): Promise<string> {
  const clock = new ManualClock();
  const lines: string[] = [];
  const node = new Node({
    clock,
    random: { next: () => 0.5 },
    log: (text) => lines.push(`${clock.now()} says ${text}`),
    output: {
      write(line) {
        const { dest, body } = JSON.parse(line);
        lines.push(`${clock.now()} ${dest} <- ${JSON.stringify(body)}`);
      },
    },
  });
  serve(node);
  for (const line of transcript.trim().split("\n")) {
    const [, time, src, body] = /^(\d+)(?: (\w+) -> (.*))?$/.exec(line) ?? [];
    if (time === undefined) {
      if (line.startsWith("#")) lines.push(line);
      continue;
    }
    await clock.advance(Number(time) - clock.now());
    lines.push(line);
    if (src === undefined || body === undefined) continue;
    node.receive(`{"src":"${src}","dest":"${id}","body":${body}}`);
    await settle();
  }
  return lines.join("\n");
}
