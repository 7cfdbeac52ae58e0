import { assertEquals } from "@std/assert";
import { quantile } from "./measurements.ts";
import { median, ratios, show, tableOfFigures, tableOfMedians } from "./summary.ts";

const figure = { label: "throughput", unit: "msg/s", digits: 0 };
const series = [
  { measurement: "throughput", figure, target: "eddy", values: [4000, 1000, 3000] },
  { measurement: "throughput", figure, target: "naive", values: [1000, 500, 1000] },
];

Deno.test("medians and quantiles", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 2, 3]), 2.5);
  assertEquals(median([]), NaN);
  const sorted = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  assertEquals([0, 0.5, 0.99, 1].map((share) => quantile(sorted, share)), [1, 6, 10, 10]);
});

Deno.test("a ratio is taken round by round", () => {
  assertEquals(ratios([4000, 1000, 3000], [1000, 500, 1000]), [4, 2, 3]);
  assertEquals([ratios([4000], [1000, 500]), ratios([4000, 1000], [1000])], [[4], [4]]);
});

Deno.test("numbers are grouped, and what is no number is a dash", () => {
  assertEquals(show(1234567.4, figure), "1,234,567");
  assertEquals(show(1234.567, { ...figure, digits: 2 }), "1,234.57");
  assertEquals(show(NaN, figure), "-");
});

Deno.test("tables have a column per target, blank where nothing was measured", () => {
  const start = { label: "start", unit: "ms", digits: 1 };
  const all = [...series, { measurement: "start", figure: start, target: "eddy", values: [50] }];
  assertEquals(
    tableOfMedians(all),
    [
      "                                  eddy              naive",
      "throughput, msg/s  3,000 (1,000-4,000)  1,000 (500-1,000)",
      "start, ms                         50.0",
    ].join("\n"),
  );
});

Deno.test("a figure has a row for each target, with what failed and our ratio to it", () => {
  const half = { measurement: "throughput", figure, target: "go", values: [500] };
  const none = { measurement: "throughput", figure, target: "odd", values: [] };
  const failed: Record<string, number> = { go: 2, odd: 1 };
  assertEquals(
    tableOfFigures([...series, half, none], "eddy", ({ target }) => failed[target]),
    [
      "                   median  least   most  eddy / it",
      "throughput, msg/s",
      "  eddy              3,000  1,000  4,000",
      "  naive             1,000    500  1,000      3.00x",
      "  go                  500    500    500      8.00x  failed in round 2",
      "  odd                   -      -      -             failed in round 1",
    ].join("\n"),
  );
  assertEquals(
    tableOfFigures([half], "eddy", () => undefined),
    [
      "                   median  eddy / it",
      "throughput, msg/s",
      "  go                  500",
    ].join("\n"),
  );
});
