import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { type Json, parseJson } from "@eddy/maelstrom";
import { type Op, writeHistoryLine } from "./history.ts";
import { KeptLists, withValue } from "./kept_lists.ts";

Deno.test("lists come back as they were, whatever their order and whatever came after", () => {
  const element = fc.oneof(
    { weight: 20, arbitrary: fc.nat(70_000) },
    fc.constantFrom(-1, -0, 2 ** 31, 2 ** 53, 0.5),
  );
  const step = fc.record({
    node: fc.constantFrom("n0", "n1"),
    keep: fc.nat(200),
    more: fc.oneof(fc.array(fc.nat(70_000), { maxLength: 99 }), fc.array(element)),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    const lists = new KeptLists();
    const last = new Map<string, Json[]>();
    const kept = steps.map(({ node, keep, more }) => {
      const list = [...(last.get(node) ?? []).slice(0, keep), ...more];
      last.set(node, list);
      return { text: JSON.stringify(list), value: lists.keep(node, list) ?? (() => list) };
    });
    for (const { text, value } of kept) assertEquals(JSON.stringify(value()), text);
  }));
});

Deno.test("what is no long list of integers is left as it is", () => {
  const long = (element: Json): Json => Array.from({ length: 100 }, () => element);
  const lists = new KeptLists();
  for (const value of [null, 5, "x", [1, 2], {}, long("x"), long(0.5), long(-0), long([1])]) {
    assertEquals(lists.keep("n0", value), undefined);
  }
  assertEquals(lists.keep("n0", long(parseJson("9007199254740993"))), undefined);
  assert(lists.keep("n0", long(7)) !== undefined);
});

Deno.test("an operation is the same line whether its value is kept or not", () => {
  const value = Array.from({ length: 100 }, (_, i) => i);
  const op = { index: 0, time: 5, type: "ok", process: 0, f: "read", value, node: "n0" } as const;
  const kept = new KeptLists().keep("n0", value);
  assert(kept !== undefined);
  const lazy: Op = withValue({ ...op }, kept);
  assertEquals(writeHistoryLine(lazy), writeHistoryLine(op));
  assertEquals({ ...lazy }, { ...op });
});

Deno.test("thousands of long lists fit into little memory", async () => {
  const module = new URL("./kept_lists.ts", import.meta.url).href;
  // As arrays they would take 160 MB.
  const program = `
    import { KeptLists } from ${JSON.stringify(module)};
    const lists = new KeptLists();
    const kept = [];
    for (let i = 0; i < 2000; i++) {
      const list = Array.from({ length: 9000 + i % 2 * i }, (_, j) => j);
      if (i % 50 === 0) list.reverse();
      kept.push(lists.keep("n" + i % 2, list));
    }
    if (kept.some((each) => each === undefined)) throw new Error("Some list is not kept");`;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--v8-flags=--max-old-space-size=64", program],
    stdout: "null",
    stderr: "piped",
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
});
