import fc from "fast-check";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { BufferedOutput, LineCap } from "./stdio.ts";
import { NodeProcess, type Reply, settle, withProgram } from "./testing.ts";

/** A sink that takes so many bytes a write, when it is let. */
function slowSink(bytesPerWrite: number) {
  const decoder = new TextDecoder();
  const writes: string[] = [];
  let gate = Promise.resolve();
  return {
    writes,
    get text() {
      return writes.join("");
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    async write(bytes: Uint8Array) {
      await gate;
      const taken = bytes.subarray(0, bytesPerWrite);
      writes.push(decoder.decode(taken, { stream: true }));
      return taken.length;
    },
  };
}

Deno.test("lines leave together: those of one go, and those that come during a write", async () => {
  const sink = slowSink(Infinity);
  const output = new BufferedOutput(sink);
  output.write("a");
  output.write("b");
  await settle();
  assertEquals(sink.writes, ["a\nb\n"]);
  const release = sink.hold();
  output.write("c");
  await settle();
  output.write("d");
  await settle();
  output.write("e");
  release();
  await output.flush();
  assertEquals(sink.writes, ["a\nb\n", "c\n", "d\ne\n"]);
});

Deno.test("partial writes are finished", async () => {
  const sink = slowSink(3);
  const output = new BufferedOutput(sink);
  for (const line of ["hello", "wörld", "😀"]) output.write(line);
  await output.flush();
  assertEquals(sink.text, "hello\nwörld\n😀\n");
});

Deno.test("a stalled reader fills the buffer to its bound, and empties it later", async () => {
  const sink = slowSink(Infinity);
  const release = sink.hold();
  const output = new BufferedOutput(sink);
  const line = "x".repeat(1023);
  let written = 0;
  while (!output.full) {
    output.write(line);
    if (++written % 64 === 0) await settle();
    assert(written < 4096, "the bound is never reached");
  }
  let drained = false;
  const done = output.drained().then(() => drained = true);
  await settle();
  assert(!drained);
  release();
  await done;
  await output.flush();
  assertEquals(sink.text.length, written * 1024);
});

Deno.test("a reader that takes something makes room, though the buffer is never empty", async () => {
  const sink = slowSink(Infinity);
  const release = sink.hold();
  const output = new BufferedOutput(sink);
  output.write("first");
  await settle();
  while (!output.full) output.write("x".repeat(1 << 16));
  const drained = output.drained();
  const releaseSecond = sink.hold();
  release();
  await drained;
  assertEquals(sink.writes, ["first\n"]);
  releaseSecond();
  await output.flush();
});

Deno.test("a reader that has gone away is reported once, and lines are dropped", async () => {
  let closed = 0;
  const sink = { write: () => Promise.reject(new Deno.errors.BrokenPipe("gone")) };
  const output = new BufferedOutput(sink, () => closed++);
  output.write("a");
  await output.flush();
  output.write("b");
  await output.flush();
  assertEquals([closed, output.full], [1, false]);
});

Deno.test("LineCap cuts what is too long, across chunks, and nothing else", () => {
  const cap = new LineCap(4);
  const kept = ["ab", "cdef", "gh\nx", "z\n1", "2345", "67\na", "bcd\n"].map((c) => cap.cut(c));
  assertEquals(kept.join(""), "abcd\nxz\n1234\nabcd\n");
});

Deno.test("property: LineCap cuts each line by itself, however the text is split", () => {
  const lines = fc.array(fc.stringMatching(/^[a-z]{0,9}$/), { minLength: 1 });
  const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 });
  fc.assert(
    fc.property(lines, cuts, (lines, cuts) => {
      const text = lines.join("\n");
      const cap = new LineCap(5);
      let kept = "";
      for (let at = 0, i = 0; at < text.length; i++) {
        const size = cuts[i % cuts.length] ?? 1;
        kept += cap.cut(text.slice(at, at + size));
        at += size;
      }
      assertEquals(kept, lines.map((line) => line.slice(0, 5)).join("\n"));
    }),
    { numRuns: 300 },
  );
});

Deno.test("property: lines come out as they went in, wherever the bytes are split", async () => {
  const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\r\n\uFEFF]/g, ""));
  const ends = fc.constantFrom("\n", "\r\n");
  const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(line), ends, cuts, async (lines, end, cuts) => {
      const bytes = new TextEncoder().encode(lines.map((line) => line + end).join(""));
      const decoder = new TextDecoder();
      const chunks = ReadableStream.from((function* () {
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] ?? 1;
          yield decoder.decode(bytes.subarray(at, at + size), { stream: true });
          at += size;
        }
      })());
      const split = chunks.pipeThrough(new TextLineStream());
      assertEquals(await Array.fromAsync(split), lines.map((line) => line.toWellFormed()));
    }),
    { numRuns: 200 },
  );
});

