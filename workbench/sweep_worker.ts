/**
 * A worker of {@linkcode runTasks}: does one task after the other.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { load, type Task, type WorkerReply } from "./sweep.ts";
import { startWatchdog } from "./watchdog.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Task>) => void;
  postMessage(reply: WorkerReply): void;
};

startWatchdog();

scope.onmessage = async ({ data: task }) => {
  try {
    const work = await load(task);
    scope.postMessage({ result: await work(task.input) });
  } catch (error) {
    scope.postMessage({ error: errorText(error) });
  }
};
