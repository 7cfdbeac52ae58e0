import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { canonical, isJsonObject, isRawNumber, type Json, jsonEqual, parseJson } from "./json.ts";

Deno.test("parseJson gives back every number as it came", () => {
  const text =
    '{"a":[1,1.0,-0,0.1,1e400,9007199254740993,-9007199254740991,1E2,1.5,100],"s":"1.0 -0"}';
  assertEquals(JSON.stringify(parseJson(text)), text);
});

Deno.test("parseJson leaves plain numbers plain", () => {
  assertEquals(parseJson("[1.5, 1e3, 1234567890123456]"), [
    1.5,
    parseJson("1e3"),
    1234567890123456,
  ]);
  assert(!isRawNumber((parseJson("[1.5]") as Json[])[0]));
  assert(isRawNumber(parseJson("1e3")));
});

Deno.test("parseJson keeps __proto__ an ordinary key", () => {
  const value = parseJson('{"__proto__":{"polluted":1.0},"a":1}');
  assertEquals(JSON.stringify(value), '{"__proto__":{"polluted":1.0},"a":1}');
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("parseJson refuses what is no JSON, and what is too deep to walk", () => {
  assertThrows(() => parseJson("{"), SyntaxError);
  assertThrows(() => parseJson("[".repeat(200_000) + "1.0" + "]".repeat(200_000)), RangeError);
});

Deno.test("property: any JSON survives parse and stringify", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const once = JSON.stringify(parseJson(text));
      assertEquals(JSON.stringify(parseJson(once)), once);
      assertEquals(JSON.parse(once), JSON.parse(text));
    }),
    { numRuns: 300 },
  );
});

Deno.test("property: a number stays as it was written, whatever it stands beside", () => {
  const written = fc.oneof(
    fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
    fc.double({ noDefaultInfinity: true, noNaN: true }).map((x) => x.toExponential()),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => x.toFixed(2)),
    fc.bigInt().map(String),
    fc.constantFrom("-0", "-0.0", "-0.5", "0.50", "1E5", "1e-7", "-0e1", "1e999"),
    fc.stringMatching(/^[\d.eE+\-,:[\] ]*$/).map((text) => JSON.stringify(text)),
  );
  fc.assert(fc.property(fc.array(written, { maxLength: 6 }), (numbers) => {
    const text = `{"a":[${numbers.join(",")}],"b":"-1.50"}`;
    assertEquals(JSON.stringify(parseJson(text)), text);
  }));
});

Deno.test("a number is kept wherever it can stand", () => {
  for (const space of ["", " ", "\n", "\t", "\r"]) {
    for (const number of ["1.0", "-0", "-1E2", "0.10", "-12345678901234567890"]) {
      const text = (item: string) => [item, `[${item},[${item}],{"a":${item},"b":${item}}]`];
      const parsed = text(space + number + space).map((each) => JSON.stringify(parseJson(each)));
      assertEquals(parsed, text(number));
    }
  }
});

Deno.test("canonical tells apart what Maelstrom tells apart, and no more", () => {
  const same = [
    ["1.0", "1.00"],
    ["1e2", "100.0"],
    ["1e+300", "1E300"],
    ["-0", "0"],
    ["-0.0", "0.0"],
    ["1.50", "1.5"],
    ['{"a":1,"b":[2]}', '{"b":[2],"a":1}'],
    ["9007199254740993", "9007199254740993"],
  ];
  const different = [
    ["1", "1.0"],
    ["1", '"1"'],
    ["9007199254740993", "9007199254740992"],
    ["null", "0"],
    ["[]", "{}"],
    ["[1,[2]]", "[1,2]"],
    ['{"a":1}', '{"a":1.0}'],
  ];
  for (const [a = "", b = ""] of same) {
    assertEquals(canonical(parseJson(a)), canonical(parseJson(b)), `${a} and ${b}`);
    assert(jsonEqual(parseJson(a), parseJson(b)), `${a} and ${b}`);
  }
  for (const [a = "", b = ""] of different) {
    assert(canonical(parseJson(a)) !== canonical(parseJson(b)), `${a} and ${b}`);
    assert(!jsonEqual(parseJson(a), parseJson(b)), `${a} and ${b}`);
  }
});

Deno.test("isJsonObject is for objects alone", () => {
  assert(isJsonObject({}));
  for (const value of [null, [], 1, "a", parseJson("1.0")]) assert(!isJsonObject(value));
});
