import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { inTempDir, workbenchInTurn } from "./testing.ts";

const short = ["--time-limit", "3", "--rate", "20", "--node-count", "3", "--latency", "10"];

Deno.test("diff: programs and options in the same run, and where they part", async () => {
  await inTempDir(async (dir) => {
    const [nodes, options, same, json] = await workbenchInTurn([
      ["diff", "-w", "lin-kv", ...short, "eddy", "mutant:keeps-registers-of-its-own"],
      ["diff", "-w", "broadcast", ...short, "max-latency=0", "max-latency=300"],
      ["diff", "-w", "echo", ...short, "--nemesis", "partition", "eddy", "eddy"],
      ["diff", "-w", "lin-kv", ...short, "latency=10", "latency=40", "--json"],
    ], dir);
    assertEquals([nodes, options, same, json].map((ran) => ran?.code), [1, 1, 0, 1]);
    const { stdout = "" } = nodes ?? {};
    assertMatch(stdout, /^figure +eddy +mutant:keeps-registers-of-its-own\n/);
    assertMatch(stdout, /^verdict +valid +INVALID$/m);
    assertMatch(stdout, /^operations +(\d+) +\1$/m);
    assertMatch(stdout, /^mutant:keeps-registers-of-its-own: nonlinearizable: /m);
    assertMatch(stdout, /^They part after \d+ events of the network:\n {2}eddy: .*request_vote/m);
    assertMatch(
      stdout,
      /^The first event of the histories that is another:\n {2}eddy: \{"index":/m,
    );
    assertMatch(options?.stdout ?? "", /^msgs\/op +\d/m);
    assertStringIncludes(same?.stdout ?? "", "Both do the same: not one message differs.\n");
    const { names, parting, figures } = JSON.parse(json?.stdout ?? "");
    assertEquals(names, ["latency=10", "latency=40"]);
    assertEquals(typeof parting.common, "number");
    assertEquals(figures.verdict, ["valid", "valid"]);
  });
});

Deno.test("diff: what cannot be compared is refused in a sentence", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "node.sh"), "#!/bin/sh\ncat\n", { mode: 0o755 });
    const ran = await workbenchInTurn([
      ["diff", "-w", "echo", "eddy"],
      ["diff", "-w", "echo", "eddy", "eddy", "eddy"],
      ["diff", "-w", "echo", "eddy", "./node.sh"],
      ["diff", "-w", "echo", "--bin", "./node.sh", "eddy", "latency=3"],
      ["diff", "-w", "echo", "latency=3", "latency=x"],
      ["diff", "-w", "echo", "speed=3", "speed=4"],
      ["diff", "-w", "echo", "rate=3", "rate=4"],
      ["diff", "-w", "echo", "latency=3", "compute=4"],
    ], dir);
    assertEquals(ran.map(({ code }) => code), Array(8).fill(254));
    const errors = ran.map(({ stderr }) => stderr);
    assertStringIncludes(errors[0] ?? "", "Cannot compare 1 word: accepted are two programs");
    assertStringIncludes(errors[1] ?? "", "Cannot compare 3 words");
    assertStringIncludes(errors[2] ?? "", "Cannot compare ./node.sh: it runs as processes");
    assertStringIncludes(errors[3] ?? "", "Cannot use --bin beside eddy");
    assertStringIncludes(errors[4] ?? "", "--latency");
    assertStringIncludes(errors[5] ?? "", "--speed");
    assertStringIncludes(errors[6] ?? "", "Cannot compare values of rate: the second run has");
    assertStringIncludes(errors[7] ?? "", "Cannot compare latency with compute");
  });
});

Deno.test("sweep --twice: runs that do the same twice are as valid as once", async () => {
  await inTempDir(async (dir) => {
    const bin = "mutant:draws-ids-from-too-few";
    const ids = ["-w", "unique-ids", "--bin", bin, "--time-limit", "1", "--seeds", "2"];
    const [twice, once] = await workbenchInTurn([
      ["sweep", "-w", "echo", "--time-limit", "1", "--seeds", "2", "--twice"],
      ["sweep", ...ids, "--twice", "--no-shrink", "--json"],
    ], dir);
    assertEquals(twice?.code, 0, twice?.stderr);
    // A mutant follows its seed, too: what is found is its own fault alone.
    for (const line of (once?.stdout ?? "").trim().split("\n")) {
      assertEquals(JSON.parse(line).anomalies.includes("not-deterministic"), false);
    }
  });
});
