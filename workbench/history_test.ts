import fc from "fast-check";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseJson } from "@eddy/maelstrom";
import { HistoryReader, type Op, parseHistory, writeHistoryLine } from "./history.ts";
import { writeJepsenOp } from "./jepsen.ts";

/** Puts keys in one order, so that two operations compare as text. */
function normal(op: Op | undefined): string {
  return op === undefined ? "" : writeHistoryLine(op);
}

function assertReads(edn: string, json: string): void {
  const [op] = parseHistory(edn, "edn");
  const [expected] = parseHistory(json, "jsonl");
  assertEquals(normal(op), normal(expected), edn);
}

Deno.test("a line holds the keys in order and numbers as they came", () => {
  const op: Op = {
    node: "n1",
    final: true,
    error: { code: 20, text: "No such key" },
    value: parseJson("[3, 3.0, 9007199254740993]"),
    f: "read",
    process: 4,
    type: "fail",
    time: 12,
    index: 9,
  };
  const line = '{"index":9,"time":12,"type":"fail","process":4,"f":"read",' +
    '"value":[3,3.0,9007199254740993],"error":{"code":20,"text":"No such key"},' +
    '"final":true,"node":"n1"}';
  assertEquals(writeHistoryLine(op), line);
  assertEquals(parseHistory(`${line}\n`).map(writeHistoryLine), [line]);
});

Deno.test("any history survives being written and read", () => {
  const op = fc.record({
    index: fc.nat(),
    time: fc.nat(),
    type: fc.constantFrom("invoke" as const, "ok" as const, "fail" as const, "info" as const),
    process: fc.oneof(fc.nat(), fc.constant("nemesis" as const)),
    f: fc.string(),
    value: fc.json({ maxDepth: 3 }).map(parseJson),
    error: fc.record({ code: fc.nat(), text: fc.string() }, { requiredKeys: ["text"] }),
    final: fc.boolean(),
    node: fc.string(),
  }, { requiredKeys: ["index", "time", "type", "process", "f", "value"] });
  fc.assert(
    fc.property(fc.array(op), (ops) => {
      const lines = ops.map((one) => writeHistoryLine(one.final === false ? without(one) : one));
      assertEquals(parseHistory(lines.join("\n")).map(writeHistoryLine), lines);
    }),
    { numRuns: 200 },
  );
});

function without({ final: _final, ...op }: Op): Op {
  return op;
}

