/**
 * The `g-counter` and `pn-counter` workloads: sums of what all nodes were sent.
 *
 * @module
 */

import * as v from "valibot";
import { ErrorCode, type Node, RpcError, type RpcSchema } from "@eddy/maelstrom";
import { NodeGossip } from "./gossip/host.ts";
import { Totals } from "./gossip/crdts.ts";
import { type Integer, integer, noKeys, reply, safeInteger } from "./schema.ts";
import { type LatencyOptions, maxLatencyFlag, type Workload, workload } from "./workload.ts";

/** The messages of the `g-counter` and `pn-counter` workloads; deltas beyond 2^53 are refused. */
export const counterSchema: {
  add: RpcSchema<{ delta: number }, object>;
  read: RpcSchema<object, { value: Integer }>;
} = {
  add: { request: v.object({ delta: safeInteger }), reply: reply("add_ok", {}) },
  read: { request: noKeys, reply: reply("read_ok", { value: integer }) },
};

const DEFAULT_MAX_LATENCY_MS = 2400;

const counterFlags = { "max-latency": { ...maxLatencyFlag, default: DEFAULT_MAX_LATENCY_MS } };

/** Makes `node` serve the `g-counter` workload: deltas below 0 are refused with error 12. */
export function serveGCounter(node: Node, options: LatencyOptions = {}): void {
  serveCounter(node, "g-counter", options, (delta) => {
    if (delta >= 0) return;
    const problem = `Cannot add ${delta}: a g-counter only grows`;
    throw new RpcError(ErrorCode.malformedRequest, problem);
  });
}

/** Makes `node` serve the `pn-counter` workload. */
export function servePnCounter(node: Node, options: LatencyOptions = {}): void {
  serveCounter(node, "pn-counter", options, () => {});
}

function serveCounter(
  node: Node,
  name: string,
  { maxLatencyMs = DEFAULT_MAX_LATENCY_MS }: LatencyOptions,
  check: (delta: number) => void,
): void {
  const totals = node.state.attach(name, new Totals(node.log));
  const gossip = new NodeGossip(node, totals, { maxLatencyMs });
  node.on("add", ({ body: { delta } }) => {
    check(delta);
    if (delta === 0) return {};
    if (!totals.add(gossip.core.stream, delta)) {
      const problem = `Cannot add ${delta} to ${totals.sum}: beyond 2^53 sums are not exact`;
      throw new RpcError(ErrorCode.malformedRequest, problem);
    }
    gossip.appended();
    return {};
  }, { schema: counterSchema.add });
  node.on("read", () => ({ value: Number(totals.sum) }), { schema: counterSchema.read });
}

/** The `g-counter` workload of the node binary. */
export const gCounter: Workload = /* @__PURE__ */ workload(
  "a counter that only grows",
  counterFlags,
  (node, flags) => serveGCounter(node, { maxLatencyMs: flags["max-latency"] }),
);

/** The `pn-counter` workload of the node binary. */
export const pnCounter: Workload = /* @__PURE__ */ workload(
  "a counter that grows and shrinks",
  counterFlags,
  (node, flags) => servePnCounter(node, { maxLatencyMs: flags["max-latency"] }),
);
