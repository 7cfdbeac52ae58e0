/**
 * What the workbench prints to be pasted runs as it stands, however the workbench was called.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import config from "../deno.json" with { type: "json" };
import { plainEnv } from "./testing.ts";

const project = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const main = join(project, "workbench/cli/main.ts");
/** Deno's command alone: the folder that it is in may have an `eddy` that somebody installed. */
const denoFolder = Deno.makeTempDirSync({ prefix: "eddy-deno-" });
Deno.symlinkSync(Deno.execPath(), join(denoFolder, "deno"));
addEventListener("unload", () => Deno.removeSync(denoFolder, { recursive: true }));

/** A run that is not valid, so that the line that replays it is printed. */
const run = `test -w echo --rate 20 --time-limit 3 --seed 4 --nodes 'it'\\''s,b' --fail-on-warning \
--bin mutant:echoes-what-was-said-before --node '$c'`;

interface Shell {
  readonly cwd: string;
  /** Folders that are first on the PATH. */
  readonly path?: readonly string[];
}

async function shell(line: string, { cwd, path = [denoFolder] }: Shell) {
  const folders = [...path, "/usr/bin", "/bin"];
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line],
    cwd,
    env: { PATH: folders.join(":"), ...plainEnv, INIT_CWD: cwd },
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function inTempDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "eddy command '" });
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Calls the workbench, pastes the line that it prints, and returns the words before `test`. */
async function pasted(command: string, where: Shell): Promise<string> {
  const first = await shell(`${command} ${run}`, where);
  const [, line = ""] = /^Replay with: (.*)$/m.exec(first.stdout) ?? [];
  assert(line !== "", first.stdout + first.stderr);
  const second = await shell(line, where);
  const withoutPlace = (text: string) => text.replace(/^(Results in|Report:) .*$/gm, "");
  assertEquals(withoutPlace(second.stdout), withoutPlace(first.stdout));
  const help = await shell(`${command} --help`, where);
  const [words = ""] = line.split(" test ");
  const called = words.includes("/") ? "eddy" : words;
  assertStringIncludes(help.stdout, `Usage: ${called} COMMAND\n`);
  const [, alias] = /^ {2}(alias .*)$/m.exec(help.stdout) ?? [];
  assertEquals(alias !== undefined, words.includes("/"));
  if (alias !== undefined) {
    // An alias is expanded in the lines after the one that makes it.
    const { stdout, stderr } = await shell(`${alias}\neddy --version`, where);
    assertEquals(stdout, `${config.version}\n`, stderr);
  }
  return words;
}

Deno.test("a replay runs where it was printed: under deno task, here and elsewhere", async () => {
  const task = "deno task --quiet";
  // Below the project; what is in dist/ is nobody's source.
  await Deno.mkdir(join(project, "dist"), { recursive: true });
  const below = await Deno.makeTempDir({ dir: join(project, "dist") });
  try {
    assertEquals(await pasted(`${task} workbench`, { cwd: below }), "deno task workbench");
  } finally {
    await Deno.remove(below, { recursive: true });
  }
  await inTempDir(async (cwd) => {
    const file = join(project, "deno.json");
    assertEquals(
      await pasted(`${task} --config '${file}' workbench`, { cwd }),
      `deno task --config ${file} workbench`,
    );
  });
});

Deno.test("a replay runs where it was printed: as a file, and as an installed command", async () => {
  await inTempDir(async (cwd) => {
    const words = `deno run --allow-all ${main}`;
    assertEquals(await pasted(words, { cwd }), words);
    const path = [join(cwd, "bin"), denoFolder];
    await Deno.mkdir(path[0] ?? "");
    // As `deno install` writes it.
    const shim = `#!/bin/sh\nexec deno run --allow-all 'file://${main}' "$@"\n`;
    await Deno.writeTextFile(join(cwd, "bin/eddy"), shim, { mode: 0o755 });
    assertEquals(await pasted("eddy", { cwd, path }), "eddy");
  });
});

Deno.test("where Deno is no command, the lines call it by npx", async () => {
  await inTempDir(async (cwd) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", main, "--help"],
      cwd,
      env: { PATH: "/nowhere:/somewhere/node_modules/.bin", ...plainEnv },
    }).output();
    const { deno } = Deno.version;
    const alias = `\n  alias eddy="npx -y deno@${deno} run --allow-all ${main}"\n`;
    assertStringIncludes(new TextDecoder().decode(stdout), alias);
  });
});

const INIT =
  `{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}`;

Deno.test("node: runs Eddy's own node, with its help and exit codes, and nothing else on stdout", async () => {
  await inTempDir(async (cwd) => {
    const node = `deno run --quiet --allow-all ${main} node`;
    const served = await shell(`echo '${INIT}' | ${node} lin-kv --lease-reads`, { cwd });
    assertEquals([served.code, served.stderr], [0, ""]);
    assertEquals(
      served.stdout,
      '{"src":"n1","dest":"c0","body":{"type":"init_ok","in_reply_to":1,"msg_id":0}}\n',
    );
    const help = await shell(`${node} --help`, { cwd });
    assertMatch(help.stdout, /^Usage: .* node \[workload\] \[options\]\n/);
    const binary = await shell(`deno run ${join(project, "main.ts")} --help`, { cwd });
    const afterUsage = (text: string) => text.slice(text.indexOf("\n"));
    assertEquals(
      afterUsage(help.stdout).replaceAll("eddy node ", "eddy "),
      afterUsage(binary.stdout),
    );
    assertEquals((await shell(`${node} --version`, { cwd })).stdout, `${config.version}\n`);
    for (const args of ["nope", "broadcast --max-latency x", "echo echo"]) {
      const refused = await shell(`${node} ${args}`, { cwd });
      const byBinary = await shell(`deno run ${join(project, "main.ts")} ${args}`, { cwd });
      assertEquals(refused, byBinary);
      assertEquals(refused.code, 2);
    }
  });
});
