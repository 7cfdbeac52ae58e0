import { assertEquals, assertStringIncludes } from "@std/assert";
import { Network } from "./network.ts";
import {
  type ProtocolError,
  ProtocolErrors,
  readOutputLine,
  RecentLines,
  Stdout,
} from "./protocol.ts";
import { seededRandom } from "./random.ts";
import { VirtualClock } from "./virtual_clock.ts";

Deno.test("a message is read, with or without an id, in any order", () => {
  const message = { src: "n1", dest: "c1", body: { type: "x" } };
  assertEquals(readOutputLine('{"src":"n1","dest":"c1","body":{"type":"x"}}'), message);
  assertEquals(
    readOutputLine(
      ' { "body": {"type":"x"}, "id": 12345678901234567890, "dest": "c1", "src": "n1" } \r',
    ),
    message,
  );
});

Deno.test("what is no message is said in words", () => {
  const cases: readonly (readonly [line: string, why: string])[] = [
    ["", "the line is blank"],
    ['\ufeff{"src":"n1","dest":"c1","body":{}}', "the line is not JSON"],
    ["  \t", "the line is blank"],
    ["Hello", "the line is not JSON"],
    ['{"src":"n1"', "the line is not JSON"],
    ["[1]", "no object"],
    ["1.0", "no object"],
    ["null", "no object"],
    ['{"dest":"c1","body":{}}', "src must be a string"],
    ['{"src":1,"dest":"c1","body":{}}', "src must be a string"],
    ['{"src":"n1","dest":null,"body":{}}', "dest must be a string"],
    ['{"src":"n1","dest":"c1"}', "body must be an object"],
    ['{"src":"n1","dest":"c1","body":[]}', "body must be an object"],
    ['{"src":"n1","dest":"c1","body":1.0}', "body must be an object"],
    ['{"src":"n1","dest":"c1","body":{},"id":"7"}', "id must be an integer"],
    ['{"src":"n1","dest":"c1","body":{},"id":1.5}', "id must be an integer"],
    ['{"src":"n1","dest":"c1","body":{},"trace":1}', 'the key "trace" does not belong there'],
  ];
  for (const [line, why] of cases) {
    const problem = readOutputLine(line);
    assertStringIncludes(typeof problem === "string" ? problem : "no problem", why);
  }
});

Deno.test("of a log the last 32 lines are kept, in order", () => {
  const recent = new RecentLines();
  assertEquals(recent.lines, []);
  for (let line = 0; line < 32; line++) recent.add(`${line}`);
  assertEquals(recent.lines.length, 32);
  for (let line = 32; line < 100; line++) recent.add(`${line}`);
  assertEquals(recent.lines, Array.from({ length: 32 }, (_, index) => `${68 + index}`));
});

Deno.test("of a long line the beginning is kept", () => {
  const recent = new RecentLines();
  recent.add("x".repeat(50_000_000));
  assertEquals(recent.lines, [`${"x".repeat(1000)}... (50000000 characters)`]);
});

/** The standard output of `n1` beside `n2` and a client `c0` that has gone. */
function listening(strictMaelstrom: boolean) {
  const clock = new VirtualClock();
  const network = new Network({
    clock,
    latency: { meanMs: 0, distribution: "constant" },
    random: (part) => seededRandom(1, part),
  });
  const got: string[] = [];
  const errors: ProtocolError[] = [];
  const late: string[] = [];
  const foreign: string[] = [];
  for (const name of ["n1", "n2"]) network.open(name, (packet) => got.push(packet.toLine()));
  network.open("c0", () => {});
  network.close("c0");
  const stdout = new Stdout({
    node: "n1",
    network,
    strictMaelstrom,
    onError: (error) => errors.push(error),
    onLateReply: (node, client) => late.push(`${node} to ${client}`),
    onForeignSource: (node, src) => foreign.push(`${node} as ${src}`),
  });
  const settle = () => {
    while (clock.step());
    return { got, errors, late, foreign, stdout };
  };
  return { stdout, settle };
}

const line = (src: string, dest: string) =>
  JSON.stringify({ src, dest, body: { type: "x", n: 1 } });

