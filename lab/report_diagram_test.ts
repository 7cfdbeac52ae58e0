import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { join } from "@std/path/join";
import type { Page } from "playwright-core";
import { workbench } from "@eddy/workbench/cli/testing.ts";
import { defaultOptions } from "@eddy/workbench/options.ts";
import { check } from "@eddy/workbench/report.ts";
import type { ReportData } from "@eddy/workbench/report_data.ts";
import type { ReportMessage } from "@eddy/workbench/report_messages.ts";
import { reportPage } from "@eddy/workbench/report_page.ts";
import { longTestInBrowser, openPage, type PageSettings } from "./browser.ts";

/** A run in which values are lost, since they are sent once only, and a partition takes them. */
const LOSING = [
  ...["test", "--workload", "broadcast", "--node-count", "3", "--concurrency", "2n"],
  ...["--bin", "mutant:forwards-values-once-whether-they-arrive-or-not"],
  ...["--rate", "50", "--time-limit", "20", "--latency", "4", "--latency-dist", "exponential"],
  ...["--nemesis", "partition", "--nemesis-interval", "3", "--seed", "1"],
];

const folder = await Deno.makeTempDir();
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));
let run: Promise<unknown> | undefined;

/** The page of that run, opened; it is run once. */
async function openRun(settings: PageSettings = {}) {
  await (run ??= workbench(LOSING, folder));
  return await openReport(join(folder, "store", "latest", "report.html"), settings);
}

async function openReport(path: string, settings: PageSettings) {
  const opened = await openPage(path, settings);
  await opened.page.locator("[data-ready]").waitFor({ state: "attached" });
  await settled(opened.page);
  return opened;
}

/** Waits until the diagram has told what is in view. */
async function settled(page: Page): Promise<void> {
  await page.locator('.diagram[data-settled="true"]').waitFor();
}

interface Shown {
  readonly fromMs: number;
  readonly toMs: number;
  readonly arrows: number;
  readonly operations: number;
  readonly faults: number;
  readonly drawCalls: number;
}

async function shownOn(page: Page): Promise<Shown> {
  await settled(page);
  const data = await page.locator(".diagram").evaluate((each) => ({
    ...(each as unknown as { dataset: Record<string, string> }).dataset,
  }));
  const number = (name: string) => Number(data[name]);
  return {
    fromMs: number("fromMs"),
    toMs: number("toMs"),
    arrows: number("arrows"),
    operations: number("operations"),
    faults: number("faults"),
    drawCalls: number("drawCalls"),
  };
}

const press = async (page: Page, keys: readonly string[]) => {
  await page.locator(".diagram-stage canvas").focus();
  for (const key of keys) await page.keyboard.press(key);
};

longTestInBrowser(
  "a diagram opens where the first finding began, and says what is in view",
  async () => {
    const { page, problems, requests } = await openRun();
    const { fromMs, toMs, arrows, operations, faults } = await shownOn(page);
    // The partition took the only messages with 0, which were sent at once.
    assert(fromMs <= 0 && toMs > 0, `${fromMs} to ${toMs}`);
    assertEquals([operations, faults], [5, 1]);
    assert(arrows >= 12, String(arrows));
    const findings = page.locator(".diagram-findings");
    assertMatch(await findings.textContent() ?? "", /^1 lost: Element 0 was/);
    assert(await findings.isVisible());
    assertMatch(
      await page.locator("#diagram-status").textContent() ?? "",
      /^0.* s to 0.* s: \d+ of 3,660 messages, 5 operations, 1 fault$/,
    );
    assertEquals([problems, requests], [[], []]);
  },
);

longTestInBrowser("the number of a finding stands where no message is", async () => {
  for (const width of [1400, 400]) {
    const { page } = await openRun({ width });
    const flag = await page.locator(".diagram-finding").first().boundingBox();
    const canvas = await page.locator(".diagram-stage canvas").boundingBox();
    assert(flag !== null && canvas !== null);
    const right = canvas.x + canvas.width;
    assert(flag.width < 24 && Math.abs(flag.x + flag.width - right) < 1, JSON.stringify(flag));
    // A pointer there is at none.
    await page.locator(".diagram-stage canvas").hover({
      position: { x: canvas.width - 11, y: flag.y - canvas.y + 9 },
    });
    assertEquals(await page.locator(".diagram-tip").textContent(), "");
    await press(page, ["End"]);
    await settled(page);
    assertEquals(await page.locator(".diagram-finding").count(), 0);
    assertEquals(await page.locator(".diagram-findings").textContent(), "No finding in view");
  }
});

