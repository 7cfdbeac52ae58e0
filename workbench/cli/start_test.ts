/** What a command loads before it begins: the time of its start is mostly that. */

import { assertEquals } from "@std/assert";

/** What `deno info` says of a module; what it imports has no address where that is a type. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly isDynamic?: boolean;
    readonly code?: { readonly specifier?: string };
  }[];
}

const root = new URL("../../", import.meta.url);

/** The modules that are loaded with an entry, from the project's root; others by their addresses. */
async function loadedWith(entry: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--quiet", "--json", decodeURIComponent(new URL(entry, root).pathname)],
    cwd: decodeURIComponent(root.pathname),
  }).output();
  const graph: { modules: Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  const modules = new Map(graph.modules.map((module) => [module.specifier, module]));
  const loaded = new Set([new URL(entry, root).href]);
  // A set's loop goes on to what is added meanwhile.
  for (const specifier of loaded) {
    for (const { isDynamic, code } of modules.get(specifier)?.dependencies ?? []) {
      if (isDynamic !== true && code?.specifier !== undefined) loaded.add(code.specifier);
    }
  }
  return Array.from(loaded, (specifier) => specifier.replace(root.href, ""));
}

/** What only one of many commands needs, or only a run of a program. */
const OTHERS = [
  /^mutants\//,
  /^node:/,
  /uplot|browser_wasi_shim/,
  /^workbench\/(realm|realm_globals|vm_realm|wasi|wasm|wasm_program|process|program|serve)\.ts$/,
  /^workbench\/cli\/(sweep|check|report|serve|demo|mutants|playground|init|node|engine|watch)\.ts$/,
  /^workbench\/page\/(simulator|plots)\//,
];

Deno.test("help and wrong arguments load no command", async () => {
  const loaded = await loadedWith("workbench/cli/main.ts");
  const others = [
    ...OTHERS,
    /^handlers\//,
    /valibot/,
    /^workbench\/(cli\/test|runner|report)\.ts$/,
  ];
  assertEquals(loaded.filter((module) => others.some((other) => other.test(module))), []);
  assertEquals(loaded.includes("workbench/cli/commands.ts"), true);
});

Deno.test("a run of Eddy's own node loads nothing of programs, and no other command", async () => {
  const loaded = await loadedWith("workbench/cli/test.ts");
  assertEquals(loaded.filter((module) => OTHERS.some((other) => other.test(module))), []);
  assertEquals(loaded.includes("workbench/runner.ts"), true);
});
