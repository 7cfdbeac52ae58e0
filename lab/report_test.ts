import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { allMutants } from "@eddy/mutants";
import { parseHistory } from "@eddy/workbench";
import { commandOf } from "@eddy/workbench/cli/mutants.ts";
import { inTempDir, workbench, workbenchInTurn } from "@eddy/workbench/cli/testing.ts";
import { makeReport } from "@eddy/workbench/report_maker.ts";
import { reportPage } from "@eddy/workbench/report_page.ts";
import { check } from "@eddy/workbench/report.ts";
import { WORKLOADS } from "@eddy/workbench/workloads/mod.ts";
import { isCi } from "./long.ts";
import { openPage, type PageSettings, testInBrowser } from "./browser.ts";

/** Opens a report, and waits until it is shown. */
async function openReport(path: string, settings?: PageSettings) {
  const opened = await openPage(path, settings);
  await opened.page.waitForSelector("[data-ready]");
  const textOf = async (selector: string) =>
    await opened.page.locator(selector).first().innerText();
  return { ...opened, textOf };
}

/** The folders of all runs in a store, by workload. */
function runsOf(store: string): string[] {
  return shown.flatMap((workload) =>
    [...Deno.readDirSync(join(store, workload))].map(({ name }) => join(store, workload, name))
  ).sort();
}

const VALID = ["--node-count", "3", "--time-limit", "3", "--rate", "20", "--nemesis", "partition"];

/** The command line of a wrong node of a workload. */
function wrongRun(workload: string): string[] {
  const mutant = allMutants.find((each) => each.workload === workload && !("rule" in each));
  if (mutant === undefined) throw new Error(`${workload} has no mutant`);
  return commandOf(mutant).split(" ");
}

/** All workloads; without continuous integration some. */
const shown = isCi ? WORKLOADS : WORKLOADS.slice(0, 3);

testInBrowser(
  `a valid and an invalid run of ${shown.length} workloads are shown as they ended`,
  async () => {
    await inTempDir(async (dir) => {
      const lines = shown.flatMap((workload) => [
        ["test", "-w", workload, ...VALID, "--seed", "1"],
        [...wrongRun(workload), "--seed", "1"],
      ]);
      const ran = await workbenchInTurn(lines, dir);
      assertEquals(ran.map(({ code }) => code), shown.flatMap(() => [0, 1]));
      for (const [i, folder] of runsOf(join(dir, "store")).entries()) {
        const { page, problems, requests, textOf } = await openReport(join(folder, "report.html"));
        const { "valid?": valid, findings } = JSON.parse(
          await Deno.readTextFile(join(folder, "results.json")),
        );
        assertEquals(valid, i % 2 === 0, folder);
        assertMatch(await textOf("h1"), valid ? /: valid$/ : /: INVALID: /);
        assertEquals(await page.locator(".finding").count(), findings.length);
        if (!valid) {
          assertEquals(await textOf(".finding h3"), findings[0].anomaly);
          assertEquals(await textOf(".finding .what"), findings[0].what.split("\n")[0]);
        }
        assertEquals([problems, requests], [[], []], folder);
      }
    });
  },
);

/** What must stay text: markup, what ends a script, control characters, marks that turn writing. */
const HOSTILE = [
  "</script><script>globalThis.ran = 1</script>",
  '<img src=x onerror="globalThis.ran = 1">',
  "javascript:ran=1",
  "\u001b[31m\u0000\u202eabc\u2028\u0085",
  "<!-- -->]]>&lt;&#x3c;",
  "x".repeat(1e6),
  "__proto__",
];

testInBrowser("hostile values are shown as text, and run nothing", async () => {
  await inTempDir(async (dir) => {
    const history = HOSTILE.flatMap((value, i) => {
      const common = { process: i, f: "echo", node: `n${i}${HOSTILE[1]}` };
      const at = { index: 2 * i, time: i * 1e6 };
      return [
        { ...at, ...common, type: "invoke", value },
        { ...at, index: at.index + 1, ...common, type: "ok", value: `${value}!` },
      ];
    });
    const text = history.map((op) => JSON.stringify(op)).join("\n");
    await Deno.writeTextFile(join(dir, "history.jsonl"), text);
    const args = ["check", "-w", "echo", "--html", "page.html", "history.jsonl"];
    assertEquals((await workbench(args, dir)).code, 1);

    const messages = HOSTILE.map((value, i) => ({
      id: i,
      src: `c${i}`,
      dest: value.slice(0, 200),
      sentMs: i,
      type: value,
      body: JSON.stringify({ type: value, [value.slice(0, 50)]: value }),
      deliveries: [{ atMs: i + 1, nextId: i + 1 }],
      drops: i === 0 ? [{ atMs: i, why: value }] : [],
    }));
    const ops = parseHistory(text);
    const report = check(ops, { workload: "echo", consistencyModels: [] });
    const observations = HOSTILE.map((value, i) => {
      return { time: i * 1e6, node: value.slice(0, 50), observation: { observe: { role: value } } };
    });
    const data = makeReport({
      workload: "echo",
      engine: HOSTILE[0],
      command: HOSTILE[1],
      report: {
        ...report,
        faults: HOSTILE.map((fault, i) => ({
          fault,
          description: fault,
          fromNs: i * 1e6,
          toNs: undefined,
        })),
      },
      history: ops,
      observations,
      messages,
      sentCount: messages.length,
    });
    await Deno.writeTextFile(join(dir, "run.html"), await reportPage(data));

    for (const name of ["page.html", "run.html"]) {
      const { page, problems, requests, textOf } = await openReport(join(dir, name));
      assertEquals([problems, requests], [[], []], name);
      assertEquals(await page.evaluate("globalThis.ran"), undefined);
      assertEquals(await page.locator("#page img").count(), 0);
      assertStringIncludes(await textOf(".finding .what"), "</script><script>globalThis.ran");
      const all = await page.locator("body").innerText();
      const forbidden = [..."\u0000\u001b\u202e"].filter((char) => all.includes(char));
      assertEquals(forbidden, [], name);
    }
  });
});

