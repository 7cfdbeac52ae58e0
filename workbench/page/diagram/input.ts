/**
 * Mouse, touch and keys on a diagram.
 *
 * @module
 */

/** What input does to a diagram; distances are pixels. */
export interface InputTarget {
  /** Moves what is in view; says whether there was anything left to move. */
  pan(x: number, y: number): boolean;
  /** Zooms around a height of the canvas, or its middle. */
  zoom(factor: number, y?: number): void;
  /** Goes to an end: a share of the whole run. */
  jump(share: 0 | 1): void;
  click(x: number, y: number): void;
  hover(x: number, y: number): void;
  leave(): void;
  /** Selects the next message, or the one before. */
  step(by: 1 | -1): void;
  /** Goes to the details of what is selected. */
  enter(): void;
}

/** How far a pointer moves that is no click, in pixels. */
const CLICK_PX = 4;
/** How long after the page was scrolled a wheel goes on scrolling it. */
const SCROLL_MS = 250;

/** Keys that do in the details what they do on a canvas; the others scroll them. */
const PANEL_KEYS = /^([np+=-]|Arrow.*)$/;

/** Listens to a canvas, and to the keys of the details beside it. */
export function listenTo(canvas: HTMLCanvasElement, panel: HTMLElement, target: InputTarget): void {
  listenToPointers(canvas, target);
  listenToWheel(canvas, target);
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keyActions(target, canvas.clientHeight)[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  canvas.addEventListener("keydown", press);
  panel.addEventListener("keydown", (event) => {
    // A body is scrolled by its arrows.
    const isBody = event.target instanceof HTMLPreElement && event.key.startsWith("Arrow");
    if (PANEL_KEYS.test(event.key) && !isBody) press(event);
  });
}

function keyActions(target: InputTarget, height: number): Record<string, (() => void) | undefined> {
  const [step, page] = [height * 0.12, height * 0.85];
  return {
    "+": () => target.zoom(1.5),
    "=": () => target.zoom(1.5),
    "-": () => target.zoom(1 / 1.5),
    ArrowDown: () => target.pan(0, step),
    ArrowUp: () => target.pan(0, -step),
    ArrowRight: () => target.pan(60, 0),
    ArrowLeft: () => target.pan(-60, 0),
    PageDown: () => target.pan(0, page),
    PageUp: () => target.pan(0, -page),
    Home: () => target.jump(0),
    End: () => target.jump(1),
    n: () => target.step(1),
    p: () => target.step(-1),
    Enter: () => target.enter(),
  };
}

/** When a wheel last scrolled the page. */
let scrolledAt = -Infinity;
let isWatching = false;

/** Pages may have several diagrams, one after the other. */
function watchPage(): void {
  if (isWatching) return;
  isWatching = true;
  addEventListener("wheel", (event) => {
    const isOurs = event.target instanceof Element && event.target.closest(".diagram-stage");
    if (!isOurs) scrolledAt = event.timeStamp;
  }, { passive: true });
}

/** Scrolling the page is not caught by a diagram that comes under the pointer, nor at its ends. */
function listenToWheel(canvas: HTMLCanvasElement, target: InputTarget): void {
  watchPage();
  canvas.addEventListener("wheel", (event) => {
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.ctrlKey) {
      event.preventDefault();
      target.zoom(Math.exp(-event.deltaY * unit * 0.004), event.offsetY);
    } else if (event.timeStamp - scrolledAt < SCROLL_MS) scrolledAt = event.timeStamp;
    else {
      const [x, y] = event.shiftKey
        ? [event.deltaY + event.deltaX, 0]
        : [event.deltaX, event.deltaY];
      if (target.pan(x * unit, y * unit)) event.preventDefault();
      else scrolledAt = event.timeStamp;
    }
  }, { passive: false });
}

function listenToPointers(canvas: HTMLCanvasElement, target: InputTarget): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let moved = 0;
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return a === undefined || b === undefined ? 0 : Math.hypot(a.x - b.x, a.y - b.y);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    moved = pointers.size > 1 ? Infinity : 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    const [x, y] = [event.offsetX, event.offsetY];
    if (last === undefined) return target.hover(x, y);
    const before = spread();
    const [dx, dy] = [x - last.x, y - last.y];
    moved += Math.abs(dx) + Math.abs(dy);
    pointers.set(event.pointerId, { x, y });
    if (moved <= CLICK_PX) return;
    canvas.classList.add("dragged");
    target.leave();
    const share = 1 / pointers.size;
    const went = target.pan(-dx * share, -dy * share);
    // A finger that is past the end scrolls the page.
    if (!went && event.pointerType === "touch") scrollBy(0, -dy);
    if (before > 0) target.zoom(spread() / before, y);
  });
  const end = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId)) return;
    canvas.classList.remove("dragged");
    if (event.type === "pointerup" && moved <= CLICK_PX) target.click(event.offsetX, event.offsetY);
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => target.leave());
}
