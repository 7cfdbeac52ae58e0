/**
 * A worker of {@linkcode runTasks}: does one task after the other.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { interruptWork, load, type WorkerOrder, type WorkerReply } from "./sweep.ts";
import { currentThread, startWatchdog, type ThreadScope } from "./threads.ts";

/** Answers each task with what it came to. */
function serveTasks(): void {
  const scope = self as unknown as ThreadScope<WorkerOrder, WorkerReply>;
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
}

// In a bundle this module is loaded by every thread.
if (currentThread() === "sweep") serveTasks();
