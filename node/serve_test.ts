/**
 * Black box: programs built on the library, as processes.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { NodeProcess, type Reply, withProgram } from "./testing.ts";

const asking = `
import { Node, serve } from "@eddy/maelstrom";
const node = new Node();
node.on("ask", async () => ({ heard: (await node.rpc("n2", { type: "question" })).answer }));
node.on("echo", ({ body }) => ({ echo: body.echo }));
node.on("shout", () => { shout(); return {}; });
node.on("leak", () => { void Promise.reject(new Error("floating")); return {}; });
node.on("trip", () => { setTimeout(() => { throw new Error("tripped"); }); return {}; });
node.on("drop", () => {
  const odd = [Symbol("odd"), Object.create(null), null, undefined];
  for (const thrown of odd) {
    void Promise.reject(thrown);
    setTimeout(() => { throw thrown; });
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

Deno.test("a signal ends a node that nobody reads from", async () => {
  await withProgram(asking, async (file) => {
    const node = new NodeProcess(file);
    await node.init();
    const { sending } = await node.stall(20_000);
    const cutShort = sending.catch(() => {});
    node.kill("SIGTERM");
    assertEquals(await node.endedUnread(), 1);
    await cutShort;
  });
});
