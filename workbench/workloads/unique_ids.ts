/**
 * The `unique-ids` workload: is every id given out once only?
 *
 * @module
 */

import { uniqueIdsSchema } from "@eddy/handlers";
import { checkUniqueIds } from "../checkers/unique_ids.ts";
import { anyValue, eachTime, mappedErrors, type Workload } from "../generator.ts";

/** The `unique-ids` workload. */
export const uniqueIds: Workload = {
  operations: { generate: anyValue },
  errors: mappedErrors(),
  reusableClients: true,
  session: (call) => async () => {
    const { id } = await call({ type: "generate" }, uniqueIdsSchema.generate.reply);
    return id;
  },
  generator: () => eachTime(() => ({ f: "generate", value: null })),
  check: checkUniqueIds,
  lasting: ["duplicated"],
};
