/**
 * The `broadcast` and `g-set` workloads: does every element reach every node?
 *
 * @module
 */

import { broadcast, gSet } from "@eddy/handlers/schema";
import type { Random } from "@eddy/maelstrom";
import { checkSetFull } from "../checkers/set_full.ts";
import { randomBelow } from "../world/random.ts";
import { eachTime, oncePerThread } from "./generators.ts";
import {
  type Invocation,
  type MainGenerator,
  mappedErrors,
  openErrors,
  type WorkloadSpec,
} from "./spec.ts";
import { topologyOf } from "./topology.ts";

/**
 * Adds 0, 1, 2, ... and reads, one as often as the other; at the end one read on every thread.
 *
 * @param addF what adding is called
 */
function addsAndReads(addF: string, finalRead: Invocation, random: Random): MainGenerator {
  let element = 0;
  const draw = () =>
    randomBelow(random, 2) === 0 ? { f: addF, value: element++ } : { f: "read", value: null };
  return { ...eachTime(draw), final: () => oncePerThread(finalRead, random) };
}

/** The `broadcast` workload. */
export const broadcastSpec: WorkloadSpec = {
  name: "broadcast",
  errors: mappedErrors("read"),
  reusableClients: false,
  session: (call) => async ({ f, value }) => {
    if (f === "read") return (await call({ type: "read" }, broadcast.read.reply)).messages;
    await call({ type: "broadcast", message: value }, broadcast.broadcast.reply);
    return value;
  },
  async setup(call, { topology, nodeIds }) {
    const request = { type: "topology", topology: topologyOf(topology, nodeIds) };
    await call(request, broadcast.topology.reply);
  },
  generator: (_options, random) =>
    addsAndReads("broadcast", { f: "read", value: null, final: true }, random),
  check: (history) => checkSetFull(history, { addF: "broadcast" }),
};

/** The `g-set` workload. */
export const gSetSpec: WorkloadSpec = {
  name: "g-set",
  errors: openErrors,
  reusableClients: false,
  session: (call) => async ({ f, value }) => {
    if (f === "read") return (await call({ type: "read" }, gSet.read.reply)).value;
    await call({ type: "add", element: value }, gSet.add.reply);
    return value;
  },
  generator: (_options, random) => addsAndReads("add", { f: "read", value: null }, random),
  check: (history) => checkSetFull(history, { addF: "add" }),
};