/** Opens the finding about 8, and goes to where it was broadcast. */
async function goToValue8(page: Page): Promise<void> {
  await page.locator(".finding summary").filter({ hasText: "Element 8 " }).click();
  await page.getByRole("link", { name: "0.452 s process 3 on n0 broadcast invoke 8" }).click();
}

longTestInBrowser(
  "what findings name is a click away, with the fault that was on then",
  async () => {
    const { page, problems } = await openRun();
    await goToValue8(page);
    const { fromMs, toMs, faults } = await shownOn(page);
    assert(fromMs < 452 && toMs > 452 && toMs < 1000, `${fromMs} to ${toMs}`);
    assertEquals(faults, 1);
    const panel = page.locator(".diagram-panel");
    assertMatch(await panel.textContent() ?? "", /^×broadcast 8operationbroadcastprocess3noden0/);
    await panel.getByRole("link", { name: /→ n0 broadcast 8$/ }).click();
    assertMatch(await panel.locator("pre").textContent() ?? "", /"message": 8/);
    // What the node sent of it was lost, and why; so says the cause of the first finding.
    await panel.getByRole("link", { name: /n0 → n1 element 8, lost$/ }).click();
    assertMatch(await panel.textContent() ?? "", /ton1.*lostat 0\.45\d* s: partition/);
    await page.getByRole("link", { name: "element from n0 to n1, sent" }).first().click();
    assertMatch(
      await panel.textContent() ?? "",
      /^×element 0.*ton1id13.*lostat 0\.0\d* s: partition/,
    );
    assertEquals(problems, []);
  },
);

longTestInBrowser("a column has the name of its process, also where it is folded", async () => {
  const { page } = await openRun({ width: 400 });
  await goToValue8(page);
  await settled(page);
  assertMatch(
    await page.locator("#diagram-status").textContent() ?? "",
    /^Selected process 3 on n0/,
  );
  await page.locator(".diagram-panel").getByRole("link", { name: /→ n0 broadcast 8$/ }).click();
  assertMatch(await page.locator(".diagram-panel").textContent() ?? "", /fromc9 \(process 3\)ton0/);
  // The head of a column, and a line among those that are folded, are named under the pointer.
  const names = new Set<string | null>();
  for (let x = 70; x < 316; x += 4) {
    await page.locator(".diagram-stage canvas").hover({ position: { x, y: 20 } });
    names.add(await page.locator(".diagram-tip").textContent());
  }
  const wanted = ["set-up (6)", ..."012345"].map((each) =>
    each.length > 1 ? each : `process ${each} / c${Number(each) + 6}`
  );
  assertEquals([...names], [...wanted, "n0", "n1", "n2"]);
});

longTestInBrowser("a click on a message shows its body, its causes and effects", async () => {
  const { page, problems } = await openRun();
  await goToValue8(page);
  await press(page, ["Escape"]);
  const canvas = page.locator(".diagram-stage canvas");
  const box = await canvas.boundingBox();
  const panel = page.locator(".diagram-panel");
  const { width = 0, height = 0 } = box ?? {};
  // The middle has the operation; the first message below it that is hit is as good as any.
  for (let y = height / 2; y < height && await panel.locator("pre").count() === 0; y += 4) {
    await canvas.click({ position: { x: width * 0.66, y } });
  }
  assertMatch(await panel.locator("pre").textContent() ?? "", /"type": "\w+"/);
  assertMatch(
    await panel.textContent() ?? "",
    /from.*to.*id\d+sent.*happened before this one, [\d,]+ after/,
  );
  assertEquals(problems, []);
});

longTestInBrowser("filters and zoom change what is drawn, and are taken back", async () => {
  const { page, problems, requests } = await openRun();
  const first = await shownOn(page);
  await press(page, Array(12).fill("-"));
  const all = await shownOn(page);
  assert(all.arrows > 10 * first.arrows && all.faults > first.faults, JSON.stringify(all));
  await page.getByLabel("Message type").selectOption("element");
  const elements = await shownOn(page);
  assert(elements.arrows < all.arrows && elements.arrows > 0, JSON.stringify(elements));
  assertEquals(elements.operations, all.operations);
  await page.getByLabel("Key or value in the body").fill("8");
  await page.getByText(", 2 messages of the run match").waitFor();
  const value = await shownOn(page);
  assert(value.arrows < elements.arrows && value.operations < all.operations);
  await page.getByTitle("Clear all filters and the selection").click();
  assertEquals((await shownOn(page)).arrows, all.arrows);
  await page.getByText("Columns").click();
  await page.getByRole("checkbox", { name: "n2" }).uncheck();
  assert((await shownOn(page)).arrows < all.arrows);
  await page.getByTitle("Back to where the diagram was opened").click();
  await page.getByTitle("Clear all filters and the selection").click();
  const { drawCalls: _, ...again } = await shownOn(page);
  const { drawCalls: _before, ...before } = first;
  assertEquals(again, before);
  assertEquals([problems, requests], [[], []]);
});

