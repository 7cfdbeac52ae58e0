import { longTest } from "../long.ts";
import { assertEquals } from "@std/assert";
import { calibrate, type Published, published } from "./calibration.ts";

longTest("a few runs are as near to Maelstrom's as many are to be", async () => {
  const few = published.filter(({ name }) => /^(tree4|line)/.test(name));
  const { rows, failures } = await calibrate(2, few);
  assertEquals([few.length, rows.length, failures], [2, 10, []]);
});

longTest("a figure that is not met is told", async () => {
  const doubled = published.filter(({ name }) => name.startsWith("tree4")).map((
    run,
  ): Published => ({
    ...run,
    figures: run.figures.slice(0, 1).map(([figure, theirs]) => [figure, 2 * theirs]),
  }));
  const { failures } = await calibrate(1, doubled);
  assertEquals(failures.map((text) => text.slice(0, 18)), ["tree4, 100 ms, p50"]);
});
