import { assert, assertEquals } from "@std/assert";
import * as handlers from "@eddy/handlers";
import { workloads } from "@eddy/handlers/workloads";
import { mutants, references } from "@eddy/mutants";
import { NEMESES, WORKLOADS } from "@eddy/workbench";
import { projectPath } from "../scripts/support.ts";
import { jobs } from "./efficiency/goals.ts";
import { runs } from "./histories.ts";
import { rightNodes } from "./reference/right_nodes.ts";

const readme = Deno.readTextFileSync(projectPath("README.md"));
const faultsPage = Deno.readTextFileSync(projectPath("docs/faults.md"));

/** Whether one of the runs in lab/histories.ts has a flag with a value, alone or in a list. */
function isRun(flag: string, value: string): boolean {
  return [...runs.values()].flat().some((arg) =>
    arg.startsWith(`--${flag}=`) && arg.slice(`--${flag}=`.length).split(",").includes(value)
  );
}

/** The names under which a workload's handlers and messages are exported. */
function exportsOf(name: string): string[] {
  const camel = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  // Both counters have the same messages.
  const schema = camel.endsWith("Counter") ? "counterSchema" : `${camel}Schema`;
  return [`serve${camel.charAt(0).toUpperCase()}${camel.slice(1)}`, schema];
}

/** What a workload of this name still needs, each with the file to edit. */
function missingForWorkload(name: string): string[] {
  const needs: [isThere: boolean, what: string][] = [
    [Object.hasOwn(workloads, name), "handlers/workloads.ts: a line in `workloads`"],
    ...exportsOf(name).map((symbol): [boolean, string] => [
      Object.hasOwn(handlers, symbol),
      `handlers/mod.ts: the export of ${symbol}`,
    ]),
    [
      WORKLOADS.some((each) => each === name),
      "workbench/workloads/mod.ts: a line in the registry of workloads",
    ],
    [
      references.some(({ workload }) => workload === name),
      "mutants/mod.ts: a line, and a file with right servers",
    ],
    [
      mutants.filter(({ workload }) => workload === name).length >= 4,
      "mutants/mod.ts: four mutants at least, in the workload's file",
    ],
    [isRun("workload", name), "lab/histories.ts: a run"],
    [
      jobs.some(({ line }) => line.split(" ").includes(name)),
      "lab/efficiency/goals.ts: a job with its goals",
    ],
    [readme.includes(`\`${name}\``), "README.md: a row of the table of workloads"],
  ];
  return needs.filter(([isThere]) => !isThere).map(([, what]) => `${name} lacks ${what}`);
}

/** What a fault of this name still needs, each with the file to edit. */
function missingForFault(name: string): string[] {
  const needs: [isThere: boolean, what: string][] = [
    [
      NEMESES.some((each) => each === name),
      "workbench/nemesis.ts: a line in the registry of faults",
    ],
    [
      rightNodes.some(({ tolerates }) => tolerates.some((each) => each === name)),
      "lab/reference/right_nodes.ts: a right node that tolerates it",
    ],
    [isRun("nemesis", name), "lab/histories.ts: a run with it"],
    [
      new RegExp(`\`--nemesis\`[^.]*\`${name}\``).test(faultsPage),
      "docs/faults.md: its name in what --nemesis takes",
    ],
    [
      faultsPage.includes(`\n## ${name}\n`),
      "docs/faults.md: a section of its own",
    ],
  ];
  return needs.filter(([isThere]) => !isThere).map(([, what]) => `${name} lacks ${what}`);
}

Deno.test("every workload has all that CONTRIBUTING.md asks for", () => {
  const names = new Set([...Object.keys(workloads), ...WORKLOADS]);
  assertEquals([...names].flatMap(missingForWorkload), []);
});

Deno.test("every fault has all that CONTRIBUTING.md asks for", () => {
  // Mutants name faults in words: they must not import the workbench.
  const named = mutants.flatMap(({ needs }) => needs?.nemesis ?? []);
  assertEquals([...new Set([...NEMESES, ...named])].flatMap(missingForFault), []);
});

Deno.test("what a new name lacks is listed with the file to edit", () => {
  const files = (lacks: readonly string[]) => lacks.map((text) => /lacks (\S+):/.exec(text)?.[1]);
  assertEquals(files(missingForWorkload("new-name")), [
    "handlers/workloads.ts",
    "handlers/mod.ts",
    "handlers/mod.ts",
    "workbench/workloads/mod.ts",
    "mutants/mod.ts",
    "mutants/mod.ts",
    "lab/histories.ts",
    "lab/efficiency/goals.ts",
    "README.md",
  ]);
  assertEquals(files(missingForFault("new-name")), [
    "workbench/nemesis.ts",
    "lab/reference/right_nodes.ts",
    "lab/histories.ts",
    "docs/faults.md",
    "docs/faults.md",
  ]);
});

Deno.test("the files that CONTRIBUTING.md names exist", () => {
  const page = Deno.readTextFileSync(projectPath("CONTRIBUTING.md"));
  const paths = [...page.matchAll(/`([\w/]+\/[\w/]*\w\.\w+|[A-Z]+\.md)`/g)].map(([, path = ""]) =>
    path
  );
  const isMissing = (path: string) => {
    try {
      return !Deno.statSync(projectPath(path)).isFile;
    } catch {
      return true;
    }
  };
  // `x` stands for a new name.
  const named = paths.filter((path) => !/\/x(_test)?\.ts$/.test(path));
  assert(named.length > 10);
  assertEquals(named.filter(isMissing), []);
});
