/// <reference lib="dom" />
/**
 * Runs in the worker of a page, and what they must come to.
 *
 * @module
 */

import type { RunHooks, RunResult } from "@eddy/workbench";
import { writeHistoryLine } from "@eddy/workbench/history.ts";
import type {
  SimulatorReply,
  SimulatorRequest,
  SimulatorResult,
} from "@eddy/workbench/page/simulator/simulator.ts";
import { parsePlan, PLAN_VERSION, writePlan } from "@eddy/workbench/plan.ts";
import { packReport } from "@eddy/workbench/report_data.ts";
import { makeReport } from "@eddy/workbench/report_maker.ts";
import {
  MessageCollector,
  type MessageEvent,
  messageEvent,
} from "@eddy/workbench/report_messages.ts";
import type { Page } from "playwright-core";
import { type OpenedPage, openPage, type PageSettings } from "./browser.ts";

/** Opens a page by its text. */
export async function openText(html: string, settings?: PageSettings): Promise<OpenedPage> {
  const path = await Deno.makeTempFile({ suffix: ".html" });
  await Deno.writeTextFile(path, html);
  try {
    return await openPage(path, settings);
  } finally {
    await Deno.remove(path);
  }
}

/**
 * Does runs in the worker of a page, which has its code as `simulator`, one after the other.
 *
 * @returns what each came to; a text is an error.
 */
export async function runInPage(
  page: Page,
  requests: readonly SimulatorRequest[],
): Promise<readonly (SimulatorResult | string)[]> {
  const results = await page.evaluate(async (text: string) => {
    const requests: SimulatorRequest[] = JSON.parse(text);
    const { unpackText } = globalThis as unknown as {
      readonly unpackText: (text: string) => Promise<string>;
    };
    const code = await unpackText(document.getElementById("part-simulator")?.textContent ?? "");
    const worker = new Worker(URL.createObjectURL(new Blob([code])));
    const results: (SimulatorResult | string)[] = [];
    await new Promise<void>((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = (event) => {
        const reply: SimulatorReply = event.data;
        if ("progress" in reply) return;
        results.push("result" in reply ? reply.result : reply.error);
        if (results.length === requests.length) resolve();
      };
      for (const request of requests) worker.postMessage(request);
    });
    worker.terminate();
    return JSON.stringify(results);
  }, JSON.stringify(requests));
  return JSON.parse(results);
}

/** Does a run in this process, and says what a page is to answer. */
export async function recorded(
  { bin, args }: { readonly bin?: string | undefined; readonly args: readonly string[] },
  run: (hooks: Pick<RunHooks, "onMessage">) => Promise<RunResult>,
): Promise<SimulatorResult> {
  const events: MessageEvent[] = [];
  const result = await run({
    onMessage: (event) => void events.push(messageEvent(event)),
  });
  const { history, observations, results: report, options, startMs } = result;
  const collector = new MessageCollector(startMs);
  for (const event of events) collector.add(event);
  const engine = `Virtual time in this page, ${bin ?? "Eddy's own node"}`;
  const { workload } = options;
  const shown = { workload, report, options, engine, history, observations, ...collector.shown };
  const program = bin === undefined ? undefined : { bin };
  const plan = { version: PLAN_VERSION, program, args, options, ...result.plan() };
  const text = history.map((op) => writeHistoryLine(op) + "\n").join("");
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return {
    report: packReport(makeReport(shown)),
    sha256: new Uint8Array(hash).toHex(),
    plan: parsePlan(writePlan(plan)),
  };
}