Deno.test("a line goes out as the same message on both ways in", () => {
  for (const way of ["accept", "acceptOwn"] as const) {
    const { stdout, settle } = listening(false);
    stdout[way](line("n1", "n2"));
    const { got, errors } = settle();
    assertEquals(got, ['{"id":0,"src":"n1","dest":"n2","body":{"type":"x","n":1}}']);
    assertEquals(errors, []);
  }
});

Deno.test("what is no line of our own is read with care", () => {
  const lines = [
    '{"src":"n1","dest":"n2","body":7}',
    '{"src":"n1","dest":"n\\u0032","body":{"type":"x"}}',
    '{"dest":"n2","src":"n1","body":{"type":"x"}}',
    "garbage",
    "",
    '{"src":"n1","dest":"',
  ];
  const expected = [["body must be an object"], 1, 1, ["the line is not JSON"], [
    "the line is blank",
  ], [
    "the line is not JSON",
  ]];
  const found = lines.map((text) => {
    const { stdout, settle } = listening(false);
    stdout.acceptOwn(text);
    const { got, errors } = settle();
    return errors.length === 0 ? got.length : errors.map(({ why }) => why.split(" (")[0]);
  });
  assertEquals(found, expected);
});

Deno.test("after a protocol error nothing more gets out, and the error has the line's number", () => {
  const { stdout, settle } = listening(false);
  stdout.accept(line("n1", "n2"));
  stdout.accept("oops");
  stdout.accept(line("n1", "n2"));
  stdout.acceptOwn(line("n1", "n2"));
  const { got, errors } = settle();
  assertEquals([got.length, stdout.muted, stdout.lineNumber], [1, true, 2]);
  assertEquals(errors.map(({ node, line, lineNumber }) => [node, line, lineNumber]), [[
    "n1",
    "oops",
    2,
  ]]);
});

Deno.test("a node may write in another's name, as under Maelstrom, if there is such an endpoint", () => {
  for (const strict of [false, true]) {
    const { stdout, settle } = listening(strict);
    stdout.accept(line("n2", "n1"));
    const { got, errors, foreign } = settle();
    assertEquals([got.length, errors.length, foreign], [1, 0, ["n1 as n2"]]);
    stdout.accept(line("n3", "n1"));
    assertEquals(settle().errors.length, 1);
  }
});

Deno.test("late replies and messages in another's name are warned of once a node", () => {
  const errors = new ProtocolErrors({});
  errors.addForeignSource("n1", "c4");
  errors.addForeignSource("n1", "c5");
  errors.addForeignSource("n2", "c6");
  errors.addLateReply("n1", "c2");
  const [late, ...foreign] = errors.warnings;
  assertStringIncludes(
    late ?? "",
    "a message to clients that were gone, or in their name (the first is c2)",
  );
  assertEquals(foreign.map((warning) => warning.slice(0, 72)), [
    "Node n1 sent 2 messages with another's name as src (the first with c4), ",
    "Node n2 sent a message with another's name as src (the first with c6), w",
  ]);
});

Deno.test("a reply to a client that has gone is late, one to a client that never was a protocol error", () => {
  for (const strict of [false, true]) {
    const { stdout, settle } = listening(strict);
    stdout.accept(line("n1", "c0"));
    assertEquals([settle().late, stdout.muted], [["n1 to c0"], strict]);
    stdout.accept(line("c0", "n2"));
    assertEquals(settle().late.length, strict ? 1 : 2);
    stdout.accept(line("n1", "c99"));
    const { errors } = settle();
    assertEquals(errors.length, strict ? 0 : 1);
    for (const { expected } of errors) assertStringIncludes(expected, "a service (lin-kv, ");
  }
});

Deno.test("a line that nests too deeply breaks the protocol", () => {
  const line = (levels: number, value = "1") =>
    `{"src":"n1","dest":"c1","body":{"type":"x","a":${"[".repeat(levels)}${value}${
      "]".repeat(levels)
    }}}`;
  assertEquals(typeof readOutputLine(line(200)), "object");
  for (const levels of [300, 100_000]) {
    for (const value of ["1", "1.0"]) {
      assertEquals(readOutputLine(line(levels, value)), "the line is nested too deeply");
    }
  }
});
