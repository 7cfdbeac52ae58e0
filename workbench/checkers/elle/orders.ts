/**
 * The orders that hold whatever the data says: a process's own, and real time's.
 *
 * @module
 */

import { type GraphBuilder, PROCESS, REALTIME, THROUGH } from "./graph.ts";
import type { Transactions } from "./txns.ts";

/** Links each process's successive ok transactions. */
export function linkProcesses(graph: GraphBuilder, { txns }: Transactions): void {
  const last = new Map<unknown, number>();
  for (const { id, type, op } of txns) {
    if (type !== "ok") continue;
    const before = last.get(op.process);
    if (before !== undefined) graph.link(before, id, PROCESS);
    last.set(op.process, id);
  }
}

/**
 * Links each ok transaction to every one invoked after its completion.
 *
 * A chain of waypoints stands for time, one for each stretch of invocations: completions lead
 * into the next, and each leads to the invocations of its stretch and to the waypoint after it.
 * That is all of the order, in a number of edges linear in the history's length.
 */
export function linkRealtime(graph: GraphBuilder, { events }: Transactions): void {
  let completed: number[] = [];
  let now = -1;
  for (const event of events) {
    if (event < 0) {
      completed.push(~event);
      continue;
    }
    if (completed.length > 0) {
      const next = graph.waypoint();
      if (now >= 0) graph.link(now, next, THROUGH);
      for (const id of completed) graph.link(id, next, REALTIME);
      completed = [];
      now = next;
    }
    if (now >= 0) graph.link(now, event, THROUGH);
  }
}
