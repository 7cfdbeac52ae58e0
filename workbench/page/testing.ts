/**
 * Small runs for the tests of diagrams.
 *
 * @module
 */

import type { FaultWindow } from "../faults.ts";
import type { Op } from "../history.ts";
import { defaultOptions } from "../options.ts";
import { check } from "../report.ts";
import type { ReportData } from "../report_data.ts";
import { type ReportMessage, typeOfBody } from "../report_messages.ts";

/** What a message is made of: its link, when it is sent and arrives, and its body. */
export type MessageRow = readonly [
  link: `${string}>${string}`,
  sentMs: number,
  /** When it arrives; a text says why it is lost, nothing that it is still on its way. */
  arrives: number | string | undefined | readonly [first: number, second: number],
  body: object,
];

/** Messages with the ids 0, 1, ...; one that arrives when another is sent arrives before that. */
export function messagesOf(...rows: readonly MessageRow[]): ReportMessage[] {
  return rows.map(([link, sentMs, arrives, body], id) => {
    const [src = "", dest = ""] = link.split(">");
    const times = typeof arrives === "number" ? [arrives] : Array.isArray(arrives) ? arrives : [];
    const deliveries = times.map((atMs: number) => {
      const after = rows.findIndex(([, ms], i) => i > id && ms >= atMs);
      return { atMs, nextId: after === -1 ? rows.length : after };
    });
    const drops = typeof arrives === "string" ? [{ atMs: sentMs, why: arrives }] : [];
    const text = JSON.stringify(body);
    return { id, src, dest, sentMs, type: typeOfBody(text), body: text, deliveries, drops };
  });
}

/** The data of a page for a broadcast over two nodes. */
export function reportOf(
  messages: readonly ReportMessage[],
  history: readonly Op[] = [],
  faults: readonly FaultWindow[] = [],
): ReportData {
  const options = defaultOptions("broadcast", { nodeCount: 2 });
  return {
    workload: "broadcast",
    options,
    report: { ...check(history, options), faults },
    history,
    messages,
    sentCount: messages.length,
    observations: [],
    causes: [],
    isWhole: true,
    views: [],
  };
}
