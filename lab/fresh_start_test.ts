import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { join } from "@std/path/join";
import { projectPath } from "../scripts/support.ts";

/** How many packages the workspace's lock may hold, which Deno fetches at the first start. */
const MAX_PACKAGES = 6;

const INPUT =
  `{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}
{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"hi"}}
`;

/** Copies the committed files of the workspace, as they are now, to `target`. */
async function copyWorkspace(target: string): Promise<void> {
  const { stdout, success } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--", ":!lab", ":!docs"],
    cwd: projectPath("."),
  }).output();
  assert(success, "Cannot list the committed files");
  for (const path of new TextDecoder().decode(stdout).split("\0").filter((path) => path !== "")) {
    await Deno.mkdir(join(target, path, ".."), { recursive: true });
    await Deno.copyFile(projectPath(path), join(target, path));
  }
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

Deno.test("a fresh copy with an empty cache runs the node with few packages", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [copy, cache] = [join(folder, "copy"), join(folder, "cache")];
    await copyWorkspace(copy);
    const echo = await runDeno(["run", "main.ts"], copy, cache, INPUT);
    if (/error sending request|dns error|tcp connect error/.test(echo.stderr)) {
      console.warn(`Skipped: the npm registry cannot be reached: ${echo.stderr}`);
      return;
    }
    assertEquals(echo.code, 0, echo.stderr);
    const types = echo.stdout.trimEnd().split("\n").map((line) => JSON.parse(line).body.type);
    assertEquals(types, ["init_ok", "echo_ok"]);
    const packages = await packagesIn(join(cache, "npm"));
    assert(packages.length > 0);
    assertLessOrEqual(packages.length, MAX_PACKAGES, packages.join("\n"));

    const demo = await runDeno(["task", "--quiet", "demo"], copy, cache);
    assertEquals(demo.code, 0, demo.stderr);
    assert(!demo.stderr.includes("Download"), demo.stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
