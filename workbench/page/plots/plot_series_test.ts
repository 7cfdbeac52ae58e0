import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import type { Op, OpType } from "../../history.ts";
import type { ReportData } from "../../report_data.ts";
import type { ReportMessage } from "../../report_messages.ts";
import { figure, MAX_POINTS, plotsOf } from "./plot_series.ts";

type Given = readonly [atMs: number, type: OpType, process: number, f: string, value?: Op["value"]];

function dataOf(
  given: readonly Given[],
  more: Partial<Pick<ReportData, "workload" | "messages" | "sentCount" | "observations">> = {},
): ReportData {
  const history = given.map(([atMs, type, process, f, value = null], index): Op => ({
    index,
    time: atMs * 1e6,
    type,
    process,
    f,
    value,
  }));
  return {
    workload: "echo",
    report: {} as ReportData["report"],
    history,
    messages: [],
    sentCount: 0,
    observations: [],
    causes: [],
    isWhole: true,
    views: [],
    ...more,
  };
}

function plotOf(data: ReportData, id: string) {
  const plot = plotsOf(data).find((each) => each.id === id);
  assert(plot !== undefined, `There is no plot ${id}`);
  return plot;
}

const SOME: readonly Given[] = [
  [0, "invoke", 0, "read"],
  [1, "invoke", 1, "write"],
  [4, "ok", 0, "read"],
  [11, "info", 1, "write"],
  [1500, "invoke", 0, "read"],
  [1502, "fail", 0, "read"],
];

Deno.test("latencies are those of operations by what they did and how they ended", () => {
  const { series, summary } = plotOf(dataOf(SOME), "latency");
  assertEquals(series.map(({ name, color, shape }) => [name, color, shape]), [
    ["read ok", "ok", 0],
    ["write info", "info", 1],
    ["read fail", "fail", 0],
  ]);
  assertEquals(series.map(({ points }) => points), [
    [{ atMs: 0, value: 4, op: 0 }],
    [{ atMs: 1, value: 10, op: 1 }],
    [{ atMs: 1500, value: 2, op: 4 }],
  ]);
  assertEquals(
    summary,
    "1 read ok, median 4 ms, at most 4 ms; 1 write info, median 10 ms, at most 10 ms; " +
      "1 read fail, median 2 ms, at most 2 ms",
  );
});

Deno.test("quantiles are those of what succeeded, with gaps where nothing did", () => {
  const many = Array.from({ length: 100 }, (_, i): Given[] => [
    [i * 100, "invoke", 0, "read"],
    [i * 100 + 1 + i % 10, i >= 20 && i < 40 ? "fail" : "ok", 0, "read"],
  ]).flat();
  const { series } = plotOf(dataOf(many), "quantiles");
  assertEquals(series.map(({ name }) => name), ["median", "95 %", "99 %", "max"]);
  const [median, , , max] = series.map(({ points }) => points);
  // Of two operations in each 200 ms the second takes a millisecond more.
  assertEquals(median?.[0], { atMs: 100, value: 2 });
  assertEquals(max?.slice(4, 6).map(({ value }) => value), [10, 2]);
  assertEquals(median?.slice(10, 20).map(({ value }) => value), new Array(10).fill(null));
});

Deno.test("rates are operations in a second, 0 where none ended", () => {
  const { series } = plotOf(dataOf(SOME), "rate");
  const [read] = series;
  // Over 20 ms, one operation is 50 in a second.
  assertEquals(read?.points.slice(0, 2), [{ atMs: 10, value: 50 }, { atMs: 30, value: 0 }]);
  assertEquals(new Set(series.map(({ points }) => points.length)), new Set([76]));
});

function message(id: number, src: string, sentMs: number, atMs: number | undefined): ReportMessage {
  const deliveries = atMs === undefined ? [] : [{ atMs, nextId: id + 1 }];
  return { id, src, dest: "n2", sentMs, type: "", body: "{}", deliveries, drops: [] };
}

