/**
 * The mutants on Raft, and those that show in a rare case only: each by its name, with the flags
 * that its line names.
 */

import { assert, assertEquals, assertGreaterOrEqual, assertStringIncludes } from "@std/assert";
import { parseFlags } from "@eddy/maelstrom/flags";
import { binOf, raftMutants, type RareMutant, rareMutants } from "@eddy/mutants";
import { type Job, runJobs } from "../sweep.ts";
import { toRunOptions } from "./flags.ts";
import { commandOf, installationOf } from "./mutants.ts";
import { sweepFlags } from "./sweep.ts";
import { inTempDir, workbench } from "./testing.ts";

const withRules: readonly RareMutant[] = [...raftMutants, ...rareMutants];

/** The run of a line that the list prints, with a seed. */
function jobOf(mutant: RareMutant, seed: number): Job {
  const [, ...args] = commandOf(mutant).split(" ");
  const { flags } = parseFlags(sweepFlags, args);
  const install = installationOf(flags.bin ?? "", flags.workload, []);
  return { options: toRunOptions(flags, seed), args: [], install };
}

/** Those whose faults show soon. */
const soon = withRules.filter(({ seeds }) => seeds !== undefined && seeds <= 3);
const others = withRules.filter((mutant) => !soon.includes(mutant));

Deno.test("mutants that break a rule are found out by clients as their lines say", async () => {
  const seeds = [0, 1];
  const figures = await runJobs(
    soon.flatMap((mutant) => seeds.map((seed) => jobOf(mutant, seed))),
  );
  for (const [i, { name, anomaly }] of soon.entries()) {
    const those = figures.slice(i * seeds.length, (i + 1) * seeds.length);
    assertEquals(those.some(({ valid }) => valid === false), true, `${name}: ${anomaly}`);
  }
  assertGreaterOrEqual(figures.filter(({ valid }) => valid === false).length, figures.length / 2);
});

Deno.test("the lines of mutants whose faults are rare run, too", async () => {
  const brief = others.map((mutant) => {
    const job = jobOf(mutant, 0);
    return { ...job, options: { ...job.options, timeLimitSeconds: 1 } };
  });
  const figures = await runJobs(brief);
  assertEquals(figures.filter(({ operations }) => operations === 0), []);
});

Deno.test("the list names the rule that each breaks, and says which ones no client sees", async () => {
  await inTempDir(async (dir) => {
    for (const workload of new Set(withRules.map((mutant) => mutant.workload))) {
      const { code, stdout } = await workbench(["mutants", "-w", workload], dir);
      assertEquals(code, 0);
      for (const mutant of withRules.filter((each) => each.workload === workload)) {
        const [, block = ""] = stdout.split(`${binOf(mutant)}: `);
        const text = block.split("\nmutant:")[0] ?? "";
        assertStringIncludes(text, `  Breaks the rule: ${mutant.rule}\n`);
        assertStringIncludes(text, commandOf(mutant));
        assertEquals(
          text.includes("No run is known in which a client notices"),
          mutant.seeds === undefined,
        );
      }
    }
    const names = raftMutants.map(binOf);
    assert(names.includes("mutant:votes-twice") && names.includes("mutant:reads-unconfirmed"));
  });
});
