import { assertEquals, assertStringIncludes } from "@std/assert";
import { projectPath } from "../scripts/support.ts";

async function run(script: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", projectPath(script), ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test({
  name: "a profile and a flame graph of runs land in the folder that is named",
  ignore: Deno.build.os !== "linux", // It reads /proc.
  async fn() {
    const folder = await Deno.makeTempDir();
    const options = ["--seeds", "1", "--output", `${folder}/new`];
    const line = ["-w", "echo", "--time-limit", "1"];
    const { code, stdout, stderr } = await run("lab/profile.ts", ...options, "--", ...line);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "A seed took ");
    const names = await Array.fromAsync(Deno.readDir(`${folder}/new`), ({ name }) => name);
    for (const name of names) assertStringIncludes(stdout, `Wrote ${folder}/new/${name}\n`);
    const kinds = names.map((name) => name.split(".").at(-1)).sort();
    assertEquals(kinds, ["cpuprofile", "svg"]);
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("what cannot be profiled, run or checked is one sentence", async () => {
  const order = 'Cannot use "{}" as what to run: expected one argument such as \'{"line":';
  for (
    const [[script = "", ...args], message] of [
      [["lab/profile.ts", "--", "-w", "nothing"], 'Cannot use "nothing" for --workload'],
      [["lab/profile.ts", "--", "lin-kv"], 'Unexpected argument "lin-kv"'],
      [["lab/profile.ts", "--seeds", "0"], 'Cannot use "0" for --seeds'],
      [["lab/bench_workbench/run_one.ts", "{}"], order],
      [["lab/bench_workbench/check_one.ts", "odd", "file"], 'Cannot check "odd file": expected a'],
    ] as const
  ) {
    const { code, stdout, stderr } = await run(script, ...args);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.trim().split("\n").length, 1);
  }
});

Deno.test({
  name: "a history of any length is on the disk, whole, when it is checked",
  ignore: Deno.build.os !== "linux", // It reads /proc.
  async fn() {
    const options = ["--operations", "100", "--only", "g-set,kafka"];
    const { code, stdout, stderr } = await run("lab/bench_check.ts", ...options);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "kafka  0 MiB");
  },
});
