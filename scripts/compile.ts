/**
 * Compiles the node into one executable file that needs no Deno.
 *
 * @module
 */

import type { FlagValues } from "@eddy/maelstrom/flags";
import { projectPath, runCommand, runDeno, say, ScriptError, withTempDir } from "./support.ts";

const flags = {
  output: { help: "Where to write it", value: "FILE", default: projectPath("dist/eddy") },
  target: { help: "Compile for another system, as `deno compile --target`", value: "TRIPLE" },
  check: { help: "See whether it compiles, with this Deno as the base binary, and keep nothing" },
};

const usage = `Usage: deno task compile [options]

Compiles the node into one executable file that needs no Deno. The base binary is downloaded from
dl.deno.land, or taken from $DENORT_BIN.`;

/** What `deno compile` says of a base binary that it cannot get. */
const noBase = /dl\.deno\.land|denort/i;

async function compile(
  output: string,
  target: string | undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const extra = target === undefined ? [] : ["--target", target];
  const args = ["compile", "--quiet", "--no-prompt", ...extra, "-o", output, "main.ts"];
  const { code, said } = await runDeno(args, env);
  if (code === 0) return;
  throw new ScriptError(
    noBase.test(said)
      ? "Cannot download Deno's base binary from dl.deno.land: run `deno task bundle` for a file " +
        "that runs where Deno is installed, or name a base binary in $DENORT_BIN"
      : `Cannot compile main.ts: ${said}`,
  );
}

/** Compiles into a temporary folder, with this Deno in the place of the base binary. */
async function check(): Promise<void> {
  await withTempDir({ prefix: "eddy-compile-" }, (folder) => {
    return compile(`${folder}/eddy`, undefined, { DENORT_BIN: Deno.execPath() });
  });
}

async function main(
  given: FlagValues<typeof flags>,
): Promise<number> {
  if (given.check) {
    await check();
    say("The module graph of main.ts compiles");
  } else {
    await compile(given.output, given.target);
    say(`Wrote ${given.output}`);
  }
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);
