/**
 * A worker of {@linkcode runTasks}: does one task after the other.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { interruptWork, load, type WorkerOrder, type WorkerReply } from "./sweep.ts";
import { startWatchdog } from "./watchdog.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<WorkerOrder>) => void;
  postMessage(reply: WorkerReply): void;
};

let isWatched = false;

scope.onmessage = async ({ data }) => {
  if ("interrupt" in data) return interruptWork(data.interrupt);
  const { task } = data;
  try {
    // Whoever sets a limit ends this worker, not the process, when a node does not return.
    if (task.limit === undefined && !isWatched) {
      isWatched = true;
      startWatchdog();
    }
    const work = await load(task);
    scope.postMessage({ result: await work(task.input) });
  } catch (error) {
    scope.postMessage({ error: errorText(error) });
  }
};
