import * as fc from "fast-check";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Client, ClientIds } from "./client.ts";
import type { Cluster } from "./cluster.ts";
import { createProcessCluster, LineReader, LineWriter, type ProcessOptions } from "./process.ts";
import type { ProtocolError } from "./protocol.ts";
import { ended } from "./testing.ts";
import { createRealWorld, type World } from "./world.ts";

/** A node in plain JavaScript: reads lines, and answers with what `answer` makes of a body. */
const node = (answer: string) => `
const decoder = new TextDecoder();
const encoder = new TextEncoder();
const write = (line) => Deno.stdout.writeSync(encoder.encode(line + "\\n"));
let rest = "";
let count = 0;
for await (const chunk of Deno.stdin.readable) {
  const lines = (rest + decoder.decode(chunk, { stream: true })).split("\\n");
  rest = lines.pop();
  for (const line of lines) {
    const { src, dest, body } = JSON.parse(line);
    const reply = (keys) => write(JSON.stringify({
      src: dest, dest: src, body: { type: body.type + "_ok", in_reply_to: body.msg_id, ...keys },
    }));
    if (body.type === "init") reply({});
    else { ${answer} }
  }
}`;

const script = (code: string): Pick<ProcessOptions, "bin" | "args"> => ({
  bin: Deno.execPath(),
  args: ["eval", "--no-config", code],
});

/** The same behind a shell, which stays its parent, as `npm start` does. */
const wrapped = (code: string): Pick<ProcessOptions, "bin" | "args"> => {
  const { bin, args = [] } = script(code);
  return { bin: "/bin/sh", args: ["-c", '"$@"; exit', "sh", bin, ...args] };
};

interface Bench {
  readonly world: World;
  readonly cluster: Cluster;
  readonly client: Client;
  readonly logs: readonly string[];
}

/** Runs `main` beside a cluster that has started, and stops the cluster whatever happens. */
async function bench(
  options: Pick<ProcessOptions, "bin"> & Partial<ProcessOptions>,
  main: (bench: Bench) => Promise<void>,
): Promise<void> {
  const { world = createRealWorld(1) } = options;
  const logs: string[] = [];
  const onLog = (name: string, text: string) => void logs.push(`${name}: ${text}`);
  const cluster = createProcessCluster({ nodeIds: ["n0"], onLog, ...options, world });
  const ids = new ClientIds();
  const { network, clock } = world;
  try {
    await cluster.start(ids);
    await main({ world, cluster, client: new Client({ network, clock, ids }), logs });
  } finally {
    await cluster.stop();
  }
}

const sleep = ({ clock }: World, ms: number) =>
  new Promise<void>((resolve) => clock.schedule(ms, resolve));

Deno.test("this project's own program serves as a cluster", async () => {
  const main = decodeURIComponent(new URL("../main.ts", import.meta.url).pathname);
  const args = ["run", "--quiet", main, "echo"];
  await bench(
    { bin: Deno.execPath(), args, nodeIds: ["n0", "n1"] },
    async ({ client, cluster }) => {
      for (const name of cluster.nodeIds) {
        const reply = await client.send(name, { type: "echo", echo: `hi ${name}` });
        assertEquals([reply.type, reply.echo], ["echo_ok", `hi ${name}`]);
      }
      assertEquals([cluster.protocolErrors, cluster.warnings], [[], []]);
    },
  );
});

Deno.test("a process starts in a folder of its run's own, and its stderr is logged", async () => {
  const code = node(`
    console.error("first\\nsecond");
    const found = [...Deno.readDirSync(".")].map(({ name }) => name);
    Deno.writeTextFileSync("data", "");
    reply({ cwd: Deno.cwd(), found });`);
  const folders: string[] = [];
  for (let run = 0; run < 2; run++) {
    const nodeIds = ["n0", "n1"];
    await bench({ ...script(code), nodeIds }, async ({ client, cluster, logs, world }) => {
      const { cwd, found } = await client.send("n0", { type: "where" });
      assertEquals(found, []);
      await until(world, () => logs.length >= 2);
      assertEquals(logs, ["n0: first", "n0: second"]);
      await cluster.crash("n0");
      await cluster.restart("n0");
      for (const name of nodeIds) {
        const again = await client.send(name, { type: "where" });
        assertEquals([again.cwd, again.found], [cwd, ["data"]]);
      }
      folders.push(String(cwd));
    });
  }
  const [first = "", second = ""] = folders;
  assert(first !== second);
  const temporary = await Deno.realPath(Deno.env.get("TMPDIR") ?? "/tmp");
  for (const folder of folders) {
    assertEquals(folder.slice(0, folder.lastIndexOf("/")), temporary);
    await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
  }
});

