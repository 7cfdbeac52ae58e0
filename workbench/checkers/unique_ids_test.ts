import { assertEquals } from "@std/assert";
import { type Json, parseJson } from "@eddy/maelstrom";
import { handmade, type Row } from "../testing.ts";
import { checkUniqueIds } from "./unique_ids.ts";

const generate = (process: number, id: Json): Row[] => [
  [process, "invoke", "generate"],
  [process, "ok", "generate", id],
];
const check = (...ids: Json[]) =>
  checkUniqueIds(handmade(...ids.flatMap((id, process) => generate(process, id))));

Deno.test("checkUniqueIds() accepts ids that are all different", () => {
  assertEquals(check(3, 1, 2), {
    valid: true,
    attemptedCount: 3,
    acknowledgedCount: 3,
    duplicatedCount: 0,
    duplicated: {},
    range: [1, 3],
  });
});

Deno.test("checkUniqueIds() accepts no ids at all", () => {
  assertEquals(check().valid, true);
  assertEquals(check().range, null);
});

Deno.test("checkUniqueIds() tells who was given the same id", () => {
  const history = handmade(...generate(0, "a"), ...generate(1, "b"), ...generate(2, "a"));
  const result = checkUniqueIds(history);
  assertEquals(result.valid, false);
  assertEquals(result.duplicatedCount, 1);
  assertEquals(result.duplicated, { '"a"': 2 });
  assertEquals(result.findings, [{
    anomaly: "duplicated",
    what: 'Id "a" was given to process 0 on n0 at 0.001 s and again to process 2 on n2 at 0.005 s',
    ops: [...history.slice(0, 2), ...history.slice(4)],
  }]);
});

Deno.test("checkUniqueIds() puts the id that was given most often first", () => {
  const result = check(1, 2, 1, 2, 2, 3);
  assertEquals(result.findings?.map(({ what }) => what.slice(0, 4)), ["Id 2", "Id 1"]);
  assertEquals(result.duplicatedCount, 2);
});

Deno.test("checkUniqueIds() counts what was asked and what came back", () => {
  const result = checkUniqueIds(handmade(
    [0, "invoke", "generate"],
    [0, "info", "generate"],
    [1, "invoke", "generate"],
    [1, "fail", "generate"],
    ...generate(2, 1),
  ));
  assertEquals([result.attemptedCount, result.acknowledgedCount], [3, 1]);
  assertEquals(result.valid, true);
});

Deno.test("checkUniqueIds() finds lists equal, and tells 1 from 1.0", () => {
  assertEquals(check([1, ["n1"]], [1, ["n1"]]).valid, false);
  assertEquals(check(1, parseJson("1.0")).valid, true);
  assertEquals(check(null, null).valid, false);
});

Deno.test("checkUniqueIds() has no verdict where the JVM could not compare ids", () => {
  for (const ids of [["a", 1], [{ a: 1 }, { b: 1 }], [true, "true"], [[1], 1], [[{}], [{}]]]) {
    const result = check(...ids as Json[]);
    assertEquals(result.valid, "unknown");
    assertEquals(result.range, null);
    assertEquals(result.findings?.[0]?.anomaly, "incomparable-ids");
  }
});

Deno.test("checkUniqueIds() compares where the JVM can: null, lists of other lengths, booleans", () => {
  assertEquals(check(null, 2, 1).range, [null, 2]);
  assertEquals(check([9], ["a", "b"]).range, [[9], ["a", "b"]]);
  assertEquals(check(true, false).range, [false, true]);
  assertEquals(check({ only: "one" }).valid, true);
});

Deno.test("checkUniqueIds() tells of duplicates too where it has no verdict", () => {
  const { findings } = check("a", "a", 1);
  assertEquals(findings?.map(({ anomaly }) => anomaly), ["incomparable-ids", "duplicated"]);
});