// As Jepsen 0.3.7 prints them: one map a line, the keys of the operation in any order.
Deno.test("the operations of all workloads are read", () => {
  const head = '"index":3,"time":70';
  const cases: [string, string][] = [
    [
      '{:process 0, :type :ok, :f :echo, :value {:echo "Please echo 5", :type "echo_ok", ' +
      ":in_reply_to 1}, :index 3, :time 70}",
      `{${head},"type":"ok","process":0,"f":"echo","value":{"echo":"Please echo 5",` +
      '"type":"echo_ok","in_reply_to":1}}',
    ],
    [
      '{:process 0, :type :ok, :f :generate, :value "n0-1", :index 3, :time 70}',
      `{${head},"type":"ok","process":0,"f":"generate","value":"n0-1"}`,
    ],
    [
      "{:process 2, :type :ok, :f :read, :value [0 1 2], :index 3, :time 70}",
      `{${head},"type":"ok","process":2,"f":"read","value":[0,1,2]}`,
    ],
    [
      "{:process 2, :type :invoke, :f :broadcast, :value 7, :index 3, :time 70}",
      `{${head},"type":"invoke","process":2,"f":"broadcast","value":7}`,
    ],
    [
      "{:process 2, :type :invoke, :f :add, :value 7, :index 3, :time 70}",
      `{${head},"type":"invoke","process":2,"f":"add","value":7}`,
    ],
    [
      "{:process 2, :type :ok, :f :read, :value -4, :final? true, :index 3, :time 70}",
      `{${head},"type":"ok","process":2,"f":"read","value":-4,"final":true}`,
    ],
    [
      "{:process 2, :type :ok, :f :cas, :value [0 [1 4]], :index 3, :time 70}",
      `{${head},"type":"ok","process":2,"f":"cas","value":[0,[1,4]]}`,
    ],
    [
      '{:process 2, :type :ok, :f :poll, :value [[:poll {"1" [[0 1] [1 2]], "2" []}]], ' +
      ":index 3, :time 70, :poll-ms 1000}",
      `{${head},"type":"ok","process":2,"f":"poll",` +
      '"value":[["poll",{"1":[[0,1],[1,2]],"2":[]}]]}',
    ],
    [
      '{:process 2, :type :ok, :f :assign, :value ("1" "2"), :seek-to-beginning? true, ' +
      ':unseen {"1" {:polled -1, :sent 4}}, :index 3, :time 70}',
      `{${head},"type":"ok","process":2,"f":"assign","value":["1","2"]}`,
    ],
    [
      "{:process 2, :type :ok, :f :send, :value [[:send 1 [0 5]]], :index 3, :time 70}",
      `{${head},"type":"ok","process":2,"f":"send","value":[["send",1,[0,5]]]}`,
    ],
    [
      "{:process 2, :type :ok, :f :txn, :value [[:r 1 [1 2]] [:append 2 1] [:r 3 nil]], " +
      ":index 3, :time 70}",
      `{${head},"type":"ok","process":2,"f":"txn",` +
      '"value":[["r",1,[1,2]],["append",2,1],["r",3,null]]}',
    ],
    [
      "#jepsen.history.Op{:process 2, :type :ok, :f :txn, :value [[:w 1 2]], :index 3, :time 70}",
      `{${head},"type":"ok","process":2,"f":"txn","value":[["w",1,2]]}`,
    ],
    [
      '{:type :info, :process :nemesis, :f :start-partition, :value [:isolated {"n0" #{"n1" ' +
      '"n2"}}], :index 3, :time 70}',
      `{${head},"type":"info","process":"nemesis","f":"start-partition",` +
      '"value":["isolated",{"n0":["n1","n2"]}]}',
    ],
    [
      "{:process 2, :type :info, :f :crash, :value nil, :index 3, :time 70}",
      `{${head},"type":"info","process":2,"f":"crash","value":null}`,
    ],
  ];
  for (const [edn, json] of cases) assertReads(edn, json);
});

Deno.test("errors have Maelstrom's codes", () => {
  const cases: [string, Op["error"]][] = [
    [":error :net-timeout", { code: 0, text: "net-timeout" }],
    [":error [:timeout]", { code: 0, text: "timeout" }],
    [":error [:timeout nil]", { code: 0, text: "timeout" }],
    [':error [:node-not-found "n9"]', { code: 1, text: "n9" }],
    [':error [:not-supported "x"]', { code: 10, text: "x" }],
    [':error [:temporarily-unavailable "x"]', { code: 11, text: "x" }],
    [':error [:malformed-request "x"]', { code: 12, text: "x" }],
    [':error [:crash "x"]', { code: 13, text: "x" }],
    [':error [:abort "x"]', { code: 14, text: "x" }],
    [':error [:key-does-not-exist "No key 5"]', { code: 20, text: "No key 5" }],
    [':error [:key-already-exists "x"]', { code: 21, text: "x" }],
    [':error [:precondition-failed "x"]', { code: 22, text: "x" }],
    [':error [:txn-conflict "x"]', { code: 30, text: "x" }],
    [':error [:unknown "Disk on fire"]', { text: "unknown: Disk on fire" }],
    [':error "indeterminate: Client read timeout"', { text: "indeterminate: Client read timeout" }],
    [":error {:type :malformed-rpc-response}", { text: "malformed-rpc-response" }],
    [
      ':exception {:via [{:type clojure.lang.ExceptionInfo, :message "Malformed RPC response", ' +
      ':data {:body {:type "read_ok"}}, :at [slingshot.support$stack_trace invoke ' +
      '"support.clj" 201]}], :trace [[a$b invoke "c.clj" 1] [java.lang.Thread run nil -1]], ' +
      ':cause "Malformed RPC response"}',
      { text: "Malformed RPC response" },
    ],
    [':exception {:via [{:type Foo, :message "Inner"}]}', { text: "Inner" }],
    [":error nil", undefined],
  ];
  for (const [edn, error] of cases) {
    const [op] = parseHistory(`{:time 7, :process 1, :type :info, :f :read, ${edn}}`);
    assertEquals(op?.error, error, edn);
  }
});

