/**
 * The space-time diagram of a run: who sent what to whom, and when.
 *
 * @module
 */

import { plural, who } from "../../checkers/checker.ts";
import { printableLine } from "../../explain.ts";
import { placeOfFinding, type ReportData } from "../../report_data.ts";
import { type AxisMode, countBelow, secondsText } from "./axis.ts";
import { Colors } from "../colors.ts";
import { Brush } from "./brush.ts";
import { HappenedBefore, type Relations } from "./causes.ts";
import { type ColumnLayout, HEADER_PX, layColumns } from "./columns.ts";
import { applyFilter, type DiagramFilter, type Matches, NO_FILTER } from "./filter.ts";
import { type Hit, hitAt } from "./hit.ts";
import { ArrowIndex } from "./index.ts";
import { laneTitle } from "./lanes.ts";
import { type InputTarget, listenTo } from "./input.ts";
import { messageLabel } from "./labels.ts";
import { type DiagramFrame, type InView, paintFrame, rulerOf } from "./painter.ts";
import { markDetail, messageDetail, operationDetail } from "./panel.ts";
import { endpointText, makeScene, type Scene } from "./scene.ts";
import { Strip } from "./strip.ts";
import { makeToolbar } from "./toolbar.ts";
import { Viewport } from "./viewport.ts";
import { type Child, element, section } from "../dom.ts";
import type { Selection, Target } from "../selection.ts";

/** Shows the diagram; nothing where the run has neither messages nor operations. */
export function showDiagram(data: ReportData, selection: Selection): HTMLElement | undefined {
  if (data.messages.length + data.history.length === 0) return undefined;
  const scene = makeScene(data);
  if (scene.lanes.length === 0) return undefined;
  return section("diagram", "Messages", new Diagram(data, scene, selection).element);
}

/** How many messages, and how much time, are in view at first. */
const FIRST_MESSAGES = 40;
const FIRST_MS = 3000;
/** How long nothing has changed before what is in view is told. */
const TELL_MS = 250;
/** How many frames the times of frames are kept of. */
const KEPT_FRAMES = 600;
/** How high the number of a finding is, in pixels. */
const FINDING_PX = 18;

