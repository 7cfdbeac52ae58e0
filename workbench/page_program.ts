/**
 * The workers of pages with the programs that they run. Those in TypeScript and JavaScript are run
 * without `eval`, as functions whose parameters hide the globals.
 *
 * @module
 */

import { builtinModules } from "node-module";
import { getBuiltinModule } from "process";
import { join } from "@std/path/join";
import { programScope } from "./page/simulator/program_scope.ts";
import { pageHost } from "./page/simulator/node_modules.ts";
import { pagePart } from "./page_parts.ts";
import type { Plan } from "./plan.ts";
import { type BundledProgram, bundleFile, type LoadedProgram } from "./program.ts";
import { makeGlobals } from "./realm_globals.ts";

/** How long a program in WebAssembly may be that a page has, in bytes: each run has a page. */
const MAX_WASM_BYTES = 2 ** 21;

/** The worker of a page, and what the page's policy must allow for it. */
export interface PageSimulator {
  readonly code: string;
  readonly allows: { readonly workers: readonly string[]; readonly scripts: readonly string[] };
}

/**
 * The worker that runs a plan in a page.
 *
 * @param program what the plan's program was loaded to, if it was
 * @returns the worker, or why there is none, as a sentence.
 * @throws {Error} if it cannot be bundled, with what Deno said.
 */
export async function pageSimulator(
  { program: planned }: Pick<Plan, "program">,
  program?: LoadedProgram,
): Promise<PageSimulator | string> {
  const workers = ["blob:"];
  const allows = { workers, scripts: [] };
  if (planned === undefined) return { code: await pagePart("own_worker"), allows };
  if (planned.bin.startsWith("mutant:")) {
    return { code: await pagePart("mutants_worker"), allows };
  }
  if (program === undefined) {
    return `This page does not have ${planned.bin}, which ran the nodes: run it again in a terminal`;
  }
  if (program.kind === "module") return { code: await moduleWorker(program), allows };
  const bytes = await Deno.readFile(program.path);
  if (bytes.length > MAX_WASM_BYTES) {
    const size = `${(bytes.length / 2 ** 20).toFixed(1)} MiB`;
    return `The program is too long for a page, with ${size}: run it again in a terminal`;
  }
  return {
    code: await wasmWorker(program.path, bytes),
    allows: { workers, scripts: ["'wasm-unsafe-eval'"] },
  };
}

/** The code of a worker that runs a program in WebAssembly. */
async function wasmWorker(path: string, bytes: Uint8Array): Promise<string> {
  const chars = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const program = JSON.stringify({ path, text: chars });
  return `globalThis.eddyProgram = ${program};\n${await pagePart("wasm_worker")}`;
}

/** The last program that was made ready for pages: the runs of a sweep have one. */
let last: { readonly code: string; readonly body: Promise<string> } | undefined;

/** The code of a worker that runs a program in TypeScript or JavaScript. */
async function moduleWorker(program: BundledProgram): Promise<string> {
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
