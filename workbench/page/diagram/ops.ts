/**
 * Which messages belong to which operation of a client, and who shares a lane.
 *
 * @module
 */

import { isClient } from "@eddy/maelstrom/message";
import { type PlacedPair, placedPairs } from "../../checkers/checker.ts";
import type { ReportData } from "../../report_data.ts";
import type { ReportMessage } from "../../report_messages.ts";

/** An operation, and the messages that a client exchanged for it. */
export interface OpTraffic {
  readonly pair: PlacedPair;
  /** The client that sent its requests; undefined where no message is known. */
  readonly client: string | undefined;
  /** Places among the messages: the first request, and the last reply that came in its time. */
  readonly request: number | undefined;
  readonly reply: number | undefined;
  /** A number for those who do one operation after the other, which share a lane. */
  readonly thread: number;
}

/** Messages have times in whole microseconds. */
const ROUNDING_MS = 0.002;

/** What only prepares nodes, and is no operation. */
const SETUP: ReadonlySet<string> = new Set(["init", "topology"]);

/** A client's requests and what it received, in the order in which they were sent. */
interface ClientLog {
  readonly requests: number[];
  readonly replies: number[];
  next: number;
}

/**
 * Finds the client of each operation: a process keeps its client as long as it lives, and its
 * threads take over from it; a new one is the first that sent a request of the operation's type to
 * its node, not before it was invoked, and belongs to nobody else.
 *
 * @param nodes the names of the nodes
 */
export function trafficOf(
  { history, messages, options }: Pick<ReportData, "history" | "messages" | "options">,
  nodes: readonly string[],
): OpTraffic[] {
  const logs = clientLogs(messages, new Set(nodes));
  const pairs = placedPairs(history);
  const threads = threadsOf(pairs, options?.concurrency);
  const owners = new Map<number, string>();
  const free = [...logs.keys()];
  return pairs.map((pair, i) => {
    const thread = threads[i] ?? 0;
    const client = clientOf(pair, owners.get(thread), free, logs, messages);
    const log = logs.get(client ?? "");
    if (client === undefined || log === undefined) {
      return { pair, client: undefined, request: undefined, reply: undefined, thread };
    }
    owners.set(thread, client);
    return { pair, client, thread, ...take(pair, log, messages) };
  });
}

function clientLogs(
  messages: readonly ReportMessage[],
  nodes: ReadonlySet<string>,
): Map<string, ClientLog> {
  const logs = new Map<string, ClientLog>();
  for (const [place, { src, dest }] of messages.entries()) {
    if (isClient(src) && nodes.has(dest)) {
      const log = logs.get(src) ?? { requests: [], replies: [], next: 0 };
      logs.set(src, log);
      log.requests.push(place);
    } else if (isClient(dest)) logs.get(dest)?.replies.push(place);
  }
  return logs;
}

/** The thread of each operation: by the concurrency, or whose process was over before it began. */
function threadsOf(pairs: readonly PlacedPair[], concurrency: number | undefined): number[] {
  const process = ({ invoke }: PlacedPair) => Number(invoke.process);
  if (concurrency !== undefined) return pairs.map((pair) => process(pair) % concurrency);
  const lastOf = new Map(pairs.map((pair) => [process(pair), pair]));
  const threads = new Map<number, number>();
  const free: { thread: number; fromPlace: number }[] = [];
  return pairs.map((pair) => {
    let thread = threads.get(process(pair));
    if (thread === undefined) {
      const at = free.findIndex(({ fromPlace }) => fromPlace < pair.invokedAt);
      thread = at === -1 ? threads.size : free.splice(at, 1)[0]?.thread ?? 0;
      if (at === -1) thread = Math.max(-1, ...threads.values()) + 1;
      threads.set(process(pair), thread);
    }
    const crashed = pair.completion?.type === "info";
    if (crashed && lastOf.get(process(pair)) === pair) {
      free.push({ thread, fromPlace: pair.completedAt });
    }
    return thread;
  });
}

/** Whose requests an operation's are; a client that nobody had is taken from `free`. */
function clientOf(
  { invoke, completion }: PlacedPair,
  owned: string | undefined,
  free: string[],
  logs: ReadonlyMap<string, ClientLog>,
  messages: readonly ReportMessage[],
): string | undefined {
  const fromMs = invoke.time / 1e6 - ROUNDING_MS;
  const endMs = (completion?.time ?? Infinity) / 1e6 + ROUNDING_MS;
  const sends = (client: string, untilMs: number, isRight: (type: string) => boolean) => {
    const { requests = [], next = 0 } = logs.get(client) ?? {};
    for (let i = next; i < Math.min(requests.length, next + MAX_LOOKAHEAD); i++) {
      const message = messages[requests[i] ?? -1];
      if (message === undefined || message.sentMs > untilMs) return false;
      const isIts = message.sentMs >= fromMs && message.dest === (invoke.node ?? message.dest);
      if (isIts && isRight(message.type)) return true;
    }
    return false;
  };
  if (owned !== undefined && sends(owned, endMs, (type) => !SETUP.has(type))) return owned;
  const soon = Math.min(endMs, fromMs + SLACK_MS);
  let at = free.findIndex((client) => sends(client, soon, (type) => type === invoke.f));
  if (at === -1 && owned === undefined) {
    at = free.findIndex((client) => sends(client, soon, (type) => !SETUP.has(type)));
  }
  return at === -1 ? undefined : free.splice(at, 1)[0];
}

/** How long a new client may take from an invocation to its request, where time is real. */
const SLACK_MS = 20;

/** How many requests of a client, from its last operation on, may be its next one. */
const MAX_LOOKAHEAD = 8;

/** The first request and the last reply of an operation, which its client has sent and received. */
function take(
  { invoke, completion }: PlacedPair,
  log: ClientLog,
  messages: readonly ReportMessage[],
): Pick<OpTraffic, "request" | "reply"> {
  const fromMs = invoke.time / 1e6 - ROUNDING_MS;
  const sentMs = (place: number | undefined) => messages[place ?? -1]?.sentMs ?? Infinity;
  const isSetup = (place: number | undefined) => SETUP.has(messages[place ?? -1]?.type ?? "");
  while (sentMs(log.requests[log.next]) < fromMs || isSetup(log.requests[log.next])) log.next++;
  const request = log.requests[log.next++];
  if (completion === undefined) return { request, reply: undefined };
  const toMs = completion.time / 1e6 + ROUNDING_MS;
  let reply: number | undefined;
  while (log.replies.length > 0) {
    const place = log.replies[0] ?? 0;
    const atMs = messages[place]?.deliveries[0]?.atMs ?? sentMs(place);
    if (atMs > toMs) break;
    if (atMs >= fromMs && place > (request ?? 0)) reply = place;
    log.replies.shift();
  }
  return { request, reply };
}
