import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { writeHistoryLine } from "./history.ts";
import { defaultOptions, type RunSettings } from "./options.ts";
import { bundleProgram } from "./program.ts";
import { simulateProgram } from "./run_program.ts";
import type { RunHooks, RunResult } from "./run.ts";
import type { WorkloadName } from "./workloads/mod.ts";

/** A bare loop over Deno's standard input; `answer` makes the reply's keys of `body`. */
const onDeno = (answer: string, before = "") => `
${before}
let rest = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + chunk).split("\\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const { src, dest, body } = JSON.parse(line);
    const keys: object | undefined = body.type === "init" ? {} : ${answer};
    if (keys === undefined) continue;
    const reply = { type: body.type + "_ok", in_reply_to: body.msg_id, ...keys };
    console.log(JSON.stringify({ src: dest, dest: src, body: reply }));
  }
}`;

/** The same with Node.js's readline, as a module or with require. */
const onReadline = (answer: string, importing: string) => `
${importing}
const lines = readline.createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { src, dest, body } = JSON.parse(line);
  const keys = body.type === "init" ? {} : ${answer};
  const reply = { type: body.type + "_ok", in_reply_to: body.msg_id, ...keys };
  process.stdout.write(JSON.stringify({ src: dest, dest: src, body: reply }) + "\\n");
});`;

/** The same with Node.js's stream of data. */
const onData = (answer: string) => `
const fs = require("fs");
let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (data) => {
  rest += data;
  for (let end; (end = rest.indexOf("\\n")) !== -1;) {
    const { src, dest, body } = JSON.parse(rest.slice(0, end));
    rest = rest.slice(end + 1);
    const keys = body.type === "init" ? {} : ${answer};
    const reply = { type: body.type + "_ok", in_reply_to: body.msg_id, ...keys };
    fs.writeSync(1, JSON.stringify({ src: dest, dest: src, body: reply }) + "\\n");
  }
});`;

/** A node on the library; it is put where the library's name is known. */
const onLibrary = (register: string) => `
import { Node, serve } from "@eddy/maelstrom";
const node = new Node();
${register}
await serve(node);`;

interface Ran extends RunResult {
  readonly logs: readonly string[];
}