Deno.test("EDN keeps 3 and 3.0 apart, and integers exact, as JSON does", () => {
  assertReads(
    "{:process 0, :type :ok, :f :read, :value [3 3.0 9007199254740993N 1.0E10], :index 0, :time 1}",
    '{"index":0,"time":1,"type":"ok","process":0,"f":"read",' +
      '"value":[3,3.0,9007199254740993,1.0E10]}',
  );
});

Deno.test("one vector is a history too, and blank lines are none", () => {
  const op = "{:process 0, :type :invoke, :f :read, :value nil, :time 1}";
  assertEquals(parseHistory(`[${op}\n ${op}]`).map(({ index }) => index), [0, 1]);
  assertEquals(parseHistory(`\n${op}\n\n${op}\n`).map(({ index }) => index), [0, 1]);
  const line = '{"index":0,"time":1,"type":"invoke","process":0,"f":"read","value":null}';
  assertEquals(parseHistory(`\n${line}\r\n\n`).length, 1);
  assertEquals(parseHistory(""), []);
  assertEquals(parseHistory(" \n"), []);
});

Deno.test("one JSON array is a history too, on one line or on many", () => {
  const ops = [
    { type: "invoke", process: 0, f: "read", value: null },
    { type: "info", process: 0, f: "read", value: null, error: "timeout" },
  ];
  for (const text of [JSON.stringify(ops), ` ${JSON.stringify(ops, null, 2)}\n`]) {
    const [first, second, ...others] = parseHistory(text);
    assertEquals([first?.type, first?.index, others], ["invoke", 0, []]);
    assertEquals(second?.error, { code: 0, text: "timeout" });
  }
  assertEquals(parseHistory("[]"), []);
  const wrong = '[{"type":"ok","process":0,"f":"read"},{"type":"maybe"}]';
  assertThrows(
    () => parseHistory(wrong),
    SyntaxError,
    "Cannot parse operation 2: its type is none",
  );
  const op = '{"type":"ok","process":0,"f":"read"}';
  const broken: [string, RegExp][] = [
    ['[{"type":', /^Cannot parse operation 1: /],
    [`[${op},\n${op},\n{"type" "ok"}]`, /^Cannot parse operation 3: .* position 9 \(line 2 /],
    [`[${op}] {"a": {}, "b": 1}`, /^Cannot parse the text: more follows its array$/],
    [`[${op}], 7`, /^Cannot parse what follows the array: Unexpected token/],
  ];
  for (const [text, message] of broken) {
    assertMatch(assertThrows(() => parseHistory(text), SyntaxError).message, message);
  }
});

Deno.test("without times, operations are a millisecond apart, in the order of their lines", () => {
  const json = '{"type":"invoke","process":0,"f":"read","value":null}';
  const edn = "{:type :invoke, :process 0, :f :read, :time nil}";
  for (const line of [json, edn]) {
    const times = parseHistory(`${line}\n${line}\n\n${line}`).map(({ time }) => time);
    assertEquals(times, [0, 1e6, 2e6]);
  }
  const timed = json.replace("{", '{"time":5,');
  const times = parseHistory(`${timed}\n${json}`).map(({ time }) => time);
  assertEquals(times, [5, 1e6 + 5]);
});

Deno.test("a transaction needs no f", () => {
  const [op] = parseHistory("{:type :ok, :process 0, :value [[:append :x 1] [:r :y [2]]]}");
  assertEquals([op?.f, op?.value], ["txn", [["append", "x", 1], ["r", "y", [2]]]]);
});

Deno.test("what Jepsen prints of operations is a history, whatever else is in the log", () => {
  const log = `INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO jepsen.core - Worker 0 starting
INFO  jepsen.util - 1 :invoke :cas [1 2]
INFO  jepsen.util - 0\t:ok\t:read\t3
INFO  jepsen.util - :nemesis :info :start nil
2026-01-01 10:00:00,123{GMT}\tINFO\t[jepsen worker 2] jepsen.util: 2\t:invoke\t:write\t3
INFO  jepsen.util - 1\t:fail\t:cas\t[1 2]
INFO  jepsen.util - 2\t:info\t:write\t:timed-out
INFO  jepsen.util - 7\t:info\t:write\t5\t:timed-out
`;
  const timedOut = { error: { text: "timed-out" } };
  const rows = [
    { type: "invoke", process: 0, f: "read", value: null },
    { type: "invoke", process: 1, f: "cas", value: [1, 2] },
    { type: "ok", process: 0, f: "read", value: 3 },
    { type: "info", process: "nemesis", f: "start", value: null },
    { type: "invoke", process: 2, f: "write", value: 3 },
    { type: "fail", process: 1, f: "cas", value: [1, 2] },
    { type: "info", process: 2, f: "write", value: null, ...timedOut },
    { type: "info", process: 7, f: "write", value: 5, ...timedOut },
  ];
  assertEquals(
    parseHistory(log) as unknown[],
    rows.map((row, index) => ({ index, time: index * 1e6, ...row })),
  );
  assertThrows(
    () => parseHistory("\n0 :ok :read [1"),
    SyntaxError,
    'Cannot parse line 2: it ends before a "]"',
  );
});

Deno.test("a value that nests too deeply is refused in every format, with its place", () => {
  const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const json = (levels: number, n = "") =>
    `{"type":"ok","process":0,"f":"r","value":[${deep(levels)}${n}]}`;
  const edn = (levels: number) => `{:type :ok, :process 0, :f :r, :value ${deep(levels)}}`;
  assertEquals(parseHistory(`${json(200)}\n${json(200, ",1.0")}`).length, 2);
  for (const levels of [300, 100_000]) {
    for (
      const [text, place] of [
        [`${json(1)}\n${json(levels)}`, "line 2"],
        [`${json(1)}\n${json(levels, ",1.0")}`, "line 2"],
        [`[${json(1)},${json(levels)}]`, "operation 2"],
        [`${edn(1)}\n${edn(levels)}`, "line 2"],
        [`0 :ok :r 1\n0 :ok :r ${deep(levels)}`, "line 2"],
      ] as const
    ) {
      const error = assertThrows(() => parseHistory(text), SyntaxError, `Cannot parse ${place}: `);
      assertMatch(error.message, /: it nests deeper than 256(, at column \d+)?$/);
    }
  }
});

Deno.test("what is no history is refused with its line", () => {
  const line = '{"index":0,"time":1,"type":"invoke","process":0,"f":"read","value":null}';
  const cases: [string, RegExp][] = [
    [`${line}\n{`, /^Cannot parse line 2: .*JSON/],
    [`${line}\n\n5`, /^Cannot parse line 3: it is no object with the type, process, /],
    [`${line}\n{}`, /^Cannot parse line 2: its type is none of/],
    [line.replace('"time":1', '"time":1.0'), /line 1: its time is no number$/],
    [line.replace("invoke", "maybe"), /line 1: its type is none of invoke, ok, fail and info$/],
    [line.replace('"process":0', '"process":"x"'), /line 1: its process is neither/],
    [line.replace('"read"', "5"), /line 1: its f is no text$/],
    [line.replace("null", "[".repeat(300) + "]".repeat(300)), /line 1: it nests deeper than 256$/],
    [line.replace('"index":0', '"index":"x"'), /line 1: its index is no number$/],
    ["{:index 0, :time 1}\n", /line 1: its type is none of/],
    ["{:index 0\n", /line 1: it ends before a "}"$/],
    ["garbage", /^Cannot parse the text: it is no history: accepted are JSON lines, /],
    ['{"valid?":true}', /^Cannot parse the text: it is no history: accepted are JSON lines, /],
    ["[5]", /^Cannot parse the text: it is no history: accepted are JSON lines, /],
  ];
  for (const [text, message] of cases) {
    assertMatch(assertThrows(() => parseHistory(text), SyntaxError).message, message);
  }
});

Deno.test("a long history is read in one go", () => {
  let edn = "";
  for (let i = 0; i < 20_000; i++) {
    edn += `{:index ${i}, :time ${i}, :type :ok, :process 1, :f :read, :value [${i}]}\n`;
  }
  assertEquals(parseHistory(edn).at(-1)?.value, [19_999]);
});

const someOps = Array.from({ length: 30 }, (_, index): Op => ({
  index,
  time: 1e6 * index,
  type: index % 2 === 0 ? "invoke" : "ok",
  process: index >> 2,
  f: "read",
  value: index % 3 === 0 ? `a "[{(\\;,\n${index}` : [[index], { k: null }],
}));

/** The same operations in each format. */
const written = {
  jsonl: someOps.map((op) => `${writeHistoryLine(op)}\n`).join("\n"),
  json: `[${someOps.map(writeHistoryLine).join(" ,\n ")}\n]\n`,
  edn: someOps.map((op) => writeJepsenOp(op).edn).join("\n"),
  "one vector": `\n; all\n#_ [old\n] [${
    someOps.map((op) => writeJepsenOp(op).edn).join("\n\n ")
  }\n]`,
  "a vector of forms of many lines": `[${
    someOps.map((op) => writeJepsenOp(op).edn.replaceAll(", :", "\n, :")).join("\n")
  }]\n#_ [old\n]`,
  log: someOps.map((op) => `INFO ${writeJepsenOp(op).txt}\nINFO other\n`).join(""),
};

Deno.test("a history that comes in pieces of any size is read as in one go", () => {
  for (const [format, text] of Object.entries(written)) {
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 40 }), (cuts) => {
        const ops: Op[] = [];
        const reader = new HistoryReader(ops);
        let start = 0;
        for (const end of cuts.toSorted((a, b) => a - b)) {
          reader.add(text.slice(start, end));
          start = end;
        }
        reader.add(text.slice(start));
        reader.end();
        assertEquals(ops, someOps, format);
      }),
      { numRuns: 50 },
    );
  }
});

