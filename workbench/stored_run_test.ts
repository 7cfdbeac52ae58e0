import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path/join";
import { inTempDir, short, workbench } from "./cli/testing.ts";
import { STORE_VERSION } from "./results_dir.ts";
import { readRun, writeReport } from "./stored_run.ts";

/** Lends the folder of a run, and a way to write another text into one of its files. */
async function inRun(
  use: (path: string, damage: (file: string, text: string) => void) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    await workbench(["test", "-w", "g-set", ...short], dir);
    const path = join(dir, "store", await Deno.readLink(join(dir, "store/latest")));
    await use(path, (file, text) => Deno.writeTextFileSync(join(path, file), text));
  });
}

/** Values that a run does not have, by the path of the field. */
const DAMAGE: readonly [field: string, value: unknown][] = [
  ["observed", null],
  ["observed.sometimes", undefined],
  ["availability", null],
  ["stats.count", undefined],
  ["net.all", undefined],
  ["net.servers", null],
  ["workload", null],
  ["workload.failures", 3],
  ["latencies.p50", "1"],
  ["findings.0.ops.0.time", null],
];

Deno.test("what is wrong in results.json is named by its field", async () => {
  await inRun(async (path, damage) => {
    const file = join(path, "results.json");
    const text = await Deno.readTextFile(file);
    for (const [field, value] of DAMAGE) {
      const results = JSON.parse(text);
      results.observed = { sometimes: [], violations: [], leftOut: 0 };
      results.findings = [{ anomaly: "lost", what: "it is", ops: [{ index: 0, time: 0 }] }];
      damage("results.json", JSON.stringify(results));
      readRun(path);
      const keys = field.split(".");
      const last = keys.pop() ?? "";
      keys.reduce((part, key) => part[key], results)[last] = value;
      damage("results.json", JSON.stringify(results));
      const { message } = assertThrows(() => readRun(path), Error, undefined, field);
      assertStringIncludes(message, `Cannot read ${file}: ${field}: `);
    }
  });
});

Deno.test("a run says the version of its formats, and that of a newer one is refused", async () => {
  await inRun((path, damage) => {
    const { version, ...names } = JSON.parse(Deno.readTextFileSync(join(path, "run.json")));
    assertEquals(version, STORE_VERSION);
    assertEquals(Object.keys(readRun(path).run).includes("version"), false);
    damage("run.json", JSON.stringify(names));
    assertEquals(readRun(path).run.engine, names.engine);
    damage("run.json", JSON.stringify({ version: STORE_VERSION + 1, ...names }));
    damage("results.json", "{}");
    const { message } = assertThrows(() => readRun(path), Error);
    const why = `version: Expected at most ${STORE_VERSION}: a newer Eddy wrote this run`;
    assertEquals(message, `Cannot read ${join(path, "run.json")}: ${why}`);
    return Promise.resolve();
  });
});

Deno.test("what is wrong in lines of a run is named by file and line", async () => {
  await inRun(async (path, damage) => {
    const observations = join(path, "observations.jsonl");
    const good = '{"time":0,"node":"n0","observe":{"role":"leader"}}';
    for (const bad of ["null", "{", '{"time":0,"node":"n0","observe":null}', '{"time":0}']) {
      damage("observations.jsonl", `${good}\n\n${bad}\n`);
      const { message } = assertThrows(() => readRun(path), Error);
      assertStringIncludes(message, `Cannot read ${observations}: line 3: `);
    }
    damage("observations.jsonl", `${good}\n`);
    const { run, startMs } = readRun(path);
    assertEquals(run.observations, [
      { time: 0, node: "n0", observation: { observe: { role: "leader" } } },
    ]);

    const messages = join(path, "messages.jsonl");
    const event = '{"type":"recv","time":0,"id":0,"src":"c0","dest":"n0"}';
    for (const bad of ["null", "3", event.replace('"id":0', '"id":"0"')]) {
      damage("messages.jsonl", `${event}\n${bad}\n`);
      const { message } = await assertRejects(() => writeReport(path, run, startMs), Error);
      assertStringIncludes(message, `Cannot read ${messages}: line 2: `);
    }
  });
});

Deno.test("what is no regular file in a run is refused", async () => {
  await inRun(async (path) => {
    for (const name of ["observations.jsonl", "messages.jsonl"]) {
      const file = join(path, name);
      await Deno.remove(file).catch(() => {});
      await Deno.mkdir(file);
      const { code, stderr } = await workbench(["report", path], path);
      assertEquals(stderr, `Cannot read ${file}: it is no regular file\n`);
      assertEquals(code === 0, false);
      await Deno.remove(file);
    }
    if (Deno.build.os === "windows") return;
    const pipe = join(path, "messages.jsonl");
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const { stderr } = await workbench(["report", path], path);
    assertEquals(stderr, `Cannot read ${pipe}: it is no regular file\n`);
  });
});
