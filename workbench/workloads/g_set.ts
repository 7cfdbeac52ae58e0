/**
 * The `g-set` workload: does every element reach every node?
 *
 * @module
 */

import { gSetSchema } from "@eddy/handlers";
import { checkSetFull } from "../checkers/set_full.ts";
import { addsAndReads, anyValue, isList, openErrors, type Workload } from "../generator.ts";

/** The `g-set` workload. */
export const gSet: Workload = {
  operations: { add: anyValue, read: isList },
  errors: openErrors,
  reusableClients: false,
  session: (call) => async ({ f, value }) => {
    if (f === "read") return (await call({ type: "read" }, gSetSchema.read.reply)).value;
    await call({ type: "add", element: value }, gSetSchema.add.reply);
    return value;
  },
  generator: (_options, random) => addsAndReads("add", { f: "read", value: null }, random),
  check: (history) => checkSetFull(history, "add"),
};
