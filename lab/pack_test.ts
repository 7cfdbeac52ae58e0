/**
 * The npm package as somebody without Deno meets it: installed by npm into an empty folder, with
 * empty caches.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import config from "../deno.json" with { type: "json" };
import { longTest } from "./long.ts";
import { pack, TARBALL } from "../scripts/pack.ts";

const echoTs = `\
const decoder = new TextDecoder();
let rest = "";
for await (const chunk of Deno.stdin.readable) {
  const lines = (rest + decoder.decode(chunk, { stream: true })).split("\\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const { src, dest, body } = JSON.parse(line);
    const reply = { ...body, type: \`\${body.type}_ok\`, in_reply_to: body.msg_id };
    console.log(JSON.stringify({ src: dest, dest: src, body: reply }));
  }
}
`;

const echoPy = `\
#!/usr/bin/env python3
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    reply = {**body, "type": body["type"] + "_ok", "in_reply_to": body["msg_id"]}
    print(json.dumps({"src": message["dest"], "dest": message["src"], "body": reply}), flush=True)
`;

/** A folder, with caches of its own. */
interface Place {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Puts a `deno` first on the PATH that fails: the package must bring its own. */
async function pathWithoutDeno(folder: string): Promise<string> {
  await Deno.mkdir(folder);
  await Deno.writeTextFile(join(folder, "deno"), "#!/bin/sh\nexit 99\n", { mode: 0o755 });
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return [folder, ...folders.filter((each) => !each.endsWith("/node_modules/.bin"))].join(":");
}

async function shell(line: string, { folder, env }: Place) {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line],
    cwd: folder,
    env: { ...Deno.env.toObject(), NO_COLOR: "1", ...env },
    clearEnv: true,
    stdin: "null",
    signal: AbortSignal.timeout(120_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a command that must not fail, and returns its output. */
async function output(line: string, place: Place): Promise<string> {
  const { code, stdout, stderr } = await shell(line, place);
  assertEquals([line, code], [line, 0], stdout + stderr);
  return stdout;
}

/** An address that nothing answers at. */
const NOWHERE = "http://127.0.0.1:1/";

const offline = {
  HTTP_PROXY: NOWHERE,
  HTTPS_PROXY: NOWHERE,
  NPM_CONFIG_REGISTRY: NOWHERE,
  npm_config_registry: NOWHERE,
  npm_config_fetch_retries: "0",
};

/** The commands that somebody tries first; each is a run that is valid. */
const firstCommands = [
  "npx eddy test -w echo --time-limit 1",
  "npx eddy test -w echo --bin ./echo.ts --time-limit 1",
  "npx eddy test -w echo --bin ./echo.py --node-count 1 --time-limit 0.2",
  "npx eddy sweep -w echo --seeds 3 --time-limit 1",
];

async function runFirstCommands(place: Place): Promise<void> {
  for (const line of firstCommands) {
    assertMatch(await output(line, place), /: valid$|^all 3 +3 valid /m);
  }
}

/** Whether npm could not reach the registry, in which case nothing can be said. */
function isOffline(stderr: string): boolean {
  if (!/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH/.test(stderr)) return false;
  console.warn(`Skipped: the npm registry cannot be reached: ${stderr}`);
  return true;
}

longTest(
  "the npm package runs in an empty folder with empty caches, and then without a network",
  async () => {
    const temp = await Deno.makeTempDir({ prefix: "eddy-npm-" });
    const folder = join(temp, "folder");
    try {
      await Deno.mkdir(folder);
      const place = {
        folder,
        env: {
          PATH: await pathWithoutDeno(join(temp, "bin")),
          DENO_DIR: join(temp, "deno"),
          npm_config_cache: join(temp, "npm"),
        },
      };
      const tarball = join(temp, TARBALL);
      await pack(tarball);
      const installed = await shell(`npm install --no-audit --no-fund ${tarball}`, place);
      if (isOffline(installed.stderr)) return;
      assertEquals(installed.code, 0, installed.stderr);
      await Deno.writeTextFile(join(folder, "echo.ts"), echoTs);
      await Deno.writeTextFile(join(folder, "echo.py"), echoPy, { mode: 0o755 });

      assertEquals(await output("npx eddy --version", place), `${config.version}\n`);
      await runFirstCommands(place);
      await startBothWays(place);
      await beginProject(place);
      const without = { folder, env: { ...place.env, ...offline } };
      await runFirstCommands(without);
      await pasteReplay(without);
      await serveNode(without);
      await killLauncher("node_modules/.bin/eddy", without);
      await killLauncher("node node_modules/eddy/bin/launcher.cjs", without);
      await sayWhatIsMissing({ ...without, env: { ...without.env, DENO_DIR: join(temp, "none") } });
    } finally {
      await Deno.remove(temp, { recursive: true });
    }
  },
);

/** A project of one's own type-checks and runs, with the library of the package. */
async function beginProject({ folder, env }: Place): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await output("npx eddy init my-node", { folder, env });
  const project = { folder: join(folder, "my-node"), env };
  // Checks the types, too.
  await output("npx deno test", project);
  const run = "npx eddy test -w echo --bin ./node.ts --node-count 3 --time-limit 1";
  assertMatch(await output(run, project), /: valid$/m);
  // So it does beside a package.json.
  await Deno.writeTextFile(join(project.folder, "package.json"), "{}");
  await output("npx deno test", project);
}

/** npm's installation puts the launcher for a shell in place; that for Node.js starts the same. */
async function startBothWays(place: Place): Promise<void> {
  const bin = "node_modules/eddy/bin";
  assertEquals(await output(`head -n 1 ${bin}/eddy.cjs`, place), "#!/bin/sh\n");
  const command = `node ${bin}/launcher.cjs`;
  assertEquals(await output(`${command} --version`, place), `${config.version}\n`);
  assertMatch(await output(`${command} --help`, place), /^Usage: npx eddy COMMAND$/m);
  const { code } = await shell(`${command} test --rate x`, place);
  assertEquals(code, 254);
}

async function pasteReplay(place: Place): Promise<void> {
  const bin = "mutant:echoes-what-was-said-before";
  const line = `test -w echo --bin ${bin} --rate 20 --time-limit 3 --seed 4 --node 'a b'`;
  for (const command of ["npx eddy", "node_modules/.bin/eddy"]) {
    const first = await shell(`${command} ${line}`, place);
    assertEquals(first.code, 1, first.stdout + first.stderr);
    const [, replay = ""] = /^Replay with: (npx eddy .*)$/m.exec(first.stdout) ?? [];
    const second = await shell(replay, place);
    const withoutPlace = (text: string) => text.replace(/^(Results in|Report:) .*$/gm, "");
    assertEquals(withoutPlace(second.stdout), withoutPlace(first.stdout));
  }
  // Where npx would not find it, help makes it a command by its path.
  const elsewhere = { ...place, folder: "/" };
  const help = await shell(`'${join(place.folder, "node_modules/.bin/eddy")}' --help`, elsewhere);
  const [, alias = ""] = /^ {2}(alias eddy=.*)$/m.exec(help.stdout) ?? [];
  assertEquals(await output(`${alias}\neddy --version`, elsewhere), `${config.version}\n`);
}

async function serveNode(place: Place): Promise<void> {
  const init =
    `{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}`;
  const answered = await output(`echo '${init}' | npx eddy node lin-kv`, place);
  assertMatch(answered, /^\{"src":"n1","dest":"c0","body":\{"type":"init_ok",.*\}\}\n$/);
}

/** A launcher that is killed takes its run along, and the nodes with it. */
async function killLauncher(command: string, place: Place): Promise<void> {
  // With a bracket, the pattern is not found in the command line of the shell that looks for it.
  const pattern = place.folder.replace("/eddy-npm-", "/[e]ddy-npm-");
  const run = `${command} test -w echo --bin ./echo.py --time-limit 100`;
  const script = `${run} > log 2>&1 & launcher=$!
until pgrep -f '${pattern}/echo.py' > nodes; do sleep 0.1; done
kill -9 $launcher
for i in $(seq 100); do
  pgrep -f '${pattern}' > left || exit 0
  sleep 0.1
done
cat left
kill -9 $(cat left)
exit 1`;
  await output(script, place);
}

/** Deno's bundler comes with the first program that needs it; without a network that is said. */
async function sayWhatIsMissing(place: Place): Promise<void> {
  const ran = await shell("npx eddy test -w echo --bin ./echo.ts --time-limit 1", place);
  assertEquals([ran.code, ran.stdout], [255, ""]);
  assertEquals(ran.stderr.trimEnd().split("\n").length, 1, ran.stderr);
  assertStringIncludes(ran.stderr, "Cannot bundle ./echo.ts: Deno cannot download esbuild");
  assert(!ran.stderr.includes("Stack backtrace"));
}