Deno.test("an operation is read as soon as its line or element is there, and nothing of it is kept", () => {
  for (const [format, text] of Object.entries(written)) {
    let read = 0;
    // What comes after it may not take more than this, however much came before.
    const reader = new HistoryReader({ push: () => read++ }, { maxChars: 300 });
    let behind = 0;
    for (let start = 0; start < text.length; start += 10) {
      reader.add(text.slice(start, start + 10));
      const begun = text.slice(0, start + 10).split(/"index":|:index |INFO \d/).length - 1;
      behind = Math.max(behind, begun - read);
    }
    reader.end();
    assertEquals(read, someOps.length, format);
    assert(behind <= 4, `${format}: ${behind} operations waited`);
  }
});

Deno.test("of a log, lines without an operation may go on for any length, but no line", () => {
  const ops: Op[] = [];
  const reader = new HistoryReader(ops, { maxChars: 100 });
  reader.add("0 :invoke :read nil\n");
  for (let i = 0; i < 50; i++) reader.add("INFO nothing new\nIN");
  reader.add("FO\n0 :ok :read 1\n");
  assertEquals(ops.length, 2);
  assertThrows(
    () => {
      for (let i = 0; i < 50; i++) reader.add("INFO");
    },
    SyntaxError,
    "no operation ends within 100 characters after operation 2",
  );
});

Deno.test("pieces are refused as the whole is, with the same line", () => {
  const line = '{"index":0,"time":1,"type":"invoke","process":0,"f":"read","value":null}';
  const edn = "{:type :ok, :process 0, :f :r, :value 1}";
  const wrong = [
    `${line}\n\n5`,
    `${line}\n{`,
    "garbage",
    "{:index 0\n",
    `${edn}\n${edn}\n {:type :ok, :process 0 :f \n\n`,
    `[${edn}\n${edn}`,
    `[${edn}\n${edn}}\n]`,
    `${edn} {:f\n}\n`,
    `${edn}\n"no end`,
    `0 :ok :r 1\n0 :ok :r [`,
    `[${line},${line}`,
    `[${line},]`,
    `[${line}] 7`,
    `[${line} ${line}]`,
  ];
  for (const text of wrong) {
    const error = assertThrows(() => parseHistory(text), SyntaxError);
    for (const size of [1, 7, 50]) {
      const reader = new HistoryReader([]);
      assertThrows(
        () => {
          for (let i = 0; i < text.length; i += size) reader.add(text.slice(i, i + size));
          reader.end();
        },
        SyntaxError,
        error.message,
      );
    }
  }
});
