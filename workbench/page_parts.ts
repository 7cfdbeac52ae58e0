/**
 * The code of pages, bundled for browsers.
 *
 * In the npm package it is there already. Among the sources it is bundled when it is first needed,
 * and again when a source has changed.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";

/** The entries of `page/`, by name. */
export type PagePart =
  | "report"
  | "runs"
  | "playground"
  | "own_worker"
  | "mutants_worker"
  | "program_worker"
  | "wasm_worker";

/** The folders whose sources may be in a page, and the files that decide what is bundled. */
const SOURCES = ["node", "handlers", "mutants", "workbench", "deno.json", "deno.lock"];

/** What was bundled, and is still the same, by name. */
const known = new Map<PagePart, Promise<string>>();

/**
 * The code of a page's part: a module without imports, or a script where it is a worker's, for
 * browsers start no module in a worker of a page that was opened from disk.
 *
 * @throws {Error} if it cannot be bundled, with what Deno said.
 */
export function pagePart(name: PagePart): Promise<string> {
  const part = known.get(name) ?? readPart(name);
  known.set(name, part);
  // A next time may succeed.
  part.catch(() => known.delete(name));
  return part;
}

async function readPart(name: PagePart): Promise<string> {
  if (!import.meta.url.endsWith(".ts")) return await readBundled(name);
  const root = new URL("../", import.meta.url);
  const kept = new URL(`dist/page/${name}-${await hashSources(root)}.js`, root);
  try {
    return await Deno.readTextFile(kept);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const code = await bundle(name);
  await keep(kept, name, code);
  return code;
}

/** What is beside the workbench's bundle. */
async function readBundled(name: PagePart): Promise<string> {
  try {
    return await Deno.readTextFile(new URL(`./page/${name}.js`, import.meta.url));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    const where = "the folder page is not beside the workbench's bundle";
    throw new Error(`${where}, where deno task bundle --workbench puts it`, { cause });
  }
}

/** Bundles an entry of a page for browsers. */
async function bundle(name: PagePart): Promise<string> {
  const { bundleFile } = await import("./program.ts");
  const entry = decodeURIComponent(new URL(`page/${name}.ts`, import.meta.url).pathname);
  const format = name.endsWith("_worker") ? "iife" : "esm";
  const flags = ["--platform=browser", `--format=${format}`, "--minify"];
  return await bundleFile(entry, flags, "the page");
}

/** The hash of all that may be in a bundle. */
async function hashSources(root: URL): Promise<string> {
  const parts: Uint8Array[] = [new TextEncoder().encode(Deno.version.deno)];
  const add = (url: URL) => {
    if (!Deno.statSync(url).isDirectory) return void parts.push(Deno.readFileSync(url));
    const names = Array.from(Deno.readDirSync(url), ({ name }) => name)
      .filter((name) => !name.endsWith("_test.ts"));
    for (const name of names.sort()) add(new URL(encodeURIComponent(name), `${url.href}/`));
  };
  for (const name of SOURCES) add(new URL(name, root));
  const all = await new Blob(parts as BlobPart[]).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all)).toHex().slice(0, 16);
}

/** Keeps a bundle for the next time, in place of older ones; where it cannot be kept it is not. */
async function keep(file: URL, name: PagePart, code: string): Promise<void> {
  const folder = new URL("./", file);
  try {
    await Deno.mkdir(folder, { recursive: true });
    const fresh = new URL(`${crypto.randomUUID()}.tmp`, folder);
    await Deno.writeTextFile(fresh, code);
    await Deno.rename(fresh, file);
    for await (const { name: other } of Deno.readDir(folder)) {
      const isOld = other.startsWith(`${name}-`) && !file.href.endsWith(`/${other}`);
      if (isOld) await Deno.remove(new URL(other, folder));
    }
  } catch (error) {
    const isExpected = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotFound || /read-only|no space/i.test(errorText(error));
    if (!isExpected) throw error;
  }
}
