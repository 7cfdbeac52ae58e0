/**
 * Black box: starts the program as Maelstrom does, speaks to it through its pipes, and compares.
 */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import config from "./deno.json" with { type: "json" };
import { NodeProcess, type Reply, withProgram } from "@eddy/maelstrom/testing";

const main = new URL("./main.ts", import.meta.url);

/** Runs the program to its end on the given input. */
async function run(args: string[], input = "", permissions: string[] = []) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...permissions, String(main), ...args],
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

Deno.test("the node of the README does what the README says", async () => {
  const readme = await Deno.readTextFile(new URL("./README.md", import.meta.url));
  const code = /```ts ignore file=my_node.ts\n([^]*?)```/.exec(readme)?.[1] ?? "";
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

Deno.test("the library page's broadcast sends until it is acknowledged, and checks its requests", async () => {
  const page = await Deno.readTextFile(new URL("./docs/library.md", import.meta.url));
  const code = /```ts ignore file=broadcast.ts\n([^]*?)```/.exec(page)?.[1] ?? "";
  await withProgram(code, async (file) => {
    const node = new NodeProcess(file);
    await node.init();
    await node.send("c1", { type: "broadcast", msg_id: 1, message: "one" });
    assertEquals((await node.next()).body.code, 12);
    await node.send("c1", { type: "broadcast", msg_id: 2, message: 1 });
    const first = await node.next();
    assertEquals((await node.next()).body.type, "broadcast_ok");
    const second = await node.next();
    for (const { dest, body } of [first, second]) assertEquals([dest, body.message], ["n2", 1]);
    await node.send("n2", { type: "broadcast_ok", in_reply_to: second.body.msg_id });
    await node.send("c1", { type: "read", msg_id: 3 });
    assertEquals((await node.next()).body.messages, [1]);
    assertEquals((await node.end()).rest, []);
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
  const count = 20_000;
  const { sending } = await node.stall(count);
  for (let i = 0; i < count; i++) assertEquals((await node.next()).body.in_reply_to, i);
  await sending;
  await node.end();
});

Deno.test({
  name: "standard streams that fail end the node with one sentence, or none at a closed pipe",
  ignore: Deno.build.os !== "linux", // No other system has /dev/full.
  fn: async () => {
    const program = `${Deno.execPath()} run --quiet --no-prompt '${
      decodeURIComponent(main.pathname)
    }'`;
    const commands: [command: string, code: number, says: string][] = [
      [`${program} < /`, 1, "Cannot read standard input: Is a directory (os error 21)\n"],
      [
        `echo '${init}' | ${program} > /dev/full`,
        1,
        "Cannot write to standard output: No space left on device (os error 28)\n",
      ],
      [`echo '{' | ${program} 2> /dev/full`, 0, ""],
      [`{ ${program} --help; echo "exit code $?" >&2; } | true`, 0, "exit code 0\n"],
    ];
    for (const [command, code, says] of commands) {
      const output = await new Deno.Command("sh", { args: ["-c", command] }).output();
      assertEquals([output.code, new TextDecoder().decode(output.stderr)], [code, says], command);
    }
  },
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
  for (const word of ["echo", "unique-ids", "--data DIR", "--version"]) {
    assertStringIncludes(help.stdout, word);
  }
  assertEquals((await run(["--version"])).stdout, `${config.version}\n`);
  const wrong: [string[], string][] = [
    [["nope"], 'Unknown workload "nope": accepted are '],
    [["--nope"], "Options of the node for echo: Unknown option --nope: accepted are --data, --"],
    [
      ["broadcast", "--max-latncy", "3"],
      "Options of the node for broadcast: Unknown option --max-latncy (did you mean --max-latency?)",
    ],
    [["kafka", "--max-latency", "x"], 'Options of the node for kafka: Cannot use "x" for --max-'],
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

/** Calls `use` with a directory, and what runs the program with no permission but for that one. */
async function withData(
  use: (
    runHere: (args: string[], input?: string) => ReturnType<typeof run>,
    directory: string,
  ) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "eddy-test-" });
  const data = `${directory}/data`;
  const permissions = [`--allow-read=${data}`, `--allow-write=${data}`];
  try {
    await use((args, input = sample) => run(args, input, permissions), data);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a node with --data needs that directory alone, and keeps one run's data", async () => {
  await withData(async (runHere, data) => {
    const told = (await runHere(["echo", "--data", data, "--run", "1"])).stdout;
    assertEquals(told, (await run([], sample)).stdout);
    assertEquals([...Deno.readDirSync(data)].map(({ name }) => name).sort(), [
      "n1",
      "n1.lock",
      "n1.run",
    ]);
    const unique = await runHere(["unique-ids", `--data=${data}`, "--run=1"]);
    assertEquals(unique.code, 3);
    assertStringIncludes(unique.stderr, 'it is the data of "echo", and this is "unique-ids"');
    const other = await runHere(["echo", "--data", data, "--run", "2"]);
    assertEquals([other.code, other.stdout], [3, ""]);
    assertEquals(
      other.stderr,
      `Cannot use ${data}/n1: it is the data of run "1", and this is run "2": ` +
        "openDisk with reset: true removes it, or Eddy's node with --data-reset\n",
    );
    const reset = await runHere(["echo", "--data", data, "--run", "2", "--data-reset"]);
    assertEquals([reset.code, reset.stdout], [0, told]);
    await Deno.remove(`${data}/n1`, { recursive: true });
    const gone = await runHere(["echo", "--data", data, "--run", "2", "--data-reset"]);
    assertEquals([gone.code, gone.stdout], [3, ""]);
    assertStringIncludes(
      gone.stderr,
      `Cannot use ${data}/n1/data.sqlite: the data of "n1" is gone`,
    );
  });
});

Deno.test("without --run, the data is that of the parent process", async () => {
  await withData(async (runHere, data) => {
    for (let start = 0; start < 2; start++) {
      assertEquals((await runHere(["echo", "--data", data])).code, 0);
    }
    const permissions = `--allow-read='${data}' --allow-write='${data}'`;
    const program = `'${Deno.execPath()}' run --quiet --no-prompt ${permissions} '${main}'`;
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", `echo '${init}' | ${program} echo --data '${data}'; exit $?`],
    }).output();
    assertEquals(code, 3);
    assertStringIncludes(new TextDecoder().decode(stderr), `run "parent process ${Deno.pid}"`);
  });
});

Deno.test("what --data cannot mean is one sentence, with exit code 2", async () => {
  await withData(async (runHere, data) => {
    const denied = "run deno with --allow-read=elsewhere and --allow-write=elsewhere";
    const wrong: [args: string[], says: string][] = [
      [["--run", "1"], "Cannot use --run without --data DIR: no data is kept"],
      [["echo", "--data-reset"], "Cannot use --data-reset without --data DIR"],
      [["echo", "--data"], 'Cannot use "" for --data: expected a directory'],
      [["echo", "--data", "--run", "1"], 'Cannot use "" for --data: expected a directory'],
      [["echo", "--data", data, "--run="], 'Cannot use "" for --run: expected any text that is'],
      [["echo", "--data", data, "--data-reset=no"], "--data-reset: it takes no value"],
      [
        ["echo", "--data", "elsewhere"],
        `Cannot keep data in elsewhere without permission: ${denied}`,
      ],
      [["echo", "--data", data], `Cannot keep data in ${data}: it is no directory`],
    ];
    await Deno.writeTextFile(data, "");
    for (const [args, says] of wrong) {
      const { code, stdout, stderr } = await runHere(args);
      assertEquals([code, stdout, stderr.trimEnd().split("\n").length], [2, "", 1], stderr);
      assertStringIncludes(stderr, says);
    }
  });
});

Deno.test("a node that is killed amid writes has every write that it acknowledged", async () => {
  await withData(async (_, data) => {
    let [written, acknowledged] = [0, 0];
    for (let start = 0; start < 4; start++) {
      const node = new NodeProcess(main, "lin-kv", "--data", data, "--run", "1");
      await node.init(["n1"]);
      let value: unknown;
      // Until it leads, it answers with error 11; the key may be missing at the first start only.
      for (let isRead = false; !isRead;) {
        await node.send("c1", { type: "read", msg_id: 1, key: "k" });
        const { body } = await node.next();
        isRead = body.type === "read_ok" || body.code === 20;
        value = body.value ?? 0;
      }
      assert(Number(value) >= acknowledged && Number(value) <= written, `${value}`);
      for (let i = 0; i < 300; i++) {
        await node.send("c1", { type: "write", msg_id: ++written, key: "k", value: written });
      }
      while (acknowledged < written - 100 * start - 20) {
        const { body } = await node.next();
        assertEquals(body.type, "write_ok");
        acknowledged = Math.max(acknowledged, Number(body.in_reply_to));
      }
      node.kill("SIGKILL");
      await node.endedUnread();
    }
  });
});
