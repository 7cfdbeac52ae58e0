/**
 * Many runs at a time, one worker for each core.
 *
 * @module
 */

import type { Job, Outcome } from "./job.ts";

/** What a worker answers. */
export type WorkerReply =
  | { readonly outcome: Outcome }
  | { readonly problem: string };

/**
 * Does all jobs on all cores.
 *
 * @param onOutcome told of each, as it ends
 * @returns the outcomes in the order of the jobs.
 * @throws {Error} if a job could not be done; the others are given up.
 */
export async function runJobs(
  jobs: readonly Job[],
  onOutcome: (outcome: Outcome, index: number) => void = () => {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = new Array(jobs.length);
  let next = 0;
  const count = Math.min(jobs.length, navigator.hardwareConcurrency);
  const workers = Array.from({ length: count }, startWorker);
  try {
    await Promise.all(workers.map(async (worker) => {
      for (let index = next++; index < jobs.length; index = next++) {
        const outcome = await worker.run(jobs[index] as Job);
        outcomes[index] = outcome;
        onOutcome(outcome, index);
      }
    }));
  } finally {
    for (const worker of workers) worker.stop();
  }
  return outcomes;
}

function startWorker(): { run(job: Job): Promise<Outcome>; stop(): void } {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
          if ("outcome" in data) resolve(data.outcome);
          else reject(new Error(data.problem));
        };
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(`A worker broke: ${event.message}`));
        };
        worker.postMessage(job);
      }),
    stop: () => worker.terminate(),
  };
}
