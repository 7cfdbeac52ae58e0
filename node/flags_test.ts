import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describeFlags, integer, number, oneOf, parseFlags, UsageError } from "./flags.ts";

const spec = {
  help: { help: "Say this" },
  workload: {
    help: "What to test",
    value: "W",
    short: "w",
    ...oneOf(["echo", "kafka"]),
    default: "echo",
  },
  rate: { help: "Requests a second", value: "R", ...number(0), default: 5 },
  seed: { help: "A seed", value: "N", ...integer(0, 100) },
  bin: { help: "A program", value: "FILE" },
};

Deno.test("parseFlags reads values, defaults, words and what follows --", () => {
  const args = ["test", "-w", "kafka", "--rate=2.5", "--help", "--", "--rate", "x"];
  const { flags, words, rest } = parseFlags(spec, args);
  assertEquals(flags, {
    help: true,
    workload: "kafka",
    rate: 2.5,
    seed: undefined,
    bin: undefined,
  });
  assertEquals([words, rest], [["test"], ["--rate", "x"]]);
});

Deno.test("parseFlags says what is wrong, with what, and what is accepted", () => {
  const cases: [string[], string][] = [
    [["--rate", "-1"], 'Cannot use "-1" for --rate: expected a number of 0 or more'],
    [["--rate", "x"], 'Cannot use "x" for --rate: expected a number of 0 or more'],
    [["--rate"], 'Cannot use "" for --rate: expected a number of 0 or more'],
    [["--seed", "1.5"], 'Cannot use "1.5" for --seed: expected an integer from 0 to 100'],
    [["--seed", "101"], 'Cannot use "101" for --seed: expected an integer from 0 to 100'],
    [["--workload", "x"], 'Cannot use "x" for --workload: expected one of echo, kafka'],
    [["--bin", ""], 'Cannot use "" for --bin: expected a value'],
    [["--nope=1"], "Unknown option --nope: accepted are --help, --workload, --rate"],
    [["-x"], "Unknown option -x"],
    [["--wrokload", "echo"], "Unknown option --wrokload (did you mean --workload?): accepted are"],
    [["--rte=1"], "Unknown option --rte (did you mean --rate?): accepted are"],
    [["-w", "ehco"], 'Cannot use "ehco" for --workload (did you mean echo?): expected one of'],
    [["--rate", "1e999"], 'Cannot use "1e999" for --rate'],
    [["--seed", "1e3"], 'Cannot use "1e3" for --seed: expected an integer from 0 to 100'],
    [["--help=no"], 'Cannot use "no" for --help: it takes no value'],
  ];
  for (const [args, message] of cases) {
    assertThrows(() => parseFlags(spec, args), UsageError, message);
  }
  const ofProgram = () => parseFlags(spec, ["--data"], "the program's own");
  assertThrows(ofProgram, UsageError, "--seed, --bin, and after -- the program's own");
});

Deno.test("numbers may have an exponent, as under Maelstrom", () => {
  const { rate, seed } = parseFlags(spec, ["--rate", "1e6", "--seed", "1e2"]).flags;
  assertEquals([rate, seed], [1e6, 100]);
  assertEquals(number(0).parse("2.5E-3"), 0.0025);
});

Deno.test("describeFlags lists every flag with its default", () => {
  const text = describeFlags(spec);
  assertStringIncludes(text, "-w, --workload W");
  assertStringIncludes(text, "--rate R");
  assertStringIncludes(text, "Requests a second (default 5)");
  assertEquals(text.split("\n").length, 5);
  assertEquals(describeFlags({}), "");
});

Deno.test("describeFlags breaks long lines between words, under where they began", () => {
  const text = describeFlags({ a: { help: "word ".repeat(40).trim() } });
  const lines = text.split("\n");
  assertEquals(lines.length, 3);
  for (const line of lines) assertEquals(line.length <= 100, true);
  assertEquals(lines.map((line) => line.indexOf("word")), [7, 7, 7]);
  assertEquals(describeFlags({ a: { help: "word ".repeat(9).trim() } }, 2, 36).split("\n"), [
    "  --a",
    "      word word word word word word",
    "      word word word",
  ]);
});
