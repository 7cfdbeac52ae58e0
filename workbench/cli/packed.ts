/**
 * The entry of the bundles of the workbench: the command, the threads that it starts, and what those
 * import of it by name.
 *
 * @module
 */

import { currentThread } from "../threads.ts";

// What is not imported above is loaded when it is needed: a start is mostly the loading of modules.
switch (currentThread()) {
  case "sweep":
    await import("../sweep_worker.ts");
    break;
  case "watchdog":
    await import("../watchdog_worker.ts");
    break;
  default:
    if (import.meta.main) await (await import("./main.ts")).run();
}

const isWorker = currentThread() === "sweep";

/** What does a run, in a worker. */
export const runJob = isWorker ? (await import("../sweep.ts")).runJob : undefined;

/** What registers a mutant's handlers, in a worker. */
export const installMutant = isWorker ? (await import("./mutants.ts")).installMutant : undefined;
