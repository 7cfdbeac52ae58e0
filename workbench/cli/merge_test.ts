/**
 * Sweeps in parts, and their merging.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { inTempDir, workbench, workbenchInTurn } from "./testing.ts";

const lines = (text: string) => text.trim().split("\n");

/** The lines of a sweep on one machine, in order, without paths. */
function inOrder(text: string): string[] {
  return lines(text).map((line) => JSON.parse(line))
    .map(({ path: _, ...row }) => row)
    .sort((a, b) => a.seed - b.seed)
    .map((row) => JSON.stringify(row));
}

const failing = [
  ...["sweep", "-w", "g-set", "--bin", "mutant:forgets-its-own-elements-in-a-crash"],
  ...["--seeds", "13", "--no-shrink"],
];

Deno.test("merge: parts have the lines of one sweep, byte for byte, and where results are", async () => {
  await inTempDir(async (dir) => {
    const [whole, one, two, three, json, table] = await workbenchInTurn([
      [...failing, "--json"],
      [...failing, "--shard", "1/3", "--store", "a"],
      [...failing, "--shard", "2/3", "--store", "b"],
      [...failing, "--shard", "3/3", "--store", "./a/"],
      ["merge", "b", "a", "--json"],
      ["merge", "a", "b"],
    ], dir);
    assertEquals([one, two, three].map((part) => part?.stderr), [
      "5 runs in a/sweep-1-of-3.jsonl, for merge\n",
      "4 runs in b/sweep-2-of-3.jsonl, for merge\n",
      "4 runs in a/sweep-3-of-3.jsonl, for merge\n",
    ]);
    assertEquals(json?.code, whole?.code);
    assertEquals(lines(json?.stdout ?? ""), inOrder(whole?.stdout ?? ""));
    assertMatch(table?.stdout ?? "", /^all 13 /m);
    const kept = [...(table?.stdout ?? "").matchAll(/^ {2}Results in (\S+)$/gm)];
    assert(kept.length > 0);
    for (const [, path] of kept) assert(Deno.statSync(join(dir, path ?? "")).isDirectory);
  });
});

Deno.test("merge: what varies is shown as one sweep shows it", async () => {
  await inTempDir(async (dir) => {
    const sweep = [
      ...["sweep", "-w", "echo", "--time-limit", "1", "--seeds", "3", "--vary", "latency=0,10"],
    ];
    const [whole, , , merged] = await workbenchInTurn([
      sweep,
      [...sweep, "--shard", "1/2"],
      [...sweep, "--shard", "2/2"],
      ["merge", "store"],
    ], dir);
    const [, ...table] = lines(whole?.stdout ?? "");
    assertEquals(lines(merged?.stdout ?? ""), table);
  });
});

Deno.test("merge: what is not all of one sweep is refused, with the names of files", async () => {
  await inTempDir(async (dir) => {
    const sweep = ["sweep", "-w", "echo", "--time-limit", "1", "--seeds", "2"];
    await workbenchInTurn([
      [...sweep, "--shard", "1/2", "--store", "one"],
      [...sweep, "--shard", "1/2", "--store", "again"],
      [...sweep, "--shard", "2/2", "--rate", "9", "--store", "other"],
      // More parts than runs: this one has none.
      [...sweep, "--shard", "3/3", "--store", "empty"],
    ], dir);
    const refused: [args: string[], why: string][] = [
      [["one"], "Cannot merge: of 2 parts 2 is missing"],
      [
        ["one", "again"],
        "Cannot merge one/sweep-1-of-2.jsonl and again/sweep-1-of-2.jsonl: they are",
      ],
      [
        ["one", "other"],
        "which are of different sweeps: 2 parts of --workload echo --time-limit 1 ",
      ],
      [["empty"], "Cannot merge: of 3 parts 1, 2 are missing"],
      [[], "Cannot merge: no folder is named"],
      [["none"], "Cannot read none: "],
      [["."], "Cannot merge .: it has no sweep-I-of-N.jsonl"],
      [["--no", "one"], "Unknown option --no"],
    ];
    for (const [args, why] of refused) {
      const { code, stdout, stderr } = await workbench(["merge", ...args], dir);
      assertEquals([code, stdout], [254, ""]);
      assertStringIncludes(stderr, why);
    }
    const file = join(dir, "one", "sweep-1-of-2.jsonl");
    const text = Deno.readTextFileSync(file);
    const [head = "", run = ""] = lines(text);
    for (
      const [broken, why] of [
        [head, "line 1: it has 0 runs in place of 1"],
        [`${head}\n${run.slice(0, 40)}`, "line 2: "],
        [text.replace('"outcome":{"seed":0', '"outcome":{"seed":5'), "line 2: expected seed 0"],
        [
          text.replace('"throughput"', '"okFraction":"x","a"').replace(/"okFraction":[\d.]+,/, ""),
          "line 2: ",
        ],
        [text.replace('"version":1', '"version":2'), "expected version 1"],
        [text.replace('"valid":true', '"valid":"perhaps"'), "Invalid"],
        ["", "JSON"],
      ]
    ) {
      Deno.writeTextFileSync(file, broken ?? "");
      const { code, stderr } = await workbench(["merge", "one", "other"], dir);
      assertEquals(code, 254);
      assertStringIncludes(stderr, "Cannot read one/sweep-1-of-2.jsonl, line ");
      assertStringIncludes(stderr, why ?? "");
    }
  });
});

Deno.test("sweep: a part must be one, and cannot learn from the others", async () => {
  await inTempDir(async (dir) => {
    for (const shard of ["0/3", "4/3", "1/10001", "1", "1/", "a/b", "1/2/3"]) {
      const { code, stderr } = await workbench(["sweep", "--shard", shard], dir);
      assertEquals(code, 254);
      assertMatch(stderr, /^Cannot use "\S+" for --shard: expected a part and how many there are/);
    }
    const { code, stderr } = await workbench(["sweep", "--shard", "1/2", "--patience", "5"], dir);
    assertEquals([code, stderr], [
      254,
      "Cannot use --patience beside --shard: it learns from all runs before\n",
    ]);
  });
});
