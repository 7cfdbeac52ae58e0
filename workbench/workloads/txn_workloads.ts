/**
 * The `txn-list-append` and `txn-rw-register` workloads: are transactions isolated?
 *
 * @module
 */

import { txnListAppend, txnRwRegister } from "@eddy/handlers/schema";
import type { Json } from "@eddy/maelstrom";
import { checkListAppend } from "../checkers/elle/list_append.ts";
import { checkRwRegister } from "../checkers/elle/rw_register.ts";
import { eachTime } from "./generators.ts";
import { mappedErrors, type WorkloadSpec } from "./spec.ts";
import { type MicroOp, TxnGenerator } from "./txns.ts";

/** What both workloads share. */
const shared = {
  errors: mappedErrors(),
  reusableClients: true,
} satisfies Partial<WorkloadSpec>;

/** A transaction as it is sent. */
function request(txn: readonly MicroOp[], write: "append" | "w"): Json {
  return txn.map(({ key, value }) => value === undefined ? ["r", key, null] : [write, key, value]);
}

/** The `txn-list-append` workload. */
export const txnListAppendSpec: WorkloadSpec = {
  ...shared,
  name: "txn-list-append",
  session: (call) => async ({ value }) => {
    const { txn } = await call({ type: "txn", txn: value }, txnListAppend.txn.reply);
    return txn ?? [];
  },
  generator(options, random) {
    const txns = new TxnGenerator(options, random);
    return eachTime(() => ({ f: "txn", value: request(txns.draw(), "append") }));
  },
  check: (history, { consistencyModels }) => checkListAppend(history, { consistencyModels }),
};

/** The `txn-rw-register` workload. */
export const txnRwRegisterSpec: WorkloadSpec = {
  ...shared,
  name: "txn-rw-register",
  session: (call) => async ({ value }) => {
    const { txn } = await call({ type: "txn", txn: value }, txnRwRegister.txn.reply);
    return txn ?? [];
  },
  generator(options, random) {
    const txns = new TxnGenerator(options, random);
    return eachTime(() => ({ f: "txn", value: request(txns.draw(), "w") }));
  },
  check: (history, { consistencyModels }) => checkRwRegister(history, { consistencyModels }),
};
