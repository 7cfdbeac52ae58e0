import { assertEquals } from "@std/assert";

interface Graph {
  readonly roots: readonly string[];
  readonly redirects: Readonly<Record<string, string>>;
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
  }[];
}

/** The modules that a module is made of, types aside. */
async function modulesOf(entry: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL(entry, import.meta.url).href],
    cwd: new URL(".", import.meta.url),
  }).output();
  const { roots, redirects, modules }: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const known = new Map(modules.map((module) => [module.specifier, module]));
  const found = new Set(roots);
  for (const specifier of found) {
    for (const { code } of known.get(specifier)?.dependencies ?? []) {
      if (code?.specifier === undefined) continue;
      found.add(redirects[code.specifier] ?? code.specifier);
    }
  }
  return [...found];
}

/** Files that start processes, or read and write files. */
const OUTER =
  /\/(process|program|vm_realm|results_dir|stored_run|load_meter|threads|run_program|page_parts)\.ts$/;

for (const entry of ["own_worker.ts", "mutants_worker.ts", "program_worker.ts", "wasm_worker.ts"]) {
  Deno.test(`${entry} is made of nothing that a browser has not`, async () => {
    const modules = await modulesOf(entry);
    assertEquals(modules.filter((name) => name.startsWith("node:") || OUTER.test(name)), []);
    assertEquals(modules.some((name) => name.endsWith("/virtual_clock.ts")), true);
  });
}
