/**
 * The `g-counter` and `pn-counter` workloads: numbers that are added up.
 *
 * @module
 */

import { ErrorCode, type Node, RpcError } from "@eddy/maelstrom";
import { NodeGossip } from "./gossip/host.ts";
import { isSafe, Totals } from "./gossip/crdts.ts";
import { counter } from "./schema.ts";

/** Settings of the `g-counter` and `pn-counter` workloads. */
export interface CounterOptions {
  /**
   * What an addition may take to reach every node, in milliseconds; 0 sends at once, to everyone.
   *
   * @default 2400
   */
  maxLatencyMs?: number;
}

/** What an addition may take to reach every node unless stated, in milliseconds. */
export const COUNTER_MAX_LATENCY_MS = 2400;

/** Makes `node` serve the `g-counter` workload: deltas below 0 are refused with error 12. */
export function serveGCounter(node: Node, options: CounterOptions = {}): void {
  serveCounter(node, "g-counter", options, (delta) => {
    if (delta >= 0) return;
    const problem = `Cannot add ${delta}: a g-counter only grows`;
    throw new RpcError(ErrorCode.malformedRequest, problem);
  });
}

/** Makes `node` serve the `pn-counter` workload. */
export function servePnCounter(node: Node, options: CounterOptions = {}): void {
  serveCounter(node, "pn-counter", options, () => {});
}

function serveCounter(
  node: Node,
  name: string,
  { maxLatencyMs = COUNTER_MAX_LATENCY_MS }: CounterOptions,
  check: (delta: number) => void,
): void {
  const totals = node.state.attach(name, new Totals());
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
  }, { schema: counter.add });
  node.on("read", () => {
    const { sum } = totals;
    if (isSafe(sum)) return { value: Number(sum) };
    throw new RpcError(ErrorCode.crash, `Cannot read ${sum}: beyond 2^53 numbers are not exact`);
  }, { schema: counter.read });
}
