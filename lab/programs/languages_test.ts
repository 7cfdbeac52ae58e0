import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path/join";
import {
  loadProgram,
  runProgram,
  type RunSettings,
  simulateProgram,
  type WorkloadName,
} from "@eddy/workbench";
import { defaultOptions } from "@eddy/workbench/options.ts";
import { runJobs } from "@eddy/workbench/sweep.ts";
import { signsOf } from "../reference/trials.ts";
import { languages, nativeNode, virtualNode } from "./languages.ts";

const folder = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** The faults of the nodes, and how they are run. */
const trials: readonly (readonly [
  workload: WorkloadName,
  fault: string,
  anomaly: string,
  settings: RunSettings,
])[] = [
  ["echo", "wrong-echo", "wrong-echo", { availability: "total" }],
  ["unique-ids", "same-ids", "duplicated", { availability: "total" }],
  ["broadcast", "deaf", "lost", { latency: { meanMs: 10, distribution: "exponential" } }],
];

/** Those that end without ten seconds of recovery, which real time would wait for. */
const briefTrials = trials.filter(([workload]) => workload !== "broadcast");

const SETTINGS = { nodeCount: 3, rate: 50, nemesisIntervalSeconds: 1, seed: 4 } as const;

async function run(
  bin: string,
  args: readonly string[],
  workload: WorkloadName,
  settings: RunSettings,
) {
  const options = defaultOptions(workload, { ...SETTINGS, timeLimitSeconds: 4, ...settings });
  return await simulateProgram(await loadProgram(bin), args, options);
}

/** Runs the command line in a process of its own; returns what it keeps and what it prints. */
async function store(
  bin: string,
  env: Record<string, string>,
): Promise<{ kept: string[]; printed: string }> {
  const cwd = await Deno.makeTempDir({ dir: folder });
  const main = decodeURIComponent(new URL("../../workbench/cli/main.ts", import.meta.url).pathname);
  const config = decodeURIComponent(new URL("../deno.json", import.meta.url).pathname);
  const run = "test -w broadcast --node-count 3 --rate 50 --time-limit 4 --latency 20 --seed 9 " +
    "--latency-dist exponential --nemesis pause --nemesis-interval 1";
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--config", config, main, ...run.split(" ")]
      .concat(["--bin", bin]),
    cwd,
    env,
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const files = ["history.jsonl", "messages.jsonl", "plan.json"];
  return {
    kept: await Promise.all(
      files.map((file) => Deno.readTextFile(join(cwd, "store/latest", file))),
    ),
    printed: new TextDecoder().decode(stdout),
  };
}

const built: string[] = [];

for (const language of languages) {
  const { name, compiled } = language;
  const bin = virtualNode(language, folder);
  if (bin !== undefined) built.push(bin);
  const also = bin === undefined ? ` (skipped: ${compiled?.needs} would be needed)` : "";
  const test = (what: string, fn: (bin: string) => Promise<void>) =>
    Deno.test({
      name: `A node in ${name} ${what}${also}`,
      ignore: bin === undefined,
      fn: () => fn(bin ?? ""),
    });

  for (const [workload, fault, anomaly, settings] of trials) {
    test(`for ${workload} is found right, and with a fault ${anomaly}`, async (bin) => {
      const resends = language.resends && workload === "broadcast";
      const nemesis = resends ? { nemesis: ["partition"] as const } : {};
      const right = await run(bin, [], workload, { ...settings, ...nemesis });
      assertEquals([right.results.valid, right.results.warnings], [true, []]);
      const wrong = await run(bin, [fault], workload, settings);
      assertEquals(wrong.results.valid, false);
      assertEquals(wrong.results.findings[0]?.anomaly, anomaly);
    });
  }

  test("runs on all cores", async (bin) => {
    const program = await loadProgram(bin);
    const jobs = [1, 2, 3].map((seed) => {
      const options = defaultOptions("unique-ids", { nodeCount: 2, timeLimitSeconds: 2, seed });
      return { options, args: [], program };
    });
    const outcomes = await runJobs(jobs);
    assertEquals(outcomes.map(({ valid, reason }) => [valid, reason]), Array(3).fill([true, ""]));
  });

  const native = nativeNode(language, folder);
  Deno.test({
    name: `A wrong node in ${name} is found out as a process, too` +
      (native === undefined ? " (skipped: its compiler or interpreter is missing)" : ""),
    ignore: native === undefined,
    async fn() {
      const { bin, args } = native ?? { bin: "", args: [] };
      await Promise.all(briefTrials.map(async ([workload, fault, anomaly, settings]) => {
        const options = defaultOptions(workload, {
          ...SETTINGS,
          timeLimitSeconds: 1,
          ...settings,
        });
        const result = await runProgram({ bin, args: [...args, fault] }, options);
        assertEquals([result.results.valid, signsOf(result)], [false, [anomaly]]);
      }));
    },
  });
}

Deno.test("nodes have the same run in every process, alone and beside others", async () => {
  const alone: Awaited<ReturnType<typeof store>>[] = [];
  for (const bin of built) alone.push(await store(bin, { TZ: "Asia/Tokyo", LANG: "de_DE.UTF-8" }));
  const beside = await Promise.all(
    built.map((bin) => store(bin, { TZ: "America/New_York", LANG: "C" })),
  );
  for (const [i, { kept, printed }] of alone.entries()) {
    assertEquals(beside[i]?.kept, kept, built[i]);
    assert(kept.every((file) => file.length > 5000));
    assertMatch(printed, /^Virtual time, .* in this process\n/);
    const isWasm = built[i]?.endsWith(".wasm") === true;
    assertEquals(/^Memory: at most \d+\.\d MiB a node, of 1024$/m.test(printed), isWasm);
  }
});
