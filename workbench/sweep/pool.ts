/**
 * Many runs at a time, one worker for each core.
 *
 * @module
 */

import type { Job, Outcome } from "./job.ts";
import type { ModuleExport } from "./load.ts";

/** Work for a worker: a function, and what to call it with; plain data. */
export interface Task extends ModuleExport {
  readonly input: unknown;
}

/** What a worker answers. */
export type WorkerReply =
  | { readonly result: unknown }
  | { readonly problem: string };

/**
 * Does all jobs on all cores.
 *
 * @param onOutcome told of each, as it ends
 * @returns the outcomes in the order of the jobs.
 * @throws {Error} if a job could not be done; the others are given up.
 */
export function runJobs(
  jobs: readonly Job[],
  onOutcome: (outcome: Outcome, index: number) => void = () => {},
): Promise<Outcome[]> {
  const run = { module: new URL("./job.ts", import.meta.url).href, name: "runJob" };
  return runTasks(jobs.map((input) => ({ ...run, input })), onOutcome);
}

/**
 * Does all tasks on all cores.
 *
 * @param onResult told of each result, as it comes
 * @returns the results in the order of the tasks; they are what the functions return, which the
 * caller knows.
 * @throws {Error} if a task could not be done; the others are given up.
 *
 * @example
 * ```ts
 * import { runTasks } from "./pool.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const task = { module: "node:path", name: "basename" };
 * const names = await runTasks<string>([{ ...task, input: "/a/b" }, { ...task, input: "/c" }]);
 * assertEquals(names, ["b", "c"]);
 * ```
 */
export async function runTasks<Result>(
  tasks: readonly Task[],
  onResult: (result: Result, index: number) => void = () => {},
): Promise<Result[]> {
  const results: Result[] = new Array(tasks.length);
  let next = 0;
  const count = Math.min(tasks.length, navigator.hardwareConcurrency);
  const workers = Array.from({ length: count }, startWorker);
  try {
    await Promise.all(workers.map(async (worker) => {
      for (let index = next++; index < tasks.length; index = next++) {
        const result = await worker.run(tasks[index] as Task) as Result;
        results[index] = result;
        onResult(result, index);
      }
    }));
  } finally {
    for (const worker of workers) worker.stop();
  }
  return results;
}

function startWorker(): { run(task: Task): Promise<unknown>; stop(): void } {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
          if ("result" in data) resolve(data.result);
          else reject(new Error(data.problem));
        };
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(`A worker broke: ${event.message}`));
        };
        worker.postMessage(task);
      }),
    stop: () => worker.terminate(),
  };
}