/** Runs a program of this text as two nodes for two seconds. */
async function run(
  name: string,
  code: string,
  workload: WorkloadName = "echo",
  settings: RunSettings = {},
  plan?: RunHooks["plan"],
): Promise<Ran> {
  const dir = await Deno.makeTempDir({
    dir: decodeURIComponent(new URL("..", import.meta.url).pathname),
  });
  try {
    const file = join(dir, name);
    await Deno.writeTextFile(file, code);
    const program = await bundleProgram(file);
    const logs: string[] = [];
    const options = defaultOptions(workload, {
      nodeCount: 2,
      rate: 20,
      timeLimitSeconds: 2,
      latency: { meanMs: 5, distribution: "exponential" },
      ...settings,
    });
    const onLog = (node: string, text: string) => void logs.push(`${node}: ${text}`);
    const result = await simulateProgram(program, ["--flag", "x"], options, { onLog, plan });
    return { ...result, logs };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const echo = "{ echo: body.echo }";
const importing = 'import readline from "node:readline";\nimport process from "node:process";';
const requiring = 'const readline = require("node:readline");';
const gossip = `
const seen = new Set<unknown>();
node.on("topology", () => ({}));
node.on("read", () => ({ messages: [...seen] as number[] }));
node.on("broadcast", ({ body: { message = null } }) => {
  seen.add(message);
  for (const peer of node.otherNodes) {
    node.retry(() => node.rpc(peer, { type: "gossip", message }), { timeoutMs: 60_000 })
      .catch(() => {});
  }
  return {};
});
node.on("gossip", ({ body: { message } }) => {
  seen.add(message);
  return {};
});`;

const right: readonly (readonly [name: string, code: string, workload: WorkloadName])[] = [
  ["deno.ts", onDeno(echo), "echo"],
  ["readline.mjs", onReadline(echo, importing), "echo"],
  ["readline.cjs", onReadline(echo, requiring), "echo"],
  ["data.cjs", onData(echo), "echo"],
  ["library.ts", onLibrary('node.on("echo", ({ body: { echo = null } }) => ({ echo }));'), "echo"],
  ["ids.ts", onDeno("{ id: `${dest} ${Math.random()}` }"), "unique-ids"],
  ["ids.mjs", onReadline("{ id: `${dest} ${crypto.randomUUID()}` }", importing), "unique-ids"],
  ["ids.cjs", onData("{ id: require('crypto').randomUUID() }"), "unique-ids"],
  ["gossip.ts", onLibrary(gossip), "broadcast"],
];

for (const [name, code, workload] of right) {
  Deno.test(`${name} runs unchanged under virtual time, the same each time`, async () => {
    const settings: RunSettings = {
      seed: 3,
      nemesis: workload === "broadcast" ? ["partition"] : [],
    };
    const first = await run(name, code, workload, settings);
    assertEquals([first.results.valid, first.logs], [true, []], first.results.broke?.text);
    assert(first.results.stats.okCount > 20);
    const again = await run(name, code, workload, settings);
    assertEquals(again.history.map(writeHistoryLine), first.history.map(writeHistoryLine));
  });
}

const wrong:
  readonly (readonly [name: string, code: string, workload: WorkloadName, why: string])[] = [
    ["deno.ts", onDeno('{ echo: body.echo + "!" }'), "echo", "wrong-echo"],
    ["data.cjs", onData("{ echo: 1 }"), "echo", "wrong-echo"],
    ["ids.ts", onDeno("{ id: 7 }"), "unique-ids", "duplicated"],
    [
      "ids.mjs",
      onReadline("{ id: lines.n = (lines.n ?? 0) + 1 }", importing),
      "unique-ids",
      "duplicated",
    ],
    [
      "forgets.ts",
      onLibrary(gossip.replace("for (const peer of node.otherNodes)", "for (const peer of [])")),
      "broadcast",
      "lost",
    ],
  ];

for (const [name, code, workload, why] of wrong) {
  Deno.test(`a wrong ${name} is found out: ${why}`, async () => {
    const { results } = await run(name, code, workload);
    assertEquals(results.valid, false);
    assertEquals(results.findings[0]?.anomaly, why);
  });
}

/** The value of an expression in a program, at its first request. */
async function valueOf(expression: string): Promise<unknown> {
  const { logs } = await run(
    "value.ts",
    onDeno(`(console.error(JSON.stringify(${expression})), ${echo})`),
  );
  return JSON.parse(logs[0]?.replace(/^n\d: /, "") ?? "");
}

Deno.test("what a program sees of the outside is virtual", async () => {
  const before = Date.now();
  const cases: readonly (readonly [expression: string, expected: unknown])[] = [
    ["new Date(0).toLocaleString()", "1/1/1970, 12:00:00 AM"],
    ["Intl.DateTimeFormat().resolvedOptions().timeZone", "UTC"],
    ["(1234.5).toLocaleString()", "1,234.5"],
    ["new Date().toISOString().slice(0, 17)", "2026-01-01T00:00:"],
    ["Date().slice(0, 15)", "Thu Jan 01 2026"],
    ["new Date() instanceof Date && Date.name", "Date"],
    ["class extends Date {}.prototype instanceof Date", true],
    ["Temporal.Now.instant().toString().slice(0, 17)", "2026-01-01T00:00:"],
    ["performance.now() < 60_000", true],
    ["Deno.args", ["--flag", "x"]],
    ["Deno.env.get('PATH') ?? 'none'", "none"],
    ["new WeakRef(body).deref() === body", true],
    ["new TextEncoder().encode('a') instanceof Uint8Array", true],
    ["[1] instanceof Array", true],
    ["typeof Deno.readTextFile", "function"],
  ];
  for (const [expression, expected] of cases) {
    assertEquals(await valueOf(expression), expected, expression);
  }
  assert(Date.now() >= before, "the workbench's own time is as before");
});

Deno.test("what is not virtual throws, and says what to do", async () => {
  const calls = [
    "Deno.readTextFileSync('/etc/passwd')",
    "new Worker('data:,')",
    "fetch('http://localhost')",
    "Deno.stdin.readSync(new Uint8Array(1))",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
  ];
  for (const call of calls) {
    const said = await valueOf(
      `(() => { try { return ${call}; } catch (e) { return e.message; } })()`,
    );
    assertStringIncludes(String(said), "run the program with --real-time", call);
  }
  const { results } = await run(
    "fs.mjs",
    'import fs from "fs";\nfs.readFileSync("/etc/passwd");\n',
  );
  assertStringIncludes(results.broke?.text ?? "", "Cannot use fs.readFileSync under virtual time");
  assertStringIncludes(results.broke?.text ?? "", "fs.mjs:2:4");
});

Deno.test("each node has modules, globals and random numbers of its own", async () => {
  const { history } = await run(
    "own.ts",
    onDeno("{ id: `${globalThis.count++} ${Math.random()}` }", "globalThis.count = 0;"),
    "unique-ids",
  );
  const ids = history.filter(({ type }) => type === "ok").map(({ value }) => String(value));
  const counts = ids.map((id) => id.split(" ")[0]);
  assertEquals(counts.filter((count) => count === "0").length, 2);
  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("a program that ends is reported, with the place in its own file", async () => {
  const boom = 'function boom(): never {\n  throw new Error("out of luck");\n}\n';
  const cases: readonly (readonly [code: string, ...signs: string[]])[] = [
    [onDeno("undefined", `${boom}boom();`), "Uncaught Error: out of luck", "end.ts:3:9"],
    [onDeno(`setTimeout(boom, 10)`, boom), "Uncaught Error: out of luck", "end.ts:3:9"],
    [
      onDeno("void Promise.reject(new Error('not caught'))"),
      "Uncaught (in promise) Error: not caught",
      "end.ts:",
    ],
    [onDeno("queueMicrotask(boom) as undefined", boom), "Uncaught Error: out of luck"],
    [onDeno("Deno.exit(3)"), "exit status 3"],
    [
      onDeno(
        "setTimeout(boom, 1) && undefined",
        `${boom}addEventListener("error", () => no.such);`,
      ),
      "ReferenceError: no is not defined",
    ],
    [
      onDeno("boom()", `Error.prepareStackTrace = () => { throw new Error("in it"); };${boom}`),
      "Error: ",
    ],
    [
      onReadline(
        "setTimeout(() => { throw new Error('first'); }, 1) && undefined",
        `${importing}process.on("uncaughtException", () => { throw new Error("second"); });`,
      ),
      "Error: second",
      "end.ts:",
    ],
    ["process.exitCode = 7;", "exit status 7"],
    [onReadline("process.exit(4)", `${importing}process.on("exit", () => process.exit(5));`), "4"],
    [onDeno("setTimeout(undefined, 1)"), 'The "callback" argument must be', "end.ts:"],
    [onReadline("process.exit(4)", importing), "exit status 4"],
    [onReadline("lines.no.such()", importing), "Cannot read properties of undefined"],
    [
      "console.error('goodbye');",
      "exit status 0",
      "goodbye",
      "(does the program read standard input",
    ],
    ["await new Promise(() => {});", "Top-level await promise never resolved"],
    ["console.log('hello');", "the line is not JSON"],
    ['await import(["./x", "ts"].join("."));', "Cannot import ./x.ts: it is not in"],
  ];
  for (const [code, ...signs] of cases) {
    const { results } = await run("end.ts", code);
    assertEquals([results.valid, results.broke?.byNode], [false, true], code);
    for (const sign of signs) assertStringIncludes(results.broke?.text ?? "", sign);
  }
});

Deno.test("a program that catches what nothing else does goes on", async () => {
  const before = 'addEventListener("unhandledrejection", (event) => event.preventDefault());\n';
  const answer = `(Promise.reject(new Error("lost")), ${echo})`;
  assertEquals((await run("web.ts", onDeno(answer, before))).results.valid, true);
  const property = "globalThis.onunhandledrejection = (event) => event.preventDefault();\n";
  assertEquals((await run("web.ts", onDeno(answer, property))).results.valid, true);
  const onNode = 'process.on("uncaughtException", (error) => console.error(error.message));\n';
  const { results, logs } = await run(
    "node.mjs",
    onReadline(`(setTimeout(() => { throw new Error("late"); }, 1), ${echo})`, importing + onNode),
  );
  assertEquals([results.valid, logs[0]], [true, "n0: late"]);
});

Deno.test("timers of node:timers/promises tick, wait and are aborted", async () => {
  const ticking = importing + `
    import { scheduler, setInterval as ticks } from "node:timers/promises";
    const stop = new AbortController();
    let count = 0;
    try {
      for await (const value of ticks(100, "tick", { signal: stop.signal })) {
        await scheduler.wait(30);
        console.error(value, Date.now() % 86_400_000);
        if (++count === 3) stop.abort(new Error("enough"));
      }
    } catch (error) {
      console.error(error.message);
    }
  `;
  const { results, logs } = await run("ticks.mjs", onReadline(echo, ticking));
  assertEquals(results.valid, true);
  const mine = logs.filter((line) => line.startsWith("n0: ")).map((line) => line.slice(4));
  assertEquals(mine, ["tick 130", "tick 230", "tick 330", "enough"]);
});

Deno.test("a node on the library may use mailboxes, and timers are as in Deno", async () => {
  const mailbox = onLibrary(`
    const mailbox = new Mailbox();
    let count = 0;
    node.on("echo", ({ body: { echo = null } }) => mailbox.run(async () => {
      await new Promise((resolve) => setTimeout(resolve, Infinity));
      await new Promise((resolve) => setTimeout(resolve, 50).refresh());
      count++;
      return { echo };
    }));`).replace("{ Node,", "{ Mailbox, Node,");
  const { results } = await run("mailbox.ts", mailbox);
  assertEquals(results.valid, true, results.broke?.text);
  assert((results.latencies.p50 ?? 0) > 50);
});

Deno.test("a killed program forgets, and a paused one answers later", async () => {
  const before = "globalThis.count = 0;\nconsole.error(Temporal.Now.instant().epochMilliseconds);";
  const counting = onDeno("{ id: `${dest} ${globalThis.count++}` }", before);
  const settings: RunSettings = { timeLimitSeconds: 20, nemesisIntervalSeconds: 1 };
  const killed = await run("kill.ts", counting, "unique-ids", { ...settings, nemesis: ["kill"] });
  assertEquals(killed.results.findings[0]?.anomaly, "duplicated");
  const starts = killed.logs.map((line) => Number(line.replace(/^n\d: /, "")));
  assert(starts.length > 2);
  assertEquals(starts, starts.toSorted((a, b) => a - b), "time goes on while a node is down");
  assert(Number(starts.at(-1)) > Number(starts[0]));
  const paused = await run("kill.ts", counting, "unique-ids", { ...settings, nemesis: ["pause"] });
  assertEquals(paused.results.valid, true);
  assert((paused.results.latencies.max ?? 0) > 100);
});

Deno.test("a program on the library has its storage on a simulated disk, whatever the faults", async () => {
  const counter = onLibrary(`
    node.onInit(() => {
      if (node.storage.get("count") === undefined) node.storage.set("count", [0]);
    });
    node.on("generate", () => {
      const [count] = node.storage.get("count");
      node.storage.set("count", [count + 1]);
      return { id: node.id + " " + count };
    });`).replace("new Node()", 'new Node({ storage: openDisk("data") })')
    .replace("\n", '\nimport { openDisk } from "@eddy/maelstrom/disk";\n');
  const settings: RunSettings = {
    timeLimitSeconds: 20,
    nemesisIntervalSeconds: 1,
    concurrency: "10n",
  };
  const calm = await run("disk.ts", counter, "unique-ids", settings);
  assertEquals([calm.results.valid, calm.results.disks], [true, undefined], "in memory only");
  const nemesis = ["kill", "disk-lose", "disk-eio", "disk-slow"] as const;
  const { results } = await run("disk.ts", counter, "unique-ids", { ...settings, nemesis });
  assertEquals(results.valid, true, results.explanations.flat().join("\n"));
  assert((results.disks?.failedSyncs ?? 0) > 0, "no sync has failed");
  const off = { ...settings, nemesis: ["kill"], disk: false } as const;
  const forgotten = await run("disk.ts", counter, "unique-ids", off);
  assertEquals(forgotten.results.findings[0]?.anomaly, "duplicated");
});

Deno.test("the time of day of a program jumps, its other clocks and its timers run at a rate", async () => {
  const telling = onDeno(
    `(setTimeout(() => console.error(JSON.stringify([
      dest,
      Date.now() - Date.UTC(2026, 0, 1),
      Temporal.Now.instant().epochMilliseconds - Date.now(),
      performance.now(),
      performance.timeOrigin - Date.UTC(2026, 0, 1),
    ])), 500), ${echo})`,
  );
  const fault = { kind: "clock", drawn: "one", fromMs: 0, clock: { rate: 2, jumpMs: -60_000 } };
  const faults = [{ ...fault, kind: "clock", nodes: ["n1"] }] as const;
  const settings: RunSettings = { rate: 0.5, timeLimitSeconds: 8 };
  const { logs, history } = await run("clock.ts", telling, "echo", settings, { faults });
  const told = logs.flatMap((line) => line.startsWith("n1: [") ? [JSON.parse(line.slice(4))] : []);
  assert(told.length > 1, logs.join("\n"));
  for (const [, timeOfDay, between, uptime, origin] of told) {
    assert(Math.abs(timeOfDay - (uptime - 60_000)) < 1, `${timeOfDay} after ${uptime}`);
    assertEquals([between, origin], [0, 0]);
    assert(uptime > 500);
  }
  const { time = 0 } = history.findLast(({ type, f }) => type === "ok" && f === "echo") ?? {};
  const lastUptime = Math.max(...told.map(([, , , uptime]) => uptime));
  assert(lastUptime > 1.5 * time / 1e6, `${lastUptime} ms of its own until ${time} ns`);
});

Deno.test("what cannot be bundled is said with its place", async () => {
  await assertRejects(() => bundleProgram("no/such.ts"), Error, "there is no such file");
  await assertRejects(() => run("bad.ts", "const x = ;\n"), Error, "bad.ts:1:11");
});

Deno.test("programs that keep each other busy without delay do not stop time", async () => {
  const busy = onLibrary(`
    node.on("echo", ({ body: { echo = null } }) => ({ echo }));
    node.on("ping", ({ src }) => node.send(src, { type: "ping" }));
    node.onInit(() => {
      if (node.id === "n0") node.send("n1", { type: "ping" });
    });`);
  const { results } = await run("busy.ts", busy, "echo", { latency: { meanMs: 0 } });
  assertEquals(results.valid, true);
  assert(results.net.servers.msgCount > 10_000);
});