Deno.test("a killed process forgets, and what was sent to it meanwhile is lost", async () => {
  await bench(script(node("reply({ count: ++count });")), async ({ client, cluster, world }) => {
    const ask = (timeoutMs?: number) => client.send("n0", { type: "count" }, timeoutMs);
    assertEquals([(await ask()).count, (await ask()).count], [1, 2]);
    await cluster.crash("n0");
    assertEquals(cluster.isUp("n0"), false);
    await assertRejects(() => ask(20), Error, "No reply");
    assertEquals(world.network.queued("n0"), 1);
    await cluster.restart("n0");
    assertEquals((await ask()).count, 1);
    assertEquals([cluster.protocolErrors, world.network.journal.dropCounts], [
      [],
      new Map([["restart", 1]]),
    ]);
  });
});

Deno.test("all starts of a run have the same EDDY_RUN, and another run has another", async () => {
  const telling = script(node('reply({ run: Deno.env.get("EDDY_RUN") });'));
  const runs: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    await bench(telling, async ({ client, cluster }) => {
      const ask = async () => (await client.send("n0", { type: "run" })).run;
      runs.push(await ask());
      await cluster.crash("n0");
      await cluster.restart("n0");
      runs.push(await ask());
    });
  }
  const [first, again, second] = runs;
  assert(typeof first === "string" && first !== "");
  assertEquals(again, first);
  assert(second !== first);
});

Deno.test("a paused process answers when it is resumed, and can be killed", async () => {
  await bench(script(node("reply({ count: ++count });")), async ({ client, cluster }) => {
    const ask = (timeoutMs?: number) => client.send("n0", { type: "count" }, timeoutMs);
    cluster.pause("n0");
    await assertRejects(() => ask(50), Error, "No reply");
    cluster.resume("n0");
    assertEquals((await ask()).count, 2);
    cluster.pause("n0");
    await cluster.crash("n0");
    await cluster.restart("n0");
    assertEquals((await ask()).count, 1);
  });
});

Deno.test("faults reach the node behind a wrapper", async () => {
  const code = node("reply({ pid: Deno.pid, count: ++count });");
  await bench(wrapped(code), async ({ client, cluster }) => {
    const ask = (timeoutMs?: number) => client.send("n0", { type: "count" }, timeoutMs);
    const { pid } = await ask();
    cluster.pause("n0");
    await assertRejects(() => ask(50), Error, "No reply");
    cluster.resume("n0");
    assertEquals((await ask()).count, 3);
    cluster.pause("n0");
    await cluster.crash("n0");
    await ended(Number(pid));
    await cluster.restart("n0");
    assertEquals((await ask()).count, 1);
  });
});

Deno.test("nothing that a node started outlives it, however it ends", async () => {
  const pids: string[] = [];
  const onLog = (_: string, text: string) => void (/^\d+$/.test(text) && pids.push(text));
  const spawns = "sleep 60 & echo $! >&2;";
  const ways: Record<string, string> = {
    "it ends by itself": `${spawns} exit 3`,
    "it breaks the protocol": `${spawns} echo garbage; read line; read line; exit`,
    "it answers init with nonsense":
      `${spawns} read line; echo '{"src":"n0","dest":"c0","body":{"type":"no","in_reply_to":1}}'; ` +
      "read line; exit",
  };
  for (const [way, code] of Object.entries(ways)) {
    const run = bench({ bin: "/bin/sh", args: ["-c", code], onLog }, () => Promise.resolve());
    await assertRejects(() => run, Error, "n0");
    const pid = pids.at(-1);
    assert(pid !== undefined, way);
    await ended(pid);
  }
  assertEquals(pids.length, 3);
});

Deno.test("a stalled process makes messages wait on the network, not in memory of ours", async () => {
  await bench(script(node("reply({});")), async ({ client, world, cluster }) => {
    cluster.pause("n0");
    const body = { type: "note", text: "x".repeat(1000) };
    for (let count = 0; count < 2000; count++) {
      world.network.send({ src: client.id, dest: "n0", body });
    }
    await sleep(world, 100);
    const waiting = world.network.queued("n0");
    assert(waiting > 1500, `${waiting}`);
    cluster.resume("n0");
    await client.send("n0", { type: "last" });
    assertEquals(world.network.queued("n0"), 0);
  });
});

/** Waits until a condition holds; fails after ten seconds. */
async function until(world: Bench["world"], condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 5) {
    assert(waitedMs < 10_000, "the condition does not hold after ten seconds");
    await sleep(world, 5);
  }
}

