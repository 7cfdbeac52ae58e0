/**
 * The workers of pages with the programs that they run.
 *
 * @module
 */

import { pagePart } from "./page_parts.ts";
import type { Plan } from "./plan.ts";
import type { LoadedProgram } from "./program.ts";

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
  if (program.kind === "module") {
    const { moduleWorker } = await import("./page_module.ts");
    return { code: await moduleWorker(program), allows };
  }
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
