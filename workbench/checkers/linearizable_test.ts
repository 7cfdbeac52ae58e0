import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Json, parseJson } from "@eddy/maelstrom";
import type { OpType } from "../history.ts";
import { handmade, type Row } from "../testing.ts";
import { checkLinearizable } from "./linearizable.ts";

Deno.test("checkLinearizable() holds for no operations at all", () => {
  const result = checkLinearizable([]);
  assertEquals(result, { valid: true, results: {}, failures: [] });
});

Deno.test("checkLinearizable() follows writes, reads and cas one after the other", () => {
  const result = checkLinearizable(handmade(
    [0, "invoke", "write", [0, 3]],
    [0, "ok", "write", [0, 3]],
    [1, "invoke", "read", [0, null]],
    [1, "ok", "read", [0, 3]],
    [0, "invoke", "cas", [0, [3, 4]]],
    [0, "ok", "cas", [0, [3, 4]]],
    [1, "invoke", "read", [0, null]],
    [1, "ok", "read", [0, 4]],
  ));
  assertEquals(result.valid, true);
  assertEquals(result.findings, undefined);
});

Deno.test("checkLinearizable() tells of a stale read, with the write it missed", () => {
  const history = handmade(
    [0, "invoke", "write", [7, 1]],
    [0, "ok", "write", [7, 1]],
    [0, "invoke", "write", [7, 2]],
    [0, "ok", "write", [7, 2]],
    [1, "invoke", "read", [7, null], { ms: 1500 }],
    [1, "ok", "read", [7, 1], { ms: 1501 }],
    [0, "invoke", "write", [8, 1]],
    [0, "ok", "write", [8, 1]],
  );
  const result = checkLinearizable(history);
  assertEquals(result.valid, false);
  assertEquals(result.failures, [7]);
  assertEquals(result.results, {
    "7": {
      valid: false,
      opCount: 3,
      configurations: 3,
      op: history[5],
      possibleValues: [2],
    },
    "8": { valid: true, opCount: 1, configurations: 1 },
  });
  assertEquals(result.findings, [{
    anomaly: "nonlinearizable",
    what: "Process 1 on n1 read 1 from key 7 (from 1.500 s to 1.501 s), " +
      "but by then it can only have held 2",
    ops: history.slice(0, 6),
    about: 5,
  }]);
});

Deno.test("checkLinearizable() reports a value that was never written", () => {
  const result = checkLinearizable(handmade(
    [0, "invoke", "read", ["a", null]],
    [0, "ok", "read", ["a", 9]],
  ));
  assertEquals(
    result.findings?.[0]?.what,
    'Process 0 on n0 read 9 from key "a" (from 0.000 s to 0.001 s), but no operation had written 9',
  );
});

Deno.test("checkLinearizable() tells of a cas that found what was not there", () => {
  const result = checkLinearizable(handmade(
    [0, "invoke", "write", [0, 1]],
    [1, "invoke", "write", [0, 2]],
    [0, "ok", "write", [0, 1]],
    [1, "ok", "write", [0, 2]],
    [2, "invoke", "cas", [0, [null, 3]]],
    [2, "ok", "cas", [0, [null, 3]]],
  ));
  assertEquals(result.valid, false);
  assertEquals(
    result.findings?.[0]?.what,
    "Process 2 on n2 changed key 0 from null to 3 (from 0.004 s to 0.005 s), " +
      "but no operation had written null",
  );
});

Deno.test("checkLinearizable() tells of a value whose write had failed", () => {
  const history = handmade(
    [0, "invoke", "write", [0, 1]],
    [0, "fail", "write", [0, 1], { error: { code: 11, text: "no leader" } }],
    [1, "invoke", "read", [0, null]],
    [1, "ok", "read", [0, 1]],
  );
  const [finding] = checkLinearizable(history).findings ?? [];
  assertEquals(
    finding?.what,
    "Process 1 on n1 read 1 from key 0 (from 0.002 s to 0.003 s), " +
      "but the write of 1 had ended with a definite error",
  );
  assertEquals(finding?.ops, history);
});

