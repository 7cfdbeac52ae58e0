/**
 * Programs that run in this process, and TypeScript and JavaScript among them: as one module.
 *
 * @module
 */

import { findFile } from "./process.ts";
import type { WasmProgram } from "./wasm_program.ts";

/** A program that is one module with all that it imports, but for the modules of Node.js. */
export interface BundledProgram {
  /** Tells it from other {@linkcode LoadedProgram}s. */
  readonly kind: "module";
  /** Where it was read from, links resolved. */
  readonly path: string;
  /** JavaScript. */
  readonly code: string;
  /** The source map, as JSON. */
  readonly map: string | undefined;
}

/** A program that can run in this process. */
export type LoadedProgram = BundledProgram | WasmProgram;

/** Whether a file is a program in WebAssembly, by its name. */
export function isWasm(path: string): boolean {
  return path.endsWith(".wasm");
}

/** Whether a file is a program that can run in this process, by its name. */
export function isLoadable(path: string): boolean {
  return isWasm(path) || /\.(ts|mts|js|mjs|cjs)$/.test(path);
}

/**
 * Makes a program ready to be run: bundles TypeScript and JavaScript, compiles WebAssembly.
 *
 * @throws {Error} if there is no such file, or it cannot be bundled, compiled or run.
 */
export async function loadProgram(bin: string): Promise<LoadedProgram> {
  if (!isWasm(bin)) return await bundleProgram(bin);
  const { path } = findFile(bin);
  const { compileWasm } = await import("./wasm_program.ts");
  return compileWasm(bin, path, await Deno.readFile(path));
}

/**
 * Bundles a program, with the configuration that Deno finds beside it.
 *
 * @throws {Error} if there is no such file, or it cannot be bundled, with what Deno said.
 */
export async function bundleProgram(bin: string): Promise<BundledProgram> {
  const { path } = findFile(bin);
  const bundled = await bundleFile(path, ["--sourcemap=inline"], bin);
  const [code = "", encoded] = bundled.split(SOURCE_MAP);
  const map = encoded === undefined ? undefined : decodeBase64(encoded.trim());
  return { kind: "module", path, code, map };
}

/**
 * Bundles a file to one module.
 *
 * @param flags flags of `deno bundle`
 * @param name how the error names it
 * @throws {Error} if it cannot be bundled, with what Deno said.
 */
export async function bundleFile(
  path: string,
  flags: readonly string[],
  name: string = path,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", ...flags, path],
    cwd: folderOf(path),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`Cannot bundle ${name}: ${whyNotBundled(decoder.decode(stderr))}`);
}

/** What Deno said, without its own stack; in a sentence if its bundler is not there. */
function whyNotBundled(said: string): string {
  if (/@esbuild\b/.test(said) && said.includes("error sending request")) {
    return "Deno cannot download esbuild, its bundler, which it needs once and then keeps: connect " +
      "to the network for one run";
  }
  return said.replace(/\n+Stack backtrace:[^]*$/, "").trim();
}

/** The folder of a file, with the slash. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

const SOURCE_MAP = "//# sourceMappingURL=data:application/json;base64,";

function decodeBase64(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)));
}
