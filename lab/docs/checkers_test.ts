/** That docs/checkers.md has every finding, the mutant that shows it, and the rule that it breaks. */

import { assert, assertEquals } from "@std/assert";
import { DEFAULT_SETTINGS, findMutant, mutants } from "@eddy/mutants";
import { type RunSettings, simulate, type WorkloadName } from "@eddy/workbench";
import {
  CYCLE_TYPES,
  EXISTENCE_TYPES,
  MODEL_NAMES,
  parseConsistencyModels,
  prohibitedBy,
} from "@eddy/workbench/checkers/elle/consistency_model.ts";
import { projectPath } from "../../scripts/support.ts";

const page = await Deno.readTextFile(projectPath("docs/checkers.md"));

/** A row of a table of findings. */
interface FindingRow {
  readonly name: string;
  /** The rule, and in tables of all columns the mutant with its workload. */
  readonly rule: string;
  readonly mutant: string;
}

/** The rows of a text's tables whose head begins with `finding`. */
function findingRows(text: string = page): FindingRow[] {
  let isFindings = false;
  return text.split("\n").flatMap((line) => {
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
    if (cells[0] === "finding") isFindings = true;
    if (cells.length === 0) isFindings = false;
    const [, name] = /^`([\w.-]+)`$/.exec(cells[0] ?? "") ?? [];
    if (!isFindings || name === undefined) return [];
    return [{ name, rule: cells[2] ?? "", mutant: cells[4] ?? "" }];
  });
}

/** The TypeScript files of a folder and below, but for tests. */
async function sourcesOf(folder: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(projectPath(folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) texts.push(...await sourcesOf(path));
    else if (/(?<!_test)\.ts$/.test(name)) texts.push(await Deno.readTextFile(projectPath(path)));
  }
  return texts;
}

/** The texts that a declaration of a file has, from its first words to a mark. */
async function textsIn(file: string, from: string, to: string): Promise<string[]> {
  const source = await Deno.readTextFile(projectPath(`workbench/checkers/${file}`));
  const [, declared = ""] = source.split(from);
  assert(declared !== "", `${file} has no ${from}`);
  const code = declared.slice(0, declared.indexOf(to)).replaceAll(/\/\/.*|\/\*\*.*?\*\//g, "");
  return [...code.matchAll(/"([\w-]+)"/g)].map(([, text = ""]) => text);
}

/** The names of all findings, from the code that makes them. */
async function namesInCode(): Promise<Set<string>> {
  const literal = (await sourcesOf("workbench")).flatMap((source) =>
    [...source.matchAll(/anomaly: "([\w-]+)"/g)].map(([, name = ""]) => name)
  );
  return new Set([
    ...literal,
    ...CYCLE_TYPES,
    ...EXISTENCE_TYPES.keys(),
    ...await textsIn("elle/anomaly.ts", "export type Anomaly =", "\n  >;\n"),
    ...await textsIn("elle/anomaly.ts", "export type Refusal =", "\n>;\n"),
    ...await textsIn("kafka/anomalies.ts", "const severity: readonly string[] =", "];"),
    ...await textsIn("kafka/anomalies.ts", "export const NO_WRITER =", ";"),
    // What Maelstrom allows, and is found here: the others of its list are of Elle.
    "int-send-skip",
  ]);
}

Deno.test("docs/checkers.md has a row for every finding, and for nothing else", async () => {
  const rows = new Set(findingRows().map(({ name }) => name));
  const names = await namesInCode();
  assertEquals([...names].filter((name) => !rows.has(name)), [], "have no row");
  assertEquals([...rows].filter((name) => !names.has(name)), [], "are in no checker");
});

Deno.test("every finding that a mutant shows has one in its row", async () => {
  const names = await namesInCode();
  const shown = new Set(mutants.map(({ anomaly }) => anomaly).filter((name) => names.has(name)));
  assert(shown.size > 30);
  const rows = findingRows();
  const lacking = [...shown].filter((name) =>
    rows.every((row) => row.name !== name || !row.mutant.startsWith("`mutant:"))
  );
  assertEquals(lacking, []);
});

Deno.test("the mutants of docs/checkers.md show what their rows say", async () => {
  for (const { name, mutant: cell } of findingRows()) {
    if (cell === "" || cell === "none") continue;
    const [, bin = "", workload = ""] = /^`(mutant:[\w-]+)` \(`([\w-]+)`\)$/.exec(cell) ?? [];
    const mutant = findMutant(bin, workload as WorkloadName);
    if (mutant.anomaly === name) continue;
    // What it shows beside the finding that trials look for.
    const { results } = await simulate({
      ...DEFAULT_SETTINGS,
      ...mutant.needs as RunSettings,
      workload: mutant.workload,
      install: mutant.install,
      seed: 1,
    });
    assert(
      results.findings.some(({ anomaly }) => anomaly === name),
      `${bin} does not show ${name}`,
    );
  }
});

Deno.test("the rules of docs/checkers.md are the weakest models that forbid a finding", () => {
  for (const name of MODEL_NAMES) assert(page.includes(`\n| \`${name}\``), name);
  const [, transactions = ""] = page.split("\n## Transactions\n");
  const rows = findingRows(transactions).filter(({ rule }) => rule !== "none" && rule !== "");
  assert(rows.length > 20);
  const wrong = rows.filter(({ name, rule }) => {
    const forbidding = MODEL_NAMES.filter((model) => prohibitedBy([model]).has(name));
    return !parseConsistencyModels(rule).every((model) =>
      forbidding.includes(model) && !forbidding.some((weaker) => isStronger(model, weaker))
    );
  });
  assertEquals(wrong, []);
  for (const [name, model] of EXISTENCE_TYPES) {
    assert(new RegExp(`\\| \`${name}\` +\\| ${model} +\\|`).test(page), name);
  }
});

/** Whether a model forbids all that another does, and more. */
function isStronger(model: string, other: string): boolean {
  const [mine, others] = [prohibitedBy([model]), prohibitedBy([other])];
  return others.size < mine.size && others.isSubsetOf(mine);
}
