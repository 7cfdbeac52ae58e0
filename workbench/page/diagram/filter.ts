/**
 * What of a run a diagram shows: by endpoint, type, key or value, and operation.
 *
 * @module
 */

import type { Scene } from "./scene.ts";

/** What is shown; empty texts and sets for all. */
export interface DiagramFilter {
  /** Lanes that are left out. */
  readonly hidden: ReadonlySet<number>;
  /** The type of messages. */
  readonly type: string;
  /** A key, or a value, that stands in the body or in the operation. */
  readonly text: string;
  /** The operation, with the messages that its clients exchanged for it. */
  readonly f: string;
}

/** All. */
export const NO_FILTER: DiagramFilter = { hidden: new Set(), type: "", text: "", f: "" };

/** Which messages and operations are shown, by their places; undefined for all. */
export interface Matches {
  readonly messages: Uint8Array | undefined;
  readonly bars: Uint8Array | undefined;
}

/** Applies a filter. */
export function applyFilter(
  { lanes, messages, bars }: Scene,
  { hidden, type, text, f }: DiagramFilter,
): Matches {
  const hasText = textTest(text);
  const barMatches = (i: number) => {
    const bar = bars[i];
    if (bar === undefined || hidden.has(bar.lane)) return false;
    const { invoke, completion } = bar;
    return (f === "" || invoke.f === f) &&
      (text === "" || hasText(JSON.stringify([invoke.value, completion?.value ?? null])));
  };
  const shownBars = hidden.size + text.length + f.length === 0
    ? undefined
    : Uint8Array.from(bars, (_, i) => Number(barMatches(i)));
  if (hidden.size + text.length + f.length + type.length === 0) {
    return { messages: undefined, bars: shownBars };
  }
  const away = new Set([...hidden].flatMap((lane) => lanes[lane]?.endpoints ?? []));
  const belongs = new Uint8Array(messages.length).fill(f === "" ? 1 : 0);
  for (const { invoke, request, reply } of bars) {
    if (f === "" || invoke.f !== f) continue;
    for (const place of [request, reply]) if (place !== undefined) belongs[place] = 1;
  }
  const shown = Uint8Array.from(messages, (message, place) =>
    Number(
      belongs[place] === 1 && !away.has(message.src) && !away.has(message.dest) &&
        (type === "" || message.type === type) && (text === "" || hasText(message.body)),
    ));
  return { messages: shown, bars: shownBars };
}

/** Fields whose numbers are no values. */
const NUMBERS = /"(?:msg_id|in_reply_to)":\d+,?/g;

/** Whether JSON has a text as a whole word, number or string. */
function textTest(text: string): (json: string) => boolean {
  const wanted = text.trim();
  const escaped = wanted.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const word = new RegExp(`(?<![\\w.-])${escaped}(?![\\w-]|\\.\\d)`);
  return (json) => json.includes(wanted) && word.test(json.replace(NUMBERS, ""));
}

/** The types of a run's messages, and the operations, each with how many there are. */
export function choicesOf({ messages, bars }: Scene): {
  readonly types: ReadonlyMap<string, number>;
  readonly operations: ReadonlyMap<string, number>;
} {
  return {
    types: counted(messages.map((message) => message.type)),
    operations: counted(bars.map(({ invoke }) => invoke.f)),
  };
}

function counted(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => a.localeCompare(b)));
}
