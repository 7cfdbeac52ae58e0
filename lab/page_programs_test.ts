/**
 * Programs in a page: the same runs as in Deno, byte for byte.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { loadProgram, type RunSettings, simulateProgram, type WorkloadName } from "@eddy/workbench";
import { inTempDir, workbenchInTurn } from "@eddy/workbench/cli/testing.ts";
import { defaultOptions } from "@eddy/workbench/options.ts";
import { pageSimulator } from "@eddy/workbench/page_program.ts";
import type { SimulatorResult } from "@eddy/workbench/page/simulator/simulator.ts";
import { unpackReport } from "@eddy/workbench/report_data.ts";
import { writePage } from "@eddy/workbench/report_page.ts";
import { projectPath } from "../scripts/support.ts";
import { longTestInBrowser, openPage, type PageSettings } from "./browser.ts";
import { languages, virtualNode } from "./programs/languages.ts";
import { openText, recorded, runInPage } from "./simulator_page.ts";

const settings = {
  nodeCount: 3,
  timeLimitSeconds: 8,
  rate: 20,
  latency: { meanMs: 5, distribution: "exponential" },
  nemesis: ["partition", "kill", "pause"],
  nemesisIntervalSeconds: 2,
  seed: 5,
} as const satisfies RunSettings;

interface Ran {
  readonly here: SimulatorResult;
  readonly there: SimulatorResult;
}

/** Runs a program here and in a page that has it. */
async function runBoth(
  bin: string,
  workload: WorkloadName,
  args: readonly string[] = [],
  given: RunSettings = settings,
  pageSettings?: PageSettings,
): Promise<Ran> {
  const program = await loadProgram(bin);
  const simulator = await pageSimulator({ program: { bin } }, program);
  assert(typeof simulator === "object", `${bin}: ${simulator}`);
  const { page, problems, requests } = await openText(
    await writePage({
      title: bin,
      body: "",
      code: "0",
      texts: { simulator: simulator.code },
      allows: simulator.allows,
    }),
    pageSettings,
  );
  const [there] = await runInPage(page, [{ run: { settings: { ...given, workload, bin, args } } }]);
  const options = defaultOptions(workload, given);
  const here = await recorded(
    { bin, args },
    (hooks) => simulateProgram(program, args, options, hooks),
  );
  assert(typeof there === "object", `${bin}: ${there}`);
  assertEquals([problems, requests], [[], []], bin);
  return { here, there };
}

/** Fails unless all is the same in a page. */
async function assertSame(...args: Parameters<typeof runBoth>): Promise<void> {
  const { here, there } = await runBoth(...args);
  const name = args.slice(0, 3).join(" ");
  assertEquals(there.sha256, here.sha256, name);
  assert(there.report === here.report, `${name}: all else that a page shows is the same`);
}

