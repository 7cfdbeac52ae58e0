import { assert, assertEquals } from "@std/assert";
import { type Goal, goals, tableOfGoals } from "./goals.ts";
import { measurements } from "./measurements.ts";

const goal = { figure: "speed", ours: "eddy", theirs: "go" };
const figure = { label: "speed", unit: "msg/s", digits: 0 };

function table(wanted: readonly Goal[], ours: number[], theirs: number[]): string[][] {
  const all = [["eddy", ours], ["go", theirs]] as const;
  const series = all.map(([target, values]) => ({ measurement: "m", figure, target, values }));
  return tableOfGoals(series, wanted).split("\n").map((row) => row.split(/ {2,}/));
}

Deno.test("a goal is reached by the median, and the worst round is on the side of the bound", () => {
  const wanted = [{ ...goal, most: 2 }, { ...goal, least: 2.5 }];
  assertEquals(table(wanted, [1, 4, 3], [1, 2, 1]), [
    ["", "goal", "median", "worst", "reached"],
    ["speed, eddy/go", "<= 2x", "2.00x", "3.00x", "yes"],
    ["speed, eddy/go", ">= 2.5x", "2.00x", "1.00x", "no"],
  ]);
});

Deno.test("a goal whose figures were not measured has no row", () => {
  assertEquals(table([{ ...goal, figure: "size", most: 2 }], [1], [1]), [[""]]);
  assertEquals(table([{ ...goal, theirs: "rust", most: 2 }], [1], [1]), [[""]]);
});

Deno.test("a goal of which a side failed is not measured, nor reached", () => {
  assertEquals(table([{ ...goal, most: 2 }], [1, 2], [])[1], [
    ...["speed, eddy/go", "<= 2x", "-", "-", "not measured"],
  ]);
});

Deno.test("every goal has one bound, and its figure is measured", () => {
  const labels = Object.values(measurements).flatMap(({ figures }) =>
    figures.map(({ label }) => label)
  );
  assertEquals(new Set(labels).size, labels.length);
  for (const { figure, most, least } of goals) {
    assertEquals(labels.filter((label) => label === figure), [figure]);
    assert((most === undefined) !== (least === undefined));
  }
});
