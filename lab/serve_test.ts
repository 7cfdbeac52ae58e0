/**
 * The list of runs in a browser: a narrow screen, and two runs side by side.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path/join";
import { inTempDir, workbench } from "@eddy/workbench/cli/testing.ts";
import { storeHandler } from "@eddy/workbench/serve.ts";
import { openAddress, testInBrowser } from "./browser.ts";

/** The files that the list and the comparison are made of. */
const FILES = ["results.json", "report.html"];

/** When a run began that is under way, in UTC, as its folder is named. */
const UNDER_WAY = "2020-01-02T030405.678-4";

/** The folder of a run that was killed, which began before. */
const KILLED = "2019-01-02T030405.678";

/** Serves a store with a run that is over, one that is under way, and one that was killed. */
async function inStore(
  use: (address: string, folders: { over: string; underWay: string }) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    const short = ["--node-count", "2", "--time-limit", "1", "--rate", "20", "--seed", "4"];
    await workbench(["test", "-w", "echo", ...short], dir);
    const store = join(dir, "store");
    const over = join(store, await Deno.readLink(join(store, "latest")));
    const underWay = join(store, "echo", UNDER_WAY);
    const progress = { stage: "main", elapsedMs: 5, plannedMs: 10, counts: { invocations: 3 } };
    await Deno.mkdir(underWay);
    await Deno.writeTextFile(
      join(underWay, "progress.json"),
      JSON.stringify({ ...progress, writtenAt: new Date().toISOString() }),
    );
    const killed = join(store, "echo", KILLED);
    await Deno.mkdir(killed);
    await Deno.writeTextFile(
      join(killed, "progress.json"),
      JSON.stringify({ ...progress, writtenAt: "2019-01-02T03:04:06Z" }),
    );
    const handler = storeHandler(store, () => true);
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
    await use(`http://127.0.0.1:${server.addr.port}/`, { over, underWay });
  });
}

testInBrowser(
  "serve: the comparison follows the list, and the focus stays on the box",
  async () => {
    await inStore(async (address, { over, underWay }) => {
      const { page, problems } = await openAddress(address);
      const boxes = page.getByRole("checkbox");
      await boxes.nth(1).focus();
      await page.keyboard.press("Space");
      const focused = "document.activeElement.getAttribute('aria-label')";
      assertEquals(await page.evaluate(focused), `Compare echo/${UNDER_WAY}`);
      assertEquals(await page.locator("#compare").isVisible(), false);
      await boxes.nth(0).check();
      const comparison = page.locator("#compare");
      assertMatch(
        await comparison.innerText(),
        /^Side by side\s+Bold: what differs[^]*under way: main/,
      );
      assertEquals(await comparison.locator("iframe").count(), 1);

      for (const file of FILES) await Deno.copyFile(join(over, file), join(underWay, file));
      await comparison.locator("iframe").nth(1).waitFor();
      assertEquals((await comparison.innerText()).includes("under way"), false);
      const verdicts = await comparison.locator("tr", { hasText: "verdict" }).innerText();
      assertEquals(verdicts.split(/\s+/), ["verdict", "valid", "valid"]);
      assertEquals(problems, []);
    });
  },
);

testInBrowser(
  "serve: a page in the store that somebody forged cannot read the list of runs",
  async () => {
    await inStore(async (address, { over }) => {
      const page = "<!doctype html><p></p><script>fetch('/runs.json').then((r) => r.text())" +
        ".then(() => 'read', () => 'refused').then((t) => { document.title = t; });</script>" +
        "<img src='/asked.png'>";
      await Deno.writeTextFile(join(over, "report.html"), page);
      const path = over.split("/").slice(-2).join("/");
      const opened = await openAddress(`${address}runs/${path}/report.html`);
      await opened.page.waitForFunction("document.title !== ''");
      assertEquals(await opened.page.title(), "refused");
      assert(opened.problems.some((text) => /asked\.png.*Content Security Policy/.test(text)));
    });
  },
);

testInBrowser("serve: the page of a run runs it again", async () => {
  await inStore(async (address, { over }) => {
    const path = over.split("/").slice(-2).join("/");
    const { page, problems } = await openAddress(`${address}runs/${path}/report.html`);
    await page.waitForSelector("[data-ready]");
    await page.getByRole("button", { name: "Run the plan" }).click();
    await page.waitForSelector("#again[data-history]");
    assertEquals(problems, []);
  });
});

testInBrowser("serve: on a narrow screen the verdict and the time are in view", async () => {
  await inStore(async (address) => {
    const { page } = await openAddress(address, { width: 400, timezoneId: "Asia/Tokyo" });
    const row = page.locator("tbody tr").nth(1);
    const cells = row.locator("td");
    assertEquals(await cells.nth(2).innerText(), "2020-01-02 12:04:05 #5");
    for (const i of [1, 2]) {
      const box = await page.locator("tbody tr").nth(0).locator("td").nth(i).boundingBox();
      assert(box !== null && box.x + box.width <= 400, `column ${i} ends at ${box?.x}`);
    }
    assertMatch(await cells.nth(1).innerText(), /^under way: main, 50 %, 3 operations$/);
    const killed = page.locator("tbody tr").nth(2).locator("td");
    assertEquals(await killed.nth(1).innerText(), "broken off: main, 50 %, 3 operations");
  });
});
