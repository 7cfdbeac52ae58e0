import { assertEquals, assertMatch } from "@std/assert";
import { defaultOptions } from "./options.ts";
import { runProgram } from "./run_program.ts";

/** What a node of one run is started with, and the next run's. */
async function argumentsOf(...args: string[]): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "eddy-test-" });
  try {
    const bin = `${folder}/node.sh`;
    await Deno.writeTextFile(bin, `#!/bin/sh\necho "$@" >>'${folder}/args'\n`, { mode: 0o755 });
    const options = defaultOptions("echo", { nodeCount: 1, timeLimitSeconds: 1 });
    for (let run = 0; run < 2; run++) {
      await runProgram({ bin, args }, options); // It ends by itself, and the run is invalid.
    }
    return (await Deno.readTextFile(`${folder}/args`)).trimEnd().split("\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("Eddy's own node is told which run its data belongs to, and nothing else is", async () => {
  const [first = "", second = ""] = await argumentsOf("lin-kv", "--data", "d");
  assertMatch(first, /^lin-kv --data d --run [\da-f-]{36}$/);
  assertMatch(second, /^lin-kv --data d --run [\da-f-]{36}$/);
  assertEquals(first === second, false);
  for (const args of [["lin-kv"], ["lin-kv", "--data=d", "--run=1"], ["serve", "--data", "d"]]) {
    const given = args.join(" ");
    assertEquals(await argumentsOf(...args), [given, given]);
  }
});
