import { assertEquals } from "@std/assert";
import { isAlarm, isAmong } from "../reference/trials.ts";
import { isInstalled } from "./languages.ts";
import { type ForeignNode, foreignNodes, type ForeignTrial, runForeign } from "./programs.ts";

/** How many runs a wrong node gets whose fault shows only in some runs. */
const MAX_RUNS = 5;

/** How many clusters run at a time: mostly they wait. */
const AT_ONCE = 6;

/** Runs a program until it gets the verdict that it anomaly; gives the last trial if it does not. */
async function misjudged(program: ForeignNode): Promise<ForeignTrial | undefined> {
  const { anomaly } = program;
  let trial: ForeignTrial | undefined;
  for (let seed = 1; seed <= MAX_RUNS; seed++) {
    trial = await runForeign(program, seed);
    const judged = anomaly === undefined ? !isAlarm(trial) : isAmong(trial.signs, anomaly);
    if (judged) return undefined;
    if (anomaly === undefined) return trial;
  }
  return trial;
}

async function allMisjudged(programs: readonly ForeignNode[]) {
  const left = [...programs];
  const found: { program: string; anomaly: string | undefined; trial: ForeignTrial }[] = [];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const trial = await misjudged(next);
      const { file, args, anomaly } = next;
      if (trial !== undefined) found.push({ program: [file, ...args].join(" "), anomaly, trial });
    }
  }));
  return found;
}

for (const [extension, interpreter] of [[".py", "python3"], [".mjs", "node"]] as const) {
  Deno.test({
    name: `Programs for ${interpreter} get the verdict that is known`,
    ignore: !isInstalled(interpreter),
    async fn() {
      const programs = foreignNodes.filter(({ file }) => file.endsWith(extension));
      assertEquals(await allMisjudged(programs), []);
    },
  });
}
