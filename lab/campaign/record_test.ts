import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "@eddy/maelstrom/flags";
import { chosen } from "../campaign.ts";
import { calibration } from "./calibration.ts";
import { tenths } from "./campaign.ts";
import { campaigns } from "./campaigns.ts";
import { caseOf } from "./cases.ts";
import { consensusFaults } from "./faults.ts";
import { sectionOf, withSection } from "./record.ts";

Deno.test("a section takes the place of the one before it and leaves the others", () => {
  const first = withSection("", "a", "## a\n\nOld.");
  const both = withSection(first, "b", "## b\n\nOther.\n");
  const again = withSection(both, "a", "## a\n\nNew.");
  assertEquals(again, both.replace("Old.", "New."));
  assertEquals(again.match(/^#.*$/gm), ["# Campaigns", "## a", "## b"]);
});

Deno.test("a section tells what was run, when, and what did not hold", () => {
  const result = { rows: [["run", "n"], ["x|y", "1.5"]], failures: ["Lost: 3\n  replay"] };
  const when = { command: "deno task x", date: "2026-01-02", seconds: 1.6 };
  const section = sectionOf(
    { ...calibration, name: "x", description: "All is well" },
    result,
    when,
  );
  assertEquals(
    section,
    `## x

All is well.

2026-01-02, \`deno task x\`, 2 s. Does not hold 1 times:

- Lost: 3
    replay

| run | n |
| --- | --: |
| x\\|y | 1.5 |`,
  );
});

Deno.test("campaigns go by name, and there is no other", () => {
  assertEquals(chosen([]), campaigns);
  assertEquals(chosen(["calibration"]), [calibration]);
  assertThrows(() => chosen(["calibrate"]), UsageError, "accepted are mutants, calibration");
});

Deno.test("a case is run as it is typed, and typed again to replay it", () => {
  const { job, replay } = caseOf("-w echo --node-count 3 --nemesis loss,slow  --rate 7", 5);
  const { workload, nodeIds, nemesis, rate, seed } = job.options;
  assertEquals([workload, nodeIds.length, nemesis, rate, seed], [
    "echo",
    3,
    ["loss", "slow"],
    7,
    5,
  ]);
  assertEquals(
    replay,
    "deno task workbench test --workload echo --node-count 3 --rate 7 --nemesis loss,slow --seed 5",
  );
});

Deno.test("progress is reported by tenths", () => {
  const lines: string[] = [];
  const tick = tenths(25, "runs", (text) => lines.push(text));
  for (let i = 0; i < 25; i++) tick();
  assertEquals([lines.length, lines[0], lines[9]], [10, "runs: 3 of 25", "runs: 25 of 25"]);
});

Deno.test("one seed of each consensus workload holds", async () => {
  const { rows, failures } = await consensusFaults.run(1, () => {});
  assertEquals([rows.length, failures], [7, []]);
});
