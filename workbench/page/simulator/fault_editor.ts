/**
 * The faults of a plan over time, to be dragged.
 *
 * @module
 */

import { describeFault } from "../../faults.ts";
import type { PlanFault } from "../../nemesis.ts";
import type { Plan } from "../../plan.ts";
import { element } from "../dom.ts";

/** How near a pointer must be to a bar's end to move that end only, in pixels. */
const EDGE_PX = 8;

/** How far an arrow key moves a fault, and with Shift, in ms. */
const STEP_MS = 100;
const LARGE_STEP_MS = 1000;

type Making = (node: string, others: readonly string[]) => Partial<PlanFault>;

const cutOff: Making = (node, others) => ({
  drops: Object.fromEntries([[node, others], ...others.map((other) => [other, [node]])]),
});
const onNode: Making = (node) => ({ nodes: [node] });
const byChance: Making = () => ({ probability: 0.2 });

/** What a new fault of each kind does to a node and the others. */
const NEW_FAULTS: Readonly<Record<PlanFault["kind"], Making>> = {
  partition: cutOff,
  "one-way": (node, others) => ({
    drops: Object.fromEntries(others.map((other) => [other, [node]])),
  }),
  kill: onNode,
  pause: onNode,
  slow: (node) => ({ nodes: [node], slowness: { factor: 10, extraMs: 100 } }),
  loss: byChance,
  duplicate: byChance,
  "disk-lose": onNode,
  "disk-torn": onNode,
  "disk-slow": onNode,
  "disk-full": onNode,
  "disk-eio": onNode,
  clock: (node) => ({ nodes: [node], clock: { rate: 0.25, jumpMs: 0 } }),
};

/** What of a fault is moved. */
type Grip = "from" | "to" | "both";

/** The faults of a plan as bars, which a pointer or the arrow keys move. */
export class FaultEditor {
  readonly root: HTMLElement = element("div", { class: "faults-editor" });
  #faults: PlanFault[] = [];
  #nodeIds: readonly string[] = [];
  #endMs = 0;

  constructor(plan: Pick<Plan, "faults" | "options">) {
    this.show(plan);
  }

  /** The faults as they are now, by the time of their beginning. */
  get faults(): PlanFault[] {
    return this.#faults.toSorted((a, b) => a.fromMs - b.fromMs);
  }

  /** Shows other faults. */
  show({ faults, options }: Pick<Plan, "faults" | "options">): void {
    this.#faults = [...faults];
    this.#nodeIds = options.nodeIds;
    const last = Math.max(0, ...faults.map(({ fromMs, toMs = fromMs }) => Math.max(fromMs, toMs)));
    this.#endMs = Math.max(options.timeLimitSeconds * 1000, last);
    this.#draw();
  }

  #draw(): void {
    const rows = this.#faults.map((_, i) => this.#row(i));
    this.root.replaceChildren(
      ...rows.length === 0 ? ["There are no faults."] : rows,
      this.#adder(),
    );
  }

  /** What adds a fault, which is then moved to its place. */
  #adder(): HTMLElement {
    const choice = (name: string, values: readonly string[]) =>
      element("select", { "aria-label": name }, values.map((each) => element("option", {}, each)));
    const kind = choice("Kind of fault", Object.keys(NEW_FAULTS));
    const node = choice("Node", this.#nodeIds);
    const add = () => {
      const others = this.#nodeIds.filter((each) => each !== node.value);
      const make = NEW_FAULTS[kind.value as PlanFault["kind"]];
      const [fromMs, toMs] = [this.#endMs * 0.4, this.#endMs * 0.6];
      this.#faults.push({
        kind: kind.value as PlanFault["kind"],
        drawn: "planned",
        fromMs,
        toMs,
        ...make(node.value, others),
      });
      this.#draw();
      [...this.root.querySelectorAll<HTMLElement>(".bar")].at(-1)?.focus();
    };
    const button = element("button", { type: "button", click: add }, "Add a fault");
    return element("div", { class: "adder" }, button, kind, node);
  }

  #row(i: number): HTMLElement {
    const name = this.#faults[i] === undefined ? "" : describeFault(this.#faults[i]);
    const bar = element("div", { class: "bar", tabindex: 0, role: "slider", "aria-label": name });
    const track = element("div", { class: "track" }, bar);
    const times = element("output", {});
    const place = () => this.#place(i, bar, times);
    const change = (grip: Grip, byMs: number) => {
      this.#move(i, grip, byMs);
      place();
    };
    bar.addEventListener("keydown", (event) => {
      const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (direction === undefined) return;
      event.preventDefault();
      change(gripOf(event), direction * (event.shiftKey ? LARGE_STEP_MS : STEP_MS));
    });
    bar.addEventListener("pointerdown", (event) => {
      bar.setPointerCapture(event.pointerId);
      const { left, right } = bar.getBoundingClientRect();
      const grip = event.clientX - left < EDGE_PX
        ? "from"
        : right - event.clientX < EDGE_PX
        ? "to"
        : "both";
      let lastX = event.clientX;
      const drag = ({ clientX }: PointerEvent) => {
        change(grip, (clientX - lastX) / track.clientWidth * this.#endMs);
        lastX = clientX;
      };
      bar.addEventListener("pointermove", drag);
      bar.addEventListener("lostpointercapture", () => {
        bar.removeEventListener("pointermove", drag);
      }, { once: true });
    });
    const remove = element("button", {
      type: "button",
      "aria-label": `Remove ${name}`,
      click: () => {
        this.#faults.splice(i, 1);
        this.#draw();
        this.root.querySelector<HTMLElement>(".adder button")?.focus();
      },
    }, "Remove");
    place();
    return element("div", { class: "fault" }, element("span", {}, name), track, times, remove);
  }

  /** Moves a fault, or an end of it, within the run's time. */
  #move(i: number, grip: Grip, byMs: number): void {
    const fault = this.#faults[i];
    if (fault === undefined) return;
    const { fromMs, toMs = this.#endMs } = fault;
    const within = (ms: number, min: number, max: number) => Math.min(max, Math.max(min, ms));
    const least = grip === "to" ? fromMs - toMs : -fromMs;
    const most = grip === "from" ? toMs - fromMs : this.#endMs - toMs;
    const by = within(byMs, least, Math.max(least, most));
    this.#faults[i] = {
      ...fault,
      fromMs: grip === "to" ? fromMs : fromMs + by,
      ...(grip !== "from" && { toMs: toMs + by }),
    };
  }

  #place(i: number, bar: HTMLElement, times: HTMLElement): void {
    const { fromMs = 0, toMs = this.#endMs } = this.#faults[i] ?? {};
    bar.style.left = `${fromMs / this.#endMs * 100}%`;
    bar.style.width = `${Math.max(0.5, (toMs - fromMs) / this.#endMs * 100)}%`;
    const text = `${(fromMs / 1000).toFixed(1)} s to ${(toMs / 1000).toFixed(1)} s`;
    bar.setAttribute("aria-valuetext", text);
    bar.setAttribute("aria-valuemin", "0");
    bar.setAttribute("aria-valuemax", String(this.#endMs));
    bar.setAttribute("aria-valuenow", String(Math.round(fromMs)));
    times.textContent = text;
  }
}

/** With Alt the arrows move the beginning, with Ctrl the end. */
function gripOf({ altKey, ctrlKey }: KeyboardEvent): Grip {
  return altKey ? "from" : ctrlKey ? "to" : "both";
}
