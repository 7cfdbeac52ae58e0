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
