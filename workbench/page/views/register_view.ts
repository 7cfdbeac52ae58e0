/**
 * The operations of a register as bars, and the order in which they can have taken effect.
 *
 * @module
 */

import { moment, plural, show, valueOf, who } from "../../checkers/checker.ts";
import type { Op } from "../../history.ts";
import type { ReportData } from "../../report_data.ts";
import type { RegistersView, RegisterView } from "../../views/registers.ts";
import { arrowKeys } from "./arrow_keys.ts";
import { drawn, element } from "../dom.ts";
import { type Bar, layOutRegister } from "./register_layout.ts";
import type { Selection } from "../selection.ts";

/** An operation as it is drawn. */
interface DrawnCall {
  readonly invoke: Op;
  readonly completion: Op | undefined;
  readonly invokedAt: number;
  readonly endedAt: number;
  /** What it does, in short. */
  readonly text: string;
  /** What the register holds after it. */
  readonly leaves: string;
  /** Its place in the order that is shown, from 0. */
  readonly place: number | undefined;
  readonly isStuck: boolean;
}

const ROW = 30;
const BAR = 22;
/** The rows above the bars: the values of the register. */
const TOP = 34;
/** The row below them: the time. */
const BOTTOM = 22;
/** How wide a character is, and what is beside a text in its bar. */
const CHAR = 7;
const PADDING = 12;
/** How wide a time is, and how far apart those below are at least. */
const TIME_WIDTH = 60;
const TIME_GAP = 110;

/** Shows the keys of a run, one at a time. */
export function showRegisters(
  { keys, keyCount }: RegistersView,
  { history }: ReportData,
  selection: Selection,
): HTMLElement {
  const isKeyed = keys.length > 0 && keys.every(({ key }) => key !== '"register"');
  const box = element("div", { class: "view-body" });
  const choose = (i: number) => {
    const key = keys[i];
    if (key !== undefined) {
      box.replaceChildren(...showKey(key, callsOf(key, history, isKeyed), selection));
    }
  };
  const chooser = element(
    "select",
    { change: () => choose(chooser.selectedIndex) },
    keys.map(({ key, valid, order, left, before, after, unneeded }) => {
      const all = before + order.length + left.length + after + unneeded;
      const count = plural(all, "operation");
      const verdict = valid === true
        ? "an order for all"
        : valid === false
        ? "no order"
        : "unknown";
      return element("option", {}, `${key}: ${verdict}, ${count}`);
    }),
  );
  choose(0);
  const left = keyCount - keys.length;
  return element(
    "div",
    { class: "registers" },
    element("label", { class: "chooser" }, "Key ", chooser),
    left > 0 && element("p", { class: "note" }, `${left} more keys are not shown.`),
    box,
  );
}

/** The operations of a key that are shown, those in the order first. */
function callsOf(
  { order, left, stuck }: RegisterView,
  history: readonly Op[],
  isKeyed: boolean,
): DrawnCall[] {
  return [...order, ...left].flatMap((invokedAt, i) => {
    const invoke = history[invokedAt];
    if (invoke === undefined) return [];
    const ends = history.findIndex((op, at) => at > invokedAt && op.process === invoke.process);
    const completion = ends === -1 ? undefined : history[ends];
    const isRead = invoke.f === "read";
    const value = valueOf(isRead ? completion ?? invoke : invoke);
    const own = isKeyed && Array.isArray(value) ? value[1] ?? null : value;
    const [from, to] = invoke.f === "cas" && Array.isArray(own) ? own : [undefined, own];
    return [{
      invoke,
      completion,
      invokedAt,
      endedAt: ends === -1 ? Infinity : ends,
      text: from === undefined
        ? `${invoke.f} ${show(own)}`
        : `cas ${show(from)} \u2192 ${show(to)}`,
      leaves: show(to),
      place: i < order.length ? i : undefined,
      isStuck: stuck?.at === invokedAt,
    }];
  });
}

