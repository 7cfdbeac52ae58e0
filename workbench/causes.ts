/**
 * What led to a finding: the cause before the symptom.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";
import { messagesThatCarry, type Written } from "./carried.ts";
import {
  isOk,
  keyOf,
  moment,
  type PlacedPair,
  placedPairs,
  plural,
  show,
  valueOf,
  who,
} from "./checkers/checker.ts";
import { type FaultWindow, isLoss } from "./faults.ts";
import type { Finding, Op } from "./history.ts";
import type { Cause, Place, RunOfReport } from "./report_data.ts";
import { isShortened } from "./report_bounds.ts";
import type { ReportMessage } from "./report_messages.ts";

/** What led to each finding of a run, by the finding's place; nothing where it is not known. */
export function findCauses(run: RunOfReport): Cause[][] {
  const { workload, report: { findings } } = run;
  if (workload === "broadcast" || workload === "g-set") return lostValues(run);
  if (workload === "lin-kv") return findings.map((finding) => staleRead(run, finding));
  return findings.map(() => []);
}

/** For each value that is lost, per node that misses it: how it was last to get there. */
function lostValues(run: RunOfReport): Cause[][] {
  const { history, messages, options, workload, report: { findings } } = run;
  const lost = findings.filter(({ anomaly }) => anomaly === "lost");
  const none = findings.map(() => []);
  if (lost.length === 0 || messages.length === 0 || options === undefined) return none;
  // What is not there cannot be looked into.
  const nodes = new Set(options.nodeIds);
  const isUnknown = ({ src, dest, body }: ReportMessage) =>
    nodes.has(src) && nodes.has(dest) && isShortened(body);
  if (messages.some(isUnknown)) return none;
  const addF = workload === "broadcast" ? "broadcast" : "add";
  const pairs = placedPairs(history);
  const adds = pairs.filter(({ invoke }) => invoke.f === addF);
  const written = adds
    .map(({ invoke }): Written => ({ value: valueOf(invoke), atMs: invoke.time / 1e6 }));
  const elementOf = ({ ops }: Finding) => valueOf(ops.find(({ f }) => f === addF) as Op);
  const carriers = messagesThatCarry(messages, nodes, written, lost.map(elementOf));
  const reads = lastReads(pairs);
  return findings.map((finding) => {
    if (finding.anomaly !== "lost") return [];
    const element = elementOf(finding);
    const carried = carriers.get(keyOf(element)) ?? [];
    const added = adds.filter(({ invoke }) => keyOf(valueOf(invoke)) === keyOf(element));
    return options.nodeIds.flatMap((node) => {
      const read = reads.get(node);
      if (read === undefined || holds(read, element)) return [];
      const own = added.filter(isOk).find(({ invoke }) => invoke.node === node);
      if (own === undefined) return [deliveryTo(node, element, carried, run)];
      const { time } = own.completion;
      const then = whatBecameOf(node, element, time, run);
      return [[`${node} acknowledged ${show(element)} itself at ${moment(time)}: ${then}`]];
    });
  });
}

/** The last read that each node answered. */
function lastReads(pairs: readonly PlacedPair[]): ReadonlyMap<string, Op> {
  const reads = new Map<string, Op>();
  for (const pair of pairs) {
    const { node } = pair.invoke;
    if (pair.invoke.f === "read" && isOk(pair) && node !== undefined) {
      reads.set(node, pair.completion);
    }
  }
  return reads;
}

function holds(read: Op, element: Json): boolean {
  const value = valueOf(read);
  return Array.isArray(value) && value.some((each) => keyOf(each) === keyOf(element));
}

/** How a value was last to get to a node, what became of it, and whether it was tried again. */
function deliveryTo(
  node: string,
  element: Json,
  carried: readonly ReportMessage[],
  run: RunOfReport,
): Cause {
  const { faults = [] } = run.report;
  const value = show(element);
  const attempts = carried.filter(({ dest }) => dest === node);
  const last = attempts.at(-1);
  if (last === undefined) {
    const others = carried.length === 0
      ? "no message between nodes is seen to carry it"
      : `${plural(carried.length, "message")} carried it to other nodes only`;
    return [`Nobody sent ${value} to ${node}: ${others}`];
  }
  const which = attempts.length === 1
    ? "The only message"
    : `The last of ${attempts.length} messages`;
  const sent: Cause = [`${which} with ${value} to ${node} was `, placeOfMessage(last)];
  const arrived = attempts.flatMap(({ deliveries }) => deliveries).at(-1);
  if (arrived !== undefined) {
    const then = whatBecameOf(node, element, arrived.atMs * 1e6, run);
    return [...sent, `; one with it arrived at ${moment(arrived.atMs * 1e6)}: ${then}`];
  }
  const [drop] = last.drops;
  if (drop === undefined) return [...sent, ", which had not arrived at the end"];
  const fault = faults.find((window) => window.fault === drop.why && isOn(window, drop.atMs));
  if (fault === undefined) return [...sent, `, which was lost (${drop.why})`];
  const ended = fault.toNs === undefined
    ? ""
    : `; after the ${fault.fault} ended at ${
      moment(fault.toNs)
    } nobody sent ${value} to ${node} again`;
  return [...sent, `, which the ${named(fault)} took${ended}`];
}

/** What became of a value that a node had at a time, in nanoseconds. */
function whatBecameOf(
  node: string,
  element: Json,
  hadNs: number,
  { report: { faults = [] } }: RunOfReport,
): string {
  const down = faults.find(({ fault, fromNs, description }) =>
    isLoss(fault) && description.startsWith(`${node} `) && fromNs >= hadNs
  );
  return down === undefined
    ? `${node} had ${show(element)} by then, and did not keep it`
    : `${node} was killed at ${moment(down.fromNs)}, after it had ${show(element)}`;
}

