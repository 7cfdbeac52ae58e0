/**
 * The controls of a diagram: zoom, time, and what is shown.
 *
 * @module
 */

import { choicesOf, type DiagramFilter, NO_FILTER } from "./filter.ts";
import type { AxisMode } from "./axis.ts";
import { laneTitle } from "./lanes.ts";
import { legend } from "./panel.ts";
import type { Scene } from "./scene.ts";
import { element } from "../dom.ts";

/** What a toolbar does to its diagram. */
export interface DiagramControls {
  zoom(factor: number): void;
  filter(filter: DiagramFilter): void;
  setMode(mode: AxisMode): void;
  /** Where it was opened. */
  home(): void;
  /** Selects the next message, or the one before. */
  step(by: 1 | -1): void;
  /** Selects nothing. */
  clear(): void;
}

/** How long nothing is typed before it is looked for. */
const TYPING_MS = 200;

/** Makes the toolbar. */
export function makeToolbar(scene: Scene, controls: DiagramControls): HTMLElement {
  const { types, operations } = choicesOf(scene);
  const type = select("Message type", "all types", types, () => apply());
  const f = select("Operation", "all operations", operations, () => apply());
  let timer: ReturnType<typeof setTimeout> | undefined;
  const text = element("input", {
    type: "search",
    placeholder: "key or value",
    "aria-label": "Key or value in the body",
    size: 12,
    input: () => {
      clearTimeout(timer);
      timer = setTimeout(apply, TYPING_MS);
    },
  });
  const boxes = scene.lanes.map(() =>
    element("input", { type: "checkbox", checked: true, change: () => apply() })
  );
  const menu = element(
    "details",
    { class: "menu" },
    element("summary", {}, "Columns"),
    element(
      "div",
      { role: "group", "aria-label": "Columns that are shown" },
      scene.lanes.map((lane, i) => element("label", {}, boxes[i], laneTitle(lane))),
    ),
  );
  const mode = element(
    "select",
    {
      "aria-label": "How time is laid out",
      change: () => controls.setMode(mode.value === "scale" ? "scale" : "spread"),
    },
    element("option", { value: "spread" }, "Events apart"),
    element("option", { value: "scale" }, "Time to scale"),
  );
  function apply(): void {
    const hidden = new Set(boxes.flatMap(({ checked }, lane) => checked ? [] : [lane]));
    controls.filter({ hidden, type: type.value, text: text.value.trim(), f: f.value });
  }
  const clear = () => {
    [type.value, f.value, text.value] = ["", "", ""];
    for (const box of boxes) box.checked = true;
    controls.filter(NO_FILTER);
    controls.clear();
  };
  return element(
    "div",
    { class: "diagram-toolbar", role: "toolbar", "aria-label": "Diagram" },
    button("+", "Zoom in", () => controls.zoom(1.6)),
    button("−", "Zoom out", () => controls.zoom(1 / 1.6)),
    button("Start view", "Back to where the diagram was opened", () => controls.home()),
    button("Previous", "Previous message (p)", () => controls.step(-1)),
    button("Next", "Next message (n)", () => controls.step(1)),
    mode,
    scene.messages.length > 0 && type,
    operations.size > 0 && f,
    text,
    menu,
    element(
      "details",
      { class: "menu signs" },
      element("summary", {}, "Signs and keys"),
      element("div", {}, legend()),
    ),
    button("Clear", "Clear all filters and the selection", clear),
  );
}

function button(text: string, title: string, click: () => void): HTMLElement {
  return element("button", { type: "button", title, "aria-label": title, click }, text);
}

function select(
  label: string,
  all: string,
  choices: ReadonlyMap<string, number>,
  change: () => void,
): HTMLSelectElement {
  return element(
    "select",
    { "aria-label": label, change },
    element("option", { value: "" }, all),
    [...choices].map(([name, count]) =>
      element("option", { value: name }, `${name === "" ? "(none)" : name} (${count})`)
    ),
  );
}
