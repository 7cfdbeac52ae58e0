/**
 * What a diagram shows, as numbers: lanes, arrows between them, bars and marks on them, each with
 * its row among the events.
 *
 * @module
 */

import type { Op } from "../../history.ts";
import type { ReportData } from "../../report_data.ts";
import type { ReportMessage } from "../../report_messages.ts";
import type { WorkloadName } from "../../workloads/mod.ts";
import { countBelow, TimeAxis } from "./axis.ts";
import { operationLabel } from "./labels.ts";
import { type Lane, makeLanes, processText } from "./lanes.ts";
import { type OpTraffic, trafficOf } from "./ops.ts";

/** What became of a message, as far as an arrow tells it. */
export const ARROW = {
  delivered: 0,
  dropped: 1,
  /** A second delivery. */
  copy: 2,
  /** Later than usual, while a fault delayed messages. */
  delayed: 3,
  /** Neither delivered nor lost when the run ended. */
  open: 4,
} as const;

/** The arrows, in the order of sending: one for each delivery and each loss of a message. */
export interface Arrows {
  readonly count: number;
  /** The message's place in the report. */
  readonly message: Int32Array;
  readonly fromLane: Int16Array;
  readonly toLane: Int16Array;
  /** Rows of events. */
  readonly fromRow: Int32Array;
  readonly toRow: Int32Array;
  /** One of {@linkcode ARROW}. */
  readonly kind: Uint8Array;
}

/** The sending and the arrival of messages, in the one order in which a run has them. */
export interface MessageEvents {
  readonly count: number;
  /** The message's place in the report. */
  readonly message: Int32Array;
  /** Whether it is sent here, or arrives. */
  readonly isSend: Uint8Array;
}

/** An operation of a client. */
export interface OpBar {
  readonly lane: number;
  readonly invoke: Op;
  readonly completion: Op | undefined;
  readonly outcome: "ok" | "fail" | "info";
  readonly label: string;
  readonly fromRow: number;
  readonly toRow: number;
  /** The places of the first request and of the last reply among the messages. */
  readonly request: number | undefined;
  readonly reply: number | undefined;
}

/** Something that a node told of itself: a state that lasts, or what it reached or broke. */
export interface NodeMark {
  readonly lane: number;
  readonly atMs: number;
  readonly kind: "state" | "reached" | "broken";
  readonly text: string;
}

/** A fault, and the lanes that it concerns; none for all. */
export interface FaultShade {
  readonly fromMs: number;
  readonly toMs: number;
  readonly text: string;
  readonly lanes: readonly number[];
}

/** All that a diagram shows. */
export interface Scene {
  readonly lanes: readonly Lane[];
  /** The processes of each client that has any. */
  readonly processes: ReadonlyMap<string, readonly string[]>;
  readonly messages: readonly ReportMessage[];
  readonly arrows: Arrows;
  readonly events: MessageEvents;
  readonly bars: readonly OpBar[];
  /** In the order of time. */
  readonly marks: readonly NodeMark[];
  readonly shades: readonly FaultShade[];
  readonly axis: TimeAxis;
  /** The time of each row. */
  readonly rowsMs: Float64Array;
}

/** An endpoint by its name, a client with its process: `c8 (process 3)`. */
export function endpointText({ processes }: Scene, name: string): string {
  const own = processes.get(name);
  return own === undefined ? name : `${name} (${processText(own)})`;
}

/** How many times the mean latency counts as delayed. */
const DELAYED_FACTOR = 3;
/** After how many rows the arrow of a lost message ends: it may wait long for a node that is down. */
const MAX_STUB_ROWS = 3;
/** Faults that delay messages. */
const DELAYING: ReadonlySet<string> = new Set(["slow", "hold", "pause"]);

/** Lays a run out. */
export function makeScene(data: ReportData): Scene {
  const { messages, options, history, workload } = data;
  const nodes = options?.nodeIds ??
    [...new Set(history.flatMap(({ node }) => node === undefined ? [] : [node]))];
  const traffic = trafficOf(data, nodes);
  const { lanes, laneOf, laneOfThread } = makeLanes(data, nodes, traffic);
  const rows = new EventRows(messages, traffic, extentOf(data));
  const { rowsMs, sendRows, endRows, opRows, events } = rows;
  const arrows = makeArrows(data, laneOf, sendRows, endRows);
  const bars = traffic.map(({ pair: { invoke, completion }, thread, request, reply }, i): OpBar => {
    const type = completion?.type ?? "info";
    const replyRow = reply === undefined ? undefined : endRows.get(reply)?.[0];
    return {
      lane: laneOfThread.get(thread) ?? 0,
      invoke,
      completion,
      outcome: type === "invoke" ? "info" : type,
      label: labelOf(workload, invoke, completion),
      fromRow: request === undefined ? opRows[i]?.[0] ?? 0 : sendRows[request] ?? 0,
      toRow: replyRow ?? opRows[i]?.[1] ?? rowsMs.length - 1,
      request,
      reply,
    };
  });
  const axis = new TimeAxis(rowsMs, typicalLatency(messages));
  const marks = makeMarks(data, laneOf);
  const shades = makeShades(data, lanes, laneOf, rowsMs.at(-1) ?? 0);
  const processes = new Map<string, string[]>();
  for (const { client = "", pair: { invoke } } of traffic) {
    const own = processes.get(client) ?? [];
    const process = String(invoke.process);
    if (!own.includes(process)) processes.set(client, [...own, process]);
  }
  return { lanes, processes, messages, arrows, events, bars, marks, shades, axis, rowsMs };
}

