/**
 * The entry of the bundle in the npm package: the command, the threads that it starts, and what those
 * import of it by name.
 *
 * @module
 */

import "../sweep_worker.ts";
import "../watchdog_worker.ts";
import { currentThread } from "../threads.ts";
import { run } from "./main.ts";

export { runJob } from "../sweep.ts";
export { installMutant } from "./mutants.ts";

if (import.meta.main && currentThread() === undefined) await run();
