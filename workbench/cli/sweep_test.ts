/**
 * Sweeps over processes, and runs that are broken off in time.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { join } from "@std/path/join";
import { ended } from "../testing.ts";
import { command, inTempDir, lineOf, workbench } from "./testing.ts";

/** An echo node in a language that runs as processes only. */
const echo = `#!/bin/sh
while read -r line; do
  id=$(expr "$line" : '.*"msg_id":\\([0-9]*\\)')
  src=$(expr "$line" : '{"id":[0-9]*,"src":"\\([a-z0-9]*\\)"')
  case "$line" in
    *'"type":"init"'*) body='"type":"init_ok"';;
    *) value=$(expr "$line" : '.*"echo":\\("[^"]*"\\)'); body='"type":"echo_ok","echo":'$value;;
  esac
  echo '{"src":"n0","dest":"'$src'","body":{'$body',"in_reply_to":'$id'}}'
done
`;

/** A node that hears no SIGTERM, writes its id into a folder, and never answers. */
const stubborn = `#!/bin/sh
trap "" TERM INT
read -r init
echo $$ > "$1/$$.tmp"
mv "$1/$$.tmp" "$1/$$.pid"
while :; do sleep 60; done
`;

function script(dir: string, name: string, text: string): string {
  const path = join(dir, name);
  Deno.writeTextFileSync(path, text, { mode: 0o755 });
  return path;
}

const one = ["-w", "echo", "--node-count", "1", "--rate", "10"];

Deno.test("sweep: processes run several at once, and all results are kept", async () => {
  await inTempDir(async (dir) => {
    const bin = script(dir, "echo.sh", echo);
    const args = ["sweep", ...one, "--bin", bin, "--time-limit", "0.5", "--seeds", "3"];
    const { code, stdout, stderr } = await workbench([...args, "--jobs", "3"], dir);
    assertEquals([code, stderr], [0, ""], stdout);
    assertMatch(stdout, /^Real time, processes, 3 runs at once\n/);
    assertMatch(stdout, /^all 3 +3 valid /m);
    const kept = [...Deno.readDirSync(join(dir, "store", "echo"))];
    assertEquals(kept.length, 3);
    for (const { name } of kept) {
      assert(Deno.statSync(join(dir, "store", "echo", name, "history.jsonl")).size > 0);
      const plan = await Deno.readTextFile(join(dir, "store", "echo", name, "plan.json"));
      assertMatch(JSON.parse(plan).program.sha256, /^[0-9a-f]{64}$/);
    }
    assert(Deno.statSync(join(dir, "store", "latest", "results.json")).isFile);
  });
});

const wrong = [
  ..."sweep -w unique-ids --bin mutant:draws-ids-from-too-few --rate 20 --time-limit 5".split(" "),
  "--no-shrink",
];

Deno.test("sweep: of the first runs that are not valid the results are kept, and can be run again", async () => {
  await inTempDir(async (dir) => {
    const { code, stdout, stderr } = await workbench([...wrong, "--seeds", "15"], dir);
    assertEquals([code, stderr], [1, ""], stdout);
    const [, count] = /^all 15 .*?(\d+) INVALID /m.exec(stdout) ?? [];
    const [failing = NaN, kept] = [Number(count), stdout.matchAll(/^ {2}Results in (.*)$/gm)];
    assert(failing > 10, "more than are kept");
    assertStringIncludes(stdout, `${failing} runs are not valid; of ${failing - 10} of them no `);
    const seeds = [...stdout.matchAll(/--seed (\d+)$/gm)].map(([, seed]) => Number(seed));
    const heads = [...stdout.matchAll(/^seed (\d+): INVALID: duplicated/gm)];
    assertEquals(heads.map(([, seed]) => Number(seed)), seeds);
    const rows = [...stdout.matchAll(/^(\d+) +(valid|INVALID) /gm)];
    assertEquals(rows.map(([, seed]) => Number(seed)), Array.from({ length: 15 }, (_, i) => i));
    const wrongRows = rows.filter(([, , verdict]) => verdict === "INVALID");
    assertEquals(wrongRows.map(([, seed]) => Number(seed)), seeds);
    assertEquals(seeds, seeds.toSorted((a, b) => a - b));
    const paths = [...kept].map(([, path = ""]) => path);
    const foldersOf = (store: string) => [...Deno.readDirSync(join(dir, store, "unique-ids"))];
    assertEquals([paths.length, foldersOf("store").length], [10, 10]);
    for (const [i, path] of paths.entries()) {
      const results = JSON.parse(await Deno.readTextFile(join(dir, path, "results.json")));
      assertEquals([results["valid?"], results.seed], [false, seeds[i]]);
    }
    const pages = [...stdout.matchAll(/^ {2}Report: (.*)$/gm)].map(([, page]) => page);
    assertEquals(pages, paths.map((path) => join(path, "report.html")));
    const plan = ["test", "--plan", join(paths[0] ?? "", "plan.json"), "--store", "again"];
    const again = await workbench(plan, dir);
    assertEquals([again.code, again.stderr], [1, ""]);
    const [history, same] = await Promise.all(
      [paths[0] ?? "", "again/latest"].map((folder) => {
        return Deno.readTextFile(join(dir, folder, "history.jsonl"));
      }),
    );
    assertEquals(history, same);
  });
});

