/**
 * Bundles the node, or the workbench, into one JavaScript file that runs where Deno is installed.
 *
 * @module
 */

import { join } from "@std/path/join";
import type { FlagValues } from "@eddy/maelstrom/flags";
import { projectPath, runCommand, runDeno, say, ScriptError } from "./support.ts";

/** The entry of the workbench. */
export const WORKBENCH = "workbench/cli/main.ts";

const flags = {
  output: {
    help: "Where to write it (default: dist/eddy.js, or dist/workbench.js)",
    value: "FILE",
  },
  workbench: {
    help: "Bundle the workbench, with the code of its pages in the folder page beside it",
  },
};

const usage = `Usage: deno task bundle [options]

Bundles the node into one executable JavaScript file, to pass to Maelstrom where Deno is installed:
  maelstrom test -w echo --bin dist/eddy.js
With --workbench it is the workbench:
  deno run --allow-all dist/workbench.js test -w echo`;

const interpreter = "#!/usr/bin/env -S deno run";

/**
 * Bundles a program into one executable file.
 *
 * @param output where to write it
 * @param entry the program, from the project's root
 * @param permissions flags of `deno run` for who executes the file
 * @throws {ScriptError} if it cannot be bundled.
 */
export async function bundle(
  output: string,
  entry: string = "main.ts",
  permissions: readonly string[] = [],
): Promise<void> {
  // Minified: less to read and compile at the start, which takes 4 % less time.
  const args = ["bundle", "--quiet", "--minify", "-o", output, entry];
  const { code, said } = await runDeno(args);
  if (code !== 0) throw new ScriptError(`Cannot bundle ${entry}: ${said}`);
  const text = await Deno.readTextFile(output);
  const first = [interpreter, ...permissions].join(" ");
  if (!text.startsWith("#!")) await Deno.writeTextFile(output, `${first}\n${text}`);
  await Deno.chmod(output, 0o755);
}

/** The entries of pages, which `workbench/page_parts.ts` looks for beside the bundle. */
const PAGE_PARTS = [
  "report",
  "runs",
  "playground",
  "own_worker",
  "mutants_worker",
  "program_worker",
  "wasm_worker",
] as const;

/**
 * Bundles the code of pages into the folder that the workbench looks for beside its own bundle.
 *
 * @param folder where that bundle is
 * @throws {ScriptError} if it cannot be bundled.
 */
export async function bundlePages(folder: string): Promise<void> {
  for (const name of PAGE_PARTS) {
    const entry = `workbench/page/${name}.ts`;
    const format = `--format=${name.endsWith("_worker") ? "iife" : "esm"}`;
    const args = ["--quiet", "--platform=browser", format, "--minify"];
    const file = join(folder, "page", `${name}.js`);
    const { code, said } = await runDeno(["bundle", ...args, "-o", file, entry]);
    if (code !== 0) throw new ScriptError(`Cannot bundle ${entry}: ${said}`);
  }
}

async function main({ output, workbench }: FlagValues<typeof flags>): Promise<number> {
  const file = output ?? projectPath(workbench ? "dist/workbench.js" : "dist/eddy.js");
  if (workbench) {
    await bundle(file, WORKBENCH, ["--quiet", "--allow-all"]);
    await bundlePages(join(file, ".."));
  } else await bundle(file);
  say(`Wrote ${file}`);
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);
