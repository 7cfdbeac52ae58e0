import { assert, assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import { parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";
import { drawerOf } from "./drawn_run.ts";
import { runFlags } from "./flags.ts";
import { inTempDir, workbenchInTurn } from "./testing.ts";

/** The runs of the first seeds of a command line. */
async function draw(line: string, count = 40) {
  const { flags, rest } = parseFlags(runFlags, line.split(" "));
  const { nemesis } = flags;
  assert(typeof nemesis === "string");
  const drawer = await drawerOf(flags, nemesis, rest);
  return Array.from({ length: count }, (_, seed) => drawer(seed));
}

async function kindsOf(line: string): Promise<Set<string>> {
  return new Set((await draw(line)).flatMap(({ faults }) => faults.map(({ kind }) => kind)));
}

Deno.test("flags with another value than their default are kept, and the others drawn", async () => {
  const runs = await draw("-w broadcast --nemesis swarm --node-count 4 --rate 33 --latency 7");
  for (const { options } of runs) {
    assertEquals(options.nodeIds.length, 4);
    assertEquals([options.rate, options.latency], [33, { meanMs: 7, distribution: "constant" }]);
    assertEquals(options.heal, true);
  }
  assertGreater(new Set(runs.map(({ options }) => options.timeLimitSeconds)).size, 1);
  assertGreater(new Set(runs.map(({ args }) => args.join())).size, 2);
});

Deno.test("a schedule leaves all but the faults as the flags say", async () => {
  for (const { options, args } of await draw("-w lin-kv --nemesis storm")) {
    assertEquals([options.nodeIds.length, options.rate, options.timeLimitSeconds], [5, 5, 60]);
    assertEquals([options.heal, args], [undefined, []]);
  }
});

Deno.test("a schedule that needs clocks is refused for processes", async () => {
  await assertRejects(
    () => draw("-w echo --nemesis skew --bin ./node.sh --real-time"),
    UsageError,
    "Cannot use --nemesis skew for ./node.sh: processes go by the machine's clock",
  );
});

Deno.test("arguments and numbers of clients that are given are kept", async () => {
  const runs = await draw("-w lin-kv --nemesis swarm --concurrency 10 -- --max-latency 5");
  for (const { options, args } of runs) {
    assertEquals([options.concurrency, options.nodeIds.length], [10, 5]);
    assertEquals(args, ["--max-latency", "5"]);
  }
});

Deno.test("Eddy's own nodes have options that are drawn, of those that the workload has", async () => {
  const optionsOf = async (line: string) =>
    new Set((await draw(line)).flatMap(({ args }) => args).filter((arg) => arg.startsWith("--")));
  assertEquals(await optionsOf("-w kafka --nemesis swarm"), new Set(["--max-latency"]));
  const ofLog = new Set(["--max-latency", "--heartbeat", "--max-entries", "--max-lag"]);
  assertEquals(await optionsOf("-w lin-kv --nemesis swarm"), ofLog);
  assertEquals(await optionsOf("-w lin-kv --nemesis swarm --bin ./node.ts"), new Set());
});

Deno.test("nodes are killed only if they keep something", async () => {
  const swarm = "-w g-set --nemesis swarm";
  const kills = (kinds: Set<string>) => [...kinds].filter((kind) => /kill|disk/.test(kind)).length;
  assertGreater(kills(await kindsOf(swarm)), 4);
  assertEquals(kills(await kindsOf(`${swarm} --bin ./node.ts`)), 0);
  assertGreater(kills(await kindsOf(`${swarm} --bin ./node.ts --disk`)), 4);
  assertEquals(kills(await kindsOf(`${swarm} --bin ./node.ts --disk --real-time`)), 0);
  assertEquals([...await kindsOf(`${swarm} --no-disk`)].filter((kind) => /disk/.test(kind)), []);
  assertEquals(kills(await kindsOf(`${swarm} --bin mutant:loses-an-element-now-and-then`)), 0);
  const storage = "mutant:forgets-its-own-elements-in-a-crash";
  assertGreater(kills(await kindsOf(`${swarm} --bin ${storage}`)), 4);
});

Deno.test("clocks are skewed under virtual time only", async () => {
  const line = "-w g-set --nemesis swarm --bin ./node.ts";
  assert((await kindsOf(line)).has("clock"));
  assert(!(await kindsOf(`${line} --real-time`)).has("clock"));
});

Deno.test("a seed of a sweep, its replay and its plan are the same run", async () => {
  await inTempDir(async (dir) => {
    const bin = "mutant:forgets-its-own-elements-in-a-crash";
    const [sweep] = await workbenchInTurn([
      ["sweep", "-w", "g-set", "--bin", bin, "--seeds", "6", "--no-shrink", "--store", "swept"],
    ], dir);
    const lines = [...(sweep?.stdout ?? "").matchAll(/ (test --workload .* --seed \d+)$/gm)];
    const line = lines.at(-1)?.[1] ?? "";
    assertMatch(line, /^test --workload g-set --bin mutant:\S+ --nemesis swarm --seed \d$/);
    const [test] = await workbenchInTurn([line.split(" ")], dir);
    assertEquals([sweep?.code, test?.code], [1, 1]);
    const [again] = await workbenchInTurn([
      ["test", "--plan", "store/latest/plan.json", "--store", "again"],
    ], dir);
    assertEquals(again?.code, 1);
    const folders = [...Deno.readDirSync(join(dir, "swept", "g-set"))].map(({ name }) => name);
    const swept = folders.sort().at(-1) ?? "";
    const [history, ...others] = await Promise.all(
      ["store/latest", "again/latest", `swept/g-set/${swept}`].map((folder) =>
        Deno.readTextFile(join(dir, folder, "history.jsonl"))
      ),
    );
    assertEquals(others, [history, history]);
  });
});

Deno.test("a variation is drawn from its seeds alone, with the nodes of its first parent", async () => {
  const { flags } = parseFlags(runFlags, ["-w", "lin-kv"]);
  const [draw, again] = [await drawerOf(flags, "swarm", []), await drawerOf(flags, "swarm", [])];
  let differ = 0;
  for (let seed = 100; seed < 160; seed++) {
    const [first, run] = [draw(3), draw(seed, [3, 99])];
    assertEquals(again(seed, [3, 99]), run);
    assertEquals(run.options.seed, seed);
    assertEquals(run.options.nodeIds, first.options.nodeIds);
    assertEquals(run.options.timeLimitSeconds, first.options.timeLimitSeconds);
    const known = new Set(run.options.nodeIds);
    for (const { nodes = [], drops = {}, fromMs, toMs = Infinity } of run.faults) {
      assert([...nodes, ...Object.keys(drops)].every((node) => known.has(node)));
      assert(fromMs < toMs && toMs <= 1000 * run.options.timeLimitSeconds);
    }
    if (JSON.stringify(run.faults) !== JSON.stringify(first.faults)) differ++;
  }
  assertGreater(differ, 40);
});

Deno.test("a steered sweep is the same on one core and on two, and its runs can be repeated", async () => {
  await inTempDir(async (dir) => {
    const bin = "mutant:forgets-its-own-elements-in-a-crash";
    const line = ["sweep", "-w", "g-set", "--bin", bin, "--seeds", "44", "--steer", "--no-shrink"];
    const [one, two] = await workbenchInTurn([
      [...line, "--json", "--jobs", "1"],
      [...line, "--json", "--jobs", "2"],
    ], dir);
    const rows = [one, two].map((each) => {
      const lines = (each?.stdout ?? "").trim().split("\n").map((text) => JSON.parse(text));
      return lines.map(({ path: _, ...row }) => row).sort((a, b) => a.seed - b.seed);
    });
    assertEquals(rows[0], rows[1]);
    const varied = rows[0]?.filter(({ parents }) => parents !== undefined) ?? [];
    assertGreater(varied.length, 2);
    const [row] = varied;
    const replay = ["test", "-w", "g-set", "--bin", bin, "--nemesis", "swarm", "--json"];
    const [test] = await workbenchInTurn([
      [...replay, "--parents", row.parents.join(","), "--seed", String(row.seed)],
    ], dir);
    const results = JSON.parse(test?.stdout ?? "");
    assertEquals([results["valid?"], results.stats.count], [row.valid, row.operations]);
  });
});

Deno.test("a sweep ends when nothing new was reached for some runs", async () => {
  await inTempDir(async (dir) => {
    const echo = ["sweep", "-w", "echo", "--nemesis", "none", "--time-limit", "1"];
    const [sweep, ...refused] = await workbenchInTurn([
      [...echo, "--seeds", "1000", "--patience", "5"],
      [...echo, "--steer"],
      ["sweep", "--steer", "--vary", "rate=1,2"],
      ["sweep", "--patience", "0"],
      ["test", "--parents", "1"],
      ["test", "--nemesis", "swarm", "--parents", "1,x"],
    ], dir);
    assertEquals(sweep?.code, 0, sweep?.stderr);
    assertMatch(sweep?.stdout ?? "", /^all (32|64) .*\n(.*\n)*Reached: \d+ .* nothing new$/m);
    assertEquals(refused.map(({ code }) => code), [254, 254, 254, 254, 254]);
    assertMatch(refused[0]?.stderr ?? "", /^Cannot use --steer: /);
    assertMatch(refused[1]?.stderr ?? "", /^Cannot use --steer beside --vary/);
    assertMatch(refused[3]?.stderr ?? "", /^Cannot use --parents without --nemesis swarm/);
    assertMatch(
      refused[4]?.stderr ?? "",
      /^Cannot use "1,x" for --parents: expected up to 8 seeds/,
    );
  });
});
