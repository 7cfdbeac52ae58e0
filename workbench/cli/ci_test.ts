/**
 * What systems for continuous integration are told.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import type { ReportedRun } from "../junit.ts";
import { annotations, summary } from "./ci.ts";
import {
  command,
  inTempDir,
  lineOf,
  plainEnv,
  short,
  workbench,
  workbenchInTurn,
} from "./testing.ts";

const wrong: ReportedRun = {
  workload: "g-set",
  name: "rate=1, seed 4",
  valid: false,
  text: "lost: 100 % are gone\n  Seen in: 1 s\nlost: 8 is gone",
  first: "lost: 100 % are gone\n  Seen in: 1 s",
  more: 1,
  replay: "eddy test --seed 4",
  path: "store/x",
  report: "store/x/report.html",
  figures: {
    operations: 12,
    okFraction: 2 / 3,
    serversPerOp: 0,
    latencyMs: { median: 1.5, p95: 2, p99: 2, max: 3 },
    stableMs: undefined,
  },
  tookMs: 0,
  timeLimitSeconds: 1,
};

Deno.test("an annotation is one line, in GitHub's notation", () => {
  assertEquals(annotations([wrong, { ...wrong, valid: true }, { ...wrong, valid: undefined }]), [
    "::error title=g-set%2C rate=1%2C seed 4%3A INVALID::lost: 100 %25 are gone%0A  Seen in: 1 s" +
    "%0A... and 1 more finding%0AReplay with: eddy test --seed 4%0AReport: store/x/report.html",
  ]);
  const rude = annotations([{
    ...wrong,
    valid: "unknown",
    first: "\r\n::error::x\u001b[2J\u202e",
  }]);
  assertEquals(rude.length, 1);
  assertMatch(
    rude[0] ?? "",
    /^::warning [^\n\r]*::%0D%0A::error::x\\u001b\[2J\\u202e%0A\.\.\. and/,
  );
});

Deno.test("no more annotations than GitHub shows, and how many more there were", () => {
  const ten = annotations(Array(10).fill(wrong));
  const many = annotations(Array(30).fill(wrong));
  assertEquals([ten.length, many.length], [10, 10]);
  assertEquals(many.at(-1), "::error::21 more runs are not valid");
});

Deno.test("a summary lists what is not valid, as text that ends no block", () => {
  const text = summary("eddy sweep", [
    { ...wrong, valid: true },
    { ...wrong, name: "seed <b>", first: "a ```\n# b\n````" },
    { ...wrong, valid: undefined },
  ]);
  assertStringIncludes(
    text,
    "### eddy sweep, g-set\n\n3 runs: 1 valid, 1 invalid, 0 unknown, 1 not",
  );
  assertStringIncludes(text, "#### g-set, seed \\<b\\>: INVALID\n\n`````text\na ```\n# b\n````\n");
  assertEquals(text.match(/^`````/gm)?.length, 2);
  assertStringIncludes(text, "| rate=1, seed 4 | valid | 12 | 0.6667 | 1.5 | 3 | 0 |\n");
  assertStringIncludes(text, "| seed \\<b\\> | INVALID | 12 |");
  const long = summary("eddy sweep", Array(1000).fill({ ...wrong, first: "x".repeat(1e6) }));
  assert(long.length < 2 ** 20, "GitHub refuses more");
  assertStringIncludes(long, "... and 980 more runs not valid");
});

const failing = ["-w", "lin-kv", ...short, "--availability", "total"];

Deno.test("--junit: a file for test and sweep, whole or not at all, in a folder that is made", async () => {
  await inTempDir(async (dir) => {
    const file = join(dir, "reports", "eddy.xml");
    const test = await workbench(["test", ...failing, "--junit", "reports/eddy.xml"], dir);
    assertEquals([test.code, test.stderr], [1, ""]);
    const xml = await Deno.readTextFile(file);
    assertStringIncludes(xml, '<testsuite name="eddy test" tests="1" failures="1" errors="0"');
    assertStringIncludes(xml, 'name="lin-kv, seed 4"');
    assertStringIncludes(xml, '<failure message="unavailable: ');
    assertEquals(/ value="[^"]*--junit/.test(xml), false);
    const sweep = ["sweep", ...failing, "--seeds", "2", "--vary", "rate=5,9", "--json"];
    const { code, stdout } = await workbench([...sweep, "--junit", file], dir);
    assertEquals([code, stdout.trimEnd().split("\n").length], [1, 4]);
    const swept = await Deno.readTextFile(file);
    const names = [...swept.matchAll(/<testcase [^>]* name="([^"]*)"/g)].map(([, name]) => name);
    assertEquals(names, [
      "lin-kv, rate=5, seed 4",
      "lin-kv, rate=5, seed 5",
      "lin-kv, rate=9, seed 4",
      "lin-kv, rate=9, seed 5",
    ]);
    assertEquals([...Deno.readDirSync(join(dir, "reports"))].length, 1);
  });
});

Deno.test("--junit: the small run of a sweep's first invalid one is named", async () => {
  await inTempDir(async (dir) => {
    const mutant = ["-w", "unique-ids", "--bin", "mutant:draws-ids-from-too-few"];
    const { code } = await workbench(["sweep", ...mutant, "--seeds", "3", "--junit", "x.xml"], dir);
    assertEquals(code, 1);
    const xml = await Deno.readTextFile(join(dir, "x.xml"));
    assertMatch(
      xml,
      /\nShrunk, with the finding duplicated, [^]* test --plan store\/\S+-small\/plan.json/,
    );
    assertEquals(xml.split("Shrunk").length, 2);
  });
});

Deno.test("--junit: a run that cannot begin is an error in the file", async () => {
  await inTempDir(async (dir) => {
    for (const command of ["test", "sweep"]) {
      const args = [command, "-w", "echo", "--bin", "./no", "--seed", "3", "--junit", "x.xml"];
      assertEquals((await workbench(args, dir)).code, 255);
      const xml = await Deno.readTextFile(join(dir, "x.xml"));
      assertStringIncludes(xml, '<testsuite name="eddy ' + command);
      assertStringIncludes(xml, '<error message="Cannot start ./no: there is no such file');
    }
  });
});

Deno.test("--junit: a file that cannot be written is refused before the run, or said after it", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "file"), "");
    const lines = ["", ".", "file/x.xml"].flatMap((name) => [
      ["test", ...failing, "--junit", name],
      ["sweep", ...failing, "--junit", name],
    ]);
    for (const { code, stdout, stderr } of await workbenchInTurn(lines, dir)) {
      assertEquals([code, stdout, stderr.split("\n").length], [254, "", 2]);
      assertMatch(stderr, /^Cannot (use "" for --junit: expected the name|write --junit \S+: .)/);
    }
    if (Deno.build.os !== "linux") return;
    const full = await workbench(["test", ...failing, "--junit", "/dev/full"], dir);
    assertEquals(full.code, 255, "which none of a run's own codes says");
    assertStringIncludes(full.stdout, "INVALID");
    assertEquals(full.stderr, "Cannot write --junit /dev/full: No space left on device\n");
    assertEquals(Deno.statSync("/dev/full").isCharDevice, true);
  });
});

Deno.test("sweep: runs that an interruption left out are skipped in the file", async () => {
  await inTempDir(async (dir) => {
    const bin = join(dir, "deaf.sh");
    const code = '#!/bin/sh\nread -r line\necho started > "$1"\nsleep 60\n';
    await Deno.writeTextFile(bin, code, { mode: 0o755 });
    const started = join(dir, "started");
    const program = ["--bin", bin, "--node-count", "1", "--jobs", "1", "--seeds", "3"];
    const args = ["sweep", "-w", "echo", ...program, "--junit", "x.xml", "--", started];
    await using child = command(args, dir).spawn();
    await lineOf(started, child);
    child.kill("SIGINT");
    assertEquals((await child.output()).code, 255);
    const xml = await Deno.readTextFile(join(dir, "x.xml"));
    assertStringIncludes(xml, 'tests="3" failures="0" errors="0" skipped="3"');
    assertStringIncludes(xml, '<skipped message="The sweep ended before this run was done"/>');
  });
});

Deno.test("under GitHub Actions: annotations beside the output, and a summary that is added to", async () => {
  await inTempDir(async (dir) => {
    const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: join(dir, "summary.md") };
    await Deno.writeTextFile(env.GITHUB_STEP_SUMMARY, "before\n");
    const json = await workbench(["test", ...failing, "--json"], dir, env);
    assertEquals(JSON.parse(json.stdout)["valid?"], false);
    assertMatch(json.stderr, /^::error title=lin-kv%2C seed 4%3A INVALID::unavailable: .*\n$/);
    assertMatch(json.stderr, /%0AReport: store\/lin-kv\/[^%]*report\.html\n$/);
    const sweep = await workbench(["sweep", ...failing, "--seeds", "2"], dir, env);
    assertEquals(sweep.stderr.match(/^::error /gm)?.length, 2);
    const valid = await workbench(["test", "-w", "g-set", ...short], dir, env);
    assertEquals([valid.code, valid.stderr], [0, ""]);
    const text = await Deno.readTextFile(env.GITHUB_STEP_SUMMARY);
    assertMatch(text, /^before\n### eddy test, lin-kv\n\n1 run: 0 valid, 1 invalid, 0 unknown\n/);
    assertStringIncludes(text, "### eddy sweep, lin-kv\n\n2 runs: 0 valid, 2 invalid, 0 unknown\n");
    assertStringIncludes(text, "### eddy test, g-set\n\n1 run: 1 valid, 0 invalid, 0 unknown\n");
    const lost = await workbench(["test", "-w", "g-set", ...short], dir, {
      ...env,
      GITHUB_STEP_SUMMARY: dir,
    });
    assertEquals(lost.code, 0);
    assertMatch(lost.stderr, /^Cannot write the summary of the job: /);
    assertEquals((await workbench(["test", ...failing], dir, plainEnv)).stderr, "");
  });
});

Deno.test("under GitHub Actions: what a node throws or logs is no command", async () => {
  await inTempDir(async (dir) => {
    const thrown = "boom\n::error::pwned\n##[error]pwned\n::stop-commands::token";
    const code = `console.error("##[error]log"); throw new Error(${JSON.stringify(thrown)});`;
    await Deno.writeTextFile(join(dir, "node.ts"), code);
    const program = ["--bin", "./node.ts", "--node-count", "1", "--time-limit", "1", "--seed", "1"];
    const args = ["test", "-w", "echo", ...program, "--log-stderr"];
    const env = { GITHUB_ACTIONS: "true" };
    const { stdout, stderr } = await workbench(args, dir, env);
    const obeyed = `${stdout}\n${stderr}`.split("\n").filter((line) => /^\s*::|##\[/.test(line));
    assertEquals(obeyed.map((line) => line.replace(/ title=.*/, "")), ["::error"]);
    assertMatch(stdout, /^ +\\u003a:stop-commands::token/m);
    assertStringIncludes(stderr, "#\\u0023[error]log");
    const wrong = await workbench(["check", "-w", "echo", "\n ::error::x"], dir, env);
    assertEquals(wrong.stderr, "Cannot read \n \\u003a:error::x: there is no such file\n");
  });
});
