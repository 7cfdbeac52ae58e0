/**
 * A worker of {@linkcode runTasks}: does one task after the other.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { load, type Task, type WorkerReply } from "./sweep.ts";
import { currentThread, type ThreadScope } from "./threads.ts";
import { startWatchdog } from "./watchdog.ts";

/** Answers each task with what it came to. */
function serveTasks(): void {
  const scope = self as unknown as ThreadScope<Task, WorkerReply>;
  startWatchdog();
  scope.onmessage = async ({ data: task }) => {
    try {
      const work = await load(task);
      scope.postMessage({ result: await work(task.input) });
    } catch (error) {
      scope.postMessage({ error: errorText(error) });
    }
  };
}

// In a bundle this module is loaded by every thread.
if (currentThread() === "sweep") serveTasks();
