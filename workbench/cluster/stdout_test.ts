import { assertEquals, assertStringIncludes } from "@std/assert";
import { SimulatedNetwork } from "../network/network.ts";
import { seededRandom } from "../world/random.ts";
import { VirtualClock } from "../world/virtual_clock.ts";
import type { ProtocolError } from "./protocol_error.ts";
import { Stdout } from "./stdout.ts";

/** The standard output of `n1` beside `n2` and a client `c0` that has gone. */
function listening(strictMaelstrom: boolean) {
  const clock = new VirtualClock();
  const network = new SimulatedNetwork({
    clock,
    latency: { meanMs: 0, distribution: "constant" },
    random: (part) => seededRandom(1, part),
  });
  const got: string[] = [];
  const breaches: ProtocolError[] = [];
  const late: string[] = [];
  for (const name of ["n1", "n2"]) network.open(name, (packet) => got.push(packet.toLine()));
  network.open("c0", () => {});
  network.close("c0");
  const stdout = new Stdout({
    node: "n1",
    network,
    strictMaelstrom,
    onBreach: (error) => breaches.push(error),
    onLateReply: (node, client) => late.push(`${node} to ${client}`),
  });
  const settle = () => {
    while (clock.step());
    return { got, breaches, late, stdout };
  };
  return { stdout, settle };
}

const line = (src: string, dest: string) =>
  JSON.stringify({ src, dest, body: { type: "x", n: 1 } });

Deno.test("a line goes out as the same message on both ways in", () => {
  for (const way of ["accept", "acceptOwn"] as const) {
    const { stdout, settle } = listening(false);
    stdout[way](line("n1", "n2"));
    const { got, breaches } = settle();
    assertEquals(got, ['{"id":0,"src":"n1","dest":"n2","body":{"type":"x","n":1}}']);
    assertEquals(breaches, []);
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
    const { got, breaches } = settle();
    return breaches.length === 0 ? got.length : breaches.map(({ why }) => why.split(" (")[0]);
  });
  assertEquals(found, expected);
});

Deno.test("after a breach nothing more gets out, and the line's number is told", () => {
  const { stdout, settle } = listening(false);
  stdout.accept(line("n1", "n2"));
  stdout.accept("oops");
  stdout.accept(line("n1", "n2"));
  stdout.acceptOwn(line("n1", "n2"));
  const { got, breaches } = settle();
  assertEquals([got.length, stdout.muted, stdout.lineNumber], [1, true, 2]);
  assertEquals(breaches.map(({ node, line, lineNumber }) => [node, line, lineNumber]), [[
    "n1",
    "oops",
    2,
  ]]);
});

Deno.test("only strict Maelstrom lets a node speak in another's name", () => {
  for (const strict of [false, true]) {
    const { stdout, settle } = listening(strict);
    stdout.accept(line("n2", "n1"));
    const { got, breaches } = settle();
    assertEquals([got.length, breaches.length], strict ? [1, 0] : [0, 1]);
    stdout.accept(line("n3", "n1"));
    assertEquals(settle().breaches.length, 1);
  }
});

Deno.test("a reply to a client that has gone is late, one to a client that never was a breach", () => {
  for (const strict of [false, true]) {
    const { stdout, settle } = listening(strict);
    stdout.accept(line("n1", "c0"));
    assertEquals([settle().late, stdout.muted], [["n1 to c0"], strict]);
    stdout.accept(line("n1", "c99"));
    const { breaches } = settle();
    assertEquals(breaches.length, strict ? 0 : 1);
    for (const { expected } of breaches) assertStringIncludes(expected, "a service (lin-kv, ");
  }
});