function showKey(
  view: RegisterView,
  calls: readonly DrawnCall[],
  selection: Selection,
): HTMLElement[] {
  const { before, after } = view;
  const more = [
    before > 0 && `${plural(before, "operation")} of the order before these are not shown.`,
    after > 0 && `${plural(after, "operation")} after these are not shown.`,
  ].filter((text) => text !== false).join(" ");
  const readout = element("p", { class: "view-readout", "aria-live": "polite" }, HINT);
  const drawing = new RegisterDrawing(view, calls, selection, (text) => {
    readout.replaceChildren(element("span", {}, text ?? HINT));
  });
  const elements = [
    element(
      "p",
      { class: "view-summary" },
      sentence(view),
    ),
    legend(),
    drawing.root,
    readout,
  ];
  if (more !== "") elements.push(element("p", { class: "note" }, more));
  return elements;
}

/** What the drawing of a key shows. */
function sentence({ stuck, order, before, after, unneeded }: RegisterView): string {
  if (stuck !== undefined) {
    return `${plural(before + order.length, "operation")} can be put in an order; then it ends: ` +
      stuck.why;
  }
  const rest = unneeded === 0
    ? ""
    : `; ${plural(unneeded, "other")} of unknown outcome need not have happened`;
  return `${plural(order.length + after, "operation")} can have taken effect in this order${rest}`;
}

const HINT = "Point at an operation, or move through the order with the arrow keys.";

function legend(): HTMLElement {
  const entries = [
    ["placed", "in the order"],
    ["maybe", "outcome unknown"],
    ["left", "not placed"],
    ["stuck", "where the order ends"],
  ] as const;
  return element(
    "p",
    { class: "keys" },
    entries.map(([kind, text]) => element("span", { class: `key-${kind}` }, text)),
    "Above: what the register holds. Time is not to scale.",
  );
}

class RegisterDrawing {
  readonly root: HTMLElement;
  readonly #view: RegisterView;
  readonly #calls: readonly DrawnCall[];
  readonly #selection: Selection;
  readonly #tell: (text: string | undefined) => void;
  readonly #shapes: SVGGElement[];

  constructor(
    view: RegisterView,
    calls: readonly DrawnCall[],
    selection: Selection,
    tell: (text: string | undefined) => void,
  ) {
    this.#view = view;
    this.#calls = calls;
    this.#selection = selection;
    this.#tell = tell;
    const layout = layOutRegister(calls.map((call) => ({
      process: call.invoke.process,
      invokedAt: call.invokedAt,
      endedAt: call.endedAt,
      textWidth: call.text.length * CHAR + PADDING,
      place: call.place,
    })));
    const bottom = TOP + layout.laneCount * ROW;
    this.#shapes = calls.map((call, i) => this.#shape(call, layout.bars[i] ?? NOWHERE));
    const width = Math.ceil(layout.width) + TIME_WIDTH;
    const svg = drawn(
      "svg",
      {
        class: "register",
        width,
        height: bottom + BOTTOM,
        viewBox: `0 0 ${width} ${bottom + BOTTOM}`,
        role: "group",
        "aria-label": `Key ${view.key}. ${sentence(view)}`,
      },
      this.#values(layout.bars, width, bottom),
      this.#way(layout.bars),
      this.#shapes,
      this.#points(layout.bars),
      this.#times(layout.moments, bottom),
    );
    this.root = element("div", { class: "scroll", tabindex: -1 }, svg);
    const stuck = calls.findIndex(({ isStuck }) => isStuck);
    if (stuck !== -1) this.#scrollTo(layout.bars[stuck]?.left ?? 0);
    arrowKeys([this.#shapes], this.#shapes[Math.max(stuck, 0)]);
    selection.onSelect((target) => this.#mark(target?.op));
    this.#mark(selection.target?.op);
  }

  #shape(call: DrawnCall, { left, right, lane, pointAt }: Bar): SVGGElement {
    const top = TOP + lane * ROW;
    const isOpen = call.completion?.type !== "ok";
    const kind = call.isStuck ? "stuck" : call.place === undefined ? "left" : "placed";
    const middle = top + BAR / 2;
    return drawn(
      "g",
      {
        class: `call ${kind}${isOpen ? " maybe" : ""}`,
        role: "button",
        "aria-label": this.#describe(call),
        pointerenter: () => this.#tell(this.#describe(call)),
        pointerleave: () => this.#tell(undefined),
        focus: () => this.#tell(this.#describe(call)),
        click: () => this.#select(call),
      },
      isOpen && pointAt !== undefined && pointAt > right &&
        drawn("path", { class: "later", d: `M${right} ${middle}H${pointAt}` }),
      drawn("rect", { x: left, y: top, width: right - left, height: BAR, rx: 3 }),
      drawn("text", { x: left + PADDING / 2, y: top + 15 }, call.text),
    );
  }

  /** What the register holds, above the point from which it does. */
  #values(bars: readonly Bar[], width: number, bottom: number): SVGElement[] {
    const changes: { x: number; value: string }[] = [];
    for (const [i, { place, leaves }] of this.#calls.entries()) {
      const x = bars[i]?.pointAt;
      if (place === undefined || x === undefined) continue;
      if (changes.at(-1)?.value !== leaves) changes.push({ x, value: leaves });
    }
    return changes.flatMap(({ x, value }, i) => {
      const next = changes[i + 1]?.x ?? width;
      const room = Math.floor((next - x - 6) / CHAR);
      const text = value.length <= room
        ? value
        : room > 2
        ? `${value.slice(0, room - 1)}\u2026`
        : "";
      return [
        drawn("path", { class: "change", d: `M${x} 8V${bottom}` }),
        drawn("text", { class: "value", x: x + 4, y: 18 }, text),
      ];
    });
  }

  /** The line through the points at which operations take effect. */
  #way(bars: readonly Bar[]): SVGElement {
    const points = this.#places(bars).map(({ x, y }) => `${x},${y}`).join(" ");
    return drawn("polyline", { class: "way", points });
  }

