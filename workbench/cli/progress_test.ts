import { assertEquals } from "@std/assert";
import { defaultOptions } from "../options.ts";
import type { RunProgress } from "../runner.ts";
import { describeRun, describeRuns, lengthOf, ProgressLine } from "./progress.ts";
import { StatusLine } from "./terminal.ts";

const counts = { invocations: 300, ok: 290, fail: 5, info: 5 };
const at = (stage: RunProgress["stage"], elapsedMs: number): RunProgress => ({
  stage,
  elapsedMs,
  counts,
});

Deno.test("a run in real time: what is left of the time limit and the recovery", () => {
  const length = lengthOf(defaultOptions("g-set", { timeLimitSeconds: 30 }), false);
  assertEquals(
    describeRun(at("main", 10_000), length, 12_000),
    "main 10 s, 25 %, 30 s left: 300 operations, 290 ok, 5 fail, 5 info",
  );
  assertEquals(
    describeRun(at("final", 41_000), length, 0).slice(0, 25),
    "final 41 s, 100 %, 0 s le",
  );
  // It counts from another moment then.
  assertEquals(
    describeRun(at("setup", 3000), length, 3000).slice(0, 25),
    "setup 3 s, 0 %, 40 s left",
  );
});

Deno.test("a run in virtual time: as long as it took so far, for each second", () => {
  const length = lengthOf(defaultOptions("lin-kv", { timeLimitSeconds: 100 }), true);
  assertEquals(
    describeRun(at("main", 20_000), length, 5000).split(":")[0],
    "main 20 s, 20 %, 20 s left",
  );
  assertEquals(describeRun(at("start", 0), length, 5000).split(":")[0], "start 0 s, 0 %");
  assertEquals(describeRun(at("done", 100_000), length, 9000), "check of 300 operations");
});

Deno.test("a sweep: how many runs are done, and about how long the others take", () => {
  assertEquals(
    describeRuns({ done: 5, wrong: 1, count: 20 }, 10_000),
    "5 of 20 runs, 25 %, about 30 s left, 1 not valid",
  );
  assertEquals(describeRuns({ done: 0, wrong: 0, count: 1 }, 10_000), "0 of 1 run, 0 %");
});

Deno.test("the line comes after a second, changes ten times a second at most, and goes", () => {
  let text = "";
  let nowMs = 0;
  const status = new StatusLine((part) => text += part, () => 80);
  const line = new ProgressLine(status, true, () => nowMs);
  for (nowMs = 0; nowMs < 1300; nowMs += 40) line.update((elapsedMs) => `${elapsedMs}`);
  line.clear();
  line.clear();
  const shown = text.split("\r\x1b[K");
  assertEquals(shown, ["", "1000", "1120", "1240", ""]);
  const hidden = new ProgressLine(status, false, () => nowMs);
  nowMs += 5000;
  hidden.update(() => "never");
  assertEquals(text.includes("never"), false);
});
