/**
 * A run as a test of its own, for the project whose node fails in it.
 *
 * @module
 */

import { isMutant } from "@eddy/mutants";
import { join } from "@std/path/join";
import { defaultOptions, type RunOptions } from "../options.ts";
import type { Plan } from "../plan.ts";

/**
 * A module with a test that does the run of a plan, and fails while the run is not valid.
 *
 * @param anomaly what the run shows now, for the test's name
 * @param file where the test is to be, from which its program is found
 */
export function testOf(plan: Plan, anomaly: string, file: string): string {
  const { program, args, options, ops, faults, links } = plan;
  const name = JSON.stringify(`${options.workload}: ${anomaly}`);
  const parts = [
    listOf("ops", ops),
    listOf("faults", faults),
    listOf("links", links),
  ].join("\n");
  const settings = settingsOf(options);
  const given = args.length === 0 ? "" : `\n    args: ${json(args)},`;
  const isProgram = program !== undefined && !isMutant(program.bin);
  const names = isProgram
    ? ["defaultOptions", "loadProgram", "type PlannedParts", "simulateProgram", "summarize"]
    : ["type PlannedParts", "simulate", "summarize"];
  const imports = `import {\n  ${names.join(",\n  ")},\n} from ${json("@eddy/workbench")};`;
  const mutant = program !== undefined && !isProgram;
  const run = isProgram
    ? `  const program = await loadProgram(${placeOf(program.bin, file)});
  const options = defaultOptions(${json(options.workload)}, {
${settings.map((line) => `    ${line}`).join("\n")}
  });
  const { results } = await simulateProgram(program, ${json(args)}, options, { plan });`
    : `  const { results, options } = await simulate({
    workload: ${json(options.workload)},
${settings.map((line) => `    ${line}`).join("\n")}${given}${
      mutant
        ? `\n    install: findMutant(${json(program.bin)}, ${json(options.workload)}).install,`
        : ""
    }
    plan,
  });`;
  return `${imports}
${mutant ? 'import { findMutant } from "@eddy/mutants";\n' : ""}
/** Written by \`eddy shrink --as-test\`, for \`deno test -A\`; times are milliseconds. */
const plan: PlannedParts = {
${parts}
};

Deno.test(${name}, async () => {
${run}
  if (results.valid !== true) throw new Error(summarize(results, options));
});
`;
}

function listOf(name: string, items: readonly object[]): string {
  if (items.length === 0) return `  ${name}: [],`;
  return [`  ${name}: [`, ...items.map((item) => `    ${json(item)},`), "  ],"].join("\n");
}

/** An expression for the path of a program, which does not depend on where the test is run. */
function placeOf(bin: string, file: string): string {
  if (bin.startsWith("/")) return json(bin);
  const here = join(Deno.cwd(), file, "..").split("/");
  const there = join(Deno.cwd(), bin).split("/");
  const shared = here.findIndex((part, i) => part !== there[i]);
  const common = shared === -1 ? here.length : shared;
  const up = here.slice(common).map(() => "..");
  return `import.meta.dirname + ${json(["", ...up, ...there.slice(common)].join("/"))}`;
}

/** The options that are not the workload's defaults, each as a line, but for those of what a plan has. */
function settingsOf(
  { workload, rate: _, nemesisIntervalSeconds: __, threadOrder: ___, ...options }: RunOptions,
): string[] {
  const defaults: Readonly<Record<string, unknown>> = { ...defaultOptions(workload) };
  return Object.entries(options).flatMap(([name, value]) =>
    value === undefined || json(value) === json(defaults[name] ?? null) && name !== "seed"
      ? []
      : [`${name}: ${json(value)},`]
  );
}

/** A value as an expression, with spaces, and with names unquoted where they can be. */
function json(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(json).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  if (entries.length === 0) return "{}";
  const key = (name: string) =>
    /^[A-Za-z_]\w*$/.test(name) && name !== "__proto__" ? name : `[${JSON.stringify(name)}]`;
  return `{ ${entries.map(([name, each]) => `${key(name)}: ${json(each)}`).join(", ")} }`;
}
