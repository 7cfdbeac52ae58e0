/**
 * The columns of a diagram: clients, nodes, services.
 *
 * @module
 */

import { isClient } from "@eddy/maelstrom/message";
import type { ReportData } from "../../report_data.ts";
import type { OpTraffic } from "./ops.ts";

/** A column. */
export interface Lane {
  readonly kind: "setup" | "client" | "node" | "service";
  readonly name: string;
  /** Those who share it. */
  readonly endpoints: readonly string[];
  /** The processes of clients, one after the other. */
  readonly processes: readonly string[];
}

/** How many processes are named one by one. */
const MAX_PROCESSES = 3;

/** Processes in a few words, as findings call them: `process 3`. */
export function processText(processes: readonly string[]): string {
  const more = processes.length > MAX_PROCESSES ? ", …" : "";
  return `process ${processes.slice(0, MAX_PROCESSES).join(", ")}${more}`;
}

/** All that a lane is called. */
export function laneTitle({ name, kind, endpoints, processes }: Lane): string {
  if (kind === "client") {
    return processText(processes) + (endpoints.length > 0 ? ` / ${endpoints.join(", ")}` : "");
  }
  return endpoints.length > 1 ? `${name} (${endpoints.length})` : name;
}

/** The lanes from left to right, and who has which, by their places. */
export interface Lanes {
  readonly lanes: readonly Lane[];
  readonly laneOf: ReadonlyMap<string, number>;
  readonly laneOfThread: ReadonlyMap<number, number>;
}

/**
 * Gives each thread of clients a lane, and each node and service; those clients that did no
 * operation share one.
 *
 * @param nodes the names of the nodes, in their order
 */
export function makeLanes(
  { messages, observations }: Pick<ReportData, "messages" | "observations">,
  nodes: readonly string[],
  traffic: readonly OpTraffic[],
): Lanes {
  const clients = new Map<number, Set<string>>();
  const processes = new Map<number, Set<string>>();
  for (const { thread, client, pair: { invoke } } of traffic) {
    const mine = clients.get(thread) ?? new Set();
    clients.set(thread, mine);
    if (client !== undefined) mine.add(client);
    const all = processes.get(thread) ?? new Set();
    processes.set(thread, all.add(String(invoke.process)));
  }
  const named = new Set(messages.flatMap(({ src, dest }) => [src, dest]));
  for (const name of [...nodes, ...[...clients.values()].flatMap((each) => [...each])]) {
    named.delete(name);
  }
  const rest = [...named].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const setup = rest.filter(isClient);
  const lanes: Lane[] = [];
  const add = (lane: Omit<Lane, "processes">, processes: readonly string[] = []) =>
    lanes.push({ ...lane, processes });
  if (setup.length > 0) add({ kind: "setup", name: "set-up", endpoints: setup });
  const laneOfThread = new Map<number, number>();
  for (const [thread, own] of [...clients].sort(([a], [b]) => a - b)) {
    laneOfThread.set(thread, lanes.length);
    const endpoints = [...own];
    const [first = "", ...more] = endpoints;
    const name = more.length > 0 ? `${first} +${more.length}` : first;
    add({ kind: "client", name, endpoints }, [...processes.get(thread) ?? []]);
  }
  if (messages.length + observations.length > 0) {
    for (const name of nodes) add({ kind: "node", name, endpoints: [name] });
  }
  for (const name of rest.filter((each) => !isClient(each))) {
    add({ kind: "service", name, endpoints: [name] });
  }
  const laneOf = new Map(
    lanes.flatMap(({ endpoints }, lane) => endpoints.map((name) => [name, lane] as const)),
  );
  return { lanes, laneOf, laneOfThread };
}
