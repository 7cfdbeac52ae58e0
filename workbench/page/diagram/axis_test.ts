import { assert, assertEquals } from "@std/assert";
import { countBelow, secondsText, TimeAxis } from "./axis.ts";

const rows = Float64Array.of(0, 0, 4, 4, 10_000);

Deno.test("spread, events at one time stand apart, and a long silence is short", () => {
  const { places } = new TimeAxis(rows, 4);
  assertEquals([...places].slice(0, 4), [0, 1, 3, 4]);
  const silence = (places[4] ?? 0) - (places[3] ?? 0);
  assert(silence > 10 && silence < 14, String(silence));
});

Deno.test("a time is before the rows of just that time, or after them", () => {
  const axis = new TimeAxis(rows, 4);
  assertEquals([axis.toPlace(4), axis.toPlace(4, true), axis.toPlace(2)], [3, 4, 2]);
  assertEquals([axis.toPlace(-5), axis.toPlace(20_000)], [0, axis.end]);
});

Deno.test("a place has the time that it stands for, in both layouts", () => {
  const axis = new TimeAxis(rows, 4);
  for (const mode of ["spread", "scale"] as const) {
    axis.mode = mode;
    for (const ms of [0, 1, 4, 77, 9999]) {
      assert(Math.abs(axis.toMs(axis.toPlace(ms)) - ms) < 1e-6, `${mode} ${ms}`);
    }
  }
});

Deno.test("times are written as round as they can be, and not too close", () => {
  const axis = new TimeAxis(Float64Array.from({ length: 1000 }, (_, i) => i * 1.7), 4);
  for (const mode of ["spread", "scale"] as const) {
    axis.mode = mode;
    const [from, to] = [axis.toPlace(200), axis.toPlace(900)];
    const distance = (to - from) / 20;
    const ticks = axis.ticks(from, to, distance);
    assert(ticks.length > 5 && ticks.length <= 20, `${mode}: ${ticks.length}`);
    for (const [i, { at, text }] of ticks.entries()) {
      const next = ticks[i + 1]?.at ?? Infinity;
      assert(next - at > distance * 0.99, `${mode} ${text}`);
      assert(text.length <= "0.25 s".length, text);
    }
  }
});

Deno.test("the times of a view have one precision, and none is written twice", () => {
  const burst = Array.from({ length: 40 }, (_, i) => i < 20 ? -0.1 : i * 0.01);
  const axis = new TimeAxis(Float64Array.from([...burst, 14_897.5, 14_940, 20_000]), 4);
  for (const [from, to] of [[0, 12], [0, 45], [15, 30], [30, axis.end]] as const) {
    const texts = axis.ticks(from, to, (to - from) / 20).map(({ text }) => text);
    const digits = new Set(texts.map((text) => (/\.(\d*)/.exec(text)?.[1] ?? "").length));
    assertEquals([digits.size, new Set(texts).size], [1, texts.length], texts.join());
    assert(texts.every((text) => !/^-0\.?0* s$/.test(text)), texts.join());
  }
});

Deno.test("seconds have the digits of a step", () => {
  assertEquals(
    [[1500, 500], [20_104.25, 1], [0.25, 0.1], [3000, 1000], [-0.01, 1]].map(([ms = 0, step = 1]) =>
      secondsText(ms, step)
    ),
    ["1.5 s", "20.104 s", "0.0003 s", "3 s", "0.000 s"],
  );
});

Deno.test("counting finds the same as looking at all", () => {
  const list = [1, 1, 2, 5, 5, 5, 9];
  for (const value of [0, 1, 2, 3, 5, 9, 10]) {
    assertEquals(countBelow(list, value, false), list.filter((each) => each < value).length);
    assertEquals(countBelow(list, value, true), list.filter((each) => each <= value).length);
  }
});
