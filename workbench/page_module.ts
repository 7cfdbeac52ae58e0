/**
 * The worker of a page that runs a program in TypeScript or JavaScript: without `eval`, as a function
 * whose parameters hide the globals.
 *
 * @module
 */

import { builtinModules } from "node-module";
import { getBuiltinModule } from "process";
import { join } from "@std/path/join";
import { programScope } from "./page/simulator/program_scope.ts";
import { pageHost } from "./page/simulator/node_modules.ts";
import { pagePart } from "./page_parts.ts";
import { type BundledProgram, bundleFile } from "./program.ts";
import { makeGlobals } from "./realm_globals.ts";

/** The last program that was made ready for pages: the runs of a sweep have one. */
let last: { readonly code: string; readonly body: Promise<string> } | undefined;

/** The code of a worker that runs a program in TypeScript or JavaScript. */
export async function moduleWorker(program: BundledProgram): Promise<string> {
  const { code } = program;
  if (last?.code !== code) last = { code, body: withoutImports(code) };
  const body = await last.body;
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
    jumpMs: () => 0,
    random: () => 0,
    schedule: never,
    run: never,
    read: never,
    write: never,
    exit: never,
    openStorage: never,
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