longTestInBrowser("keys move, go to the ends, and from message to message", async () => {
  const { page, problems } = await openRun();
  await press(page, ["End"]);
  const end = await shownOn(page);
  await press(page, ["Home"]);
  const start = await shownOn(page);
  assert(start.fromMs <= 0 && start.toMs < end.fromMs, JSON.stringify(start));
  await press(page, ["PageDown", "ArrowDown"]);
  assert((await shownOn(page)).toMs > start.toMs);
  await press(page, ["n"]);
  const one = await page.locator(".diagram-panel").textContent();
  await press(page, ["n"]);
  const two = await page.locator(".diagram-panel").textContent();
  assertNotEquals(one, two);
  await press(page, ["p"]);
  assertEquals(await page.locator(".diagram-panel").textContent(), one);
  await settled(page);
  await press(page, ["Enter"]);
  const focused = page.locator(".diagram-panel:focus");
  assertEquals(await focused.count(), 1);
  await settled(page);
  assertMatch(
    await page.locator("#diagram-status").textContent() ?? "",
    /^Selected [\w() ]+ → [\w() ]+, .* messages/,
  );
  // Arrows go on moving the diagram, and N and P the selection.
  const { toMs } = await shownOn(page);
  await page.keyboard.press("ArrowDown");
  assert((await shownOn(page)).toMs > toMs);
  await page.keyboard.press("n");
  assertEquals(await page.locator(".diagram-panel").textContent(), two);
  assertEquals(await focused.count(), 1);
  assertEquals(problems, []);
});

longTestInBrowser("Escape, the panel's own button and Clear close what is selected", async () => {
  const { page, problems } = await openRun();
  const panel = page.locator(".diagram-panel");
  const isClosed = async () => {
    assertEquals(await panel.isVisible(), false);
    await settled(page);
    assertMatch(await page.locator("#diagram-status").textContent() ?? "", /^-?[\d.]+ s to /);
  };
  await press(page, ["n", "Enter", "Escape"]);
  await isClosed();
  assertEquals(await page.locator(".diagram-stage canvas:focus").count(), 1);
  await goToValue8(page);
  assert(await panel.isVisible());
  await page.keyboard.press("Escape");
  await isClosed();
  await press(page, ["n"]);
  await panel.getByRole("button", { name: "Close" }).click();
  await isClosed();
  await press(page, ["n"]);
  await page.getByTitle("Clear all filters and the selection").click();
  await isClosed();
  assertEquals(problems, []);
});

longTestInBrowser(
  "Next and Previous go through the run, and heads have the states of then",
  async () => {
    const states = [["n1", 1, "candidate"], ["n1", 2, "leader"], ["n2", 2, "follower"]] as const;
    const observations = states.map(([node, ms, role]) => ({
      time: ms * 1e6,
      node,
      observation: { observe: { role, term: 3 } },
    }));
    const { page, problems } = await openData({ ...longRun(50), observations });
    const statesAfter = async (button: string) => {
      await page.getByRole("button", { name: button }).click();
      await settled(page);
      const id = /id(\d+)/.exec(await page.locator(".diagram-panel").textContent() ?? "")?.[1];
      return `${id}: ${await page.locator(".diagram").getAttribute("data-states")}`;
    };
    await press(page, ["Home"]);
    const seen: string[] = [];
    for (let i = 0; i < 60 && !seen.at(-1)?.startsWith("0:"); i++) {
      seen.push(await statesAfter("Previous"));
    }
    assertEquals(seen.at(-1), "0: ");
    const next = [await statesAfter("Next"), await statesAfter("Next"), await statesAfter("Next")];
    // One each 0.6 ms.
    assertEquals(next, ["1: ", "2: n1 candidate 3", "3: n1 candidate 3"]);
    assertEquals(await statesAfter("Next"), "4: n1 leader 3, n2 follower 3");
    assertEquals(problems, []);
  },
);