/** The protocol error of a node that runs `code` when a message comes. */
async function protocolErrorOf(code: string): Promise<ProtocolError> {
  const errors: ProtocolError[] = [];
  const onProtocolError = (error: ProtocolError) => void errors.push(error);
  await bench({ ...script(node(code)), onProtocolError }, async ({ client, cluster, world }) => {
    client.send("n0", { type: "hello" }).catch(() => {});
    await until(world, () => errors.length > 0);
    await sleep(world, 20);
    assertEquals(cluster.protocolErrors, errors.slice(0, 1));
    client.close();
  });
  const [error] = errors;
  assert(error !== undefined);
  return error;
}

Deno.test("each way to break the protocol is reported at once, with line and number", async () => {
  const own = `{"src":"n0","dest":"n0","body":{"type":"x"}`;
  const cases: readonly (readonly [code: string, why: string, line: string])[] = [
    ["console.log('Debug: hello');", "the line is not JSON", "Debug: hello"],
    ["console.log();", "the line is blank", ""],
    [`console.log('${own},"n":1}');`, 'the key "n" does not belong there', `${own},"n":1}`],
    [
      `console.log('${own}}'.replace('"dest":"n0"', '"dest":"n5"'));`,
      'no endpoint named "n5"',
      "n5",
    ],
    [`console.log('${own}}'.replace('n0', 'n1'));`, 'no endpoint named "n1"', "n1"],
  ];
  const errors = await Promise.all(cases.map(([code]) => protocolErrorOf(code)));
  for (const [index, [, why, line]] of cases.entries()) {
    const error = errors[index];
    assert(error !== undefined);
    assertStringIncludes(error.why, why);
    assertStringIncludes(error.line, line);
    assertEquals([error.node, error.lineNumber], ["n0", 2]);
  }
});

Deno.test("a process that ends by itself is reported, with its status and last lines", async () => {
  const error = await protocolErrorOf("console.error('Out of luck'); Deno.exit(3);");
  assertStringIncludes(error.why, "exit status 3");
  assertStringIncludes(error.message, "Out of luck");
  assertEquals(error.lineNumber, 1);
});

Deno.test("an end with status 0 is one, too", async () => {
  const { message } = await protocolErrorOf("Deno.exit(0);");
  const expected =
    "the process ended by itself with exit status 0 after line 1; expected it to run";
  assertStringIncludes(message, expected);
  assertStringIncludes(message, "And to STDERR:\n\n(nothing)");
});

Deno.test("an end with status 0 before anything was written hints at what may be missing", async () => {
  const hint = "(does the program read standard input, as serve does?)";
  for (const [code, isHinted] of [["", true], ["Deno.exit(2);", false]] as const) {
    const started = bench(script(code), () => Promise.resolve());
    const { message } = await assertRejects(() => started, Error, "before it wrote anything");
    assertEquals(message.includes(hint), isHinted, message);
  }
  const { message } = await protocolErrorOf("Deno.exit(0);");
  assertEquals(message.includes(hint), false, "it has answered init");
});

Deno.test("a process that ends before init breaks the start", async () => {
  const started = bench(
    script("console.error('No such flag'); Deno.exit(2);"),
    () => Promise.resolve(),
  );
  const error = await assertRejects(() => started, Error, "exit status 2");
  assertStringIncludes(error.message, "No such flag");
});

Deno.test("messages of peers wait until a node has answered init", async () => {
  // n0 sends to n1 before it answers; n1 is slow to answer, and says what it was given first.
  const code = `
    const decoder = new TextDecoder();
    const write = (line) => Deno.stdout.writeSync(new TextEncoder().encode(line + "\\n"));
    const order = [];
    for await (const chunk of Deno.stdin.readable) {
      for (const line of decoder.decode(chunk).split("\\n").filter((text) => text !== "")) {
        const { src, dest, body } = JSON.parse(line);
        const send = (to, keys) => write(JSON.stringify({ src: dest, dest: to, body: keys }));
        order.push(body.type);
        if (body.type === "init") {
          if (dest === "n0") send("n1", { type: "gossip" });
          if (dest === "n1") await new Promise((resolve) => setTimeout(resolve, 300));
          order.push("init_ok");
          send(src, { type: "init_ok", in_reply_to: body.msg_id });
        } else if (body.msg_id !== undefined) {
          send(src, { type: "order_ok", order, in_reply_to: body.msg_id });
        }
      }
    }`;
  await bench({ ...script(code), nodeIds: ["n0", "n1"] }, async ({ client, world }) => {
    await sleep(world, 50);
    const { order } = await client.send("n1", { type: "order" });
    assertEquals(order, ["init", "init_ok", "gossip", "order"]);
    client.close();
  });
});

