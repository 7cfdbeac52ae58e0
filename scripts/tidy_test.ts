/**
 * Tidiness is a test: which way the rooms' arrows point, and what stays at the rim.
 */

import { assertEquals } from "@std/assert";

const root = new URL("../", import.meta.url);

interface Source {
  path: string;
  lines: string[];
}

/** The TypeScript files of a folder and below, tests aside. */
async function sources(folder: string): Promise<Source[]> {
  const found: Source[] = [];
  for await (const entry of Deno.readDir(new URL(`${folder}/`, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await sources(path));
    else if (/\.ts$/.test(path) && !/(_test|_bench|_testing|testing)\.ts$/.test(path)) {
      found.push({ path, lines: (await Deno.readTextFile(new URL(path, root))).split("\n") });
    }
  }
  return found;
}

/** Where a pattern occurs outside comments. */
function occurrences(files: Source[], pattern: RegExp): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) => {
      const code = /^\s*(\*|\/\/|\/\*)/.test(line) ? "" : line;
      return pattern.test(code) ? [`${path}:${i + 1}: ${line.trim()}`] : [];
    })
  );
}

const node = await sources("node");
const handlers = await sources("handlers");
const workbench = await sources("workbench");
const scripts = await sources("scripts");
const main = {
  path: "main.ts",
  lines: (await Deno.readTextFile(new URL("main.ts", root))).split("\n"),
};

Deno.test("arrows point one way: main, handlers, node; and workbench to both", () => {
  assertEquals(occurrences(node, /from "(\.\.\/)+(handlers|workbench|scripts|main)/), []);
  assertEquals(occurrences([...handlers, main], /from "\.?(\.\.\/)*\/?(workbench|scripts)/), []);
  assertEquals(occurrences(workbench, /from "(\.\.\/)+(scripts|main)/), []);
});

Deno.test("the runtime and the handlers reach for no time, chance or IO", () => {
  const pure = [...node, ...handlers].filter(({ path }) =>
    !/^node\/(stdio|guard|clock)\.ts$/.test(path)
  );
  const outside =
    /Date\.now|Math\.random|\bset(Timeout|Interval)\(|\bDeno\.(?!test|errors)|console\./;
  const found = occurrences(pure, outside).filter((hit) => !hit.startsWith("node/serve.ts"));
  assertEquals(found, []);
});

Deno.test("imports outside the tree go by bare name", () => {
  const all = [...node, ...handlers, ...workbench, ...scripts, main];
  assertEquals(occurrences(all, /from "(npm|jsr|https?):/), []);
});

Deno.test("no check is switched off", () => {
  const all = [...node, ...handlers, ...workbench, ...scripts, main];
  const off = all.flatMap(({ path, lines }) =>
    lines.filter((line) => /@ts-(ignore|expect-error)|deno-lint-ignore/.test(line))
      .map((line) => `${path}: ${line.trim()}`)
  );
  off.push(...occurrences(all, /\bas any\b|:\s*any\b/));
  assertEquals(off, []);
});

Deno.test("no file has two ideas in it", () => {
  const all = [...node, ...handlers, ...workbench, ...scripts];
  assertEquals(all.filter(({ lines }) => lines.length > 401).map(({ path }) => path), []);
  assertEquals(main.lines.length <= 80, true);
});
