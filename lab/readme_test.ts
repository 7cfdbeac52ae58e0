/**
 * What the README shows: its nodes run when they are copied, and its picture's command fails as shown.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import config from "../deno.json" with { type: "json" };
import { workbench as runInFolder } from "@eddy/workbench/cli/testing.ts";
import { projectPath } from "../scripts/support.ts";
import { pictureCommand } from "./picture.ts";

const readme = await Deno.readTextFile(projectPath("README.md"));

/** The README's blocks of code in a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))]
    .map(([, text = ""]) => text);
}

async function inTempDir(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "eddy-readme-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs Deno in a folder to its end, and returns what it printed; it must not fail. */
async function deno(folder: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  assertEquals([code, decoder.decode(stderr)], [0, ""], args.join(" "));
  return decoder.decode(stdout);
}

function workbench(folder: string, ...args: string[]): Promise<string> {
  return deno(
    folder,
    "run",
    "--quiet",
    "--allow-all",
    projectPath("workbench/cli/main.ts"),
    ...args,
  );
}

Deno.test("the README's nodes run in a folder of their own, with its deno.json and with an import map", async () => {
  const nodes = blocks("ts ignore");
  const [settings = ""] = blocks("json");
  assertEquals(nodes.length, 2);
  assertStringIncludes(settings, "/path/to/eddy/");
  const own = settings.replace("/path/to/eddy/", projectPath("./"));
  const map = { imports: { ...config.imports, ...JSON.parse(own).imports } };
  await inTempDir(async (folder) => {
    await Deno.writeTextFile(join(folder, "map.json"), JSON.stringify(map));
    for (const [i, workload] of ["echo", "broadcast"].entries()) {
      const file = `${workload}.ts`;
      await Deno.writeTextFile(join(folder, file), nodes[i] ?? "");
      await deno(folder, "check", "--quiet", "--import-map", "map.json", file);
      await deno(folder, "run", "--quiet", "--no-prompt", "--import-map", "map.json", file);
      await Deno.writeTextFile(join(folder, "deno.json"), own);
      await deno(folder, "check", "--quiet", file);
      await deno(folder, "run", "--quiet", "--no-prompt", file);
      const run = ["--node-count", "3", "--time-limit", "5", "--nemesis", "partition"];
      const report = await workbench(folder, "test", "-w", workload, "--bin", `./${file}`, ...run);
      assert(/: valid$/m.test(report), report);
      await Deno.remove(join(folder, "deno.json"));
    }
  });
});

Deno.test("the README's picture is there, and its command still fails as shown", async () => {
  await inTempDir(async (folder) => {
    const { code, stdout } = await runInFolder(pictureCommand(readme), folder);
    assertEquals(code, 1, stdout);
    const page = await Deno.readTextFile(join(folder, "store/latest/report.html"));
    assert(page.startsWith("<!doctype html>"));
    const head = (await Deno.readFile(projectPath("docs/report.png"))).subarray(1, 4);
    assert(new TextDecoder().decode(head) === "PNG");
  });
});
