import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "@eddy/maelstrom/flags";
import { jobs } from "./availability/jobs.ts";
import { availableFigures, consensusFigures, measureAvailability } from "./availability/measure.ts";
import type { ConsensusRun } from "./availability/measure_one.ts";
import { caseOf, jobsNamed } from "./campaign/cases.ts";

Deno.test("jobs go by how their names begin, and there is no other", () => {
  const names = jobsNamed(jobs, "lin-kv").map(({ name }) => name);
  assertEquals(names, ["lin-kv, 3 nodes", "lin-kv, 5 nodes"]);
  assertEquals(jobsNamed(jobs, ""), jobs);
  const message = 'Cannot run --only "raft": accepted is how';
  assertThrows(() => jobsNamed(jobs, "raft"), UsageError, message);
});

Deno.test("every job is a command line", () => {
  assertEquals(new Set(jobs.map(({ name }) => name)).size, jobs.length);
  for (const { line } of jobs) assertEquals(caseOf(line, 1).job.options.nemesis, ["partition"]);
});

Deno.test("short runs have all figures", async () => {
  const lines = [
    {
      line: "-w lin-kv --node-count 3 --rate 20 --time-limit 6 --nemesis partition",
      needsMajority: true,
    },
    {
      line: "-w echo --node-count 3 --rate 20 --time-limit 1 --nemesis partition",
      needsMajority: false,
    },
  ];
  const few = lines.map((job, index) => ({ name: `job ${index}`, ...job }));
  const { rows } = await measureAvailability(few, [1, 2]);
  assertEquals(rows.map(([job, figure]) => `${job} ${figure}`.trim()), [
    "job figure",
    "job 0 settled operations served",
    "possible operations served",
    "ms from a change to service",
    "refused within 18 ms",
    "ms until error 11",
    "seeds with never-ok",
    "runs not valid",
    "job 1 operations served",
    "runs not valid",
  ]);
  assertEquals(rows[8]?.slice(2), [
    ">= 1 in every seed",
    "1.00000 of 39",
    "1.00000 of 17, seed 1",
    "yes",
  ]);
});

const service: ConsensusRun["service"] = {
  possible: { count: 100, served: 98 },
  settled: { count: 50, served: 50 },
  gaps: [],
  outside: { count: 2, refusedMs: [0, 18] },
  changes: { serviceMs: [10, 30], brief: 1, dead: 0 },
};

function figuresOf(...runs: Partial<ConsensusRun>[]) {
  const done = runs.map((run, seed) => ({
    run: { seed, valid: true, reason: "", isStarved: false, service, during: [], ...run } as const,
    replay: `replay ${seed}`,
  }));
  return consensusFigures(done, 9, 1);
}

Deno.test("a node is found by another way soon after a long cut that ends in a ring", async () => {
  const job = jobs.find(({ name }) => name === "txn-list-append, 3 nodes");
  assert(job !== undefined);
  // The node was cut off for 10 s, and the pauses between tries of other ways had grown to 2 s.
  const { rows } = await measureAvailability([job], [293]);
  assertEquals(rows[1]?.slice(-3), ["1.00000 of 2390", "1.00000 of 2390, seed 293", "yes"]);
});

Deno.test("a node is found by another way soon after a ring that cuts the way tried first, too", async () => {
  const job = jobs.find(({ name }) => name === "txn-list-append, 5 nodes");
  assert(job !== undefined);
  // That way was tried twice before the others, at both ends, and the node refused what waited.
  const { rows } = await measureAvailability([job], [965]);
  assertEquals(rows[1]?.slice(-3), ["1.00000 of 2768", "1.00000 of 2768, seed 965", "yes"]);
});

Deno.test("runs that reach every goal have no failures", () => {
  const figures = figuresOf({}, {});
  assertEquals(figures.flatMap(({ failures }) => failures), []);
  assertEquals(figures.map(({ cells }) => cells.slice(1)), [
    [">= 0.999 in every seed", "1.00000 of 100", "1.00000 of 50, seed 0", "yes"],
    [">= 0.97 in all seeds", "0.98000 of 200", "0.98000 of 100, seed 0", "yes"],
    ["", "30 / 30 / 30 / 30 of 4; without service: 0, and 2 brief", "30, seed 0", ""],
    [">= 0.99 in all seeds", "1.00000 of 4", "1.00000 of 2, seed 0", "yes"],
    ["", "18 / 18 / 18 / 18 of 4", "", ""],
    ["0", "0 of 2", "", "yes"],
    ["0", "0 of 2", "", "yes"],
  ]);
});

Deno.test("a goal is missed by one seed, or by all together, and the seed is told", () => {
  const gaps = [{ fromMs: 1500, toMs: 1600, nodes: ["n1", "n2"], codes: { 0: 1, 11: 4 } }];
  const during = ["partition n0 | n1 n2"];
  const settled = { count: 50, served: 49 };
  const possible = { count: 100, served: 95 };
  const one = figuresOf({}, { service: { ...service, settled, possible, gaps }, during });
  assertEquals(one.flatMap(({ failures }) => failures), [
    "49 of 50 settled operations served, seed 1, 1 seed below 0.999\n" +
    "  1.500 to 1.600 s on n1 and n2: 1 with error 0 and 4 with error 11; " +
    "partition n0 | n1 n2\n  replay 1",
    "95 of 100 possible operations served, seed 1, 1 seed below 0.97\n  replay 1",
  ]);
});

Deno.test("late refusals, invalid runs and starved ones miss their goals", () => {
  const late = { ...service, outside: { count: 2, refusedMs: [19, 19] } };
  const [first] = figuresOf({ service: late }).flatMap(({ failures }) => failures);
  assert(first?.startsWith("0 of 2 refused within 18 ms, seed 0"));
  const invalid = { valid: false, reason: "lost: 1" } as const;
  assertEquals(figuresOf(invalid).flatMap(({ failures }) => failures), [
    "INVALID: lost: 1\n  replay 0",
  ]);
  const starved = { valid: false, reason: "never-ok: not one cas", isStarved: true } as const;
  assertEquals(figuresOf(starved).flatMap(({ failures }) => failures), [
    "never-ok: not one cas\n  100 operations were possible\n  replay 0",
  ]);
  const impossible = { ...service, possible: { count: 0, served: 0 } };
  assertEquals(
    figuresOf({ ...starved, service: impossible }).flatMap(({ failures }) => failures),
    [],
  );
});

Deno.test("of a workload that is always available every operation is to be served", () => {
  const run = {
    seed: 3,
    valid: true,
    reason: "",
    all: { count: 100_000, served: 99_999 },
  } as const;
  const [figure] = availableFigures([{ run, replay: "replay 3" }]);
  assertEquals(figure?.cells.slice(2), ["0.99999 of 100000", "0.99999 of 100000, seed 3", "no"]);
  assertEquals(figure?.failures.length, 1);
});
