import { assert, assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { workloads } from "@eddy/handlers/workloads";
import { join } from "@std/path/join";
import { projectPath } from "../scripts/support.ts";

/** How many packages the workspace's lock may hold, which Deno fetches at the first start. */
const MAX_PACKAGES = 6;

const INPUT =
  `{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}
{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"hi"}}
`;

/** Copies the committed files, as they are now, to `target`. */
async function copyTree(target: string): Promise<void> {
  const { stdout, success } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    cwd: projectPath("."),
  }).output();
  assert(success, "Cannot list the committed files");
  for (const path of new TextDecoder().decode(stdout).split("\0").filter((path) => path !== "")) {
    await Deno.mkdir(join(target, path, ".."), { recursive: true });
    await Deno.copyFile(projectPath(path), join(target, path));
  }
}

/** What follows `npx -y deno@VERSION` in the README's commands; both begin the page. */
async function readmeCommands(): Promise<string[][]> {
  const readme = await Deno.readTextFile(projectPath("README.md"));
  const [, block = ""] = /```sh[^\n]*\n([^]*?)```/.exec(readme) ?? [];
  return [...block.matchAll(/^npx -y deno@\S+ (.*?)(?: +#.*)?$/gm)].map(([, args = ""]) =>
    args.split(" ")
  );
}

async function runDeno(args: string[], cwd: string, cache: string, input = "") {
  const process = new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { DENO_DIR: cache, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  const [, { code, stdout, stderr }] = await Promise.all([
    writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {}),
    process.output(),
  ]);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The npm packages in a cache folder, as `name/version`. */
async function packagesIn(folder: string, path = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(join(folder, path))) {
    if (isFile && name === "package.json") return [path];
    if (isDirectory) found.push(...await packagesIn(folder, join(path, name)));
  }
  return found;
}

/** Calls `use` with a copy of the tree, and with the path of a cache that does not exist yet. */
async function withFreshCopy(
  use: (copy: string, cache: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const [copy, cache] = [join(folder, "copy"), join(folder, "cache")];
    await copyTree(copy);
    await use(copy, cache);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether the registry could not be reached, in which case nothing can be said. */
function isOffline(stderr: string): boolean {
  if (!/error sending request|dns error|tcp connect error/.test(stderr)) return false;
  console.warn(`Skipped: the npm registry cannot be reached: ${stderr}`);
  return true;
}

async function assertFewPackages(cache: string): Promise<void> {
  const packages = await packagesIn(join(cache, "npm"));
  assert(packages.length > 0);
  assertLessOrEqual(packages.length, MAX_PACKAGES, packages.join("\n"));
}

Deno.test("a fresh copy with an empty cache runs the node with few packages", async () => {
  await withFreshCopy(async (copy, cache) => {
    const echo = await runDeno(["run", "main.ts"], copy, cache, INPUT);
    if (isOffline(echo.stderr)) return;
    assertEquals(echo.code, 0, echo.stderr);
    const types = echo.stdout.trimEnd().split("\n").map((line) => JSON.parse(line).body.type);
    assertEquals(types, ["init_ok", "echo_ok"]);
    await assertFewPackages(cache);
  });
});

Deno.test("the README's demo runs on a fresh copy with an empty cache, without a warning", async () => {
  const [command = []] = await readmeCommands();
  assertEquals(command.at(-1), "demo");
  await withFreshCopy(async (copy, cache) => {
    const { code, stdout, stderr } = await runDeno(command, copy, cache);
    if (isOffline(stderr)) return;
    assertEquals([code, stderr], [0, ""]);
    for (const name of Object.keys(workloads)) {
      assertMatch(stdout, new RegExp(`^${name} .* valid `, "m"));
    }
    await assertFewPackages(cache);
  });
});

Deno.test("the README's tests start on a fresh copy with an empty cache, without a warning", async () => {
  const [, command = []] = await readmeCommands();
  assertEquals(command.at(-1), "test");
  await withFreshCopy(async (copy, cache) => {
    // Fetches what all tests need. CI checks and runs them all; here only those that run Deno itself,
    // which may fetch a part of it.
    const prepared = await runDeno([...command, "--no-run", "--no-check"], copy, cache);
    if (isOffline(prepared.stderr)) return;
    assertEquals([prepared.code, prepared.stderr], [0, ""], prepared.stdout);
    const { code, stdout, stderr } = await runDeno([...command, "scripts"], copy, cache);
    assertEquals([code, stderr], [0, ""], stdout);
    assertMatch(stdout, /^ok \| [1-9]\d* passed \| 0 failed/m);
    await assertFewPackages(cache);
  });
});
