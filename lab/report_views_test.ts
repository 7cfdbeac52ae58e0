import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path/join";
import { allMutants } from "@eddy/mutants";
import { commandOf } from "@eddy/workbench/cli/mutants.ts";
import { inTempDir, workbench } from "@eddy/workbench/cli/testing.ts";
import { longTestInBrowser, openPage } from "./browser.ts";

/** Runs a mutant, and opens the report of its run. */
async function openMutant(workload: string, name: string, dir: string, width = 1400) {
  const wrong = allMutants.filter((each) => each.workload === workload).map(commandOf)
    .find((line) => line.split(" ").includes(`mutant:${name}`));
  assert(wrong !== undefined, `${workload} has no mutant ${name}`);
  const { code, stdout } = await workbench([...wrong.split(" "), "--seed", "1"], dir);
  assertEquals(code, 1, stdout);
  const folder = join(dir, "store/latest");
  const opened = await openPage(join(folder, "report.html"), { width });
  await opened.page.waitForSelector("[data-ready]");
  const { findings } = JSON.parse(await Deno.readTextFile(join(folder, "results.json")));
  const textOf = (selector: string) => opened.page.locator(selector).first().innerText();
  return { ...opened, findings, textOf };
}

longTestInBrowser(
  "the order of a register ends where the finding says, and operations tell of themselves",
  async () => {
    await inTempDir(async (dir) => {
      const name = "reads-from-a-copy-that-may-be-old";
      const { page, problems, requests, findings, textOf } = await openMutant("lin-kv", name, dir);
      assertStringIncludes(await textOf("#registers .view-summary"), findings[0].what);
      const stuck = page.locator(".register .stuck");
      assertEquals(await stuck.count(), 1);
      // On a slow machine the page may still be moving when the pointer comes.
      const told = page.locator("#registers .view-readout", {
        hasText: "no order accounts for it",
      });
      for (let tries = 0; tries < 50 && await told.count() === 0; tries++) {
        await page.mouse.move(0, 0);
        await stuck.hover();
      }
      assertStringIncludes(await textOf("#registers .view-readout"), "no order accounts for it");
      await stuck.click();
      assertEquals(await page.locator(".register .stuck.selected").count(), 1);
      // The arrow keys go from operation to operation.
      await stuck.focus();
      await page.keyboard.press("ArrowLeft");
      assertEquals(await page.locator(".register .stuck:focus").count(), 0);
      assertEquals(await page.locator(".register .call:focus").count(), 1);
      const shown = await page.locator(".register .call").count();
      assertGreater(shown, 1);
      assertEquals([problems, requests], [[], []]);
    });
  },
);

longTestInBrowser("a cycle has its transactions, its edges and their reasons", async () => {
  const wrong = [
    ["txn-list-append", "takes-snapshot-isolation-for-serializable"],
    ["txn-rw-register", "takes-read-committed-for-snapshot-isolation"],
  ] as const;
  for (const [workload, name] of wrong) {
    await inTempDir(async (dir) => {
      const { page, problems, requests, findings } = await openMutant(workload, name, dir);
      const found: { anomaly: string; what: string }[] = findings;
      const cycles = found.filter(({ what }) => what.includes("each come before the next"));
      assertGreater(cycles.length, 0);
      const cards = page.locator(".cycle-card");
      assertEquals(await cards.locator("h3").allInnerTexts(), cycles.map(({ anomaly }) => anomaly));
      for (const [i, { what }] of cycles.entries()) {
        // `T1 = ...` and `T1 before T2 (rw): ...`, a line each.
        const lines = what.split("\n").map((line) => line.trim());
        const card = cards.nth(i);
        const txns = lines.filter((line) => /^T\d+ = /.test(line));
        assertEquals(await card.locator(".txn").count(), txns.length);
        const edges = lines.flatMap((line) => /^T\d+ before T\d+ \((.*?)\): (.*)/.exec(line) ?? []);
        assertEquals(await card.locator(".edge").count() * 3, edges.length);
        const reasons = await card.locator(".reasons").innerText();
        assertStringIncludes(reasons, edges[2] ?? "none");
      }
      assertEquals([problems, requests], [[], []]);
    });
  }
});