function named({ fault, description }: FaultWindow): string {
  return description === "" ? fault : `${fault} ${description}`;
}

function isOn({ fromNs, toNs = Infinity }: FaultWindow, atMs: number): boolean {
  // A fault's end is known to the nanosecond, a message's loss to the microsecond.
  return fromNs <= atMs * 1e6 + 1e3 && atMs * 1e6 - 1e3 <= toNs;
}

/** A message as a text names it. */
function placeOfMessage({ id, src, dest, sentMs, type }: ReportMessage): Place {
  const text = `${type || "one"} from ${src} to ${dest}, sent at ${moment(sentMs * 1e6)}`;
  return { text, atMs: sentMs, message: id };
}

/** What a read missed, and which nodes took themselves for the leader meanwhile. */
function staleRead(run: RunOfReport, { anomaly, about }: Finding): Cause[] {
  if (anomaly !== "nonlinearizable" || about === undefined) return [];
  const pairs = placedPairs(run.history);
  const call = pairs.find(({ completion }) => completion?.index === about);
  const completion = call?.completion;
  if (call === undefined || completion === undefined) return [];
  const before = writesBefore(pairs, call);
  const missed = before.find((pair) => keyOf(leavesIn(pair.invoke)) !== keyOf(seenBy(completion)));
  return [
    ...(missed === undefined ? [] : [missedWrite(missed, call, completion, missed === before[0])]),
    ...(missed === undefined ? [] : lostOnTheWay(run, missed, completion)),
    ...leadersAt(run, call.invoke.time, completion.time),
  ];
}

/** The writes of the same key that were acknowledged before a call began, the last first. */
function writesBefore(
  pairs: readonly PlacedPair[],
  { invoke, invokedAt }: PlacedPair,
): PlacedPair[] {
  const key = JSON.stringify(keyIn(invoke));
  return pairs.filter((pair) =>
    isOk(pair) && pair.completedAt < invokedAt && JSON.stringify(keyIn(pair.invoke)) === key &&
    (pair.invoke.f === "write" || pair.invoke.f === "cas")
  ).sort((a, b) => b.completedAt - a.completedAt);
}

function keyIn(op: Op): Json {
  const value = valueOf(op);
  return Array.isArray(value) ? value[0] ?? null : null;
}

/** What a write or a cas leaves in the register. */
function leavesIn(op: Op): Json {
  const [, written = null] = valueOf(op) as [Json, Json];
  return op.f === "cas" && Array.isArray(written) ? written[1] ?? null : written;
}

/** What a read or a cas found in the register. */
function seenBy(op: Op): Json {
  const [, found = null] = valueOf(op) as [Json, Json];
  return op.f === "cas" && Array.isArray(found) ? found[0] ?? null : found;
}

function missedWrite(
  { invoke, completion = invoke }: PlacedPair,
  call: PlacedPair,
  seen: Op,
  isLast: boolean,
): Cause {
  const place = (op: Op, text: string): Place => ({ text, atMs: op.time / 1e6, op: op.index });
  const before = (call.invoke.time - completion.time) / 1e6;
  return [
    isLast ? "The last write before it, " : "A write of another value before it, ",
    place(
      completion,
      `${invoke.f} ${show(invoke.value)} by ${who(completion)}, acknowledged at ${
        moment(completion.time)
      }`,
    ),
    `, ended ${before.toFixed(1)} ms before `,
    place(seen, `this ${seen.f} on ${seen.node ?? "its node"}`),
    isLast
      ? " began, which saw something else"
      : " began; the write of what that saw ended later, but must have come first",
  ];
}

/** What of the messages to a node was lost between a write and a read that missed it. */
function lostOnTheWay(
  { messages, options }: RunOfReport,
  { invoke }: PlacedPair,
  seen: Op,
): Cause[] {
  const nodes = new Set(options?.nodeIds);
  const [fromMs, toMs] = [invoke.time / 1e6, seen.time / 1e6];
  const lost = messages.filter(({ src, dest, drops }) =>
    dest === seen.node && nodes.has(src) &&
    drops.some(({ atMs }) => atMs >= fromMs && atMs <= toMs)
  );
  const [first] = lost;
  if (first === undefined) return [];
  const why = [...new Set(lost.flatMap(({ drops }) => drops.map((drop) => drop.why)))].join(", ");
  const [count, which] = lost.length === 1
    ? ["a message was", ""]
    : [`${lost.length} messages were`, "first "];
  const what = `Between the two ${count} lost (${why}) that other nodes sent to ${seen.node}: `;
  return [[what + which, placeOfMessage(first)]];
}

/** Which nodes took themselves for the leader in some time, as they told it. */
function leadersAt({ observations, options }: RunOfReport, fromNs: number, toNs: number): Cause[] {
  const leads = (options?.nodeIds ?? []).flatMap((node) => {
    const states = observations.filter((record) =>
      record.node === node && "observe" in record.observation
    );
    const last = states.findLast(({ time }) => time <= fromNs);
    const during = states.filter(({ time }) => time > fromNs && time <= toNs);
    return [last, ...during].flatMap((record) => {
      if (record === undefined || !("observe" in record.observation)) return [];
      const { role, term } = record.observation.observe;
      if (role !== "leader") return [];
      const text = `${node}${term === undefined ? "" : ` in term ${show(term)}`}`;
      return [{ text: `${text}, since ${moment(record.time)}`, atMs: record.time / 1e6 }];
    });
  });
  if (leads.length === 0) return [];
  const joined = leads.flatMap((lead, i) => i === 0 ? [lead] : ["; ", lead]);
  return [["Leader by its own account: ", ...joined]];
}
