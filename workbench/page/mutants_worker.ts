/**
 * The worker of a page with runs of Eddy's own node and of mutants.
 *
 * @module
 */

import { findMutant } from "@eddy/mutants";
import { simulate } from "../simulate.ts";
import { serveRuns } from "./simulator/simulator.ts";

serveRuns(({ program, args, options }, hooks) => {
  if (program === undefined) return simulate({ ...options, args, ...hooks });
  const { install } = findMutant(program.bin, options.workload);
  return simulate({ ...options, install, ...hooks });
});
