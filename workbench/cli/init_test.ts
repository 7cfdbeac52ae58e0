/**
 * `init` as its users meet it: what it writes runs, and it leaves alone what is there.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { WORKLOADS } from "../workloads/mod.ts";
import { plainEnv } from "./testing.ts";

const main = decodeURIComponent(new URL("./main.ts", import.meta.url).pathname);

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

async function deno(args: string[], cwd: string): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: plainEnv,
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function eddy(args: string[], cwd: string): Promise<Ran> {
  return deno(["run", "--quiet", "--allow-all", main, ...args], cwd);
}

async function inTempDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const FILES = ["README.md", "deno.json", "node.ts", "node_test.ts"];

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("init: the project's README runs as it stands, in a folder of an awkward name", async () => {
  await inTempDir(async (dir) => {
    const folder = "it's 100% #1 pröject";
    const { code, stdout, stderr } = await eddy(["init", folder], dir);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(filesIn(join(dir, folder)), FILES);
    const readme = await Deno.readTextFile(join(dir, folder, "README.md"));
    const commands = [...readme.matchAll(/^ {4}(.*)$/gm)].map(([, line = ""]) => line);
    const said = /^ {2}(.*)$/m.exec(stdout)?.[1] ?? "";
    assertEquals(commands.length, 4);
    assertStringIncludes(said, commands[1] ?? "?");
    for (const [i, line] of [said, ...commands].entries()) {
      if (i === 2) continue; // What was said already did it.
      // Deno may be there by another name, or by no name at all.
      const words = line.replaceAll(/(?:deno|npx -y deno@\S+) (?=check|test|run)/g, "$DENO ");
      const { success, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", words],
        cwd: i === 0 ? dir : join(dir, folder),
        env: { ...plainEnv, DENO: Deno.execPath() },
      }).output();
      const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert(success, `${line}: ${text}`);
      if (i >= 3) assertMatch(text, /^echo, 3 nodes, .*: valid$/m);
    }
    const latest = filesIn(join(dir, folder, "store", "latest"));
    assert(latest.includes("messages.svg"));
  });
});

Deno.test("init: each workload's skeleton type-checks, is tidy, and says what is yet to be written", async () => {
  await inTempDir(async (dir) => {
    for (const workload of WORKLOADS) {
      const { code, stderr } = await eddy(["init", "-w", workload, join("all", workload)], dir);
      assertEquals([code, stderr], [0, ""]);
    }
    const all = join(dir, "all");
    await Deno.copyFile(join(all, "echo", "deno.json"), join(all, "deno.json"));
    for (const args of [["check"], ["fmt", "--check"], ["lint"]]) {
      const { code, stderr } = await deno([...args, "--quiet", "."], all);
      assertEquals([args, code, stderr], [args, 0, ""]);
    }
    const { stdout, stderr } = await deno(["test", "--no-check"], all);
    for (const workload of WORKLOADS) {
      const name = `three nodes serve ${workload}`;
      assertStringIncludes(stdout, `${name} ... ${workload === "echo" ? "ok" : "FAILED"}`);
    }
    const unwritten = stdout.match(/is yet to be written/g)?.length ?? 0;
    assert(unwritten >= WORKLOADS.length - 1, stdout + stderr);
  });
});

Deno.test("init: what is there is never overwritten, and nothing is added to it", async () => {
  for (const name of FILES) {
    await inTempDir(async (dir) => {
      await Deno.writeTextFile(join(dir, name), "mine");
      const { code, stdout, stderr } = await eddy(["init"], dir);
      assertEquals([code, stdout], [254, ""]);
      assertEquals(
        stderr,
        `Cannot begin a project in .: it has a file ${name}, and none is overwritten\n`,
      );
      assertEquals(filesIn(dir), [name]);
      assertEquals(await Deno.readTextFile(join(dir, name)), "mine");
    });
  }
  await inTempDir(async (dir) => {
    await Deno.symlink("nowhere", join(dir, "node.ts"));
    assertEquals((await eddy(["init"], dir)).code, 254);
    assertEquals(filesIn(dir), ["node.ts"]);
  });
});

Deno.test("init: a folder that cannot be used is one sentence, and nothing is left behind", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "file"), "");
    const cases: [args: string[], code: number, text: string][] = [
      [["file"], 255, "Cannot create the folder file: there is a file of that name\n"],
      [["file/in"], 255, "Cannot create the folder file/in: Not a directory\n"],
      [["a\u001b[2Jb"], 254, 'Cannot use "a\\u001b[2Jb" as the folder: expected a name'],
      [["a\u202eb"], 254, 'Cannot use "a\\u202eb" as the folder: expected a name'],
      [[""], 254, 'Cannot use "" as the folder: expected a name'],
      [["new/" + "x".repeat(300)], 255, ": File name too long\n"],
      [["a", "b"], 254, 'Unexpected argument "b": one folder is accepted'],
      [["-w", "ehco", "a"], 254, 'Cannot use "ehco" for --workload (did you mean echo?): expected'],
      [["--fix"], 254, "Unknown option --fix"],
    ];
    // A full disk, for which Linux has a folder that takes no files.
    if (Deno.build.os === "linux") cases.push([["/proc/self"], 255, "Cannot write /proc/self/"]);
    for (const [args, code, text] of cases) {
      const ran = await eddy(["init", ...args], dir);
      assertEquals([args, ran.code, ran.stdout], [args, code, ""]);
      assertStringIncludes(ran.stderr, text);
      assertEquals(ran.stderr.trimEnd().split("\n").length, 1);
    }
    assertEquals(filesIn(dir), ["file"]);
    assertEquals((await eddy(["init", "--", "-odd"], dir)).code, 0);
    assertEquals(filesIn(join(dir, "-odd")), FILES);
  });
});
