import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { projectPath } from "../scripts/support.ts";

async function bench(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", projectPath("lab/bench.ts"), ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const ignore = Deno.build.os !== "linux"; // It reads /proc.

Deno.test({
  name: "the benchmark measures every target in turn, each as often as asked",
  ignore,
  async fn() {
    const { code, stdout, stderr } = await bench(
      ...["--only", "echo,start", "--requests", "1000", "--rounds", "2", "--json"],
      ...["--vs", "other=cat", "--no-peers"],
    );
    // A `cat` that is not known to mirror answers nothing, which must not pass for speed.
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "Reply to no request");

    const right = await bench(
      ...["--only", "echo,start", "--requests", "1000", "--rounds", "2", "--json"],
    );
    assertEquals(right.code, 0);
    const { machine, series } = JSON.parse(right.stdout);
    assert(machine.cores > 0);
    const found = series.map((one: { target: string; figure: { label: string } }) =>
      `${one.target} ${one.figure.label}`
    );
    for (const target of ["cat", "eddy", "naive"]) assert(found.includes(`${target} echo`));
    assert(found.includes("bundled start to init_ok") && !found.includes("bundled echo"));
    for (const { values } of series) assertEquals(values.length, 2);
  },
});

Deno.test({
  name: "the node and the floor answer the requests of every workload",
  ignore,
  async fn() {
    const names = ["unique-ids", "broadcast", "pn-counter", "kafka", "txn-list-append", "lin-kv"];
    const { code, stdout, stderr } = await bench(
      ...["--only", names.join(","), "--requests", "1000", "--rounds", "1", "--json"],
    );
    assertEquals([code, stderr.includes("Wrong reply")], [0, false]);
    const { series } = JSON.parse(stdout);
    for (const name of names) {
      const found = series.filter(({ measurement }: { measurement: string }) =>
        measurement === name
      );
      const targets = new Set(found.map(({ target }: { target: string }) => target));
      assertEquals([...targets], ["eddy", "floor"]);
      for (const { values } of found) assert(values[0] >= 0);
    }
  },
});

Deno.test("the benchmark refuses what it cannot measure", async () => {
  for (
    const [args, message] of [
      [["--vs", "go"], 'Cannot use "go" for --vs: expected a name and a command'],
      [["--only", "speed"], "expected names of echo, unique-ids"],
      [["--rounds", "0"], "expected an integer from 1 to 1000"],
    ] as const
  ) {
    const { code, stderr } = await bench(...args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("the benchmark says what it does, and refuses what it does not know", async () => {
  const [helped, refused] = [await bench("--help"), await bench("--frobnicate")];
  assertEquals([helped.code, refused.code], [0, 2]);
  assertStringIncludes(helped.stdout, "Usage: deno task bench");
  assertStringIncludes(refused.stderr, "Unknown option --frobnicate: accepted are --");
});
