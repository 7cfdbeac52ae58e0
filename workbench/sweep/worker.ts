/**
 * The far end of a pool: does one job after the other.
 *
 * @module
 */

import { type Job, runJob } from "./job.ts";
import type { WorkerReply } from "./pool.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Job>) => void;
  postMessage(reply: WorkerReply): void;
};

scope.onmessage = async ({ data: job }) => {
  try {
    scope.postMessage({ outcome: await runJob(job) });
  } catch (error) {
    scope.postMessage({ problem: error instanceof Error ? error.message : String(error) });
  }
};
