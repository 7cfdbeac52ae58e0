import { assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "@eddy/maelstrom/flags";
import { caseOf } from "../campaign/cases.ts";
import { jobs } from "./goals.ts";
import { measure, summary } from "./measure.ts";
import type { RunFigures } from "@eddy/workbench/sweep.ts";
import { projectPath } from "../../scripts/support.ts";
import { drawTradeoff, pointsOf, published, tradeoffRows } from "./tradeoff.ts";

Deno.test("a job's figures stand beside its goals, and what is missed is told", async () => {
  const [echo] = jobs;
  const [figure] = echo?.goals ?? [];
  const easy = { figure: figure?.figure, goal: 0, best: "0" };
  const hard = { ...easy, goal: -1, best: "" };
  const goals = [easy, hard].flatMap(({ figure, ...rest }) => figure ? [{ figure, ...rest }] : []);
  const job = { name: "few echoes", line: "-w echo --time-limit 1", goals };
  const { rows, missed, failures } = await measure([job], 2);
  assertEquals(rows.slice(1), [
    ["few echoes", "servers msgs/op", "<= 0", "0", "0.000", "0.000", "yes"],
    ["", "servers msgs/op", "<= -1", "", "0.000", "0.000", "no"],
  ]);
  assertEquals([missed, failures], [["few echoes: servers msgs/op"], []]);
});

Deno.test("a job with an option that the node does not have is refused", async () => {
  const job = { name: "mistyped", line: "-w echo -- --no-such-thing", goals: [] };
  await assertRejects(() => measure([job], 1), UsageError, "--no-such-thing");
});

Deno.test("what is decisive is the worst run; of extremes, the worst but for one in five", () => {
  const outcome = { serversPerOp: 0 };
  const runs = [5, 1, 4, 2, 3].map((serversPerOp) => ({ ...outcome, serversPerOp }) as RunFigures);
  const of = ({ serversPerOp }: RunFigures) => serversPerOp;
  assertEquals(summary({ of }, runs), { median: 3, worst: 5, decisive: 5 });
  assertEquals(summary({ of, extreme: true }, runs), { median: 3, worst: 5, decisive: 4 });
  assertEquals(summary({ of, more: true }, runs), { median: 3, worst: 1, decisive: 1 });
});

Deno.test("each job is named once and runs what it says", () => {
  assertEquals(new Set(jobs.map(({ name }) => name)).size, jobs.length);
  const loaded = jobs.find(({ name }) => name === "lin-kv under load");
  const { options } = caseOf(loaded?.line ?? "", 1).job;
  assertEquals([options.workload, options.concurrency, options.rate], ["lin-kv", 36, 1000]);
});

Deno.test("every point of the curve is a row", () => {
  const [serversPerOp, medianMs, maxMs] = [10, 50, 100];
  const ours = { name: "100 ms", ours: true, serversPerOp, medianMs, maxMs };
  const rows = tradeoffRows([ours, ...published]);
  assertEquals(rows[1], ["Eddy, budget 100 ms", "10.00", "50", "100"]);
  assertEquals(rows.slice(2).map(([name]) => name), published.map(({ name }) => name));
});

Deno.test("the figure of the curve shows the points of its table", async () => {
  const page = await Deno.readTextFile(projectPath("docs/efficiency.md"));
  const [, table = ""] = /broadcast_tradeoff\.svg\)\n\n([^]*?)\n\n/.exec(page) ?? [];
  const rows = table.split("\n").slice(2).map((row) =>
    row.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  assertEquals(rows.length, 11 + published.length);
  const figure = await Deno.readTextFile(projectPath("docs/broadcast_tradeoff.svg"));
  assertEquals(figure, drawTradeoff(pointsOf(rows)));
});
