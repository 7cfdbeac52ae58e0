/**
 * The `echo` workload: does the reply contain what was sent?
 *
 * @module
 */

import { echoSchema } from "@eddy/handlers";
import { checkEcho } from "../checkers/echo.ts";
import { randomBelow } from "../random.ts";
import { anyValue, eachTime, mappedErrors, type Workload } from "../generator.ts";

/** How many different texts are sent. */
const TEXTS = 128;

/** The `echo` workload. */
export const echo: Workload = {
  operations: { echo: anyValue },
  errors: mappedErrors(),
  reusableClients: false,
  // The value of a success is the whole reply, as in Maelstrom's histories.
  session: (call) => async ({ value }) => ({
    ...await call({ type: "echo", echo: value }, echoSchema.echo.reply),
  }),
  generator: (_options, random) =>
    eachTime(() => ({ f: "echo", value: `Please echo ${randomBelow(random, TEXTS)}` })),
  check: checkEcho,
  lasting: ["wrong-echo"],
};
