/**
 * The simulator in a browser: what the workers have in common that run nodes in a page.
 *
 * A page sends a {@linkcode SimulatorRequest}, and gets {@linkcode SimulatorReply}s: progress, and in
 * the end a result or an error. Requests are served one after the other; whoever wants a run to end
 * ends the worker. The history is the one that the same run has in Deno, byte for byte.
 *
 * The workers are files of their own, because a page has only what its run needs.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import type { NetEvent } from "../../journal.ts";
import { defaultOptions, type RunSettings } from "../../options.ts";
import { parsePlan, type Plan, PLAN_VERSION, writePlan } from "../../plan.ts";
import { historyDigest, packReport } from "../../report_data.ts";
import { makeReport } from "../../report_maker.ts";
import { MessageCollector, type MessageEvent, messageEvent } from "../../report_messages.ts";
import type { PlannedParts, RunHooks, RunResult } from "../../run.ts";
import type { RunProgress } from "../../runner.ts";
import type { ThreadScope } from "../../threads.ts";
import type { WorkloadName } from "../../workloads/mod.ts";

/** What the worker is sent. */
export interface SimulatorRequest {
  /** A plan to run again, as it was or changed, or the settings of a new run. */
  readonly run: { readonly plan: Plan } | { readonly settings: SimulatorSettings };
}

/** The settings of a new run. */
export interface SimulatorSettings extends RunSettings {
  readonly workload: WorkloadName;
  /**
   * A mutant, as `mutant:NAME`.
   *
   * @default Eddy's own node
   */
  readonly bin?: string | undefined;
  /** Options for Eddy's own handlers, as on the node's command line. */
  readonly args?: readonly string[] | undefined;
}

/** What can be chosen in the playground, as the command line writes it into the page. */
export interface PlaygroundChoices {
  readonly workloads: readonly WorkloadName[];
  readonly faults: readonly NonNullable<SimulatorSettings["nemesis"]>[number][];
  readonly distributions: readonly string[];
  /** What stands in the form at first. */
  readonly first: SimulatorSettings;
  readonly mutants: readonly MutantChoice[];
}

/** A mutant, with the settings with which its fault shows. */
export interface MutantChoice {
  readonly settings: SimulatorSettings & { readonly bin: string };
  /** What is wrong with it, and what a checker finds. */
  readonly about: string;
}

/** What the worker answers. */
export type SimulatorReply =
  | { readonly progress: RunProgress }
  | { readonly result: SimulatorResult }
  | { readonly error: string };

/** What a run came to. */
export interface SimulatorResult {
  /** What a page shows of it, by `packReport`. */
  readonly report: string;
  /** The SHA-256 of the lines of `history.jsonl`, in hexadecimal, by `historyDigest`. */
  readonly sha256: string | undefined;
  /** What was run, to be changed and run again. */
  readonly plan: Plan;
}

/** What is to be run, all defaults filled in. */
export type SimulatorOrder = Pick<Plan, "program" | "args" | "options">;

/**
 * What a request asks for.
 *
 * @throws {Error} naming what cannot be run.
 */
function orderOf({ run }: SimulatorRequest): SimulatorOrder & { readonly parts?: PlannedParts } {
  if ("plan" in run) {
    // A plan may have been changed by hand.
    const { program, args, options, ...parts } = parsePlan(writePlan(run.plan));
    return { program, args, options, parts };
  }
  const { workload, bin, args = [], ...settings } = run.settings;
  const program = bin === undefined ? undefined : { bin };
  return { program, args, options: defaultOptions(workload, settings) };
}

/**
 * Serves the requests that this worker is sent.
 *
 * @param run does the run of an order
 */
export function serveRuns(
  run: (order: SimulatorOrder, hooks: RunHooks) => Promise<RunResult>,
): void {
  const scope = self as unknown as ThreadScope<SimulatorRequest, SimulatorReply>;
  const serve = async (request: SimulatorRequest) => {
    try {
      const onProgress = (progress: RunProgress) => scope.postMessage({ progress });
      scope.postMessage({ result: await answer(request, run, onProgress) });
    } catch (error) {
      scope.postMessage({ error: errorText(error) });
    }
  };
  let last = Promise.resolve();
  scope.onmessage = ({ data }) => {
    last = last.then(() => serve(data));
  };
}

async function answer(
  request: SimulatorRequest,
  run: Parameters<typeof serveRuns>[0],
  onProgress: (progress: RunProgress) => void,
): Promise<SimulatorResult> {
  const { parts, ...order } = orderOf(request);
  const { program, options } = order;
  const events: MessageEvent[] = [];
  const onMessage = (event: NetEvent) => void events.push(messageEvent(event));
  const result = await run(order, { onProgress, onMessage, plan: parts });
  const { results, history, observations, startMs } = result;
  const collector = new MessageCollector(startMs);
  for (const event of events) collector.add(event);
  const report = makeReport({
    workload: options.workload,
    report: results,
    options,
    engine: `Virtual time in this page, ${program?.bin ?? "Eddy's own node"}`,
    history,
    observations,
    ...collector.shown,
  });
  const plan = writePlan({ version: PLAN_VERSION, ...order, ...result.plan() });
  // As texts, in which alone a number such as 1.0 is what it is.
  return {
    report: packReport(report),
    sha256: await historyDigest(history),
    plan: parsePlan(plan),
  };
}