/** What an operation gave, or what it was asked for where that says nothing. */
function labelOf(workload: WorkloadName, invoke: Op, completion: Op | undefined): string {
  const result = operationLabel(workload, invoke.f, (completion ?? invoke).value);
  return result === invoke.f ? operationLabel(workload, invoke.f, invoke.value) : result;
}

/** From the start of the history, or earlier, to the end of all that is known. */
function extentOf({ messages, history, report: { faults = [] } }: ReportData): [number, number] {
  const first = Math.min(0, messages[0]?.sentMs ?? 0);
  const ends = faults.map(({ toNs = 0 }) => toNs / 1e6);
  return [first, Math.max(first, (history.at(-1)?.time ?? 0) / 1e6, ...ends)];
}

/** Where a message or an operation ends, before which message is sent, and when. */
interface EventEnd {
  readonly before: number;
  readonly atMs: number;
  /** The message's place and the arrow's number at it; or the operation's, and which end it is. */
  readonly of: number;
  readonly nth: number;
  readonly kind: "delivery" | "drop" | "op";
}

/** The order of all events of a run, and the row of each. */
class EventRows {
  readonly rowsMs: Float64Array;
  readonly sendRows: Int32Array;
  /** Rows of the deliveries of each message, then of its losses. */
  readonly endRows = new Map<number, number[]>();
  /** Rows of those ends of operations that no message shows. */
  readonly opRows: [number?, number?][] = [];
  readonly events: MessageEvents;
  readonly #times: number[] = [];
  #last = "";

  constructor(
    messages: readonly ReportMessage[],
    traffic: readonly OpTraffic[],
    [fromMs, toMs]: readonly [number, number],
  ) {
    const ends = endsOf(messages, traffic);
    const size = messages.length + ends.length;
    const message = new Int32Array(size);
    const isSend = new Uint8Array(size);
    let count = 0;
    this.sendRows = new Int32Array(messages.length);
    this.#row(fromMs, "start");
    let i = 0;
    for (let place = 0; place <= messages.length; place++) {
      for (let end = ends[i]; end !== undefined && end.before <= place; end = ends[++i]) {
        this.#end(end);
        if (end.kind === "delivery") message[count++] = end.of;
      }
      const sent = messages[place];
      if (sent === undefined) break;
      this.sendRows[place] = this.#row(sent.sentMs, `${sent.src} ${sent.dest}`);
      isSend[count] = 1;
      message[count++] = place;
    }
    this.#row(Math.max(toMs, this.#times.at(-1) ?? 0), "end");
    this.rowsMs = Float64Array.from(this.#times);
    this.events = { count, message, isSend };
  }

  #end({ atMs, of, nth, kind }: EventEnd): void {
    const row = this.#row(atMs, "");
    if (kind === "op") {
      const rows = this.opRows[of] ??= [];
      rows[nth === 0 ? 0 : 1] = row;
    } else {
      const rows = this.endRows.get(of) ?? [];
      rows[nth] = row;
      this.endRows.set(of, rows);
    }
  }

  /** The row of an event: arrivals of one time share one, and sends, but for those on one link. */
  #row(atMs: number, link: string): number {
    const lastMs = this.#times.at(-1) ?? -Infinity;
    const isAlike = (link === "") === (this.#last === "") && (link === "" || link !== this.#last);
    const shared = atMs === lastMs && isAlike;
    // A wall clock may go back.
    if (!shared) this.#times.push(Math.max(atMs, lastMs));
    this.#last = link;
    return this.#times.length - 1;
  }
}

function endsOf(messages: readonly ReportMessage[], traffic: readonly OpTraffic[]): EventEnd[] {
  const ids = messages.map(({ id }) => id);
  const sent = messages.map(({ sentMs }) => sentMs);
  const ends: EventEnd[] = [];
  for (const [of, { sentMs, deliveries, drops }] of messages.entries()) {
    for (const [nth, { atMs, nextId }] of deliveries.entries()) {
      ends.push({ before: countBelow(ids, nextId, false), atMs, of, nth, kind: "delivery" });
    }
    for (const [i, { atMs }] of drops.entries()) {
      const before = atMs === sentMs ? of + 1 : Math.max(of + 1, countBelow(sent, atMs, true));
      ends.push({ before, atMs, of, nth: deliveries.length + i, kind: "drop" });
    }
  }
  for (const [of, { pair: { invoke, completion }, request, reply }] of traffic.entries()) {
    const add = (op: Op, nth: number) => {
      const atMs = op.time / 1e6;
      ends.push({ before: countBelow(sent, atMs, nth === 1), atMs, of, nth, kind: "op" });
    };
    if (request === undefined) add(invoke, 0);
    if (reply === undefined && completion !== undefined) add(completion, 1);
  }
  return ends.sort((a, b) => a.before - b.before || a.atMs - b.atMs);
}

