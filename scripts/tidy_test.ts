/**
 * Tidiness is a test: which way the packages' arrows point, what stays at the rim, how long files are.
 */

import { assert, assertEquals } from "@std/assert";

const root = new URL("../", import.meta.url);

interface Source {
  readonly path: string;
  readonly lines: readonly string[];
}

/** The TypeScript files of a folder and below. */
async function sources(folder: string): Promise<Source[]> {
  const found: Source[] = [];
  for await (const entry of Deno.readDir(new URL(`${folder}/`, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.name === "node_modules") continue;
    if (entry.isDirectory) found.push(...await sources(path));
    else if (path.endsWith(".ts")) found.push(await source(path));
  }
  return found;
}

async function source(path: string): Promise<Source> {
  return { path, lines: (await Deno.readTextFile(new URL(path, root))).split("\n") };
}

/** Where a pattern occurs outside comments. */
function occurrences(files: readonly Source[], pattern: RegExp): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) => {
      const code = /^\s*(\*|\/\/|\/\*)/.test(line) ? "" : line;
      return pattern.test(code) ? [`${path}:${i + 1}: ${line.trim()}`] : [];
    })
  );
}

/** What the packages and the outbuildings may import of each other, tests included. */
const arrows = {
  node: [],
  handlers: ["@eddy/maelstrom"],
  mutants: ["@eddy/handlers", "@eddy/maelstrom"],
  workbench: ["@eddy/handlers", "@eddy/maelstrom", "@eddy/mutants"],
  scripts: ["@eddy/handlers", "@eddy/maelstrom"],
  lab: ["@eddy/handlers", "@eddy/maelstrom", "@eddy/mutants", "@eddy/workbench"],
  nats: ["@eddy/handlers", "@eddy/maelstrom", "@eddy/mutants", "@eddy/workbench"],
} as const;

type Room = keyof typeof arrows;

const rooms = Object.fromEntries(
  await Promise.all(
    Object.keys(arrows).map(async (room) => [room, await sources(room)] as const),
  ),
) as Record<Room, Source[]>;
const main = await source("main.ts");
const all = [...Object.values(rooms).flat(), main];

const isTest = ({ path }: Source) => /_(test|bench)\.ts$/.test(path);
/** What is published, and what a reader of the project opens. */
const product = [...rooms.node, ...rooms.handlers, ...rooms.mutants, ...rooms.workbench, main]
  .filter((file) => !isTest(file) && !/(^|\/)testing\.ts$/.test(file.path));

/** The files that are public entries, by the packages' own word. */
async function entries(): Promise<Set<string>> {
  const paths = new Set<string>();
  for (const room of ["node", "handlers", "mutants", "workbench"]) {
    const config = JSON.parse(await Deno.readTextFile(new URL(`${room}/deno.json`, root)));
    for (const file of Object.values<string>(config.exports)) {
      paths.add(`${room}/${file.slice("./".length)}`);
    }
  }
  return paths;
}

for (const [room, allowed] of Object.entries(arrows)) {
  Deno.test(`what ${room}/ imports of other packages points the right way`, () => {
    const wrong = rooms[room as Room].flatMap(({ path, lines }) =>
      lines.flatMap((line) => {
        const [, name] = /^(?:import|export|\}).* from "(@eddy\/\w+)/.exec(line) ?? [];
        const isOwn = name === "@eddy/maelstrom" && room === "node";
        return name === undefined || isOwn || (allowed as readonly string[]).includes(name)
          ? []
          : [`${path}: ${line}`];
      })
    );
    assertEquals(wrong, []);
  });
}

