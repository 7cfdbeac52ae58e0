import fc from "fast-check";
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type Json, parseJson } from "@eddy/maelstrom";
import { readEdn } from "./edn.ts";

function values(edn: string): string[] {
  return [...readEdn(edn)].map(({ value }) => JSON.stringify(value));
}

Deno.test("every kind of form has its JSON", () => {
  const cases: [string, string][] = [
    ["nil", "null"],
    ["true", "true"],
    [":ok", '"ok"'],
    [":jepsen.net/drop", '"jepsen.net/drop"'],
    ["clojure.core$inc", '"clojure.core$inc"'],
    [String.raw`"a\"b\\c\ndé\u0041"`, JSON.stringify('a"b\\c\ndéA')],
    [
      String.raw`(\a \newline \{ \" \\ \u0041 \o101)`,
      JSON.stringify(["a", "\n", "{", '"', "\\", "A", "A"]),
    ],
    ["(1 2)", "[1,2]"],
    ["(#{})", "[[]]"],
    ["#{1 2}", "[1,2]"],
    ["{3 4, :a 1, b 2, [1 :x] 5}", '{"3":4,"a":1,"b":2,"[1,\\"x\\"]":5}'],
    ['{"1" [[0 1]]}', '{"1":[[0,1]]}'],
    ["{:__proto__ 1}", '{"__proto__":1}'],
    ["#jepsen.independent.Tuple [1 2]", "[1,2]"],
    ["#jepsen.history.Op{:f :read}", '{"f":"read"}'],
    ['#inst "2025-01-01"', '"2025-01-01"'],
    ['#error {:cause "Oops"}', '{"cause":"Oops"}'],
    ["{:a #_ 5 6}", '{"a":6}'],
    ["{:a ; why\n6}", '{"a":6}'],
    ["{:a 5;why\n}", '{"a":5}'],
  ];
  for (const [edn, json] of cases) {
    // The braces keep a vector or list from being taken for one around everything.
    assertEquals(values(`{:x ${edn}}`), [`{"x":${json}}`], edn);
  }
});

Deno.test("numbers keep what a double would lose", () => {
  const edn = "{:x [3 3.0 -0.0 9007199254740993 12N 1.5M 1.0E10 1/2 ##Inf +7 -8]}";
  assertEquals(values(edn), [
    '{"x":[3,3.0,-0.0,9007199254740993,12,1.5,1.0E10,"1/2","##Inf",7,-8]}',
  ]);
});

Deno.test("a form is named by the line it begins at, whatever surrounds it", () => {
  const lines = (edn: string) => [...readEdn(edn)].map(({ line }) => line);
  assertEquals(lines("{:a 1}\n\n{:b\n 2} {:c 3}\r\n"), [1, 3, 4]);
  assertEquals(lines('; first\n[{:a "x\ny"}\n {:b 2}]\n'), [2, 4]);
  assertEquals(lines(""), []);
  assertEquals(lines("[]"), []);
});

Deno.test("what is no EDN is refused with its line", () => {
  const cases: [string, RegExp][] = [
    ["{:a 1}\n{:b [1}", /line 2: "}" stands where "]" should/],
    ["{:a 1}\n}", /line 2: "}" stands where no bracket should/],
    ["{:a 1}\n{:b\n1", /line 2: it ends before a "}"/],
    ["\n[{:a 1}", /line 2: it ends before a "]"/],
    ['{:a 1}\n{:b "x\\"}', /line 2: a string has no end/],
    ["{:a 1}\n#tag", /line 2: a tag stands before nothing/],
    ['{:a "\\q"}', /line 1: Unexpected escape/],
    ["[".repeat(1000), /line 1: it nests deeper than 256/],
  ];
  for (const [edn, message] of cases) {
    const { message: found } = assertThrows(() => [...readEdn(edn)], SyntaxError);
    assertMatch(found, message);
  }
});