/** Waits until something is so, which the page does soon, if it does. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await isSo()) return;
    await delay(20);
  }
  throw new Error("It never came to that");
}

longTestInBrowser("a wheel scrolls the page where the diagram has an end", async () => {
  const { page } = await openRun({ height: 600 });
  await page.locator(".diagram").evaluate((each) => each.scrollIntoView({ block: "start" }));
  await press(page, ["Home"]);
  const { toMs } = await shownOn(page);
  await page.locator(".diagram-stage canvas").hover({ position: { x: 300, y: 200 } });
  const top = Number(await page.evaluate("scrollY"));
  const endMs = async () => (await shownOn(page)).toMs;
  await page.mouse.wheel(0, 100);
  await until(async () => await endMs() > toMs);
  assertEquals(await page.evaluate("scrollY"), top);
  await page.mouse.wheel(0, -3000);
  await until(async () => await endMs() === toMs);
  assertEquals(await page.evaluate("scrollY"), top);
  await page.mouse.wheel(0, -300);
  await until(async () => Number(await page.evaluate("scrollY")) < top);
});

longTestInBrowser("a report that another takes the place of listens no more", async () => {
  const { page, problems } = await openRun();
  await page.evaluate(`
    globalThis.signals = [];
    const add = MediaQueryList.prototype.addEventListener;
    MediaQueryList.prototype.addEventListener = function (type, listener, options) {
      signals.push(options.signal);
      return add.call(this, type, listener, options);
    };`);
  const ended = async () => {
    await page.getByRole("button", { name: "Run the plan" }).click();
    await page.waitForSelector("#again[data-history]");
    return await page.evaluate("signals.map(({ aborted }) => aborted)") as boolean[];
  };
  const first = await ended();
  assert(first.length > 0 && !first.includes(true), first.join());
  await page.locator("#again").evaluate((each) => each.removeAttribute("data-history"));
  const both = await ended();
  assertEquals(both, [...first.map(() => true), ...first.map(() => false)]);
  assertEquals(problems, []);
});

/** A run of many messages, one in forty lost. */
function longRun(count: number): ReportData {
  const options = defaultOptions("broadcast", { nodeCount: 5 });
  const messages = Array.from({ length: count }, (_, id): ReportMessage => {
    const sentMs = id * 0.6;
    const took = 2 + (id * 7919 % 100) / 10;
    const [src, dest] = [`n${id % 5 + 1}`, `n${(id + 1 + id % 4) % 5 + 1}`];
    const isLost = id % 40 === 0;
    const nextId = Math.min(count, Math.floor((sentMs + took) / 0.6) + 1);
    return {
      id,
      src,
      dest,
      sentMs,
      type: "gossip",
      body: JSON.stringify({ type: "gossip", value: id }),
      deliveries: isLost ? [] : [{ atMs: sentMs + took, nextId }],
      drops: isLost ? [{ atMs: sentMs, why: "loss" }] : [],
    };
  });
  const shown = {
    messages,
    sentCount: count,
    observations: [],
    causes: [],
    isWhole: true,
    views: [],
  };
  return { workload: "broadcast", report: check([], options), options, history: [], ...shown };
}

async function openData(data: ReportData, settings: PageSettings = {}) {
  const path = join(folder, "made.html");
  await Deno.writeTextFile(path, await reportPage(data));
  return await openReport(path, settings);
}

longTestInBrowser("of many messages what is drawn is bounded", async () => {
  const { page, problems, requests } = await openData(longRun(100_000), { colorScheme: "dark" });
  const counts: number[] = [];
  for (let i = 0; i < 6; i++) {
    const { arrows, drawCalls } = await shownOn(page);
    counts.push(arrows);
    assert(drawCalls < 900, `${drawCalls} calls for ${arrows} arrows`);
    await press(page, Array(5).fill("-"));
  }
  assertEquals(counts.toSorted((a, b) => a - b), counts);
  assert((counts[0] ?? 0) < 100 && counts.at(-1) === 100_000, counts.join());
  assertEquals([problems, requests], [[], []]);
});

longTestInBrowser("on a narrow screen nothing is wider than the page", async () => {
  const { page, problems } = await openRun({ width: 400, height: 800 });
  const { arrows } = await shownOn(page);
  assert(arrows > 0);
  assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 400);
  assertEquals(problems, []);
});

longTestInBrowser("hostile texts are only shown", async () => {
  const evil = "</script><script>globalThis.ran = 1</script><img src=x onerror=ran=1>\u202e\u0007";
  const data = longRun(50);
  const messages = data.messages.map((each, i) => ({
    ...each,
    type: evil,
    body: JSON.stringify({ type: evil, value: i === 20 ? "x".repeat(1_000_000) : evil }),
  }));
  const { page, problems, requests } = await openData({ ...data, messages });
  await press(page, ["Home"]);
  const body = page.locator(".diagram-panel pre");
  for (let i = 0; i < 40 && await page.getByText("Show all").count() === 0; i++) {
    await press(page, ["n"]);
  }
  assert((await body.textContent() ?? "").length <= 20_000);
  await page.getByText("Show all").click();
  assert((await body.textContent() ?? "").length > 1_000_000);
  await press(page, ["n"]);
  assertMatch(await body.textContent() ?? "", /<\/script>.*\\u202e/);
  assertEquals(await page.evaluate("globalThis.ran"), undefined);
  assertEquals([problems, requests], [[], []]);
});
