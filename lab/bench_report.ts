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
import {
  MessageCollector,
  type MessageEvent,
  messageEvent,
} from "@eddy/workbench/report_messages.ts";
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

Writes the pages of a minute of lin-kv at rate 30, of about 100,000 messages and of 200,000, opens them in
the machine's Chromium, and pans through the largest for five seconds, twice. Prints medians (least-most).

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
  arrows: { label: "  arrows in view", unit: "count", digits: 0 },
  farFrame: ms("the same, zoomed out"),
  farArrows: { label: "  arrows in view then", unit: "count", digits: 0 },
} satisfies Record<string, Figure>;

/** A page that is measured. */
interface Subject {
  readonly name: string;
  readonly path: string;
  readonly isPanned: boolean;
}

/** Writes the page of a run of lin-kv, and counts its messages there. */
async function writeRun(
  path: string,
  settings: Parameters<typeof defaultOptions>[1],
): Promise<number> {
  const options = defaultOptions("lin-kv", { seed: 1, ...settings });
  const events: MessageEvent[] = [];
  const result = await simulate({
    ...options,
    onMessage: (event) => void events.push(messageEvent(event)),
  });
  const collector = new MessageCollector(result.startMs);
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

/** What a page is like to open and to pan; the figures of panning for a page that is panned. */
type Opened = Readonly<Record<"open" | "frame" | "arrows" | "farFrame" | "farArrows", number>>;

/** How often the diagram is zoomed out for the second pan. */
const ZOOMS = 6;

/** Opens a page, waits until it is drawn, and pans if asked. */
async function open({ path, isPanned }: Subject): Promise<Opened> {
  const { page } = await openPage(path);
  await page.waitForSelector("[data-ready]", { timeout: 60_000 });
  const open = Number(await page.evaluate("performance.now()"));
  const far = { farFrame: NaN, farArrows: NaN };
  if (!isPanned) {
    await page.close();
    return { open, frame: NaN, arrows: NaN, ...far };
  }
  const canvas = page.locator(".diagram-stage canvas");
  const pan = async () => {
    await canvas.hover();
    for (const end = Date.now() + 5000; Date.now() < end;) await page.mouse.wheel(0, 200);
    // The diagram says how it went once it stands still.
    await page.waitForTimeout(1000);
    const of = async (name: string) => Number(await page.locator(".diagram").getAttribute(name));
    return [await of("data-frame-p95"), await of("data-arrows")] as const;
  };
  await canvas.scrollIntoViewIfNeeded();
  const [frame, arrows] = await pan();
  await canvas.focus();
  for (let i = 0; i < ZOOMS; i++) await page.keyboard.press("-");
  const [farFrame, farArrows] = await pan();
  await page.close();
  return { open, frame, arrows, farFrame, farArrows };
}

async function main({ rounds, json }: FlagValues<typeof flags>): Promise<number> {
  const before = machine();
  const folder = await Deno.makeTempDir({ prefix: "eddy-bench-" });
  try {
    const linKv = { nodeCount: 3, rate: 30, timeLimitSeconds: 60 };
    const brisk = { nodeCount: 5, concurrency: "10n", rate: 600, timeLimitSeconds: 46 } as const;
    const busy = { nodeCount: 5, concurrency: "10n", rate: 1000, timeLimitSeconds: 80 } as const;
    const subjects: Subject[] = [
      { name: "lin-kv, 60 s", path: `${folder}/a.html`, isPanned: false },
      { name: "100,000 messages", path: `${folder}/b.html`, isPanned: false },
      { name: "200,000 messages", path: `${folder}/c.html`, isPanned: true },
    ];
    const [small, large, largest] = subjects.map(({ path }) => path);
    const counts = [
      await writeRun(small ?? "", linKv),
      await writeRun(large ?? "", brisk),
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
      const opened: Opened[] = [];
      for (let round = 0; round < rounds; round++) opened.push(await open(subject));
      for (const name of ["open", "frame", "arrows", "farFrame", "farArrows"] as const) {
        add(figures[name], opened.map((each) => each[name]));
      }
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