Deno.test("an answer to init that is not init_ok is said to have come before it", async () => {
  const code = node("").replace('"_ok"', '"_done"');
  const error = await assertRejects(() => bench(script(code), () => Promise.resolve()), Error);
  assertStringIncludes(
    error.message,
    'answered {"type":"init_done","in_reply_to":1} before init_ok',
  );
});

Deno.test("under strict Maelstrom garbage mutes a process, and an exit fails the end", async () => {
  const code = node("if (body.type === 'exit') Deno.exit(4); console.log('oops'); reply({});");
  const errors: ProtocolError[] = [];
  const options = {
    ...script(code),
    strictMaelstrom: true,
    onProtocolError: (error: ProtocolError) => errors.push(error),
  };
  const run = bench(options, async ({ client, cluster, world }) => {
    await assertRejects(() => client.send("n0", { type: "hello" }, 100), Error, "No reply");
    await until(world, () => cluster.protocolErrors.length > 0);
    assertEquals(cluster.protocolErrors.map(({ line }) => line), ["oops"]);
    assertStringIncludes(cluster.warnings.join(), "From there on the node's output was not read");
    client.send("n0", { type: "exit" }).catch(() => {});
    await until(world, () => !cluster.isUp("n0"));
    client.close();
  });
  await assertRejects(() => run, Error, "Node n0 crashed with exit status 4. Before crashing");
  assertEquals(errors, []);
});

Deno.test("a program that is not there, or cannot be run, is named, with what to do", async () => {
  const dir = await Deno.makeTempDir();
  const start = (bin: string) => bench({ bin }, () => Promise.resolve());
  try {
    const cases: readonly (readonly [text: string, mode: number, why: string])[] = [
      ["console.log();", 0o644, "it is not executable (chmod +x "],
      ["console.log();", 0o644, "), and has no #! line, such as #!/usr/bin/env -S deno run"],
      ["console.log();", 0o755, "the file has no #! line, such as #!"],
      ["", 0o755, "the file is empty"],
      ["#!/no/such/node\n", 0o755, "/no/such/node of its #! line is not there"],
      ["#!/bin/sh\r\nread line\r\n", 0o755, "its #! line ends in a carriage return"],
      ["#!/usr/bin/env no-such-node\n", 0o755, "no-such-node of its #! line is not found in PATH"],
      ["#!/usr/bin/env -S no-such-node run\n", 0o755, "no-such-node of its #! line is not found"],
      ["#!/usr/bin/env sh\r\nread line\r\n", 0o755, "its #! line ends in a carriage return"],
    ];
    for (const [i, [text, mode, why]] of cases.entries()) {
      const bin = `${dir}/${i}.ts`;
      await Deno.writeTextFile(bin, text, { mode });
      const error = await assertRejects(() => start(bin), Error);
      assertStringIncludes(error.message, why);
    }
    assertStringIncludes((await assertRejects(() => start(dir), Error)).message, "it is a folder");
    const { message } = await assertRejects(() => start("/no/such/program"), Error);
    assertStringIncludes(message, "Cannot start /no/such/program: there is no such file");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("an end by a signal is reported with the signal's name", async () => {
  const start = (code: string) =>
    bench({ bin: "/bin/sh", args: ["-c", code] }, () => Promise.resolve());
  const direct = await assertRejects(() => start("kill -s SEGV $$"), Error);
  assertStringIncludes(
    direct.message,
    "the process was killed by SIGSEGV before it wrote anything",
  );
  const behind = await assertRejects(() => start("sh -c 'kill -s SEGV $$'; exit 139"), Error);
  assertStringIncludes(
    behind.message,
    "exit status 139 (as of a shell whose command was killed by SIGSEGV)",
  );
  const missing = await assertRejects(() => start("no-such-command"), Error);
  assertStringIncludes(missing.message, "exit status 127 (as of a shell that finds no command");
});

/** A world in which the wait for `init` ends shortly after `ready` has become true. */
function impatient(ready: () => boolean): World {
  const real = createRealWorld(1);
  const schedule = (ms: number, callback: () => void) => {
    if (ms < 10_000) return real.clock.schedule(ms, callback);
    let cancel = () => {};
    const look = () => void (cancel = real.clock.schedule(100, ready() ? callback : look));
    look();
    return () => cancel();
  };
  return { ...real, clock: { now: () => real.clock.now(), schedule } };
}

Deno.test("without an answer to init, what came instead is reported", async () => {
  const logs: string[] = [];
  const onLog = (_: string, text: string) => void logs.push(text);
  const start = (code: string, ready: () => boolean) => {
    const options = { bin: "/bin/sh", args: ["-c", code], onLog, world: impatient(ready) };
    return assertRejects(() => bench(options, () => Promise.resolve()), Error);
  };
  const init = '{"src":"n0","dest":"c0","body":{}}';
  const loud = await start(
    `printf '${init}é'; echo starting >&2; read line; read line`,
    () => logs.length > 0,
  );
  assertStringIncludes(loud.message, "node did not respond. No reply to init");
  assertStringIncludes(loud.message, `36 bytes without a line end came from n0: "{\\"src`);
  assertStringIncludes(loud.message, "STDERR:\n\nstarting");
  const silent = await start("read line; read line", () => true);
  assertStringIncludes(silent.message, "It has written nothing");
});

function stream(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  await new LineReader(stream(chunks), (line) => lines.push(line)).done;
  return lines;
}

Deno.test("lines come out whole, wherever the stream was cut", async () => {
  const line = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) =>
    text.replaceAll(/[\r\n]/g, "")
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat(100)), async (lines, cuts) => {
      const bytes = new TextEncoder().encode(lines.map((text) => `${text}\n`).join(""));
      const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) =>
        a - b
      );
      const chunks = ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
      assertEquals(await linesOf(chunks), lines.map((text) => text.toWellFormed()));
    }),
    { numRuns: 200, seed: 1 },
  );
});