/** Verdicts on one key, row by row: what the history is, and what it should be called. */
const verdicts: { name: string; valid: boolean; rows: Row[] }[] = [
  {
    name: "a read of null at any time",
    valid: true,
    rows: [
      [0, "invoke", "write", [0, 1]],
      [0, "ok", "write", [0, 1]],
      [0, "invoke", "read", [0, null]],
      [0, "ok", "read", [0, null]],
    ],
  },
  {
    name: "a cas from null at the start",
    valid: true,
    rows: [[0, "invoke", "cas", [0, [null, 1]]], [0, "ok", "cas", [0, [null, 1]]]],
  },
  {
    name: "two reads that see concurrent writes in one order",
    valid: true,
    rows: [
      [0, "invoke", "write", [0, 1]],
      [1, "invoke", "write", [0, 2]],
      [2, "invoke", "read", [0, null]],
      [2, "ok", "read", [0, 2]],
      [2, "invoke", "read", [0, null]],
      [2, "ok", "read", [0, 1]],
      [0, "ok", "write", [0, 1]],
      [1, "ok", "write", [0, 2]],
    ],
  },
  {
    name: "three reads that see two writes back and forth",
    valid: false,
    rows: [
      [0, "invoke", "write", [0, 1]],
      [1, "invoke", "write", [0, 2]],
      [2, "invoke", "read", [0, null]],
      [2, "ok", "read", [0, 2]],
      [2, "invoke", "read", [0, null]],
      [2, "ok", "read", [0, 1]],
      [2, "invoke", "read", [0, null]],
      [2, "ok", "read", [0, 2]],
      [0, "ok", "write", [0, 1]],
      [1, "ok", "write", [0, 2]],
    ],
  },
  {
    name: "an unknown write that shows up late",
    valid: true,
    rows: [
      [0, "invoke", "write", [0, 1]],
      [0, "info", "write", [0, 1]],
      [1, "invoke", "write", [0, 2]],
      [1, "ok", "write", [0, 2]],
      [1, "invoke", "read", [0, null]],
      [1, "ok", "read", [0, 1]],
    ],
  },
  {
    name: "an unknown write that shows up before it was invoked",
    valid: false,
    rows: [
      [1, "invoke", "read", [0, null]],
      [1, "ok", "read", [0, 1]],
      [0, "invoke", "write", [0, 1]],
      [0, "info", "write", [0, 1]],
    ],
  },
  {
    name: "an unknown write that takes effect twice",
    valid: false,
    rows: [
      [0, "invoke", "write", [0, 1]],
      [0, "info", "write", [0, 1]],
      [1, "invoke", "read", [0, null]],
      [1, "ok", "read", [0, 1]],
      [1, "invoke", "write", [0, 2]],
      [1, "ok", "write", [0, 2]],
      [1, "invoke", "read", [0, null]],
      [1, "ok", "read", [0, 1]],
    ],
  },
  {
    name: "a write still open at the end, seen",
    valid: true,
    rows: [
      [0, "invoke", "write", [0, 1]],
      [1, "invoke", "read", [0, null]],
      [1, "ok", "read", [0, 1]],
    ],
  },
  {
    name: "a failed write, seen",
    valid: false,
    rows: [
      [0, "invoke", "write", [0, 1]],
      [0, "fail", "write", [0, 1]],
      [1, "invoke", "read", [0, null]],
      [1, "ok", "read", [0, 1]],
    ],
  },
  {
    name: "a chain of unknown cas behind an unknown write",
    valid: true,
    rows: [
      [0, "invoke", "cas", [0, [2, 3]]],
      [0, "info", "cas", [0, [2, 3]]],
      [1, "invoke", "cas", [0, [1, 2]]],
      [1, "info", "cas", [0, [1, 2]]],
      [2, "invoke", "write", [0, 1]],
      [2, "info", "write", [0, 1]],
      [3, "invoke", "read", [0, null]],
      [3, "ok", "read", [0, 3]],
    ],
  },
  {
    name: "a chain of unknown cas with a link missing",
    valid: false,
    rows: [
      [0, "invoke", "cas", [0, [2, 3]]],
      [0, "info", "cas", [0, [2, 3]]],
      [2, "invoke", "write", [0, 1]],
      [2, "info", "write", [0, 1]],
      [3, "invoke", "read", [0, null]],
      [3, "ok", "read", [0, 3]],
    ],
  },
  {
    name: "an unknown write that one order uses up and another saves for later",
    valid: true,
    rows: [
      [0, "invoke", "write", [0, 1]],
      [0, "ok", "write", [0, 1]],
      [1, "invoke", "write", [0, 2]],
      [2, "invoke", "cas", [0, [1, 2]]],
      [3, "invoke", "write", [0, 1]],
      [3, "info", "write", [0, 1]],
      [1, "ok", "write", [0, 2]],
      [2, "ok", "cas", [0, [1, 2]]],
      [4, "invoke", "read", [0, null]],
      [4, "ok", "read", [0, 1]],
    ],
  },
  {
    name: "an unknown read, whatever it may have seen",
    valid: true,
    rows: [[0, "invoke", "read", [0, null]], [0, "info", "read", [0, 7]]],
  },
  {
    name: "objects equal but for the order of their keys",
    valid: true,
    rows: [
      [0, "invoke", "write", [0, { a: 1, b: [2] }]],
      [0, "ok", "write", [0, { a: 1, b: [2] }]],
      [0, "invoke", "read", [0, null]],
      [0, "ok", "read", [0, { b: [2], a: 1 }]],
    ],
  },
  {
    name: "3.0 where 3 was written",
    valid: false,
    rows: [
      [0, "invoke", "write", [0, 3]],
      [0, "ok", "write", [0, 3]],
      [0, "invoke", "read", [0, null]],
      [0, "ok", "read", parseJson("[0, 3.0]")],
    ],
  },
];

