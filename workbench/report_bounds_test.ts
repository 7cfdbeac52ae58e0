import { assertEquals } from "@std/assert";
import type { Op } from "./history.ts";
import { BodyBound, boundLists, isShortened } from "./report_bounds.ts";

const long = (i: number) => JSON.stringify({ type: "read_ok", messages: "x".repeat(1e6), i });

Deno.test("long bodies are kept up to a bound, near a moment beyond it, and short ones always", () => {
  const bound = new BodyBound(50_000);
  const link = { src: "n1", dest: "c1" };
  const kept = (atMs: number) => bound.shorten(long(atMs), link, atMs) === long(atMs);
  assertEquals([1, 2, 3, 4, 5].map(kept), [true, true, true, false, false]);
  assertEquals([50_001, 49_000, 90_000].map(kept), [true, true, false]);
  assertEquals(bound.shorten('{"type":"x"}', link, 5), '{"type":"x"}');
  const cut = bound.shorten(long(6), link, 6);
  assertEquals(JSON.parse(cut), {
    type: "read_ok",
    "left out": `${long(6).length} characters, which messages.jsonl has`,
  });
  assertEquals([isShortened(cut), isShortened(long(6))], [true, false]);
  const between = { src: "n1", dest: "n2" };
  assertEquals(bound.shorten(long(7), between, 7), long(7));
});

Deno.test("long lists are kept up to a bound, and say what is left out", () => {
  const op = (index: number, length: number): Op => ({
    index,
    time: index * 1e9,
    type: "ok",
    process: 0,
    f: "read",
    value: Array.from({ length }, (_, i) => i),
  });
  const history = [op(0, 300_000), op(1, 300_000), op(2, 200), op(3, 300_000)];
  const { history: bounded, isWhole } = boundLists(history, 3500);
  const lengths = bounded.map(({ value }) => (value as unknown[]).length);
  assertEquals([isWhole, lengths], [false, [300_000, 201, 200, 300_000]]);
  assertEquals((bounded[1]?.value as unknown[]).at(-1), "and 299800 more");
  assertEquals(boundLists([op(0, 9)], Infinity), { history: [op(0, 9)], isWhole: true });
});
