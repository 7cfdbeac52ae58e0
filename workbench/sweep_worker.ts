/**
 * The far end of a pool: does one task after the other.
 *
 * @module
 */

import { load, type Task, type WorkerReply } from "./sweep.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Task>) => void;
  postMessage(reply: WorkerReply): void;
};

scope.onmessage = async ({ data: task }) => {
  try {
    const work = await load(task);
    scope.postMessage({ result: await work(task.input) });
  } catch (error) {
    scope.postMessage({ problem: error instanceof Error ? error.message : String(error) });
  }
};