class Diagram implements InputTarget {
  readonly element: HTMLElement;
  readonly #data: ReportData;
  readonly #scene: Scene;
  readonly #selection: Selection;
  readonly #viewport: Viewport;
  readonly #strip: Strip;
  readonly #brush: Brush;
  readonly #canvas = element("canvas", {
    tabindex: 0,
    role: "application",
    "aria-label":
      "Space-time diagram: time runs down, each column is a client, a node or a service",
    "aria-describedby": "diagram-status",
  });
  readonly #stripCanvas = element("canvas", { "aria-hidden": "true" });
  readonly #probe = element("span");
  readonly #colours = new Colors(this.#probe);
  readonly #tip = element("div", { class: "diagram-tip", "aria-hidden": "true" });
  readonly #flags = element("div", {});
  readonly #findings = element("p", { class: "diagram-findings" });
  readonly #status = element("p", {
    id: "diagram-status",
    class: "diagram-status",
    "aria-live": "polite",
  });
  readonly #panel = element("aside", {
    class: "diagram-panel",
    "aria-label": "What is selected",
    tabindex: -1,
    hidden: true,
  });
  readonly #isError: Uint8Array;
  readonly #texts = new Map<number, string>();
  readonly #found: ReadonlySet<number>;
  #index: ArrowIndex;
  #filter: DiagramFilter = NO_FILTER;
  #matches: Matches = { messages: undefined, bars: undefined };
  #happened: HappenedBefore | undefined;
  #selected: Hit | undefined;
  #relations: Relations | undefined;
  /** The columns of the clients that are selected. */
  #open: ReadonlySet<number> = new Set();
  #offset = 0;
  #isDue = false;
  #tell: ReturnType<typeof setTimeout> | undefined;
  readonly #frameMs: number[] = [];
  /** The place of the last operation of each finding. */
  #foundAt: readonly (number | undefined)[] = [];
  #markPlaces = new Float64Array();
  #inView: InView = { arrows: 0, messages: 0, operations: 0, faults: 0, marks: 0, states: [] };

  constructor(data: ReportData, scene: Scene, selection: Selection) {
    [this.#data, this.#scene, this.#selection] = [data, scene, selection];
    const { axis, arrows, messages } = scene;
    this.#viewport = new Viewport(axis.start, axis.end, axis.minSpan);
    this.#index = new ArrowIndex(arrows, axis.places);
    this.#isError = Uint8Array.from(messages, ({ type }) => Number(type === "error"));
    this.#found = new Set(data.report.findings.flatMap(({ ops }) => ops.map(({ index }) => index)));
    this.#brush = new Brush(this.#canvas, this.#colours);
    this.#strip = new Strip(this.#stripCanvas, this.#colours, scene);
    this.element = this.#layOut();
    this.#findPlaces();
    this.home();
    listenTo(this.#canvas, this.#panel, this);
    this.#listenToStrip();
    this.#listenToPage();
    selection.onSelect((target, from) => {
      if (from === this || target === undefined) return;
      this.#show(target);
      this.element.scrollIntoView({ block: "nearest" });
    });
  }

  #layOut(): HTMLElement {
    const toolbar = makeToolbar(this.#scene, {
      zoom: (factor) => this.zoom(factor),
      home: () => this.home(),
      setMode: (mode) => this.#setMode(mode),
      step: (by) => this.step(by),
      clear: () => this.clear(),
      filter: (filter) => {
        this.#filter = filter;
        this.#matches = applyFilter(this.#scene, filter);
        this.#draw();
      },
    });
    return element(
      "div",
      { class: "diagram" },
      toolbar,
      this.#data.report.findings.length > 0 && this.#findings,
      element(
        "div",
        { class: "diagram-body" },
        element(
          "div",
          { class: "diagram-stage" },
          this.#canvas,
          this.#flags,
          this.#tip,
          this.#probe,
        ),
        element("div", { class: "diagram-strip" }, this.#stripCanvas),
        this.#panel,
      ),
      this.#status,
    );
  }

  #listenToPage(): void {
    // The first time it is told is when the element has its size.
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
    const { ended: signal } = this.#selection;
    this.#colours.onChange(() => this.#draw(), signal);
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.clear();
    }, { signal });
  }

  #listenToStrip(): void {
    const go = ({ offsetY }: PointerEvent) => {
      const ms = this.#strip.msAt(offsetY / Math.max(1, this.#stripCanvas.clientHeight));
      this.#viewport.centre(this.#scene.axis.toPlace(ms));
      this.#draw();
    };
    this.#stripCanvas.addEventListener("pointerdown", (event) => {
      this.#stripCanvas.setPointerCapture(event.pointerId);
      go(event);
    });
    this.#stripCanvas.addEventListener("pointermove", (event) => {
      if (event.buttons > 0) go(event);
    });
  }

  /** Where the first finding shows, or the beginning of the main phase. */
  home(): void {
    const { axis, bars } = this.#scene;
    const [found] = this.#foundAt;
    const start = axis.places[bars[0]?.fromRow ?? 0] ?? axis.toPlace(0);
    this.#showAround(found ?? start);
    if (found === undefined) {
      const { from, span } = this.#viewport;
      // With all of what prepares the nodes, or nothing.
      const isShort = start - axis.start < span * 0.7;
      this.#viewport.pan((isShort ? axis.start - span : start - 0.5) - from);
    }
    this.#draw();
  }

  /** Shows some messages, or seconds, around a place: whichever is less. */
  #showAround(place: number): void {
    const { axis, messages } = this.#scene;
    const atMs = axis.toMs(place);
    const middle = countBelow(messages.map(({ sentMs }) => sentMs), atMs, false);
    const at = (i: number) => messages[Math.min(messages.length - 1, Math.max(0, i))]?.sentMs;
    const from = Math.max(atMs - FIRST_MS / 2, at(middle - FIRST_MESSAGES / 2) ?? -Infinity);
    const to = Math.min(atMs + FIRST_MS / 2, at(middle + FIRST_MESSAGES / 2) ?? Infinity);
    const half = Math.max(place - axis.toPlace(from), axis.toPlace(to, true) - place);
    const rows = FIRST_MESSAGES * 1.5;
    const limit = axis.mode === "spread" ? rows / 2 : FIRST_MS / 2;
    this.#viewport.show(place - Math.min(half, limit), place + Math.min(half, limit));
  }

  #findPlaces(): void {
    this.#foundAt = this.#data.report.findings.map((_, i) => {
      const target = placeOfFinding(this.#data, i);
      return target && this.#placeOf(target);
    });
    const { axis, marks } = this.#scene;
    this.#markPlaces = Float64Array.from(marks, ({ atMs }) => axis.toPlace(atMs, true));
  }

  #placeOfOp(index: number): number | undefined {
    const { bars, axis } = this.#scene;
    const bar = bars.find(({ invoke, completion }) =>
      invoke.index === index || completion?.index === index
    );
    if (bar === undefined) {
      const op = this.#data.history.find((each) => each.index === index);
      return op === undefined ? undefined : axis.toPlace(op.time / 1e6);
    }
    return axis.places[bar.invoke.index === index ? bar.fromRow : bar.toRow];
  }

  #setMode(mode: AxisMode): void {
    const { axis, arrows } = this.#scene;
    const { from, to } = this.#viewport;
    const [fromMs, toMs] = [axis.toMs(from), axis.toMs(to)];
    axis.mode = mode;
    this.#findPlaces();
    this.#index = new ArrowIndex(arrows, axis.places);
    this.#viewport.reset(axis.start, axis.end, axis.minSpan);
    this.#viewport.show(axis.toPlace(fromMs), axis.toPlace(toMs, true));
    this.#draw();
  }

  /** Shows what another part of the page has selected. */
  #show(target: Target): void {
    const hit = this.#hitOf(target);
    if (hit !== undefined) this.#select(hit);
    this.#viewport.centre(this.#placeOf(target));
    this.#draw();
  }

  /** The message or the operation that a place in the run is, if the diagram has it. */
  #hitOf({ message, op }: Target): Hit | undefined {
    const { messages, bars } = this.#scene;
    if (message !== undefined) {
      const at = countBelow(messages.map(({ id }) => id), message, false);
      return messages[at]?.id === message ? { kind: "message", place: at } : undefined;
    }
    const at = bars.findIndex(({ invoke, completion }) =>
      invoke.index === op || completion?.index === op
    );
    return at === -1 ? undefined : { kind: "bar", place: at };
  }

  /** Where on the axis a place in the run is. */
  #placeOf(target: Target): number {
    const { axis, arrows } = this.#scene;
    const hit = this.#hitOf(target);
    const place = hit?.kind === "message"
      ? axis.places[arrows.fromRow[arrows.message.indexOf(hit.place)] ?? 0]
      : target.op === undefined
      ? undefined
      : this.#placeOfOp(target.op);
    return place ?? axis.toPlace(target.atMs);
  }

  #select(hit: Hit | undefined): void {
    const { messages, bars, events, lanes } = this.#scene;
    this.#selected = hit;
    this.#relations = undefined;
    this.#open = new Set(this.#lanesOf(hit));
    let detail: readonly Child[] = [];
    const go = (place: number) => {
      const { id = 0, sentMs = 0 } = messages[place] ?? {};
      const target = { atMs: sentMs, message: id };
      this.#show(target);
      this.#selection.select(target, this);
    };
    if (hit?.kind === "message") {
      this.#happened ??= new HappenedBefore(messages, events);
      this.#relations = this.#happened.relations(hit.place);
      detail = messageDetail(this.#scene, hit.place, this.#relations, go);
    } else if (hit?.kind === "bar") {
      const bar = bars[hit.place];
      if (bar !== undefined) detail = operationDetail(this.#scene, bar, go);
    } else if (hit?.kind === "mark") {
      const { lane, atMs, text } = hit.mark;
      detail = markDetail(lanes[lane]?.name ?? "", atMs, text);
    }
    const hadFocus = this.#panel.contains(document.activeElement);
    const close = element(
      "button",
      { type: "button", class: "close", "aria-label": "Close", click: () => this.clear() },
      "×",
    );
    this.#panel.replaceChildren(close, ...element("div", {}, detail).childNodes);
    this.#panel.hidden = hit === undefined;
    this.#panel.scrollTop = 0;
    if (hadFocus) (hit === undefined ? this.#canvas : this.#panel).focus({ preventScroll: true });
    this.#draw();
  }

  /** The lanes that something concerns. */
  #lanesOf(hit: Hit | undefined): number[] {
    const { bars, arrows: { message, fromLane, toLane } } = this.#scene;
    if (hit?.kind === "bar") return [bars[hit.place]?.lane ?? -1];
    if (hit?.kind !== "message") return [];
    const at = countBelow(message, hit.place, false);
    return [fromLane[at] ?? -1, toLane[at] ?? -1];
  }

  pan(x: number, y: number): boolean {
    const { maxOffset } = this.#columns();
    const offset = Math.min(maxOffset, Math.max(0, this.#offset + x));
    const isAside = Math.abs(offset - this.#offset) > 0.5;
    this.#offset = offset;
    const isAlong = y !== 0 && this.#viewport.pan(y * this.#perPx());
    if (isAside || isAlong) this.#draw();
    return isAside || isAlong;
  }

  #perPx(): number {
    return this.#viewport.span / Math.max(1, this.#canvas.clientHeight - HEADER_PX);
  }

  zoom(factor: number, y?: number): void {
    const at = y === undefined ? undefined : this.#viewport.from + (y - HEADER_PX) * this.#perPx();
    this.#viewport.zoom(factor, at);
    this.#draw();
  }

  jump(share: 0 | 1): void {
    const { axis: { start, end } } = this.#scene;
    this.#viewport.centre(share === 0 ? start : end);
    this.#draw();
  }

  click(x: number, y: number): void {
    const hit = this.#hit(x, y);
    if (hit === undefined) return this.clear();
    this.#select(hit);
    if (hit.kind === "message") {
      const { id = 0, sentMs = 0 } = this.#scene.messages[hit.place] ?? {};
      this.#selection.select({ atMs: sentMs, message: id }, this);
    } else if (hit.kind === "bar") {
      const { invoke } = this.#scene.bars[hit.place] ?? {};
      if (invoke === undefined) return;
      this.#selection.select({ atMs: invoke.time / 1e6, op: invoke.index }, this);
    }
  }

  hover(x: number, y: number): void {
    const hit = this.#hit(x, y);
    this.#canvas.classList.toggle("over", hit !== undefined);
    const text = hit === undefined ? this.#columnAt(x, y) : this.#describe(hit);
    this.#tip.textContent = printableLine(text);
    this.#tip.style.top = `${y + 14}px`;
    const isRight = x > this.#canvas.clientWidth / 2;
    this.#tip.style.left = isRight ? "" : `${x + 10}px`;
    this.#tip.style.right = isRight ? `${this.#canvas.clientWidth - x + 10}px` : "";
  }

  /** What the column is whose head, or whose folded part, is at a point. */
  #columnAt(x: number, y: number): string {
    const { xs, widths, folded } = this.#columns();
    const at = xs.findIndex((middle = -1e6, lane) =>
      Math.abs(middle - x) <= (widths[lane] ?? 0) / 2
    );
    const lane = this.#scene.lanes[at];
    return lane !== undefined && (y < HEADER_PX || folded.has(at)) ? laneTitle(lane) : "";
  }

  leave(): void {
    this.#canvas.classList.remove("over");
    this.#tip.textContent = "";
  }

  #hit(x: number, y: number): Hit | undefined {
    return hitAt(this.#frame(), rulerOf(this.#viewport, this.#canvas.clientHeight), x, y);
  }

  #describe(hit: Hit): string {
    if (hit.kind === "mark") return hit.mark.text;
    if (hit.kind === "bar") {
      const bar = this.#scene.bars[hit.place];
      return bar === undefined ? "" : `${who(bar.invoke)} ${bar.label}: ${bar.outcome}`;
    }
    const message = this.#scene.messages[hit.place];
    if (message === undefined) return "";
    const { src, dest, sentMs, deliveries: [first], drops: [drop] } = message;
    const end = first !== undefined
      ? `${Number((first.atMs - sentMs).toPrecision(3))} ms`
      : drop === undefined
      ? "still on its way"
      : `lost: ${drop.why}`;
    const [from, to] = [src, dest].map((name) => endpointText(this.#scene, name));
    return `${from} → ${to} ${this.#textOf(hit.place)}, ${end}`;
  }

  step(by: 1 | -1): void {
    const { messages, axis, arrows } = this.#scene;
    const shown = this.#matches.messages;
    const middle = axis.toMs((this.#viewport.from + this.#viewport.to) / 2);
    let place = this.#selected?.kind === "message"
      ? this.#selected.place + by
      : countBelow(messages.map(({ sentMs }) => sentMs), middle, false);
    while (place >= 0 && place < messages.length && shown?.[place] === 0) place += by;
    const message = messages[place];
    if (message === undefined) return;
    this.#select({ kind: "message", place });
    const at = axis.places[arrows.fromRow[countBelow(arrows.message, place, false)] ?? 0] ?? 0;
    const { from, to, span } = this.#viewport;
    if (at < from + span * 0.1 || at > to - span * 0.1) this.#viewport.centre(at);
    this.#selection.select({ atMs: message.sentMs, message: message.id }, this);
  }

  enter(): void {
    this.#panel.focus();
  }

  /** Selects nothing, on the whole page. */
  clear(): void {
    if (this.#selection.target !== undefined) this.#selection.select(undefined, this);
    if (this.#selected !== undefined) this.#select(undefined);
  }

  #textOf(place: number): string {
    const known = this.#texts.get(place);
    if (known !== undefined) return known;
    const text = messageLabel(this.#scene.messages[place]?.body ?? "");
    this.#texts.set(place, text);
    return text;
  }

  #columns(): ColumnLayout {
    const { lanes } = this.#scene;
    const { clientWidth } = this.#canvas;
    return layColumns(lanes, this.#filter.hidden, clientWidth, this.#offset, this.#open);
  }

  /** When what is selected began, if that is in view. */
  #selectedMs(): number | undefined {
    const hit = this.#selected;
    const { messages, bars, axis } = this.#scene;
    const ms = hit?.kind === "message"
      ? messages[hit.place]?.sentMs
      : hit?.kind === "bar"
      ? (bars[hit.place]?.invoke.time ?? 0) / 1e6
      : hit?.mark.atMs;
    const { from, to } = this.#viewport;
    const isInView = ms !== undefined && axis.toPlace(ms, true) >= from && axis.toPlace(ms) <= to;
    return isInView ? ms : undefined;
  }

  #frame(): DiagramFrame {
    return {
      scene: this.#scene,
      index: this.#index,
      markPlaces: this.#markPlaces,
      viewport: this.#viewport,
      columns: this.#columns(),
      matches: this.#matches,
      relations: this.#relations,
      selectedBar: this.#selected?.kind === "bar" ? this.#selected.place : undefined,
      selectedMs: this.#selectedMs(),
      found: this.#found,
      isError: this.#isError,
      labelOf: (place) => this.#textOf(place),
    };
  }

  /** Draws with the next frame; however often it is called before. */
  #draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.element.dataset.settled = "false";
    requestAnimationFrame(() => {
      const begun = performance.now();
      this.#isDue = false;
      this.#paint();
      this.#frameMs.push(performance.now() - begun);
      if (this.#frameMs.length > KEPT_FRAMES) this.#frameMs.shift();
    });
  }

  #paint(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width === 0 || height === 0) return;
    const { axis } = this.#scene;
    const { from, to } = this.#viewport;
    this.#brush.begin(width, height);
    this.#inView = paintFrame(this.#brush, this.#frame());
    const [fromMs, toMs] = [axis.toMs(from), axis.toMs(to)];
    const findingsMs = this.#data.report.findings.flatMap((_, i) => {
      return placeOfFinding(this.#data, i)?.atMs ?? [];
    });
    const { clientWidth, clientHeight } = this.#stripCanvas;
    this.#strip.draw(clientWidth, clientHeight, { fromMs, toMs, findingsMs });
    this.#nameFindings();
    const { arrows, operations, faults, marks, states } = this.#inView;
    Object.assign(this.element.dataset, {
      fromMs,
      toMs,
      arrows,
      operations,
      faults,
      markers: marks,
      states: states.join(", "),
      drawCalls: this.#brush.drawCalls,
    });
    clearTimeout(this.#tell);
    this.#tell = setTimeout(() => this.#tellStatus(fromMs, toMs), TELL_MS);
  }

  /** Numbers the findings in view at the edge, where no message is, and names the first. */
  #nameFindings(): void {
    const ruler = rulerOf(this.#viewport, this.#canvas.clientHeight);
    const { from, to } = this.#viewport;
    const shown = this.#foundAt.flatMap((place = NaN, i) =>
      place >= from && place <= to ? [i] : []
    );
    const flags: HTMLElement[] = [];
    let last = -Infinity;
    for (const i of shown.toSorted((a, b) => (this.#foundAt[a] ?? 0) - (this.#foundAt[b] ?? 0))) {
      const y = ruler.y(this.#foundAt[i] ?? 0);
      // One stands for those near it.
      if (y - last < FINDING_PX) continue;
      last = y;
      const flag = element("div", { class: "diagram-finding", "aria-hidden": "true" }, i + 1);
      flag.style.top = `${y - FINDING_PX / 2}px`;
      flags.push(flag);
    }
    this.#flags.replaceChildren(...flags);
    const [first = -1] = shown;
    const { anomaly = "", what = "" } = this.#data.report.findings[first] ?? {};
    const more = shown.length > 1 ? ` (first of ${shown.length} in view)` : "";
    const [sentence = ""] = what.split("\n");
    const text = shown.length === 0
      ? "No finding in view"
      : printableLine(`${first + 1} ${anomaly}${more}: ${sentence}`);
    // What is written anew is laid out anew, with each frame.
    if (this.#findings.textContent !== text) this.#findings.textContent = text;
  }

  #tellStatus(fromMs: number, toMs: number): void {
    const { messages, operations, faults } = this.#inView;
    const { sentCount } = this.#data;
    const stepMs = 10 ** Math.max(-3, Math.floor(Math.log10(toMs - fromMs)) - 1);
    const [start, end] = [secondsText(fromMs, stepMs), secondsText(toMs, stepMs)];
    const all = this.#scene.messages.length;
    const known = all < sentCount ? `${count(all)} kept of ` : "";
    const matching = this.#matches.messages?.reduce((sum, each) => sum + each, 0);
    this.#status.textContent = [
      this.#selected === undefined ? "" : `Selected ${this.#describe(this.#selected)}`,
      `${start === end ? start : `${start} to ${end}`}: ` +
      (all === 0 ? "" : `${count(messages)} of ${known}${counted(sentCount, "message")}, `) +
      counted(operations, "operation"),
      counted(faults, "fault"),
      matching === undefined ? "" : `${counted(matching, "message")} of the run match`,
    ].filter((part) => part !== "").join(", ");
    const sorted = this.#frameMs.toSorted((a, b) => a - b);
    const p95 = sorted[Math.floor(sorted.length * 0.95)] ?? 0;
    Object.assign(this.element.dataset, { frameP95: p95.toFixed(2), settled: true });
  }
}

function count(number: number): string {
  return number.toLocaleString("en");
}

function counted(number: number, noun: string): string {
  return plural(number, noun).replace(String(number), count(number));
}
