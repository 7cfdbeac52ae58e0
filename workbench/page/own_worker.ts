/**
 * The worker of a page with a run of Eddy's own node.
 *
 * @module
 */

import { simulate } from "../simulate.ts";
import { serveRuns } from "./simulator/simulator.ts";

serveRuns(({ program, args, options }, hooks) => {
  if (program === undefined) return simulate({ ...options, args, ...hooks });
  throw new Error(`Cannot run ${JSON.stringify(program.bin)}: this page has Eddy's own node only`);
});