function makeArrows(
  { messages, report: { faults = [] } }: ReportData,
  laneOf: ReadonlyMap<string, number>,
  sendRows: Int32Array,
  endRows: ReadonlyMap<number, readonly number[]>,
): Arrows {
  const count = messages.reduce(
    (sum, { deliveries, drops }) => sum + Math.max(1, deliveries.length + drops.length),
    0,
  );
  const [message, fromRow, toRow] = [0, 0, 0].map(() => new Int32Array(count));
  const [fromLane, toLane] = [new Int16Array(count), new Int16Array(count)];
  const kind = new Uint8Array(count);
  if (message === undefined || fromRow === undefined || toRow === undefined) throw new Error();
  const delaying = faults.filter(({ fault }) => DELAYING.has(fault));
  const longMs = DELAYED_FACTOR * meanLatency(messages);
  let at = 0;
  for (const [place, { src, dest, sentMs, deliveries, drops }] of messages.entries()) {
    const rows = endRows.get(place) ?? [];
    const isLate = (atMs: number) =>
      atMs - sentMs > longMs &&
      delaying.some(({ fromNs, toNs = Infinity }) => fromNs / 1e6 <= atMs && toNs / 1e6 >= sentMs);
    for (let i = 0; i < Math.max(1, deliveries.length + drops.length); i++) {
      const delivery = deliveries[i];
      message[at] = place;
      fromLane[at] = laneOf.get(src) ?? 0;
      toLane[at] = laneOf.get(dest) ?? 0;
      fromRow[at] = sendRows[place] ?? 0;
      const stubRow = (sendRows[place] ?? 0) + MAX_STUB_ROWS;
      toRow[at] = delivery === undefined ? Math.min(rows[i] ?? stubRow, stubRow) : rows[i] ?? 0;
      kind[at] = delivery === undefined
        ? drops.length > 0 ? ARROW.dropped : ARROW.open
        : i > 0
        ? ARROW.copy
        : isLate(delivery.atMs)
        ? ARROW.delayed
        : ARROW.delivered;
      at++;
    }
  }
  return { count, message, fromLane, toLane, fromRow, toRow, kind };
}

function latenciesOf(messages: readonly ReportMessage[]): number[] {
  return messages.flatMap(({ sentMs, deliveries: [first] }) =>
    first === undefined || first.atMs === sentMs ? [] : [first.atMs - sentMs]
  );
}

function meanLatency(messages: readonly ReportMessage[]): number {
  const all = latenciesOf(messages);
  return all.reduce((sum, each) => sum + each, 0) / Math.max(1, all.length);
}

/** A median of the messages that take time, within reason. */
function typicalLatency(messages: readonly ReportMessage[]): number {
  const all = Float64Array.from(latenciesOf(messages)).sort();
  return Math.min(50, Math.max(0.05, all[all.length >> 1] ?? 1));
}

/** How long the text of a state is at most, in characters. */
const MAX_STATE_CHARS = 24;

function makeMarks({ observations }: ReportData, laneOf: ReadonlyMap<string, number>): NodeMark[] {
  return observations.flatMap(({ time, node, observation }): NodeMark[] => {
    const lane = laneOf.get(node);
    if (lane === undefined) return [];
    const at = { lane, atMs: time / 1e6 };
    if ("observe" in observation) {
      const text = Object.values(observation.observe).join(" ").slice(0, MAX_STATE_CHARS);
      return [{ ...at, kind: "state", text }];
    }
    if ("sometimes" in observation) {
      const isReached = observation.reached !== false;
      return isReached ? [{ ...at, kind: "reached", text: observation.sometimes }] : [];
    }
    return [{ ...at, kind: "broken", text: observation.name }];
  });
}

function makeShades(
  { report: { faults = [] } }: ReportData,
  lanes: readonly Lane[],
  laneOf: ReadonlyMap<string, number>,
  endMs: number,
): FaultShade[] {
  return faults.map(({ fault, description, fromNs, toNs }) => {
    const named = new Set(description.match(/[\w.-]+/g)?.map((name) => laneOf.get(name)));
    return {
      fromMs: fromNs / 1e6,
      toMs: toNs === undefined ? endMs : toNs / 1e6,
      text: description === "" ? fault : `${fault}: ${description}`,
      lanes: lanes.flatMap((_, lane) => named.has(lane) ? [lane] : []),
    };
  });
}