/**
 * Black box: programs built on the library, as processes.
 */

const asking = `
import { Node, serve } from "@eddy/maelstrom";
import { oddThrown } from "@eddy/maelstrom/testing";
import util from "node:util";
import process from "node:process";
import { Console } from "node:console";
const node = new Node();
node.on("ask", async () => ({ heard: (await node.rpc("n2", { type: "question" }, { timeoutMs: 200 })).answer }));
node.on("echo", ({ body }) => ({ echo: body.echo }));
node.on("shout", () => { shout(); return {}; });
node.on("leak", () => { void Promise.reject(new Error("floating")); return {}; });
node.on("trip", () => { setTimeout(() => { throw new Error("tripped"); }); return {}; });
node.on("drop", () => {
  const odd = [...Object.values(oddThrown()), null, undefined];
  for (const thrown of odd) {
    void Promise.reject(thrown);
    // The runtime itself looks at what a timer threw, and ends with code 1 if a proxy throws then.
    if (!util.types.isProxy(thrown)) setTimeout(() => { throw thrown; });
  }
  return {};
});
function shout() {
  for (const name of ["log", "info", "debug", "warn", "error", "dir", "dirxml", "table", "trace"]) {
    console[name]({ said: name });
  }
  console.assert(false, "assert");
  for (const name of ["group", "count", "time", "timeLog", "timeEnd", "groupEnd", "clear"]) {
    console[name](name);
  }
  for (const name of ["log", "info", "dir"]) new Console(process.stdout)[name]("Console " + name);
  process.stdout.write("process.stdout\\n");
  const bytes = (text) => new TextEncoder().encode(text + "\\n");
  Deno.stdout.writeSync(bytes("writeSync"));
  void Deno.stdout.write(bytes("write of Deno.stdout"));
  void Deno.stdout.writable.getWriter().write(bytes("writable"));
}
await serve(node, { graceMs: 2000 });
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
    for (const type of ["shout", "leak", "trip", "drop"]) {
      await node.send("c1", { type, msg_id: 1 });
      assertEquals((await node.next()).body.type, `${type}_ok`);
    }
    for (const echo of [1, 2]) {
      await node.send("c1", { type: "echo", msg_id: 2, echo });
      assertEquals((await node.next()).body.echo, echo);
    }
    const { stderr } = await node.end();
    for (const text of ["floating", "tripped", "Symbol(odd)", "null"]) {
      assertStringIncludes(stderr, text);
    }
    for (const name of ["log", "info", "debug", "warn", "error", "dir", "dirxml", "table"]) {
      assertStringIncludes(stderr, `{ said: "${name}" }`);
    }
    const others = ["Console log", "process.stdout", "writeSync", "write of Deno", "writable"];
    for (const name of others) assertStringIncludes(stderr, name);
    for (const name of ["assert", "group", "count: 1", "timeLog: ", "timeEnd: "]) {
      assertStringIncludes(stderr, name);
    }
  });
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

Deno.test("signals that come together, or after the end of input, end nothing early", async () => {
  await withProgram(asking, async (file) => {
    const node = new NodeProcess(file);
    await node.init();
    await node.send("c1", { type: "ask", msg_id: 1 });
    await node.next();
    await node.endInput();
    node.kill("SIGINT");
    node.kill("SIGTERM");
    const { rest, stderr } = await node.ended();
    assertEquals(rest.map((line) => JSON.parse(line).body.type), ["error"]);
    assertEquals(stderr, "");
  });
});

Deno.test("a signal ends a node whose output is not read", async () => {
  await withProgram(asking, async (file) => {
    const node = new NodeProcess(file);
    await node.init();
    const { sending } = await node.stall(20_000);
    const cutShort = sending.catch(() => {});
    node.kill("SIGTERM");
    assertEquals((await node.endedUnread()).code, 1);
    await cutShort;
  });
});

Deno.test("a read loop that cannot go on ends the node with exit code 70 and the stack", async () => {
  const program = `
import { Node, serve } from "@eddy/maelstrom";
const output = { write() {}, get full() { throw new Error("no output"); } };
await serve(new Node({ output }));
`;
  await withProgram(program, async (file) => {
    const node = new NodeProcess(file);
    await node.send("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1"] });
    const { code, stderr } = await node.endedUnread();
    assertEquals(code, 70);
    assertMatch(stderr, /^Cannot go on reading messages: Error: no output\n +at /);
  });
});
