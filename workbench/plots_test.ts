import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { drawPlots } from "./plots.ts";
import { handmade, type Row } from "./testing.ts";

/** Operations of 10 ms, one a second, each second one a read that fails. */
function history(seconds: number, f = "write"): Row[] {
  return Array.from({ length: seconds }, (_, s): Row[] => {
    const isRead = s % 2 === 1;
    const name = isRead ? "read" : f;
    return [
      [0, "invoke", name, null, { ms: s * 1000 }],
      [0, isRead ? "fail" : "ok", name, null, { ms: s * 1000 + 10 }],
    ];
  }).flat();
}

const fault = { fault: "kill", description: "n1", fromNs: 2e9, toNs: 4e9 };

Deno.test("each operation that ended is a point, at its time and its latency", () => {
  const rows: Row[] = [...history(10), [1, "invoke", "read", null, { ms: 9900 }]];
  const { "latency-raw.svg": svg } = drawPlots({
    history: handmade(...rows),
    faults: [],
    title: "x",
  });
  const paths = [...svg.matchAll(/<path d="(M[^"]*)" stroke="#(1f6feb|b3261e)"/g)];
  const counts = paths.map(([, d = ""]) => d.split("M").length - 1);
  // Five of each, and one in the legend for each.
  assertEquals(counts.sort(), [1, 1, 5, 5]);
  for (const text of [">10 ms<", ">100 ms<", ">read fail<", ">write ok<", ">x: latencies<"]) {
    assertStringIncludes(svg, text);
  }
});

Deno.test("faults are shaded over their time, those of one time together, open ones to the end", () => {
  const faults = [
    fault,
    { ...fault, description: "n2" },
    { ...fault, fault: "partition", fromNs: 5e9, toNs: undefined },
  ];
  const plots = drawPlots({
    history: handmade(...history(10), [0, "ok", "x", null, { ms: 10_000 }]),
    faults,
    title: "",
  });
  for (const svg of Object.values(plots)) {
    const shades = [...svg.matchAll(/<rect x="([\d.]+)" y="44" width="([\d.]+)"/g)];
    assertEquals(shades.map(([, x, width]) => [Number(x), Number(width)]), [[208, 138], [
      415,
      345,
    ]]);
    assertStringIncludes(svg, "<title>kill: n1, n2</title>");
    assertEquals(svg.split(">kill<").length, 2);
  }
});

Deno.test("a rate is operations a second, in the last window, too", () => {
  const { "rate.svg": svg } = drawPlots({
    history: handmade(...history(600), [1, "ok", "x", null, { ms: 600_000 }]),
    faults: [],
    title: "",
  });
  assertStringIncludes(svg, "rate over 10 s");
  const [, d = ""] = /<path d="(M[^"]*)" stroke="#1f6feb" stroke-width="1.5"/.exec(svg) ?? [];
  const heights = d.split(/[ML]/).slice(1).map((point) => Number(point.split(/[ h]/)[1]));
  assertEquals(heights.length, 60);
  assert(Math.max(...heights) - Math.min(...heights) < 2, heights.join(" "));
});

Deno.test("quantiles are those of each window, and a line breaks where there is none", () => {
  const rows: Row[] = [
    ...history(2),
    ...history(2).map((row): Row => {
      const [process, type, f, value, rest] = row;
      return [process, type, f, value ?? null, { ms: (rest?.ms ?? 0) + 50_000 }];
    }),
  ];
  const { "latency-quantiles.svg": svg } = drawPlots({
    history: handmade(...rows),
    faults: [],
    title: "",
  });
  const lines = [...svg.matchAll(/<path d="(M[^"]*)" stroke="#2e7d32"/g)].map(([, d = ""]) => d);
  assertEquals(lines.filter((d) => d.split("M").length === 3 && !d.includes("L")).length, 2);
  for (const q of ["0.5", "0.95", "0.99", "1"]) assertStringIncludes(svg, `>read ${q}<`);
});

Deno.test("latencies of nothing are drawn, at the lower edge", () => {
  const rows: Row[] = [[0, "invoke", "a", null, { ms: 5 }], [0, "ok", "a", null, { ms: 5 }]];
  for (
    const svg of Object.values(drawPlots({ history: handmade(...rows), faults: [], title: "" }))
  ) {
    assertEquals(/NaN|Infinity|undefined/.exec(svg), null);
  }
  const empty = drawPlots({ history: [], faults: [fault], title: "" });
  for (const svg of Object.values(empty)) assertEquals(/NaN|Infinity|undefined/.exec(svg), null);
});

Deno.test("a plot does not grow without end, and shows names from elsewhere as text", () => {
  const rude = "]]><b>\u001b\u202e" + "x".repeat(1e6);
  const rows = Array.from({ length: 20_000 }, (_, i): Row[] => [
    [i, "invoke", rude, null, { ms: i / 100 }],
    [i, "ok", rude, null, { ms: i / 100 + 1 + i % 7 }],
  ]).flat();
  const plots = drawPlots({
    history: handmade(...rows),
    faults: [{ ...fault, description: rude }],
    title: rude,
  });
  for (const svg of Object.values(plots)) {
    assert(svg.length < 100_000, `${svg.length}`);
    assertEquals(/[^\P{Cc}\n]|\p{Bidi_Control}|<b>|\]\]>/u.exec(svg), null);
  }
});
