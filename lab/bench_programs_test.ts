import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { projectPath } from "../scripts/support.ts";

async function bench(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", projectPath("lab/bench_programs.ts"), ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test({
  name: "the benchmark of programs measures each of them in both ways, on one plan",
  ignore: Deno.build.os !== "linux", // It reads /proc.
  async fn() {
    const { code, stdout, stderr } = await bench("--quick", "--json", "--only", ".ts");
    assertEquals(code, 0, stderr);
    const { machine, series } = JSON.parse(stdout);
    assert(machine.cores > 0);
    const values = (measurement: string, target: string): number[] =>
      series.find((one: { measurement: string; target: string }) =>
        one.measurement === measurement && one.target === target
      )?.values ?? [];
    for (const program of ["library.ts", "deno.ts"]) {
      assertEquals(values("messages", program), values("messages", "eddy"));
      for (const each of ["added", "start", "load", "realWall", "realCpu", "realMessages"]) {
        assertEquals(values(each, program).length, 1, `${each} of ${program}`);
      }
      assert((values("realWall", program)[0] ?? 0) >= 1000, "real time lasts as long as it says");
    }
  },
});

Deno.test({
  name: "a program that fails is left out, and all others have figures",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    const [bad, mine] = [`${folder}/bad\x1b[31m.js`, `${folder}/deno.ts`];
    await Deno.writeTextFile(bad, "Deno.exit(3);");
    const quick = ["--quick", "--no-processes", "--only", "deno.ts", "--json"];
    const { code, stdout, stderr } = await bench(...quick, "--bin", bad);
    const same = await bench(...quick, "--bin", mine);
    const missing = await bench(...quick, "--bin", `${folder}/no.js`);
    await Deno.remove(folder, { recursive: true });
    assertEquals(code, 1, stderr);
    const { series, failures, isInterrupted } = JSON.parse(stdout);
    assertEquals(isInterrupted, false);
    assertEquals(failures.length, 1);
    assertStringIncludes(failures[0], "bad\\u001b[31m.js, round 1: Cannot measure ");
    const targets = new Set(series.map(({ target }: { target: string }) => target));
    assertEquals([...targets], ["eddy", "deno.ts"]);
    // Two rows of one name would be added to each other.
    assertEquals([same.code, same.stdout], [2, ""]);
    assertStringIncludes(same.stderr, "expected a file with a name other than eddy, library.ts");
    assertEquals([missing.code, missing.stdout], [1, ""]);
    assertStringIncludes(missing.stderr, `Cannot read ${folder}/no.js`);
  },
});

Deno.test("the benchmark of programs says what it does, and refuses what it does not know", async () => {
  const helped = await bench("--help");
  assertEquals(helped.code, 0);
  assertStringIncludes(helped.stdout, "Usage: deno task bench:programs");
  for (
    const [args, message] of [
      [["--rounds", "0"], "expected an integer from 1 to 1000"],
      [["--only", "xyz"], 'Cannot use "xyz" for --only: expected a part of one of these names: '],
      [["--bin", "echo.py"], "expected the file of a program in TypeScript, JavaScript or WebAss"],
    ] as const
  ) {
    const { code, stderr } = await bench(...args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, message);
  }
});
