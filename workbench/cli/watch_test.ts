/**
 * `test --watch`, as a process: changes are made to files, and what it prints then is waited for.
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { command, inTempDir, workbench } from "./testing.ts";
import { filesOf } from "./watch.ts";

const node = `
import { word } from "./word.ts";
let rest = "";
const decoder = new TextDecoder();
for await (const chunk of Deno.stdin.readable) {
  const lines = (rest + decoder.decode(chunk)).split("\\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const { src, dest, body } = JSON.parse(line);
    const reply = { ...body, type: body.type + "_ok", in_reply_to: body.msg_id };
    if ("echo" in body) reply.echo = word === "right" ? body.echo : word;
    console.log(JSON.stringify({ src: dest, dest: src, body: reply }));
  }
}
`;

/** Reads a stream until a pattern has come, and returns what was read. */
class Reading {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(stream: ReadableStream<Uint8Array>) {
    const decoder: TransformStream<BufferSource, string> = new TextDecoderStream();
    this.#reader = (stream as ReadableStream<BufferSource>).pipeThrough(decoder).getReader();
  }

  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#text);
      if (found !== null) {
        const end = found.index + found[0].length;
        const text = this.#text.slice(0, end);
        this.#text = this.#text.slice(end);
        return text;
      }
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`It ended without ${pattern}: ${this.#text}`);
      this.#text += value;
    }
  }
}

const WAITING = /Waiting for a change of node\.ts\n/;

Deno.test("test --watch: runs again when an import changes, and waits where it is broken", async () => {
  await inTempDir(async (dir) => {
    const word = join(dir, "word.ts");
    const say = (text: string) => Deno.writeTextFileSync(word, text);
    Deno.writeTextFileSync(join(dir, "node.ts"), node);
    say('export const word: string = "right";');
    const args = ["test", "-w", "echo", "--bin", "node.ts", "--node-count", "1", "--watch"];
    const child = command([...args, "--time-limit", "2", "--seed", "1"], dir).spawn();
    const stdout = new Reading(child.stdout);
    const stderr = new Reading(child.stderr);
    await stdout.until(/^Virtual time, .*\necho, .*seed 1: valid\n/);
    await stderr.until(WAITING);
    say('export const word: string = "wrong";');
    await stdout.until(/seed 1: INVALID\n/);
    await stderr.until(WAITING);
    say("export const word: string = ;");
    assertStringIncludes(await stderr.until(WAITING), "Cannot bundle node.ts: ");
    // An editor may write another file and rename it.
    Deno.writeTextFileSync(`${word}.new`, 'export const word: string = "right";');
    Deno.renameSync(`${word}.new`, word);
    const text = await stdout.until(/seed 1: valid\n/);
    assertEquals(text.includes("\x1b"), false, "the screen is cleared on a terminal only");
    await stderr.until(WAITING);
    child.kill("SIGINT");
    assertEquals((await child.status).code, 0, "as the last run");
  });
});

Deno.test("test --watch: a change breaks a run off, and a signal ends all", async () => {
  await inTempDir(async (dir) => {
    const bin = join(dir, "deaf.sh");
    const script = (text: string) =>
      `#!/bin/sh\necho ${text} >&2\nread -r init\nwhile :; do sleep 60; done\n`;
    Deno.writeTextFileSync(bin, script("first"), { mode: 0o755 });
    const args = ["test", "-w", "echo", "--bin", bin, "--node-count", "1", "--watch"];
    const child = command([...args, "--log-stderr"], dir).spawn();
    const stderr = new Reading(child.stderr);
    await stderr.until(/n0: first\n/);
    Deno.writeTextFileSync(bin, script("second"));
    await stderr.until(/n0: second\n/);
    child.kill("SIGINT");
    assertEquals((await child.status).code, 0, "no run came to its end");
    const text = await new Response(child.stdout).text();
    assertEquals(text.split("Real time").length, 2, "what a change breaks off is not shown");
    assertMatch(text, /The run was interrupted by SIGINT/);
    await child.stderr.cancel().catch(() => {});
  });
});

Deno.test("test --watch: needs a program", async () => {
  await inTempDir(async (dir) => {
    const { code, stderr } = await workbench(["test", "--watch"], dir);
    assertEquals(code, 254);
    assertMatch(stderr, /^Cannot use --watch without a program to watch: name it with --bin\n$/);
  });
});

Deno.test("the files of a program are those that it imports, also where one is broken", async () => {
  await inTempDir(async (dir) => {
    const real = Deno.realPathSync(dir);
    const write = (name: string, text: string) => Deno.writeTextFileSync(join(real, name), text);
    write("a.ts", 'import "./b.ts"; import c from "./c.json" with { type: "json" }; c;');
    write("b.ts", "export const = ;");
    write("c.json", "{}");
    const files = await filesOf(join(real, "a.ts"));
    assertEquals([...files].sort(), ["a.ts", "b.ts", "c.json"].map((name) => join(real, name)));
    assertEquals([...await filesOf(join(real, "none.ts"))], [join(real, "none.ts")]);
  });
});