testInBrowser("a report is read in both themes, on narrow screens, and by its roles", async () => {
  await inTempDir(async (dir) => {
    const [, , ...flags] = wrongRun("broadcast");
    await workbench(["test", "-w", ...flags, "--seed", "1"], dir);
    const path = join(dir, "store/latest/report.html");
    for (const width of [400, 1400]) {
      for (const colorScheme of ["light", "dark"] as const) {
        const { page, problems } = await openReport(path, { width, colorScheme });
        const scrolls = "document.documentElement.scrollWidth > innerWidth";
        assertEquals([await page.evaluate(scrolls), problems], [false, []], `${width}`);
        const screens = Deno.env.get("EDDY_SCREENSHOTS");
        if (screens !== undefined) {
          await page.screenshot({ path: join(screens, `report-${width}-${colorScheme}.png`) });
        }
        assertEquals(await page.getByRole("heading", { level: 1 }).count(), 1);
        const findings = page.getByRole("region", { name: "Findings" });
        assertStringIncludes(await findings.innerText(), "lost");
        const moment = findings.getByRole("link", { name: /^\d+\.\d{3} s$/ }).first();
        await moment.click();
        assertEquals(await findings.locator("details[open]").count(), 1);
      }
    }
  });
});

/** The SHA-256 of a file, in hexadecimal. */
async function sha256(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

testInBrowser(
  "a run is run again in its page: as it was, drawn anew, and with a fault moved",
  async () => {
    await inTempDir(async (dir) => {
      const flags = ["--node-count", "3", "--time-limit", "6", "--rate", "20", "--latency", "5"];
      const run = ["test", "-w", "lin-kv", ...flags, "--nemesis", "partition"];
      const faults = ["--nemesis-interval", "2"];
      await workbench([...run, ...faults, "--seed", "1", "--store", "one"], dir);
      await workbench([...run, ...faults, "--seed", "2", "--store", "two"], dir);
      const file = join(dir, "one/latest/plan.json");
      const plan = JSON.parse(await Deno.readTextFile(file));
      const [first] = plan.faults;
      first.fromMs += 1100;
      first.toMs += 1100;
      plan.faults.sort((a: typeof first, b: typeof first) => a.fromMs - b.fromMs);
      await Deno.writeTextFile(join(dir, "moved.json"), JSON.stringify({ ...plan, links: [] }));
      await workbench(["test", "--plan", "moved.json", "--store", "three"], dir);

      const { page, problems, requests } = await openReport(join(dir, "one/latest/report.html"));
      const again = async (button: string) => {
        await page.getByRole("button", { name: button }).click();
        await page.waitForSelector("#again[data-history]");
        return await page.locator("#again").getAttribute("data-history");
      };
      const history = (store: string) => sha256(join(dir, store, "latest/history.jsonl"));
      assertEquals(await again("Run the plan"), await history("one"));
      assertMatch(
        await page.locator("#again-status").innerText(),
        /that of the stored run, byte for byte/,
      );
      assertEquals(await again("Next seed"), await history("two"));
      assertMatch(await page.locator("h1").innerText(), /seed 2/);
      await page.getByRole("button", { name: "Show the stored run" }).click();
      assertMatch(await page.locator("h1").innerText(), /seed 1/);
      const bar = page.getByRole("slider").first();
      await bar.press("Shift+ArrowRight");
      await bar.press("ArrowRight");
      assertEquals(await again("Run the plan"), await history("three"));

      // What was shown before is let go.
      const session = await page.context().newCDPSession(page);
      const nodes = async () => {
        await session.send("HeapProfiler.collectGarbage");
        return (await session.send("Memory.getDOMCounters")).nodes;
      };
      const before = await nodes();
      for (let i = 0; i < 4; i++) await again("Run this seed");
      const after = await nodes();
      assert(after < 1.3 * before, `${before} nodes, and after four runs ${after}`);
      assertEquals([problems, requests], [[], []]);
    });
  },
);
