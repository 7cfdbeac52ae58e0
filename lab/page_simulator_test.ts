/**
 * The simulator in a browser: the same runs as in Deno, byte for byte.
 */

import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { allMutants, binOf, DEFAULT_SETTINGS } from "@eddy/mutants";
import { NEMESES, type Plan, type RunSettings, simulate, WORKLOADS } from "@eddy/workbench";
import { playgroundPage } from "@eddy/workbench/cli/playground.ts";
import { pagePart } from "@eddy/workbench/page_parts.ts";
import type {
  SimulatorResult,
  SimulatorSettings,
} from "@eddy/workbench/page/simulator/simulator.ts";
import { writePlan } from "@eddy/workbench/plan.ts";
import { writePage } from "@eddy/workbench/report_page.ts";
import { type OpenedPage, testInBrowser } from "./browser.ts";
import { openText, recorded, runInPage } from "./simulator_page.ts";

async function openPlayground(): Promise<OpenedPage> {
  const opened = await openText(await playgroundPage());
  await opened.page.waitForSelector("#playground[data-ready]");
  return opened;
}

/** What the page is to answer: the same run in this process. */
async function runHere(
  { workload, bin, args = [], ...settings }: SimulatorSettings,
  plan?: Plan,
): Promise<SimulatorResult> {
  const mutant = allMutants.find((each) => binOf(each) === bin && each.workload === workload);
  return await recorded({ bin, args }, (hooks) =>
    simulate({
      ...plan?.options ?? settings,
      workload,
      ...(mutant === undefined ? { args } : { install: mutant.install }),
      plan,
      ...hooks,
    }));
}

/** Fails unless runs are the same here and in the worker of a page. */
async function assertSame(
  runs: readonly { settings: SimulatorSettings; plan?: Plan }[],
): Promise<void> {
  const { page, problems, requests } = await openPlayground();
  const found = await runInPage(
    page,
    runs.map(({ settings, plan }) => ({ run: plan === undefined ? { settings } : { plan } })),
  );
  for (const [i, { settings, plan }] of runs.entries()) {
    const name = `${settings.workload} ${settings.bin ?? ""} ${settings.nemesis}`;
    const [there, here] = [found[i], await runHere(settings, plan)];
    assert(typeof there === "object", `${name}: ${there}`);
    assertEquals(there.sha256, here.sha256, name);
    assert(there.report === here.report, `${name}: all else that a page shows is the same`);
    assertEquals(writePlan(there.plan), writePlan(here.plan), name);
  }
  assertEquals([problems, requests], [[], []]);
}

const common = {
  nodeCount: 3,
  timeLimitSeconds: 8,
  rate: 20,
  latency: { meanMs: 20, distribution: "exponential" },
  nemesisIntervalSeconds: 2,
  seed: 7,
} as const satisfies RunSettings;

testInBrowser(
  "every workload gives the same run in a page, under all faults together",
  async () => {
    await assertSame(WORKLOADS.map((workload) => ({
      settings: { ...common, workload, nemesis: NEMESES },
    })));
  },
);

testInBrowser(
  "every fault gives the same run in a page, and so does a program's time",
  async () => {
    const settings = NEMESES.map((name) => ({
      ...common,
      workload: "lin-kv" as const,
      nemesis: [name],
    }));
    const compute = { meanMs: 1, jitter: 1 };
    await assertSame([
      ...settings.map((settings) => ({ settings })),
      { settings: { ...common, workload: "broadcast", args: ["--max-latency", "1500"], compute } },
    ]);
  },
);

testInBrowser("mutants give the same run in a page", async () => {
  const firsts = WORKLOADS.map((workload) => {
    const mutant = allMutants.find((each) => each.workload === workload);
    assert(mutant !== undefined);
    const needs = mutant.needs as RunSettings;
    return { ...DEFAULT_SETTINGS, ...needs, workload, bin: binOf(mutant), seed: 3 };
  });
  await assertSame(firsts.map((settings) => ({ settings })));
});

testInBrowser("a changed plan gives the same run in a page", async () => {
  const settings = { ...common, workload: "lin-kv", nemesis: ["partition"] } as const;
  const { plan } = await runHere(settings);
  const faults = plan.faults.map((fault) => ({ ...fault, fromMs: fault.fromMs + 100 }));
  assert(faults.length > 0);
  await assertSame([{ settings, plan }, { settings, plan: { ...plan, faults } }]);
});

testInBrowser("what cannot be run is said with its value", async () => {
  const { page } = await openPlayground();
  const { plan } = await runHere({ ...common, workload: "echo" });
  const said = await runInPage(page, [
    { run: { settings: { ...common, workload: "echo", nodeCount: 0 } } },
    { run: { settings: { ...common, workload: "echo", bin: "mutant:no-such" } } },
    { run: { plan: { ...plan, faults: [{ kind: "kill", fromMs: 1, drawn: "x" }] } } },
    { run: { plan: { ...plan, program: { bin: "./echo.py" } } } },
  ]);
  const signs = ["node count 0", 'mutant "mutant:no-such"', "faults.0: nodes", '"./echo.py"'];
  for (const [i, sign] of signs.entries()) assertStringIncludes(String(said[i]), sign);
});

testInBrowser("the playground runs what is chosen, and shows the report", async () => {
  const { page, problems, requests } = await openPlayground();
  await page.getByLabel("Workload").selectOption("broadcast");
  const node = page.getByLabel("Node", { exact: true });
  await node.selectOption({ index: 1 });
  const bin = await node.inputValue();
  const anomaly = allMutants.find((each) => binOf(each) === bin && each.workload === "broadcast")
    ?.anomaly;
  assert(anomaly !== undefined);
  await page.getByLabel("Seed", { exact: true }).fill("5");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForSelector("#result[data-ready]");
  assertStringIncludes(await page.locator("#result h1").innerText(), "seed 5: INVALID");
  assertStringIncludes(await page.locator("#findings").innerText(), anomaly);
  const status = await page.getByRole("status").innerText();
  await page.getByRole("button", { name: "Run another seed" }).click();
  await page.waitForFunction(
    (before) =>
      document.querySelector("#status")?.textContent?.startsWith("The history") &&
      document.querySelector("#status")?.textContent !== before,
    status,
  );
  assertStringIncludes(await page.locator("#result h1").innerText(), "seed 6");
  await page.setViewportSize({ width: 400, height: 900 });
  assertLessOrEqual(await page.evaluate(() => document.documentElement.scrollWidth), 400);
  assertEquals([problems, requests], [[], []]);
});

Deno.test("the simulator is small enough for a page of each run", async () => {
  const sizes: Record<string, number> = {};
  for (const name of ["own_worker", "mutants_worker", "program_worker", "wasm_worker"] as const) {
    const code = await pagePart(name);
    const page = await writePage({ title: "", body: "", code: "", texts: { simulator: code } });
    const [, packed = ""] = /id="part-simulator">([^<]+)/.exec(page) ?? [];
    sizes[name] = packed.length / 1000;
  }
  console.log(`The simulator, as a page has it, in kB: ${JSON.stringify(sizes)}`);
  const { mutants_worker: withMutants = 0, ...others } = sizes;
  // With the report's own code, 112 kB, a page was to have at most 250 kB of code. Simulated disks, and
  // what nodes keep on them, are 6 kB of this, with which it has 253; that a run ends early and what
  // nodes wait for is 1 kB, and clocks that run at another rate are 2.
  assertLessOrEqual(Math.max(...Object.values(others)), 146);
  // Pages of mutants and the playground alone have it: 7 kB of this are the mutants that are rare.
  assertLessOrEqual(withMutants, 172);
});
