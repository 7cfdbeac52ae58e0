/**
 * Measures the pages of runs: their sizes, how fast they open, and how smoothly they pan:
 * `deno task bench:report --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer } from "@eddy/maelstrom/flags";
import { defaultOptions } from "@eddy/workbench/options.ts";
import { PLAN_VERSION } from "@eddy/workbench/plan.ts";
import { makeReport } from "@eddy/workbench/report_maker.ts";
import { MessageCollector, type MessageEvent } from "@eddy/workbench/report_messages.ts";
import { reportPage } from "@eddy/workbench/report_page.ts";
import { simulate } from "@eddy/workbench";
import type { Figure } from "./bench/measurements.ts";
import { describeMachine, machine, type Series, tableOfMedians } from "./bench/summary.ts";
import { closeBrowser, openPage } from "./browser.ts";
import { runCommand, say } from "../scripts/support.ts";

const flags = {
  rounds: { help: "How often to open each page", value: "N", ...integer(1, 100), default: 3 },
  json: { help: "Print the figures as JSON" },
} satisfies Flags;

const usage = `Usage: deno task bench:report [options]

Writes the pages of a minute of lin-kv at rate 30, of 100,000 messages and of 200,000, opens them in the
machine's Chromium, and pans through the largest for five seconds. Prints medians (least-most).

Examples:
  deno task bench:report --rounds 5`;

const kB = (label: string): Figure => ({ label, unit: "kB", digits: 1 });
const ms = (label: string): Figure => ({ label, unit: "ms", digits: 1 });

const figures = {
  all: kB("page"),
  code: kB("  its code"),
  simulator: kB("  simulator"),
  plan: kB("  plan"),
  data: kB("  data of the run"),
  messages: { label: "messages", unit: "count", digits: 0 },
  open: ms("opened and drawn"),
  frame: ms("p95 of a frame's callback, 5 s pan"),
} satisfies Record<string, Figure>;

/** A page that is measured. */
interface Subject {
  readonly name: string;
  readonly path: string;
  readonly isPanned: boolean;
}

/** Writes the page of a run of lin-kv, with the first so many of its messages, and counts those. */
async function writeRun(
  path: string,
  settings: Parameters<typeof defaultOptions>[1],
  max?: number,
): Promise<number> {
  const options = defaultOptions("lin-kv", { seed: 1, ...settings });
  const events: MessageEvent[] = [];
  const result = await simulate({
    ...options,
    onMessage({ type, timeMs, message: { id, src, dest, text }, why }) {
      events.push({ type, timeMs, id, src, dest, why, body: text });
    },
  });
  const collector = new MessageCollector(result.startMs, max);
  for (const event of events) collector.add(event);
  const { history, observations, results: report } = result;
  const run = {
    workload: options.workload,
    report,
    options,
    history,
    observations,
    ...collector.shown,
  };
  const plan = { version: PLAN_VERSION, args: [], options, ...result.plan(), links: [] };
  await Deno.writeTextFile(path, await reportPage(makeReport(run), { plan }));
  return collector.shown.messages.length;
}

/** The sizes of a page and of its parts, in kB. */
async function sizesOf({ name, path }: Subject): Promise<Series[]> {
  const text = await Deno.readTextFile(path);
  const parts = Array.from(text.matchAll(/id="part-(\w+)">([^<]*)/g), ([, part = "", packed]) => {
    return [part, (packed ?? "").length / 1000] as const;
  });
  return [["all", text.length / 1000] as const, ...parts].map(([part, size]) => ({
    measurement: "sizes",
    figure: figures[part as keyof typeof figures],
    target: name,
    values: [size],
  }));
}

/** Opens a page, waits until it is drawn, and pans if asked. */
async function open({ path, isPanned }: Subject): Promise<{ openMs: number; frameMs: number }> {
  const { page } = await openPage(path);
  await page.waitForSelector("[data-ready]");
  const openMs = Number(await page.evaluate("performance.now()"));
  let frameMs = NaN;
  if (isPanned) {
    const canvas = page.locator("#diagram canvas").first();
    await canvas.scrollIntoViewIfNeeded();
    await canvas.hover();
    for (const end = Date.now() + 5000; Date.now() < end;) await page.mouse.wheel(0, 120);
    frameMs = Number(await page.locator("[data-frame-p95]").getAttribute("data-frame-p95"));
  }
  await page.close();
  return { openMs, frameMs };
}

async function main({ rounds, json }: FlagValues<typeof flags>): Promise<number> {
  const before = machine();
  const folder = await Deno.makeTempDir({ prefix: "eddy-bench-" });
  try {
    const linKv = { nodeCount: 3, rate: 30, timeLimitSeconds: 60 };
    const busy = { nodeCount: 5, concurrency: "10n", rate: 1000, timeLimitSeconds: 80 } as const;
    const subjects: Subject[] = [
      { name: "lin-kv, 60 s", path: `${folder}/a.html`, isPanned: false },
      { name: "100,000 messages", path: `${folder}/b.html`, isPanned: false },
      { name: "200,000 messages", path: `${folder}/c.html`, isPanned: true },
    ];
    const [small, large, largest] = subjects.map(({ path }) => path);
    const counts = [
      await writeRun(small ?? "", linKv),
      await writeRun(large ?? "", busy, 100_000),
      await writeRun(largest ?? "", busy),
    ];
    const series: Series[] = [];
    for (const [i, subject] of subjects.entries()) {
      const { name: target } = subject;
      series.push(...await sizesOf(subject));
      const add = (figure: Figure, values: number[]) => {
        series.push({ measurement: "pages", figure, target, values });
      };
      add(figures.messages, [counts[i] ?? 0]);
      const opened: Awaited<ReturnType<typeof open>>[] = [];
      for (let round = 0; round < rounds; round++) opened.push(await open(subject));
      add(figures.open, opened.map(({ openMs }) => openMs));
      add(figures.frame, opened.map(({ frameMs }) => frameMs));
    }
    if (json) say(JSON.stringify({ machine: before, series }, null, 2));
    else say(`${describeMachine(before)}\n\n${tableOfMedians(series)}`);
  } finally {
    await closeBrowser();
    await Deno.remove(folder, { recursive: true });
  }
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);