Deno.test("messages are in flight from their sending to their end, those of clients apart", () => {
  const messages = [
    message(0, "n1", 0, 1000),
    message(1, "n1", 500, 1000),
    message(2, "c1", 900, 900),
    message(3, "n1", 990, undefined),
  ];
  const { series, note } = plotOf(dataOf([], { messages, sentCount: 10 }), "flight");
  const [servers, clients] = series.map(({ points }) => points.map(({ value }) => value ?? -1));
  assertEquals([servers?.[0], servers?.[500], servers?.[505]], [1, 1, 2]);
  assertEquals(Math.max(...servers ?? []), 3);
  assertEquals(Math.max(...clients ?? []), 1);
  assertEquals(note, "Of 10 messages the page has 4; the others are not counted.");
});

Deno.test("elements have the latency after which every read had them, or none", () => {
  const data = dataOf([
    [0, "invoke", 0, "broadcast", 1],
    [1, "ok", 0, "broadcast", 1],
    [2, "invoke", 0, "broadcast", 2],
    [3, "ok", 0, "broadcast", 2],
    [10, "invoke", 1, "read"],
    [11, "ok", 1, "read", [2]],
    [20, "invoke", 1, "read"],
    [21, "ok", 1, "read", [1]],
  ], { workload: "broadcast" });
  const { series } = plotOf(data, "stable");
  assertEquals(series.map(({ name, points }) => [name, points]), [
    ["stable", [{ atMs: 1, value: 9, op: 1 }]],
    ["lost", [{ atMs: 3, value: 7, op: 3 }]],
  ]);
});

Deno.test("a poll lags by how long the first message that it did not see had been there", () => {
  const data = dataOf([
    [0, "invoke", 0, "assign", ["k"]],
    [1, "ok", 0, "assign", ["k"]],
    [2, "invoke", 1, "send", [["send", "k", 7]]],
    [100, "ok", 1, "send", [["send", "k", [0, 7]]]],
    [600, "invoke", 0, "poll", [["poll"]]],
    [601, "ok", 0, "poll", [["poll", {}]]],
  ], { workload: "kafka" });
  assertEquals(plotOf(data, "lag").series[0]?.points, [{ atMs: 600, value: 0.5, op: 4 }]);
});

Deno.test("terms are those that nodes tell of, with the leaders apart", () => {
  const state = (atMs: number, node: string, term: number, role: string) => {
    return { time: atMs * 1e6, node, observation: { observe: { term, role } } };
  };
  const observations = [
    state(0, "n1", 1, "follower"),
    state(0, "n2", 1, "follower"),
    state(40, "n2", 2, "leader"),
  ];
  const { series, summary } = plotOf(dataOf(SOME, { observations }), "terms");
  assertEquals(series.map(({ name }) => name), ["n1", "n2", "n2 leads"]);
  const led = series[2]?.points.map(({ atMs, value }) => [atMs, value && Math.round(value)]);
  assertEquals(led, [[40, 2], [1502, 2], [1502.001, null]]);
  assertEquals(summary, "n2 led in term 2 from 0.04 s");
});

Deno.test("a plot has a bounded number of points, with the extremes among them", () => {
  const many = Array.from({ length: 30_000 }, (_, i): Given[] => [
    [i * 10, "invoke", 0, "read"],
    [i * 10 + (i === 12_345 ? 9 : 1), "ok", 0, "read"],
  ]).flat();
  const { series, note } = plotOf(dataOf(many), "latency");
  const [points = []] = series.map((each) => each.points);
  assertLessOrEqual(points.length, MAX_POINTS);
  assertLess(MAX_POINTS / 4, points.length);
  assert(points.some(({ value }) => value === 9));
  assert(note?.startsWith(`Of 30000 points ${points.length} are drawn`), note);
});

Deno.test("what a run does not have is not plotted", () => {
  assertEquals(plotsOf(dataOf([])), []);
  assertEquals(plotsOf(dataOf(SOME)).map(({ id }) => id), ["latency", "quantiles", "rate"]);
});

Deno.test("figures have three digits and a unit", () => {
  assertEquals([figure(1234, "ms"), figure(0.1234, "s"), figure(20, "/s"), figure(3, "")], [
    "1.23 s",
    "0.123 s",
    "20/s",
    "3",
  ]);
});
