/**
 * Black box: starts the program as Maelstrom does, speaks to it through its pipes, and compares.
 */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import fc from "fast-check";
import config from "./deno.json" with { type: "json" };

const main = new URL("./main.ts", import.meta.url);
const library = new URL("./node/mod.ts", import.meta.url);
const denied = ["net", "read", "write", "env", "run", "sys", "ffi"].map((name) => `--deny-${name}`);

interface Reply {
  src: string;
  dest: string;
  body: Record<string, unknown>;
}

/** A node as a process, with no permission at all. */
class NodeProcess {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  readonly #encoder = new TextEncoder();

  constructor(program: URL | string, ...args: string[]) {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...denied, String(program), ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    this.#process = command.spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#stderr = new Response(this.#process.stderr).text();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  write(text: string | Uint8Array): Promise<void> {
    return this.#writer.write(typeof text === "string" ? this.#encoder.encode(text) : text);
  }

  send(src: string, body: Record<string, unknown>): Promise<void> {
    return this.write(JSON.stringify({ src, dest: "n1", body }) + "\n");
  }

  async init(nodeIds = ["n1", "n2"]): Promise<void> {
    await this.send("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: nodeIds });
    assertEquals((await this.next()).body.type, "init_ok");
  }

  /** The next line; fails when there is none. */
  async nextLine(): Promise<string> {
    const { value } = await this.#lines.read();
    assert(value !== undefined, "the node has ended");
    return value;
  }

  async next(): Promise<Reply> {
    return JSON.parse(await this.nextLine());
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Stops listening, as a reader that goes away. */
  async hangUp(): Promise<void> {
    await this.#lines.cancel();
  }

  /** Ends the input and waits for the process, which must not fail. */
  async end(): Promise<{ rest: string[]; stderr: string }> {
    await this.#writer.close().catch(() => {});
    return await this.ended();
  }

  async ended(): Promise<{ rest: string[]; stderr: string }> {
    const rest: string[] = [];
    for (let read; !(read = await this.#lines.read()).done;) rest.push(read.value);
    const { code } = await this.#process.status;
    await this.#writer.abort().catch(() => {});
    assertEquals(code, 0);
    return { rest, stderr: await this.#stderr };
  }
}

/** Runs the program to its end on the given input. */
async function run(args: string[], input = "") {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", String(main), ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const process = command.spawn();
  const writer = process.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close());
  const { code, stdout, stderr } = await process.output();
  await written.catch(() => {});
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A program built on the library, in a file of its own. */
async function withProgram(code: string, use: (file: string) => Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile({
    dir: new URL(".", import.meta.url).pathname,
    suffix: ".ts",
  });
  try {
    await Deno.writeTextFile(file, code.replaceAll("@eddy/maelstrom", String(library)));
    await use(file);
  } finally {
    await Deno.remove(file);
  }
}

const sample = `\
{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}
{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"test1"}}
{"src":"c2","dest":"n1","body":{"type":"echo","msg_id":3,"echo":"test2"}}
{"src":"c3","dest":"n1","body":{"type":"echo","msg_id":4,"echo":"test3"}}
`;
const [init = ""] = sample.split("\n");

Deno.test("the assignment's sample gets the assignment's replies", async () => {
  const { code, stdout, stderr } = await run([], sample);
  assertEquals(
    stdout,
    `\
{"src":"n1","dest":"c0","body":{"type":"init_ok","in_reply_to":1,"msg_id":0}}
{"src":"n1","dest":"c1","body":{"type":"echo_ok","echo":"test1","in_reply_to":2,"msg_id":1}}
{"src":"n1","dest":"c2","body":{"type":"echo_ok","echo":"test2","in_reply_to":3,"msg_id":2}}
{"src":"n1","dest":"c3","body":{"type":"echo_ok","echo":"test3","in_reply_to":4,"msg_id":3}}
`,
  );
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("a reply appears as soon as its line is in", async () => {
  const node = new NodeProcess(main);
  await node.init();
  for (let i = 0; i < 3; i++) {
    await node.send("c1", { type: "echo", msg_id: i, echo: i });
    assertEquals((await node.next()).body.echo, i);
  }
  await node.end();
});

const asking = `
import { Node, serve } from "@eddy/maelstrom";
const node = new Node();
node.on("ask", async () => ({ heard: (await node.rpc("n2", { type: "question" })).answer }));
node.on("echo", ({ body }) => ({ echo: body.echo }));
node.on("shout", () => { shout(); return {}; });
node.on("leak", () => { void Promise.reject(new Error("floating")); return {}; });
node.on("trip", () => { setTimeout(() => { throw new Error("tripped"); }); return {}; });
function shout() {
  for (const name of ["log", "info", "debug", "warn", "error", "dir", "dirxml", "table", "trace"]) {
    console[name]({ said: name });
  }
  console.assert(false, "assert");
  for (const name of ["group", "count", "time", "timeLog", "timeEnd", "groupEnd", "clear"]) {
    console[name](name);
  }
}
await serve(node);
`;

Deno.test("while a handler waits for another node, others are answered", async () => {
  await withProgram(asking, async (file) => {
    const node = new NodeProcess(file);
    await node.init();
    await node.send("c1", { type: "ask", msg_id: 1 });
    await node.send("c2", { type: "echo", msg_id: 1, echo: "first" });
    const question = await node.next();
    assertEquals([question.dest, question.body.type], ["n2", "question"]);
    assertEquals((await node.next()).body.echo, "first");
    await node.send("n2", { type: "answer", in_reply_to: question.body.msg_id, answer: 42 });
    assertEquals((await node.next()).body.heard, 42);
    await node.end();
  });
});

Deno.test("the node of the README does what the README says", async () => {
  const readme = await Deno.readTextFile(new URL("./README.md", import.meta.url));
  const code = /```ts ignore\n(import \{ Node, serve \}[^]*?)```/.exec(readme)?.[1] ?? "";
  assertEquals(code.trimEnd().split("\n").length <= 12, true);
  await withProgram(code, async (file) => {
    const node = new NodeProcess(file);
    await node.init();
    await node.send("c1", { type: "relay", msg_id: 1, echo: "there and back" });
    const { dest, body } = await node.next();
    assertEquals([dest, body.type, body.echo], ["n2", "echo", "there and back"]);
    await node.send("n2", { type: "echo_ok", echo: body.echo, in_reply_to: body.msg_id });
    assertEquals((await node.next()).body, {
      type: "relay_ok",
      echo: "there and back",
      in_reply_to: 1,
      msg_id: 2,
    });
    await node.end();
  });
});

Deno.test("at the end of input a waiting handler still gets its answer out", async () => {
  await withProgram(asking, async (file) => {
    const node = new NodeProcess(file);
    await node.init();
    await node.send("c1", { type: "ask", msg_id: 1 });
    const { rest } = await node.end();
    const last: Reply = JSON.parse(rest.at(-1) ?? "");
    assertEquals([last.body.type, last.body.code], ["error", 0]);
  });
});

Deno.test("console output and uncaught errors go to stderr and end nothing", async () => {
  await withProgram(asking, async (file) => {
    const node = new NodeProcess(file);
    await node.init();
    for (const type of ["shout", "leak", "trip"]) {
      await node.send("c1", { type, msg_id: 1 });
      assertEquals((await node.next()).body.type, `${type}_ok`);
    }
    await node.send("c1", { type: "echo", msg_id: 2, echo: 1 });
    assertEquals((await node.next()).body.echo, 1);
    const { stderr } = await node.end();
    for (const text of ["floating", "tripped"]) assertStringIncludes(stderr, text);
    for (const name of ["log", "info", "debug", "warn", "error", "dir", "dirxml", "table"]) {
      assertStringIncludes(stderr, `{ said: "${name}" }`);
    }
    for (const name of ["assert", "group", "count: 1", "timeLog: ", "timeEnd: "]) {
      assertStringIncludes(stderr, name);
    }
  });
});

Deno.test("100 000 interleaved requests: each answered once, under a msg_id of its own", async () => {
  const node = new NodeProcess(main);
  await node.init();
  const count = 100_000;
  const writing = (async () => {
    for (let from = 0; from < count; from += 1000) {
      const lines = Array.from({ length: 1000 }, (_, i) => {
        const body = { type: "echo", msg_id: from + i, echo: { n: from + i } };
        return JSON.stringify({ src: `c${(from + i) % 7}`, dest: "n1", body });
      });
      await node.write(lines.join("\n") + "\n");
    }
  })();
  const requests = new Set<unknown>();
  const msgIds = new Set<unknown>();
  for (let i = 0; i < count; i++) {
    const { dest, body } = await node.next();
    assertEquals(body.in_reply_to, (body.echo as { n: number }).n);
    assertEquals(dest, `c${Number(body.in_reply_to) % 7}`);
    requests.add(body.in_reply_to);
    msgIds.add(body.msg_id);
  }
  await writing;
  assertEquals([requests.size, msgIds.size], [count, count]);
  assertEquals((await node.end()).rest, []);
});

/** A bad line, what stderr says of it, and the code of the error reply if there is one. */
const badLines: [line: string, says: string, code?: number][] = [
  ["{", "Cannot parse line 2"],
  ["null", "a message must be an object"],
  ["[]", "a message must be an object"],
  ["17.0", "a message must be an object"],
  ["\u0000\u0001", "Cannot parse line"],
  ['{"src":1,"dest":"n1","body":{"type":"echo","msg_id":1}}', "src must be a string"],
  ['{"src":"c9","dest":"n1"}', "body must be an object"],
  ['{"src":"c9","dest":"n1","body":[]}', "body must be an object"],
  ['{"src":"c9","dest":5,"body":{"type":"echo","msg_id":1,"echo":1}}', "dest must be", 12],
  ['{"src":"c9","dest":"n1","body":{"msg_id":1}}', "body.type must be a string", 12],
  ['{"src":"c9","dest":"n1","body":{"type":"echo","msg_id":"x"}}', "body.msg_id must be"],
  ['{"src":"c9","dest":"n1","body":{"type":"echo","msg_id":1.5}}', "body.msg_id must be"],
  ['{"src":"c9","dest":"n1","body":{"type":"echo","msg_id":1}}', "", 12],
  ['{"src":"c9","dest":"n1","body":{"type":"nope","msg_id":1}}', "", 10],
  ['{"src":"c9","dest":"n1","body":{"type":"constructor","msg_id":1}}', "", 10],
  ['{"src":"c9","dest":"n7","body":{"type":"echo","msg_id":1,"echo":1}}', "", 12],
  ['{"src":"c9","dest":"n1","body":{"type":"nope"}}', "Unknown message type"],
  ['{"src":"c9","dest":"n1","body":{"type":"error","code":1}}', "answers nothing"],
];

Deno.test("whatever comes in, the next line is served as if nothing had happened", async () => {
  for (const [line, says, code] of badLines) {
    const probe = '{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":5,"echo":"ok"}}';
    const { stdout, stderr } = await run([], `${init}\n${line}\n\n  \r\n${probe}\n`);
    const [, ...replies] = stdout.trimEnd().split("\n").map((text): Reply => JSON.parse(text));
    assertEquals(replies.at(-1)?.body.echo, "ok", line);
    assertEquals(replies.slice(0, -1).map(({ body }) => body.code), code ? [code] : [], line);
    assertStringIncludes(stderr, says, line);
  }
});

Deno.test("property: junk between good lines disturbs nothing", async () => {
  const node = new NodeProcess(main);
  await node.init();
  let count = 0;
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => bytes.map((byte) => byte === 10 ? 0 : byte)),
    fc.json().map((text) => new TextEncoder().encode(text)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(junk, { maxLength: 5 }), async (lines) => {
      for (const line of lines) {
        await node.write(line);
        await node.write("\n");
      }
      await node.send("c1", { type: "echo", msg_id: 0, echo: ++count });
      assertEquals((await node.next()).body.echo, count);
    }),
    { numRuns: 200, endOnFailure: true },
  );
  await node.end();
});

Deno.test("lines may be huge, deep, oddly keyed, CRLF, split in a character, or the last", async () => {
  const node = new NodeProcess(main);
  await node.init();
  const huge = "x".repeat(16 << 20);
  void node.send("c1", { type: "echo", msg_id: 1, echo: huge });
  assertEquals((await node.next()).body.echo, huge);

  const depth = 1000;
  const deep = "[".repeat(depth) + "]".repeat(depth);
  const line = (echo: string) =>
    `{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":${echo}}}`;
  await node.write(`${line(deep)}\n`);
  assertStringIncludes(await node.nextLine(), deep);

  const tooDeep = "[".repeat(500_000) + "1.0" + "]".repeat(500_000);
  void node.write(`${line(tooDeep)}\n`);
  assertEquals((await node.next()).body.code, 12);

  await node.write(`${line('{"__proto__":{"a":1},"constructor":2}')}\r\n`);
  assertStringIncludes(await node.nextLine(), '"echo":{"__proto__":{"a":1},"constructor":2}');

  for (const byte of new TextEncoder().encode(`${line('"😀ü\\u0000"')}\n`)) {
    await node.write(Uint8Array.of(byte));
  }
  assertEquals((await node.next()).body.echo, "😀ü\0");

  await node.write(line('"last"'));
  const { rest } = await node.end();
  assertEquals(rest.map((text) => JSON.parse(text).body.echo), ["last"]);
});

Deno.test("numbers come back as they came", async () => {
  const node = new NodeProcess(main);
  await node.init();
  const echo = "[9007199254740993,1.0,-0,1e400,0.10,1E2,3]";
  const msgId = "123456789012345678901234567890";
  await node.write(
    `{"id":7,"src":"c1","dest":"n1","body":{"type":"echo","msg_id":${msgId},"echo":${echo}}}\n`,
  );
  const reply = await node.nextLine();
  assertStringIncludes(reply, `"echo":${echo}`);
  assertStringIncludes(reply, `"in_reply_to":${msgId}`);
  await node.end();
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends the node in order`, async () => {
    await withProgram(asking, async (file) => {
      const node = new NodeProcess(file);
      await node.init();
      await node.send("c1", { type: "ask", msg_id: 1 });
      await node.next();
      node.kill(signal);
      const { rest } = await node.ended();
      assertEquals(rest.map((line) => JSON.parse(line).body.type), ["error"]);
    });
  });
}

Deno.test("a reader that goes away ends the node quietly", async () => {
  const node = new NodeProcess(main);
  await node.init();
  await node.hangUp();
  const echo = "x".repeat(1000);
  try {
    for (;;) await node.send("c1", { type: "echo", msg_id: 1, echo });
  } catch {
    // The node has gone, as it should.
  }
  assertEquals((await node.end()).stderr, "");
});

Deno.test("a reader that stalls loses nothing", async () => {
  const node = new NodeProcess(main);
  await node.init();
  const echo = "x".repeat(1000);
  const count = 20_000;
  let written = 0;
  const writing = (async () => {
    for (; written < count; written++) {
      await node.send("c1", { type: "echo", msg_id: written, echo });
    }
  })();
  // Nothing is read until the node has paused its input: no progress over many turns.
  for (let before = -1; before !== written;) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert(written < count, "the node took everything in, though nobody reads");
  for (let i = 0; i < count; i++) assertEquals((await node.next()).body.in_reply_to, i);
  await writing;
  await node.end();
});

Deno.test("unique-ids stay unique across requests and restarts, and are short strings", async () => {
  const ids = new Set<unknown>();
  for (let start = 0; start < 2; start++) {
    const node = new NodeProcess(main, "unique-ids");
    await node.init();
    for (let i = 0; i < 100; i++) {
      await node.send("c1", { type: "generate", msg_id: i });
      const { id } = (await node.next()).body;
      assert(typeof id === "string" && id.length <= 24, `${id}`);
      ids.add(id);
    }
    await node.end();
  }
  assertEquals(ids.size, 200);
});

Deno.test("the command line says what it takes", async () => {
  const help = await run(["--help"]);
  assertEquals(help.code, 0);
  for (const word of ["echo", "unique-ids", "--version"]) assertStringIncludes(help.stdout, word);
  assertEquals((await run(["--version"])).stdout, `${config.version}\n`);
  const wrong: [string[], string][] = [
    [["nope"], 'Unknown workload "nope": accepted are '],
    [["--nope"], "Unknown option --nope: accepted are --help, --version"],
    [["echo", "again"], 'Unexpected argument "again"'],
    [["constructor"], 'Unknown workload "constructor"'],
  ];
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = await run(args);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  }
  assertEquals((await run(["--", "echo"], sample)).stdout, (await run([], sample)).stdout);
  assertNotEquals((await run(["unique-ids"], sample)).stdout, (await run([], sample)).stdout);
});
