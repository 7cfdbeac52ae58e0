/**
 * What is selected in a diagram, in full: a message with its body, causes and effects, or an
 * operation.
 *
 * @module
 */

import { moment, plural, show } from "../../checkers/checker.ts";
import { printable } from "../../explain.ts";
import type { ReportMessage } from "../../report_messages.ts";
import { MAX_CHAIN, type Relations } from "./causes.ts";
import { messageLabel } from "./labels.ts";
import { endpointText, type OpBar, type Scene } from "./scene.ts";
import { type Child, element } from "../dom.ts";

/** How much of a body is shown at first, in characters. */
const MAX_BODY_CHARS = 20_000;
/** How many effects are listed. */
const MAX_EFFECTS = 12;

/** Opens a message by its place. */
type Go = (place: number) => void;

/** What the signs of a diagram mean, and what its keys do. */
export function legend(): readonly Child[] {
  const sign = (name: string, text: string) =>
    element("li", {}, element("span", { class: `sign ${name}`, "aria-hidden": "true" }), text);
  return [
    element(
      "ul",
      { class: "legend" },
      sign("arrow server", "Message between nodes or with a service"),
      sign("arrow client", "Request of a client, and its reply"),
      sign("arrow error", "Error reply"),
      sign("arrow lost", "Lost on its way (ends in a cross)"),
      sign("arrow late", "Delayed by a fault, or still on its way"),
      sign("arrow copy", "Second delivery of a message"),
      sign("bar ok", "Operation that succeeded"),
      sign("bar fail", "Operation that failed"),
      sign("bar info", "Operation whose outcome is unknown"),
      sign("bar shade", "Fault, over the nodes that it names"),
      sign("bar ring", "Named by a finding"),
    ),
    element(
      "p",
      { class: "hint" },
      "Click a message or an operation to see all of it, with what led to it and what came of it. " +
        "On the diagram, arrows and Page Up or Down move, + and - zoom, N and P go from message to message, " +
        "Enter goes to the details of what is selected, Escape closes them.",
    ),
  ];
}

/** A message in full. */
export function messageDetail(
  scene: Scene,
  place: number,
  relations: Relations,
  go: Go,
): readonly Child[] {
  const { messages } = scene;
  const message = messages[place];
  if (message === undefined) return [];
  const { id, src, dest, sentMs, body } = message;
  const link = (each: number) => messageLink(messages, each, go);
  const list = (heading: string, places: readonly (number | undefined)[]) => {
    const known = places.filter((each) => each !== undefined);
    const more = known.length - MAX_EFFECTS;
    return known.length > 0 && [
      element("h4", {}, heading),
      element(
        "ul",
        {},
        known.slice(0, MAX_EFFECTS).map((each) => element("li", {}, link(each))),
        more > 0 && element("li", {}, `and ${more} more`),
      ),
    ];
  };
  const { request, received, effects, reply, before, after, concurrent, isCut } = relations;
  return [
    element("h3", {}, messageLabel(body)),
    figures([
      ["from", endpointText(scene, src)],
      ["to", endpointText(scene, dest)],
      ["id", id],
      ["sent", exact(sentMs)],
      ...fates(message),
    ]),
    element("h4", {}, "Body"),
    ...bodyText(body),
    list("Replies to", [request]),
    list(`The last message that ${src} had received`, [received]),
    list("Its reply", [reply]),
    list(
      `What ${dest} sent next, until it received another`,
      effects.filter((each) => each !== reply),
    ),
    element(
      "p",
      { class: "hint" },
      `${count(before)} of the messages on this page happened before this one, ${count(after)} ` +
        `after it. The other ${
          count(concurrent)
        } could neither cause it nor be caused by it, and are drawn faint. Drawn ` +
        "strong are those that led to it step by step, and those that followed from it" +
        (isCut ? `, up to ${MAX_CHAIN} messages.` : "."),
    ),
  ];
}