Deno.test("sweep: JSON lines say where the results are, and valid runs leave none", async () => {
  await inTempDir(async (dir) => {
    const { stdout } = await workbench([...wrong, "--seeds", "4", "--json"], dir);
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ seed }) => seed).sort(), [0, 1, 2, 3]);
    for (const { valid, path } of lines) {
      assertEquals(valid, path === undefined);
      if (!valid) assert(Deno.statSync(join(dir, path, "history.jsonl")).size > 0);
    }
    const right = ["sweep", "-w", "echo", "--time-limit", "1", "--seeds", "2", "--store", "no"];
    assertEquals((await workbench(right, dir)).code, 0);
    assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["store"]);
  });
});

Deno.test("sweep: where nothing can be kept, the verdicts are the same", async () => {
  await inTempDir(async (dir) => {
    Deno.writeTextFileSync(join(dir, "store"), "");
    const { code, stdout, stderr } = await workbench([...wrong, "--seeds", "2"], dir);
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /^Cannot create store.unique-ids/);
    assertEquals(stdout.includes("Results in"), false);
  });
});

Deno.test("sweep: a run that takes too long is broken off, and its row says so", async () => {
  await inTempDir(async (dir) => {
    const bin = script(dir, "stubborn.sh", stubborn);
    const args = ["sweep", ...one, "--bin", bin, "--seeds", "2", "--run-timeout", "1.5"];
    const { code, stdout } = await workbench([...args, "--jobs", "2", "--", dir], dir);
    assertEquals(code, 2, stdout);
    assertMatch(stdout, /^all 2 +2 unknown$/m);
    const row = "unknown: The run was broken off: it took longer than 1.5 s of real time " +
      "(--run-timeout)";
    assertEquals(stdout.split(row).length, 3, stdout);
    assertMatch(stdout, /^ {2}Results in store\/echo\/\S+-[01]$/m);
    const pids = [...Deno.readDirSync(dir)].filter(({ name }) => name.endsWith(".pid"));
    for (const { name } of pids) await ended(name.split(".")[0] ?? "");
  });
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  Deno.test(`sweep: ${signal} ends all processes`, async () => {
    await inTempDir(async (dir) => {
      const bin = script(dir, "deaf.sh", stubborn.replaceAll("$$.pid", "pid"));
      const args = ["sweep", ...one, "--bin", bin, "--seeds", "5", "--jobs", "1", "--", dir];
      await using child = command(args, dir).spawn();
      const pid = await lineOf(join(dir, "pid"), child);
      child.kill(signal);
      const { stderr } = await child.output();
      await ended(pid);
      if (signal === "SIGKILL") return;
      assertEquals(
        new TextDecoder().decode(stderr),
        "The sweep was interrupted by SIGINT: 0 of 5 runs were done\n",
      );
      assert(Deno.statSync(join(dir, "store", "latest", "results.json")).isFile, "it was kept");
    });
  });
}

Deno.test("sweep: an interruption while results are kept is said, and leaves no half of a run", async () => {
  await inTempDir(async (dir) => {
    const nodes = ["--bin", "mutant:does-not-send-its-values-to-other-nodes"];
    const args = ["sweep", "-w", "broadcast", ...nodes, "--time-limit", "20"];
    await using child = command([...args, "--seeds", "8", "--jobs", "1"], dir).spawn();
    const folder = join(dir, "store", "broadcast");
    const namesIn = () => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    let isOver = false;
    void child.status.then(() => isOver = true);
    // Only runs that are done again have folders.
    while (!isOver && await Deno.stat(folder).catch(() => undefined) === undefined) await delay(5);
    assert(!isOver, "it ended before it kept any results");
    child.kill("SIGINT");
    const { code, stdout, stderr } = await child.output();
    assertEquals(
      [code, new TextDecoder().decode(stderr)],
      [
        255,
        "The sweep was interrupted by SIGINT: all runs were done, but results that were to be kept " +
        "are missing\n",
      ],
    );
    const listed = new TextDecoder().decode(stdout).matchAll(/^ {2}Results in .*\/(.*)$/gm);
    assertEquals(namesIn(), [...listed].map(([, name]) => name).sort());
  });
});

Deno.test("test: a run under virtual time, too, is broken off after real time", async () => {
  await inTempDir(async (dir) => {
    const args = ["test", ...one, "--time-limit", "1000000", "--run-timeout", "0.5"];
    const { code, stdout } = await workbench(args, dir);
    assertEquals(code, 255, stdout);
    assertStringIncludes(stdout, "The run was broken off: it took longer than 0.5 s of real time");
    const history = Deno.readTextFileSync(join(dir, "store", "latest", "history.jsonl"));
    assert(history.split("\n").length > 10, "what there was is kept");
  });
});

Deno.test("sweep: --run-timeout must be a positive number, and --jobs a count", async () => {
  await inTempDir(async (dir) => {
    for (const [flag, value] of [["--run-timeout", "0"], ["--jobs", "0"], ["--jobs", "1.5"]]) {
      const { code, stderr } = await workbench(["sweep", flag ?? "", value ?? ""], dir);
      assertEquals(code, 254);
      assertStringIncludes(stderr, `Cannot use "${value}" for ${flag}`);
    }
    const missing = await workbench(["sweep", "--bin", "./x"], dir);
    assertEquals(missing.code, 255);
    assertStringIncludes(missing.stderr, "Cannot start ./x: there is no such file");
  });
});