for (const { name, valid, rows } of verdicts) {
  Deno.test(`checkLinearizable() says ${valid} to ${name}`, () => {
    const result = checkLinearizable(handmade(...rows));
    assertEquals(result.valid, valid);
    assertEquals(result.findings?.length, valid ? undefined : 1);
  });
}

Deno.test("checkLinearizable() keeps keys apart, and 1 from its text", () => {
  const result = checkLinearizable(handmade(
    [0, "invoke", "write", [1, 5]],
    [0, "ok", "write", [1, 5]],
    [0, "invoke", "read", ["1", null]],
    [0, "ok", "read", ["1", 5]],
  ));
  assertEquals(result.failures, ["1"]);
  assertEquals(Object.keys(result.results), ["1", '"1"']);
});

Deno.test("checkLinearizable() says what unknown operations could have left", () => {
  const result = checkLinearizable(handmade(
    [0, "invoke", "write", [0, 1]],
    [0, "ok", "write", [0, 1]],
    [1, "invoke", "cas", [0, [1, 2]]],
    [1, "info", "cas", [0, [1, 2]]],
    [2, "invoke", "cas", [0, [2, 3]]],
    [2, "ok", "cas", [0, [2, 3]]],
    [0, "invoke", "read", [0, null]],
    [0, "ok", "read", [0, 1]],
  ));
  assertEquals(
    result.findings?.[0]?.what,
    "Process 0 on n0 read 1 from key 0 (from 0.006 s to 0.007 s), but by then it can only have held 3",
  );
});

