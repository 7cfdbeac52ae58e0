import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bundle, WORKBENCH } from "./bundle.ts";
import { projectPath } from "./support.ts";

/** The folder of this Deno, put on the PATH for the `#!` line to find it. */
const path = `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`;

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "eddy-test-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(command: string, args: string[], cwd: string, input = "") {
  const child = new Deno.Command(command, {
    args,
    cwd,
    env: { PATH: path, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("the bundle is one file that runs anywhere by itself, with no permissions", async () => {
  await withFolder(async (folder) => {
    await bundle(`${folder}/eddy.js`);
    const elsewhere = `${folder}/elsewhere`;
    await Deno.mkdir(elsewhere);
    const input = [
      '{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}',
      '{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"test1"}}',
    ];
    const { code, stdout } = await run(
      `${folder}/eddy.js`,
      ["echo"],
      elsewhere,
      input.join("\n") + "\n",
    );
    assertEquals(stdout.trimEnd().split("\n"), [
      '{"src":"n1","dest":"c0","body":{"type":"init_ok","in_reply_to":1,"msg_id":0}}',
      '{"src":"n1","dest":"c1","body":{"type":"echo_ok","echo":"test1","in_reply_to":2,"msg_id":1}}',
    ]);
    assertEquals(code, 0);
    assertEquals([...Deno.readDirSync(elsewhere)].length, 0);
    const text = await Deno.readTextFile(`${folder}/eddy.js`);
    assert(text.startsWith("#!/usr/bin/env -S deno run\n"));
    assert(!/\bfrom\s*["']/.test(text), "the bundle imports something");
    // What the runtime has itself, when data is to be kept.
    const dynamic = [...text.matchAll(/\bimport\([^)]*\)/g)].map(([call]) => call);
    assertEquals(dynamic.sort(), ['import("node:sqlite")', 'import("node:zlib")']);
  });
});

Deno.test("the bundle says what is wrong with its command line", async () => {
  await withFolder(async (folder) => {
    await bundle(`${folder}/eddy.js`);
    const { code, stdout, stderr } = await run(`${folder}/eddy.js`, ["gossip"], folder);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, 'Unknown workload "gossip": accepted are broadcast, echo');
  });
});

Deno.test("a bundle of the workbench runs from an empty folder, with its threads", async () => {
  await withFolder(async (folder) => {
    await bundle(`${folder}/eddy.js`, WORKBENCH, ["--quiet", "--allow-all"]);
    const empty = `${folder}/empty`;
    await Deno.mkdir(empty);
    const eddy = (line: string) => run(`${folder}/eddy.js`, line.split(" "), empty);
    const tested = await eddy("test -w echo --time-limit 1");
    assertEquals(tested.code, 0, tested.stderr);
    assertStringIncludes(tested.stdout, ": valid\n");
    // The pages are not beside it.
    assertStringIncludes(tested.stderr, "There is no report.html: the folder page is not beside");
    const mutant = "--bin mutant:echoes-what-was-said-before --rate 20 --time-limit 3";
    const swept = await eddy(`sweep -w echo --seeds 2 ${mutant}`);
    assertEquals(swept.code, 1, swept.stderr);
    assertStringIncludes(swept.stdout, "2 INVALID");
    // Nor is the library, without which a project would not run.
    const begun = await eddy("init mine");
    assertEquals([begun.code, begun.stdout], [255, ""]);
    assertStringIncludes(begun.stderr, "Cannot begin a project: the library, which it imports, is");
    const played = await eddy("playground");
    assertEquals([played.code, played.stdout], [255, ""]);
    assertStringIncludes(played.stderr, "There is no playground: the folder page is not beside");
    assertEquals(Array.from(Deno.readDirSync(empty), ({ name }) => name), ["store"]);
  });
});

Deno.test("a script refuses what it does not know, with exit code 2", async () => {
  const tasks = { bundle: "bundle", compile: "compile", demo: "conversation" };
  for (const [name, task] of Object.entries(tasks)) {
    const script = projectPath(`scripts/${name}.ts`);
    const args = ["run", "--quiet", "--allow-all", script];
    const refused = await run(Deno.execPath(), [...args, "--frobnicate"], projectPath("."));
    assertEquals([refused.code, refused.stdout], [2, ""]);
    assertStringIncludes(refused.stderr, "Unknown option --frobnicate: accepted are --");
    const helped = await run(Deno.execPath(), [...args, "--help"], projectPath("."));
    assertEquals([helped.code, helped.stderr], [0, ""]);
    assertStringIncludes(helped.stdout, `Usage: deno task ${task}`);
  }
});