function toEdn(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(toEdn).join(" ")}]`;
  if (value === null) return "nil";
  if (typeof value !== "object" || "rawJSON" in value) return JSON.stringify(value);
  const entries = Object.entries(value);
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)} ${toEdn(inner)}`).join(", ")}}`;
}

Deno.test("any JSON written as EDN reads back the same", () => {
  const text = fc.json({ maxDepth: 4 });
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      const forms = texts.map((one) => ({ x: parseJson(one) }));
      const read = [...readEdn(forms.map(toEdn).join("\n"))].map(({ value }) => value);
      assertEquals(JSON.stringify(read), JSON.stringify(forms));
    }),
    { numRuns: 200 },
  );
});

Deno.test("junk is read or refused, nothing else", () => {
  const pieces = fc.constantFrom(...'[]{}()#\\":;,_ \n1.5NM/a', "#_", "#{", "##Inf", "\\newline");
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (junk) => {
      try {
        for (const { value } of readEdn(junk.join(""))) JSON.stringify(value);
      } catch (error) {
        assertMatch(String(error), /^SyntaxError: Cannot parse line \d+: /);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("errors name the column", () => {
  const cases: [string, string][] = [
    ["{:a 1}\n{:b [1}", 'Cannot parse line 2: "}" stands where "]" should, at column 7'],
    ['{:a\n "\\q"}', "Cannot parse line 2: Unexpected escape \\q, at column 3"],
    ["{:a #_}", "Cannot parse line 1: #_ stands before nothing, at column 5"],
    ["{:a\n\n}", "Cannot parse line 1: a key of a map has no value, at column 1"],
    ["{:a \\foo}", 'Cannot parse line 1: "\\foo" is no character, at column 5'],
    ["{:a # b}", "Cannot parse line 1: a tag has no name, at column 5"],
    [`{:a ${"#_ ".repeat(300)}`, "Cannot parse line 1: it nests deeper than 256, at column 770"],
  ];
  for (const [edn, message] of cases) {
    assertEquals(assertThrows(() => [...readEdn(edn)], SyntaxError).message, message);
  }
});

/** An EDN text, and the JSON text that it is read as. */
type Pair = readonly [edn: string, json: string];

const name = fc.stringMatching(/^[a-z*!_?$%&=<>][\w*!?$%&=<>.'#-]{0,8}$/)
  .filter((text) => !["nil", "true", "false"].includes(text));
const integer = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }).map(String);
const double = fc.tuple(integer, fc.stringMatching(/^\.\d{1,4}([eE][-+]?\d{1,2})?$/))
  .map((parts) => parts.join(""));
const inString: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\t": "\\t" };

const atom: fc.Arbitrary<Pair> = fc.oneof(
  fc.constantFrom<Pair[]>(["nil", "null"], ["true", "true"], ["false", "false"]),
  fc.constantFrom("##Inf", "##-Inf", "##NaN").map((text): Pair => [text, `"${text}"`]),
  name.map((text): Pair => [text, JSON.stringify(text)]),
  fc.tuple(name, name).map((parts): Pair => [`:${parts.join("/")}`, `"${parts.join("/")}"`]),
  fc.tuple(integer, fc.constantFrom("", "N")).map(([text, end]): Pair => [text + end, text]),
  fc.tuple(double, fc.constantFrom("", "M")).map(([text, end]): Pair => [text + end, text]),
  fc.tuple(integer, fc.integer({ min: 2 })).map((
    [above, below],
  ): Pair => [`${above}/${below}`, `"${above}/${below}"`]),
  // Jepsen leaves line ends and all else in a string as they are.
  fc.string({ unit: "binary" }).map((text): Pair => [
    `"${text.replace(/[\\"\t]/g, (char) => inString[char] ?? "")}"`,
    JSON.stringify(text),
  ]),
  fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 1 }).filter((text) => text !== " ")
    .map((text): Pair => [`\\${text}`, JSON.stringify(text)]),
  fc.integer({ min: 0, max: 0xd7ff }).map((code): Pair => [
    `\\u${code.toString(16).padStart(4, "0")}`,
    JSON.stringify(String.fromCharCode(code)),
  ]),
);

/** What may stand between two forms. */
const between = fc.constantFrom(
  " ",
  ", ",
  "\n",
  "\r\n\t",
  " ; why ]}\n",
  " #_ [1 {:a 2}] ",
  " #_#_ 1 2 ",
);

const { form } = fc.letrec<{ form: Pair; inner: Pair; items: Pair[] }>((tie) => ({
  items: fc.array(tie("form"), { maxLength: 4 }),
  form: fc.oneof({ maxDepth: 4 }, atom, tie("inner")),
  inner: fc.oneof(
    fc.tuple(tie("items"), between, fc.constantFrom("[]", "()", "#{}")).map(
      ([items, gap, brackets]): Pair => [
        brackets.slice(0, -1) + items.map(([edn]) => edn).join(gap) + gap + brackets.slice(-1),
        `[${items.map(([, json]) => json).join(",")}]`,
      ],
    ),
    fc.tuple(tie("items"), between).map(([items, gap]): Pair => [
      `{${items.map(([edn], i) => `:k${i}${gap}${edn}`).join(gap)}${gap}}`,
      `{${items.map(([, json], i) => `"k${i}":${json}`).join(",")}}`,
    ]),
    fc.tuple(name.filter((tag) => !tag.startsWith("_")), between, tie("form")).map((
      [tag, gap, [edn, json]],
    ): Pair => [
      `#${tag}${gap}${edn}`,
      json,
    ]),
  ),
}));

Deno.test("any EDN is read as what it was written from", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(form, between)), (forms) => {
      // A map at the beginning keeps a vector from being taken for one around everything.
      const text = "{} " + forms.map(([[edn], gap]) => edn + gap).join("");
      const expected = ["{}", ...forms.map(([[, json]]) => JSON.stringify(parseJson(json)))];
      assertEquals(values(text), expected);
    }),
    { numRuns: 1000 },
  );
});