Deno.test("checkLinearizable() gives no verdict where it cannot make out an operation", () => {
  for (
    const odd of [
      [[0, "invoke", "read", 5], [0, "ok", "read", [0, 1]]],
      [[0, "invoke", "read", [0, null]], [0, "ok", "read", "x"]],
      [[0, "invoke", "read", [0, null]], [0, "ok", "read", [1, null]]],
      [[0, "invoke", "cas", [0, 3]], [0, "ok", "cas", [0, 3]]],
      [[0, "invoke", "delete", [0, 3]], [0, "ok", "delete", [0, 3]]],
    ] as Row[][]
  ) {
    const result = checkLinearizable(handmade(...odd));
    assertEquals(result.valid, "unknown");
    assertEquals(result.findings?.[0]?.anomaly, "unreadable-operation");
    assertStringIncludes(result.warnings?.[0] ?? "", "makes no sense");
  }
});

Deno.test("checkLinearizable() gives up at its bound and says so", () => {
  const rows: Row[] = [];
  for (let p = 0; p < 12; p++) rows.push([p, "invoke", "write", [0, p]]);
  for (let p = 0; p < 12; p++) rows.push([p, "ok", "write", [0, p]]);
  rows.push([0, "invoke", "read", [0, null]], [0, "ok", "read", [0, 99]]);
  const result = checkLinearizable(handmade(...rows), { maxSteps: 100 });
  assertEquals(result.valid, "unknown");
  assertEquals(result.findings?.[0]?.anomaly, "search-limit");
  assertEquals(checkLinearizable(handmade(...rows)).valid, false);
});

Deno.test("checkLinearizable() warns of a key that was missing after it held a value", () => {
  const missing = { error: { code: 20, text: "not found" } };
  const write = (key: number, value: Json, type: OpType = "ok"): Row[] => [
    [0, "invoke", "write", [key, value]],
    [0, type, "write", [key, value]],
  ];
  const read = (key: number, value: Json): Row[] => [
    [1, "invoke", "read", [key, null]],
    [1, "ok", "read", [key, value]],
  ];
  const notFound = (f: string, value: Json): Row[] => [
    [2, "invoke", f, value],
    [2, "fail", f, value, missing],
  ];
  const warningsOf = (...rows: Row[]) => {
    const { valid, warnings } = checkLinearizable(handmade(...rows));
    assertEquals(valid, true);
    return warnings;
  };
  assertEquals(warningsOf(...write(7, 3, "info"), ...read(7, 3), ...notFound("read", [7, null])), [
    "Key that was missing after it held a value, which Maelstrom overlooks: key 7 held a value at " +
    "the read by process 1 on n1 at 0.003 s, but was missing at the read by process 2 on n2 at " +
    "0.004 s",
  ]);
  for (
    const rows of [
      [...write(7, 3), ...notFound("cas", [7, [3, 4]])],
      [...write(7, 3), ...read(7, null)],
      [...write(7, 3), ["nemesis", "info", "start-partition"] as Row, ...read(7, null)],
    ]
  ) assertEquals(warningsOf(...rows)?.length, 1);
  for (
    const rows of [
      [...write(7, 3, "info"), ...read(7, null)],
      [...notFound("read", [7, null]), ...write(7, 3)],
      [...write(7, 3), ...notFound("read", [8, null])],
      [...write(7, 3), ["nemesis", "info", "start-kill"] as Row, ...read(7, null)],
      [...write(7, 3), ...write(7, null), ...read(7, null)],
      [
        [2, "invoke", "read", [7, null]] as Row,
        ...write(7, 3),
        [2, "fail", "read", [7, null], missing] as Row,
      ],
    ]
  ) assertEquals(warningsOf(...rows), undefined);
});

Deno.test("checkLinearizable() takes values without keys for one register", () => {
  const rows: Row[] = [
    [0, "invoke", "write", 3],
    [0, "ok", "write", 3],
    [1, "invoke", "cas", [3, 4]],
    [1, "ok", "cas", [3, 4]],
    [2, "invoke", "read", null],
  ];
  assertEquals(checkLinearizable(handmade(...rows, [2, "ok", "read", 4])).valid, true);
  const { valid, findings } = checkLinearizable(handmade(...rows, [2, "ok", "read", 3]));
  assertEquals(valid, false);
  assertStringIncludes(findings?.[0]?.what ?? "", 'read 3 from key "register"');
});
