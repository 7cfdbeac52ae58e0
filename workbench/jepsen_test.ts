import fc from "fast-check";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseJson } from "@eddy/maelstrom";
import { readEdn } from "./edn.ts";
import { type Op, parseHistory, writeHistoryLine } from "./history.ts";
import { writeJepsenOp, writeResultsEdn } from "./jepsen.ts";
import { handmade } from "./testing.ts";

Deno.test("operations are written as Jepsen writes them", () => {
  const ops = handmade(
    [0, "invoke", "txn", [["append", 1, 2], ["r", 3, null]]],
    [0, "fail", "txn", [["append", 1, 2]], { error: { code: 30, text: "no\tway" } }],
    [1, "ok", "poll", [["poll", { "1": [[0, 5]] }]], { final: true }],
    [1, "info", "cas", [0, [1, 4]], { error: { code: 0, text: "no reply" } }],
    ["nemesis", "info", "start-partition", "n1 is cut off"],
    [2, "ok", "read", [1, 2, 3], { node: "a b" }],
    [3, "info", "read", null, { error: { code: 1000, text: "own" } }],
    [4, "info", "read", null, { error: { text: "crash" } }],
  );
  assertEquals(ops.map((op) => writeJepsenOp(op).txt), [
    "0\t:invoke\t:txn\t[[:append 1 2] [:r 3 nil]]",
    '0\t:fail\t:txn\t[[:append 1 2]]\t[:txn-conflict "no\\tway"]',
    '1\t:ok\t:poll\t[[:poll {"1" [[0 5]]}]]',
    '1\t:info\t:cas\t[0 [1 4]]\t[:net-timeout "no reply"]',
    ':nemesis\t:info\t:start-partition\t"n1 is cut off"',
    "2\t:ok\t:read\t[1 2 3]",
    '3\t:info\t:read\tnil\t[1000 "own"]',
    '4\t:info\t:read\tnil\t{:cause "crash"}',
  ]);
  const edn = ops.map((op) => writeJepsenOp(op).edn);
  assertEquals(
    edn[2],
    '{:index 2, :time 2000000, :type :ok, :process 1, :f :poll, :value [[:poll {"1" [[0 5]]}]], ' +
      ':final? true, :node "n1"}',
  );
  assertEquals(parseHistory(edn.join("\n")), ops);
});

const op = fc.record({
  index: fc.nat(),
  time: fc.nat(),
  type: fc.constantFrom("invoke" as const, "ok" as const, "fail" as const, "info" as const),
  process: fc.oneof(fc.nat(), fc.constant("nemesis" as const)),
  f: fc.oneof(fc.constantFrom("txn", "poll", "read"), fc.string({ unit: "binary" })),
  value: fc.oneof(
    fc.json({ maxDepth: 3, stringUnit: "binary" }),
    fc.constantFrom("[-0, -0.0, 1e3, 1E400, 9007199254740993, 1.50]", '[["r",1,[1,2]],["w"]]'),
  ).map(parseJson),
  error: fc.record({
    code: fc.constantFrom(0, 1, 13, 22, 1000),
    text: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("crash", "timeout", "")),
  }, { requiredKeys: ["text"] }),
  final: fc.constant(true),
  node: fc.string({ unit: "binary" }),
}, { requiredKeys: ["index", "time", "type", "process", "f", "value"] });

Deno.test("any history survives being written as EDN and read", () => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 5 }), (ops) => {
      const text = ops.map((each) => writeJepsenOp(each).edn).join("\n");
      assertEquals(text === "" ? 0 : text.split(/[\n\u2028\u2029]/).length, ops.length);
      const read = parseHistory(text, "edn");
      assertEquals(read.map(writeHistoryLine), ops.map(writeHistoryLine));
    }),
    { numRuns: 500 },
  );
});

Deno.test("what Jepsen prints of an operation is one line, and is read as it was", () => {
  fc.assert(fc.property(op, (each) => {
    const { txt } = writeJepsenOp(each);
    assertEquals(txt.split(/[\n\r\u2028\u2029]/).length, 1);
    if (!/^[\w-]+$/.test(each.f) || !/^[a-z]/.test(each.f)) return;
    const [read] = parseHistory(txt, "log");
    const same = ({ process, type, f, value }: Op) => JSON.stringify([process, type, f, value]);
    assertEquals(read && same(read), same(each));
  }));
});

Deno.test("results are the same in EDN, with keywords, and a line for what is long", () => {
  const results = {
    "valid?": "unknown",
    stats: { "ok-count": 5, "by-f": { read: { "valid?": true } } },
    stable: { "0": 1, "0.5": 2.5 },
    findings: [{ what: 'a "quoted" text: ' + "x".repeat(100), ops: [] }, { what: "b", ops: [1] }],
    explanations: [["one", "two"]],
  };
  const edn = writeResultsEdn(JSON.stringify(results));
  assertEquals([...readEdn(edn)].map(({ value }) => value), [results]);
  assertStringIncludes(
    edn,
    "{:valid? :unknown,\n :stats {:ok-count 5, :by-f {:read {:valid? true}}},",
  );
  assertStringIncludes(edn, '\n :findings [{:what "a \\"quoted\\"');
  assertStringIncludes(edn, '\n            {:what "b", :ops [1]}],\n');
});