/** When a message arrived, how long it took, and how it was lost. */
function fates({ sentMs, deliveries, drops }: ReportMessage): [string, string][] {
  const rows = deliveries.map(({ atMs }, i): [string, string] => [
    i === 0 ? "arrived" : "again",
    `${exact(atMs)}, after ${latency(atMs - sentMs)}`,
  ]);
  for (const { atMs, why } of drops) {
    const copy = deliveries.length + drops.length > 1 ? "a copy " : "";
    rows.push(["lost", `${copy}at ${exact(atMs)}: ${why}`]);
  }
  return rows.length > 0 ? rows : [["arrived", "not before the end of the run"]];
}

/** An operation in full. */
export function operationDetail(
  { messages }: Scene,
  { invoke, completion, outcome, request, reply, label }: OpBar,
  go: Go,
): readonly Child[] {
  const ends = completion === undefined
    ? undefined
    : `${moment(completion.time)}, after ${latency((completion.time - invoke.time) / 1e6)}`;
  const places = [request, reply].filter((each) => each !== undefined);
  return [
    element("h3", {}, label),
    figures([
      ["operation", invoke.f],
      ["process", invoke.process],
      ["node", invoke.node],
      ["invoked", moment(invoke.time)],
      ["ended", ends ?? "never"],
      ["outcome", outcome],
      ["error", completion?.error?.text],
      ["argument", show(invoke.value)],
    ]),
    element("h4", {}, "Result"),
    ...bodyText(JSON.stringify(completion?.value ?? null)),
    places.length > 0 && element("h4", {}, "Its messages"),
    element("ul", {}, places.map((each) => element("li", {}, messageLink(messages, each, go)))),
  ];
}

/** A mark in full. */
export function markDetail(node: string, atMs: number, text: string): readonly Child[] {
  return [element("h3", {}, text), figures([["node", node], ["at", exact(atMs)]])];
}

function messageLink(messages: readonly ReportMessage[], place: number, go: Go): Child {
  const { src = "", dest = "", sentMs = 0, body = "", deliveries = [], drops = [] } =
    messages[place] ?? {};
  const isLost = deliveries.length === 0 && drops.length > 0;
  const click = (event: Event) => {
    event.preventDefault();
    go(place);
  };
  return element(
    "a",
    { href: "#diagram", class: "place", click },
    `${exact(sentMs)} ${src} → ${dest} ${messageLabel(body)}${isLost ? ", lost" : ""}`,
  );
}

function figures(rows: readonly (readonly [string, string | number | undefined])[]): HTMLElement {
  return element(
    "dl",
    { class: "fields" },
    rows.flatMap(([name, text]) =>
      text === undefined ? [] : [element("dt", {}, name), element("dd", {}, text)]
    ),
  );
}

/** A body, indented; a long one is cut until the rest is asked for. */
function bodyText(body: string): readonly Child[] {
  const text = printable(indent(body));
  const shown = element("pre", { tabindex: 0 });
  shown.textContent = text.slice(0, MAX_BODY_CHARS);
  if (text.length <= MAX_BODY_CHARS) return [shown];
  const more = element(
    "button",
    {
      type: "button",
      click: () => {
        shown.textContent = text;
        more.remove();
      },
    },
    `Show all ${plural(text.length, "character")}`,
  );
  return [shown, more];
}

function indent(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), undefined, 1).replace(
      // Short lists and objects on one line.
      /[[{]\n\s+[^[\]{}]{0,60}?\n\s*[\]}]/g,
      (part) => part.replace(/\n\s*/g, " "),
    );
  } catch {
    return body;
  }
}

function count(number: number): string {
  return number.toLocaleString("en");
}

function exact(ms: number): string {
  return `${(ms / 1000).toFixed(6).replace(/0{1,3}$/, "")} s`;
}

function latency(ms: number): string {
  return `${Number(ms.toPrecision(4))} ms`;
}