Deno.test("the workbench's command line and its pages alone import mutants", () => {
  const others = rooms.workbench.filter(({ path }) => !/^workbench\/(cli|page)\//.test(path));
  assertEquals(occurrences(others, /from "@eddy\/mutants"/), []);
});

Deno.test("packages import each other by name, never by path", () => {
  const outside = /from "(\.\.\/)+(node|handlers|mutants|workbench|lab|nats)\//;
  assertEquals(occurrences(all, outside), []);
  assertEquals(occurrences([main], /@eddy\/(workbench|mutants)/), []);
});

Deno.test("the library and the handlers reach for no time, chance or IO", () => {
  const pure = product.filter(({ path }) =>
    /^(node|handlers)\//.test(path) && !/^node\/(stdio|clock|disk|disk_folder)\.ts$/.test(path)
  );
  const outside =
    /Date\.now|Math\.random|\bset(Timeout|Interval)\(|\bDeno\.(?!test|errors)|console\./;
  assertEquals(occurrences(pure, outside), []);
});

Deno.test("imports outside the tree go by bare name", () => {
  assertEquals(occurrences(all, /from "(npm|jsr|https?):/), []);
});

/** The names that two files share on purpose, with the files and the reason. */
const shared: Readonly<Record<string, readonly [files: string, reason: string]>> = {
  Workload: ["handlers/workload.ts workbench/generator.ts", "one thing, as served and as run"],
  WorkloadName: [
    "handlers/workloads.ts workbench/workloads/mod.ts",
    "the keys of each one's registry",
  ],
  Message: ["handlers/raft/message.ts node/message.ts", "what nodes send, and Raft's part of it"],
  Outgoing: ["handlers/gossip/message.ts handlers/raft/raft.ts", "two protocols, one idea"],
  Progress: ["handlers/gossip/links.ts handlers/raft/leader.ts", "two protocols, one idea"],
  Timing: ["handlers/gossip/timing.ts handlers/raft/raft.ts", "two protocols, one idea"],
  Anomaly: [
    "workbench/checkers/elle/anomaly.ts workbench/checkers/kafka/anomalies.ts",
    "each checker has anomalies of its own",
  ],
  Description: [
    "workbench/checkers/elle/anomaly.ts workbench/checkers/kafka/anomalies.ts",
    "each checker has anomalies of its own",
  ],
  Step: [
    "workbench/checkers/elle/anomaly.ts workbench/checkers/kafka/anomalies.ts",
    "each checker has cycles of its own",
  ],
  describe: [
    "workbench/checkers/elle/anomaly.ts workbench/checkers/kafka/anomalies.ts",
    "each checker has anomalies of its own",
  ],
};

/** The names that more than one file declares at its top level, each with the files. */
function namedTwice(files: readonly Source[]): Record<string, string> {
  const type = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|enum) (\w+)/;
  const exported = /^export (?:async )?function\*? (\w+)/;
  const places = new Map<string, Set<string>>();
  for (const { path, lines } of files) {
    for (const line of lines) {
      const [, name] = type.exec(line) ?? exported.exec(line) ?? [];
      if (name !== undefined) places.set(name, (places.get(name) ?? new Set()).add(path));
    }
  }
  const twice = [...places].filter(([, paths]) => paths.size > 1);
  return Object.fromEntries(twice.map(([name, paths]) => [name, [...paths].toSorted().join(" ")]));
}

Deno.test("one name is one thing: no type or exported function is declared in two files", () => {
  const onPurpose = Object.entries(shared).map(([name, [files]]) => [name, files]);
  assertEquals(namedTwice(product), Object.fromEntries(onPurpose));
});

Deno.test("a name that two files declare is found, but not what a line declares inside", () => {
  const lines = (path: string, text: string) => ({ path, lines: text.split("\n") });
  const one = lines("a.ts", "interface Graph {}\nexport function find() {}\nfunction own() {}");
  const two = lines("b.ts", "export class Graph {}\n  class Inner {}\nfunction own() {}");
  const three = lines("c.ts", "export async function find() {}\n  class Inner {}");
  assertEquals(namedTwice([one, two, three]), { Graph: "a.ts b.ts", find: "a.ts c.ts" });
});

/** What a file imports of others by path, but for types alone. */
function importsOf({ path, lines }: Source): string[] {
  const statements = lines.join("\n").matchAll(/^(?:import|export)\b([^;"]*)"(\.[^"]+)"/gm);
  return [...statements].flatMap(([, what = "", file = ""]) => {
    const names = /\{([^}]*)\}/.exec(what)?.[1]?.split(",").map((name) => name.trim()) ?? [""];
    const isTypes = /^\s*type\b/.test(what) ||
      names.every((name) => name === "" ? names.length > 1 : name.startsWith("type "));
    return isTypes ? [] : [new URL(file, `file:///${path}`).pathname.slice(1)];
  });
}

/** The first circle of imports that is found, as paths; empty if there is none. */
function importCircle(files: readonly Source[]): string[] {
  const imports = new Map(files.map((file) => [file.path, importsOf(file)]));
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): string[] => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return [];
    const circles = (imports.get(path) ?? []).map((next) => visit(next, [...way, path]));
    done.add(path);
    return circles.find((circle) => circle.length > 0) ?? [];
  };
  return [...imports.keys()].map((path) => visit(path, [])).find(({ length }) => length > 0) ?? [];
}

Deno.test("no file imports itself by way of others", () => {
  assertEquals(importCircle(all), []);
  const file = (path: string, text: string) => ({ path, lines: text.split("\n") });
  const a = file("x/a.ts", 'import {\n  type T,\n  b,\n} from "../y/b.ts";');
  const b = file("y/b.ts", 'export { a } from "../x/a.ts";');
  const types = file(
    "y/b.ts",
    'import { type A, type B } from "../x/a.ts";\nimport type C from "../x/a.ts";',
  );
  assertEquals(importCircle([a, b]), ["x/a.ts", "y/b.ts", "x/a.ts"]);
  assertEquals(importCircle([a, types]), []);
});

Deno.test("no check is switched off", () => {
  const pattern = new RegExp(`@ts-${"ignore"}|@ts-${"expect"}-error|deno-${"lint"}-ignore`);
  const off = product.flatMap(({ path, lines }) =>
    lines.filter((line) => pattern.test(line)).map((line) => `${path}: ${line.trim()}`)
  );
  off.push(...occurrences(product, /\bas any\b|:\s*any\b/));
  assertEquals(off, []);
});

Deno.test("a file holds one idea whole: from 40 to 850 lines, public entries aside", async () => {
  const isEntry = await entries();
  // A workload, its mutants and its checker are files of their own however short, a worker is the
  // entry of its thread, one file that of the bundle, and one that of the page.
  const isWhole =
    /^(handlers|mutants|workbench\/(workloads|checkers))\/\w+\.ts$|_worker\.ts$|\/page\/report\.ts$/;
  const odd = product.filter(({ path, lines }) =>
    lines.length > 851 || (lines.length < 41 && !isEntry.has(path) && !isWhole.test(path))
  );
  assertEquals(odd.map(({ path, lines }) => `${path}: ${lines.length - 1} lines`), []);
  assert(main.lines.length <= 80);
});