longTestInBrowser("the log of a key has the hole that the finding is about", async () => {
  await inTempDir(async (dir) => {
    const name = "loses-a-message-that-it-acknowledged";
    const { page, problems, requests, findings, textOf } = await openMutant("kafka", name, dir);
    assertStringIncludes(await textOf("#logs .reasons"), findings[0].what);
    const [, value, offset] = /^Message (\d+) .* at offset (\d+)/.exec(findings[0].what) ?? [];
    const heads = await page.locator(".log thead .marked").allInnerTexts();
    assert(heads.includes(offset ?? ""), `${heads}`);
    const marked = await page.locator(".log tbody tr:first-child .marked").allInnerTexts();
    assert(marked.includes(value ?? ""), `${marked}`);
    await page.locator(".log tbody tr:first-child .marked").first().hover();
    assertMatch(await textOf("#logs .view-readout"), /^offset \d+: message \d+, sent by process/);
    await page.locator("#logs td[tabindex='0']").focus();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowRight"]) await page.keyboard.press(key);
    const [at] = /^offset \d+/.exec(await textOf("#logs .view-readout")) ?? [];
    assertEquals(at, `offset ${Number(heads[0]) + 1}`);
    assertEquals([problems, requests], [[], []]);
  });
});

longTestInBrowser(
  "a lost element has a row for each node, with the reads that missed it",
  async () => {
    await inTempDir(async (dir) => {
      const name = "forwards-values-once-whether-they-arrive-or-not";
      const { page, problems, requests, findings, textOf } = await openMutant(
        "broadcast",
        name,
        dir,
      );
      const [element = ""] = findings[0].what.split(" was ");
      assertStringIncludes(await textOf(".element h3"), `${element}: lost`);
      const first = page.locator(".element").first();
      assertMatch(await first.innerText(), /and missed it at n\d/);
      assertGreater(await first.locator(".shade").count(), 0);
      await first.locator(".lacks .reach").first().hover();
      assertMatch(await textOf(".element .view-readout"), /^n\d+: \d+ reads? .* missed it$/);
      assertEquals([problems, requests], [[], []]);
    });
  },
);

longTestInBrowser(
  "plots share their time, and tell what is under the pointer",
  async () => {
    await inTempDir(async (dir) => {
      const name = "forwards-values-once-whether-they-arrive-or-not";
      const { page, problems, requests } = await openMutant("broadcast", name, dir);
      await page.locator("#plots .plot").first().waitFor();
      const ids = await page.locator("#plots .plot").evaluateAll((all: { id: string }[]) =>
        all.map(({ id }) => id)
      );
      assertEquals(ids, [
        "plot-latency",
        "plot-quantiles",
        "plot-rate",
        "plot-flight",
        "plot-stable",
      ]);
      const stable = page.locator("#plot-stable");
      await stable.scrollIntoViewIfNeeded();
      await stable.locator("canvas").waitFor();
      assertMatch(await stable.getAttribute("aria-label") ?? "", /\d+ lost, median/);
      await page.locator("#plot-latency").scrollIntoViewIfNeeded();
      await page.locator("#plot-latency canvas").waitFor();
      const latency = await page.locator("#plot-latency .u-over").boundingBox();
      assert(latency !== null);
      const readout = page.locator("#plots .readout").first();
      // Latencies are 0 in this run, so that points are at the bottom.
      for (
        let x = 0;
        x < latency.width && !(await readout.innerText()).includes("process");
        x += 9
      ) {
        await page.mouse.move(latency.x + x, latency.y + latency.height - 3);
      }
      assertMatch(
        await readout.innerText(),
        /^\d+\.\d+ s process \d+ on n\d+ (broadcast|read) .*: (broadcast|read) ok /,
      );
      await stable.scrollIntoViewIfNeeded();
      const shown = () => page.locator("#plots").getAttribute("data-span");
      const whole = await shown();
      const box = await stable.locator(".u-over").boundingBox();
      assert(box !== null);
      await page.mouse.move(box.x + box.width / 4, box.y + 50);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width / 2, box.y + 50, { steps: 4 });
      await page.mouse.up();
      const [from = 0, to = 0] = (await shown() ?? "").split(" ").map(Number);
      const [, end = 0] = (whole ?? "").split(" ").map(Number);
      assert(
        Math.abs(from / end - 0.25) < 0.02 && Math.abs(to / end - 0.5) < 0.02,
        `${from} ${to}`,
      );
      await stable.focus();
      await page.keyboard.press("0");
      assertEquals(await shown(), whole);
      await page.mouse.dblclick(box.x + 9, box.y + 9);
      assertEquals(await shown(), whole);
      const lost = page.getByRole("button", { name: "lost" });
      await lost.click();
      assertEquals(await lost.getAttribute("aria-pressed"), "false");
      assertEquals([problems, requests], [[], []]);
    });
  },
);

longTestInBrowser("what checkers saw fits a narrow screen", async () => {
  const wrong = [
    ["lin-kv", "reads-from-a-copy-that-may-be-old"],
    ["txn-list-append", "takes-snapshot-isolation-for-serializable"],
    ["kafka", "loses-a-message-that-it-acknowledged"],
  ] as const;
  for (const [workload, name] of wrong) {
    await inTempDir(async (dir) => {
      const { page, problems } = await openMutant(workload, name, dir, 400);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      assertEquals([width, problems], [400, []], workload);
    });
  }
});