Deno.test("carriage returns are no part of a line, and a last line needs no end", async () => {
  const text = "a\r\n\r\nb\n\nc";
  assertEquals(await linesOf([new TextEncoder().encode(text)]), ["a", "", "b", "", "c"]);
});

Deno.test("a byte order mark stays where it is, at the beginning too", async () => {
  const text = "\ufeff{}\n\ufeff{}\n";
  assertEquals(await linesOf([new TextEncoder().encode(text)]), ["\ufeff{}", "\ufeff{}"]);
});

Deno.test("an error of what takes lines is no broken stream: it is not passed over", async () => {
  const stream = ReadableStream.from([new TextEncoder().encode("a\nb\n")]);
  const reader = new LineReader(stream, (line) => {
    throw new Error(`Cannot take ${line}`);
  });
  await assertRejects(() => reader.done, Error, "Cannot take a");
});

Deno.test("a reader that has enough leaves the rest unread", async () => {
  const lines: string[] = [];
  let pulls = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls++;
      controller.enqueue(new TextEncoder().encode("x\n"));
    },
  });
  const reader = new LineReader(endless, (line) => lines.push(line), () => lines.length >= 3);
  await reader.done;
  assertEquals(lines, ["x", "x", "x"]);
  assert(pulls < 10, `${pulls}`);
  await reader.cancel();
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

Deno.test("lines of one turn are written at once", async () => {
  const chunks: string[] = [];
  const sink = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(new TextDecoder().decode(chunk)),
  });
  const writer = new LineWriter(sink, () => () => {}, () => {});
  writer.write("a");
  writer.write("b");
  await turn();
  await turn();
  writer.write("c");
  await turn();
  await turn();
  assertEquals(chunks, ["a\nb\n", "c\n"]);
  await writer.abort();
});

Deno.test("a reader that does not keep up makes the writer's source wait, and then go on", async () => {
  const gates: (() => void)[] = [];
  const sink = new WritableStream<Uint8Array>({
    write: () => new Promise<void>((resolve) => gates.push(resolve)),
  });
  let holds = 0;
  const hold = () => {
    holds++;
    return () => void holds--;
  };
  const writer = new LineWriter(sink, hold, () => {});
  const line = "x".repeat(1023);
  for (let count = 0; count < 64; count++) writer.write(line);
  await turn();
  assertEquals(holds, 0);
  writer.write(line);
  writer.write(line);
  assertEquals(holds, 1);
  gates[0]?.();
  await turn();
  assertEquals(holds, 0);
  gates[1]?.();
  await writer.abort();
});

Deno.test("a stream that breaks is reported once, and holds nothing up", async () => {
  const errors: unknown[] = [];
  let holds = 0;
  const sink = new WritableStream<Uint8Array>({
    write: () => Promise.reject(new Error("Broken pipe")),
  });
  const hold = () => {
    holds++;
    return () => void holds--;
  };
  const writer = new LineWriter(sink, hold, (error) => errors.push(error));
  writer.write("x".repeat(100_000));
  assertEquals(holds, 1);
  await turn();
  await turn();
  writer.write("more");
  await turn();
  assertEquals([holds, errors.length], [0, 1]);
  await writer.abort();
});