  #points(bars: readonly Bar[]): SVGElement[] {
    return this.#places(bars).map(({ x, y }) =>
      drawn("circle", { class: "point", cx: x, cy: y, r: 3.5 })
    );
  }

  #places(bars: readonly Bar[]): { x: number; y: number }[] {
    return this.#calls.flatMap(({ place }, i) => {
      const { pointAt, lane } = bars[i] ?? NOWHERE;
      const y = TOP + lane * ROW + BAR - 1;
      return place === undefined || pointAt === undefined ? [] : [{ x: pointAt, y }];
    });
  }

  #times(moments: readonly { at: number; x: number }[], bottom: number): SVGElement[] {
    const ops = new Map(this.#calls.flatMap(({ invoke, completion, invokedAt, endedAt }) => [
      [invokedAt, invoke] as const,
      [endedAt, completion] as const,
    ]));
    let last = -Infinity;
    return moments.flatMap(({ at, x }) => {
      const op = ops.get(at);
      if (op === undefined || x - last < TIME_GAP) return [];
      last = x;
      return [
        drawn("path", { class: "tick", d: `M${x} ${bottom - 4}v8` }),
        drawn("text", { class: "time", x, y: bottom + 17 }, moment(op.time)),
      ];
    });
  }

  #describe({ invoke, completion, text, place, leaves, isStuck }: DrawnCall): string {
    const { before } = this.#view;
    const until = completion?.type === "ok" ? moment(completion.time) : "an unknown end";
    const how = place !== undefined
      ? `number ${before + place + 1} of the order, after which the register holds ${leaves}`
      : isStuck
      ? "no order accounts for it"
      : completion?.type === "ok"
      ? "not reached by the order"
      : "need not have happened";
    return `${text}: ${who(invoke)}, ${moment(invoke.time)} to ${until}; ${how}`;
  }

  #select({ invoke }: DrawnCall): void {
    this.#selection.select({ atMs: invoke.time / 1e6, op: invoke.index }, this);
  }

  /** Marks the operation of an index in the history, if it is here. */
  #mark(op: number | undefined): void {
    for (const [i, { invoke, completion }] of this.#calls.entries()) {
      const isIt = op !== undefined && (invoke.index === op || completion?.index === op);
      this.#shapes[i]?.classList.toggle("selected", isIt);
    }
  }

  /** Brings a place into view, once the box is as wide as it will be. */
  #scrollTo(x: number): void {
    new ResizeObserver((_, observer) => {
      if (this.root.clientWidth === 0) return;
      observer.disconnect();
      this.root.scrollLeft = x - this.root.clientWidth / 2;
    }).observe(this.root);
  }
}

const NOWHERE: Bar = { left: 0, right: 0, lane: 0 };
