import { assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { projectPath } from "../scripts/support.ts";

/** Starts the measurement, waits for a stage that it names, and interrupts it. */
async function interrupted(stage: string, args: readonly string[], directory: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--config=lab/deno.json", "lab/bench_storage.ts", ...args]
      .concat("--directory", directory),
    cwd: projectPath("."),
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  let said = "";
  let beganMs = NaN;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (!said.endsWith(`${stage}\n`)) continue;
    await delay(100);
    beganMs = performance.now();
    child.kill("SIGINT");
  }
  const { code } = await child.status;
  return { code, tookMs: performance.now() - beganMs };
}

Deno.test("Ctrl-C ends the measurement of the storage at any stage, and leaves no folder", async () => {
  const directory = await Deno.makeTempDir({ prefix: "eddy-test-" });
  try {
    const stages: readonly (readonly [stage: string, args: readonly string[]])[] = [
      ["syncs", ["--syncs", "1000000"]],
      ["start", ["--syncs", "10", "--entries", "10000000"]],
      ["timers", ["--syncs", "10", "--entries", "10"]],
      ["lin-kv", [
        "--syncs",
        "10",
        "--entries",
        "10",
        "--seconds",
        "1",
        "--operations",
        "10000000",
      ]],
    ];
    for (const [stage, args] of stages) {
      const { code, tookMs } = await interrupted(stage, args, directory);
      assertEquals([code, tookMs < 10_000], [130, true], stage);
      assertEquals([...Deno.readDirSync(directory)], [], stage);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
