/**
 * Programs in TypeScript and JavaScript as the worker of a page runs them: without `eval`, as
 * functions whose parameters hide the globals.
 *
 * @module
 */

import { builtinModules } from "node-module";
import { getBuiltinModule } from "process";
import { join } from "@std/path/join";
import { programScope } from "./page/program_scope.ts";
import { pageHost } from "./page/node_modules.ts";
import { pagePart } from "./page_parts.ts";
import { type BundledProgram, bundleFile } from "./program.ts";
import { makeGlobals } from "./realm_globals.ts";

/**
 * The code of a worker that runs a program.
 *
 * @throws {Error} if it cannot be bundled, with what Deno said.
 */
export async function programWorker(program: BundledProgram): Promise<string> {
  const body = await withoutImports(program.code);
  const path = JSON.stringify(program.path);
  // The program has a block of its own, where it may declare what the parameters are called.
  return `"use strict";
globalThis.eddyProgram = { path: ${path}, evaluate: async ({ ${names().join(", ")} }) => {{
${body}
}} };
${await pagePart("program_worker")}`;
}

/** The names of all that a program is called with. */
function names(): string[] {
  const never = () => {
    throw new Error("Cannot run a program to find out what it is called with");
  };
  const out = {
    args: [],
    path: "/",
    pid: 1,
    epochMs: 0,
    now: () => 0,
    random: () => 0,
    schedule: never,
    run: never,
    read: never,
    write: never,
    exit: never,
  };
  return Object.keys(programScope(makeGlobals(out, pageHost), out))
    .filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
}

/** A module's code with what it imports of Node.js taken from `eddyModule`: no module any more. */
async function withoutImports(code: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
    const used = (builtinModules as string[]).filter((name) => code.includes(`"node:${name}"`));
    const imports = used.map((name) => [`node:${name}`, `./${encodeURIComponent(name)}.js`]);
    await Promise.all([
      ...used.map((name) => write(`${encodeURIComponent(name)}.js`, stubOf(name))),
      write("imports.json", JSON.stringify({ imports: Object.fromEntries(imports) })),
      write("program.js", code.replaceAll(/\bimport\.meta\b/g, "import_meta")),
      // What the program exports is exported to nobody.
      write("entry.js", 'import "./program.js";\n'),
    ]);
    return await bundleFile(join(folder, "entry.js"), [
      "--platform=browser",
      "--no-config",
      `--import-map=${join(folder, "imports.json")}`,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A module that exports what \`eddyModule\` has of one of Node.js; what is not used is left out. */
function stubOf(name: string): string {
  const keys = Object.keys(getBuiltinModule(name) ?? {}).filter((key) =>
    /^[A-Za-z_$][\w$]*$/.test(key) && key !== "default"
  );
  const taken = (key: string) => `/* @__PURE__ */ eddyModule(${JSON.stringify(name)}, "${key}")`;
  const lines = keys.map((key, i) => `const v${i} = ${taken(key)};\nexport { v${i} as ${key} };`);
  return [...lines, `export default ${taken("default")};`].join("\n");
}