/** Calls a function with the path of a program of this text, where the library's name is known. */
async function withProgram(
  name: string,
  code: string,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ dir: projectPath("lab") });
  try {
    await Deno.writeTextFile(join(dir, name), code);
    await use(join(dir, name));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const programs: readonly (readonly [file: string, workload: WorkloadName, args: string[]])[] = [
  ["node.mjs", "broadcast", []],
  ["node.mjs", "unique-ids", ["in-pieces"]],
  ["deno.ts", "broadcast", []],
  ["deno.ts", "echo", ["wrong-echo"]],
  ["library.ts", "broadcast", []],
  ["library.ts", "unique-ids", ["same-ids"]],
  ["lin_kv.mjs", "lin-kv", ["cache"]],
];

for (const [file, workload, args] of programs) {
  longTestInBrowser(`${file} gives the same run in a page: ${workload} ${args}`, async () => {
    await assertSame(projectPath(`lab/programs/${file}`), workload, args);
  });
}

/** A node whose ids are what it sees: they are in the history. */
const seeing = (expressions: string, read: string) => `
${read}
function answer(line) {
  const { src, dest, body } = JSON.parse(line);
  const keys = body.type === "init" ? {} : { id: JSON.stringify([dest, body.msg_id, ${expressions}]) };
  return JSON.stringify({
    src: dest,
    dest: src,
    body: { type: body.type + "_ok", in_reply_to: body.msg_id, ...keys },
  });
}`;

const reads: Readonly<Record<string, string>> = {
  "readline.mjs": `import { createInterface } from "node:readline";
    createInterface({ input: process.stdin }).on("line", (line) => console.log(answer(line)));`,
  "lines.mjs": `import readline from "readline";
    const all = async () => {
      for await (const line of readline.createInterface(process.stdin)) console.log(answer(line));
    };
    setImmediate(all);`,
  "data.cjs": `const fs = require("fs");
    let rest = "";
    process.stdin.on("data", (chunk) => {
      const lines = (rest + chunk.toString()).split("\\n");
      rest = lines.pop();
      for (const line of lines) fs.writeSync(1, answer(line) + "\\n");
    });`,
  "chunks.mjs": `import { stdin, stdout, nextTick } from "node:process";
    (async () => {
      stdin.setEncoding("utf8");
      for await (const chunk of stdin) {
        const lines = chunk.split("\\n").slice(0, -1).map(answer);
        nextTick(() => stdout.write(lines.join("\\n") + "\\n"));
      }
    })();`,
  "readable.mjs": `let rest = "";
    process.stdin.on("readable", () => {
      for (let chunk; (chunk = process.stdin.read()) !== null;) rest += chunk;
      const lines = rest.split("\\n");
      rest = lines.pop();
      for (const line of lines) process.stdout.write(answer(line) + "\\n");
    });`,
  "top_level.ts": `const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    await delay(3);
    const decoder = new TextDecoder();
    (async () => {
      const buffer = new Uint8Array(1 << 16);
      for (let rest = "";;) {
        const count = await Deno.stdin.read(buffer);
        const lines = (rest + decoder.decode(buffer.subarray(0, count ?? 0))).split("\\n");
        rest = lines.pop() ?? "";
        for (const line of lines) console.log(answer(line));
      }
    })();`,
};

const DRAWN = "Math.random(), crypto.randomUUID(), Date.now(), Math.round(performance.now())";

for (const [name, read] of Object.entries(reads)) {
  longTestInBrowser(`however a program reads, the run is the same in a page: ${name}`, async () => {
    const code = seeing(DRAWN, read);
    const typed = name.endsWith(".ts")
      ? code.replace("answer(line) {", "answer(line: string) {")
      : code;
    await withProgram(name, typed, (path) => assertSame(path, "unique-ids"));
  });
}

/** What a program sees, which is the same in every time zone and language. */
const SEEN = [
  "String(new Date(0))",
  "new Date(2026, 0, 31, 25).toISOString()",
  "new Date('2026-03-29T02:30:00').getTime()",
  "Date.parse('Mar 29, 2026 02:30:00')",
  "Date.parse('2026-03-29')",
  "Date.parse('Sun, 29 Mar 2026 02:30:00 GMT')",
  "new Date(2020, 1).getTimezoneOffset()",
  "new Date(1e12).getHours()",
  "new Date(1e12).toLocaleString()",
  "new Date(1e12).toLocaleDateString('de')",
  "`${new Date(1e12).toDateString()}|${new Date(1e12).toTimeString()}`",
  "new Date(new Date(7)).getTime()",
  "String(new Date('no date'))",
  "Date.name + Date.length + (new Date() instanceof Date)",
  "typeof Date()",
  "[String(Temporal.Now.instant()), Temporal.Now.timeZoneId()]",
  "(1234.5).toLocaleString()",
  "['ä', 'z', 'a'].sort((a, b) => a.localeCompare(b))",
  "new Intl.NumberFormat().format(1234.5)",
  "Intl.DateTimeFormat().resolvedOptions().timeZone",
  "Intl.DateTimeFormat().format(0)",
  "process.argv.slice(2)",
  "process.env",
  "[import.meta.main, typeof import.meta.url]",
  "[typeof window, typeof document, typeof postMessage, typeof importScripts, typeof global]",
  "typeof globalThis.Array + typeof globalThis.process",
  "[1] instanceof Array",
  "Buffer.from('é').toString('hex') + Buffer.byteLength('é')",
  "new WeakRef(body).deref() === body",
  "structuredClone(new Map([[1, 2]])).get(1)",
  "btoa('a') + new URL('http://a/b?c').search",
  "(() => { try { fetch('http://a'); } catch (error) { return error.message; } })()",
  "(() => { try { process.chdir('/'); } catch (error) { return error.message; } })()",
];

longTestInBrowser("what a program sees is the same in a page, whatever the place", async () => {
  const code = seeing(SEEN.join(", "), reads["readline.mjs"] ?? "");
  await withProgram("seen.mjs", code, async (path) => {
    const short = { nodeCount: 1, timeLimitSeconds: 1, rate: 2, seed: 1 };
    const place = { timezoneId: "America/St_Johns", locale: "de-DE" };
    const { here, there } = await runBoth(path, "unique-ids", ["--flag"], short, place);
    const idOf = ({ report }: SimulatorResult): unknown[] => {
      const { history } = unpackReport(report);
      const id = history.find(({ type }) => type === "ok")?.value;
      return JSON.parse(String(id)).slice(2);
    };
    const [expected, found] = [idOf(here), idOf(there)];
    assertEquals(found.length, SEEN.length);
    for (const [i, expression] of SEEN.entries()) {
      assertEquals(found[i], expected[i], expression);
    }
    assertEquals(there.sha256, here.sha256);
  });
});

longTestInBrowser(
  "each node has what it keeps in its modules to itself, also after it was killed",
  async () => {
    const counting = seeing(
      "globalThis.count = (globalThis.count ?? 0) + 1, own++",
      `
    let own = 0;
    ${reads["readline.mjs"]}`,
    );
    await withProgram("own.mjs", counting, (path) => assertSame(path, "unique-ids"));
  },
);

longTestInBrowser("a program that ends is reported in a page, too", async () => {
  const ends: readonly (readonly [code: string, sign: string])[] = [
    ["throw new Error('out of luck');", "Uncaught Error: out of luck"],
    ["process.stdin.on('data', () => { throw new Error('late'); });", "Uncaught Error: late"],
    [
      "process.stdin.on('data', async () => { throw new Error('lost'); });",
      "(in promise) Error: lost",
    ],
    ["setTimeout(() => process.exit(3), 1);", "exit status 3"],
    ["await new Promise(() => {});", "Top-level await promise never resolved"],
    ["console.log('hello');", "the line is not JSON"],
    ['import net from "node:net"; net.connect(1);', "Cannot use net.connect under virtual time"],
  ];
  for (const [code, sign] of ends) {
    await withProgram("ends.mjs", code, async (path) => {
      const { here, there } = await runBoth(path, "echo", [], {
        nodeCount: 1,
        timeLimitSeconds: 1,
      });
      assertEquals(there.sha256, here.sha256, code);
      const { report } = unpackReport(there.report);
      assertEquals([report.valid, report.broke?.byNode], [false, true], code);
      assertStringIncludes(report.broke?.text ?? "", sign, code);
    });
  }
});

longTestInBrowser(
  "a rejection that nothing catches is known before the next event in a page, too",
  async () => {
    // The next message comes at once: a node that did not know would answer it.
    const code = `let count = 0;
    process.stdin.setEncoding("utf8").on("data", (text) => {
      for (const line of text.split("\\n").filter(Boolean)) {
        const { src, dest, body } = JSON.parse(line);
        const reply = { type: body.type + "_ok", in_reply_to: body.msg_id, echo: body.echo };
        if (++count === 30) Promise.reject(new Error("lost"));
        else console.log(JSON.stringify({ src: dest, dest: src, body: reply }));
      }
    });`;
    const busy = { nodeCount: 1, timeLimitSeconds: 1, rate: 20_000, concurrency: 50, seed: 2 };
    await withProgram("rejects.mjs", code, async (path) => {
      const { here, there } = await runBoth(path, "echo", [], busy);
      assertEquals(there.sha256, here.sha256);
      assertStringIncludes(unpackReport(there.report).report.broke?.text ?? "", "Error: lost");
    });
  },
);

longTestInBrowser("what a page does not have of Node.js is named", async () => {
  const code = 'import path from "node:path"; console.error(path.join("a", "b"));';
  await withProgram("path.mjs", code, async (path) => {
    const { there } = await runBoth(path, "echo", [], { nodeCount: 1, timeLimitSeconds: 1 });
    const { report } = unpackReport(there.report);
    assertStringIncludes(
      report.broke?.text ?? "",
      "Cannot import node:path: a page does not have it; run the program in a terminal",
    );
  });
});

for (const language of languages.filter(({ compiled }) => compiled !== undefined)) {
  longTestInBrowser(`${language.name} in WebAssembly gives the same run in a page`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const bin = virtualNode(language, folder);
      if (bin === undefined) {
        return console.log(`Skipped: there is no compiler for ${language.name}`);
      }
      const { size } = await Deno.stat(bin);
      if (size <= 2 ** 21) return await assertSame(bin, "broadcast");
      const said = await pageSimulator({ program: { bin } }, await loadProgram(bin));
      assertStringIncludes(String(said), "too long for a page");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("a page without its program says so", async () => {
  const said = await pageSimulator({ program: { bin: "./echo.py" } });
  assertEquals(
    said,
    "This page does not have ./echo.py, which ran the nodes: run it again in a terminal",
  );
});

longTestInBrowser("the page of a program's run has it, and runs it again", async () => {
  const flags = ["--node-count", "3", "--time-limit", "3", "--nemesis", "partition", "--seed", "4"];
  const foreign = [
    "test",
    "-w",
    "broadcast",
    "--bin",
    projectPath("lab/programs/node.mjs"),
    ...flags,
  ];
  const begun = ["test", "-w", "echo", "--bin", "my-node/node.ts", ...flags];
  const report = ["report", "store/latest"];
  await inTempDir(async (dir) => {
    for (const lines of [[foreign], [report], [["init", "my-node"], begun]]) {
      await workbenchInTurn(lines, dir);
      const { page, problems } = await openPage(join(dir, "store/latest/report.html"));
      await page.getByRole("button", { name: "Run the plan" }).click();
      await page.waitForSelector("#again[data-history]");
      assertStringIncludes(await page.locator("#again-status").innerText(), "byte for byte");
      assertEquals(problems, []);
    }
  });
});
