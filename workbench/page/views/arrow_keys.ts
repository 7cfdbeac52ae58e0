/**
 * Many small parts of a drawing or a table that the tab key reaches as one.
 *
 * @module
 */

/** What can have the focus. */
type Focusable = HTMLElement | SVGElement;

/**
 * Lets the arrow keys go from element to element in rows, of which the tab key reaches one: the
 * last that had the focus. Enter and the space bar click it.
 *
 * @param rows from top to bottom, each from left to right
 * @param first what the tab key reaches first
 */
export function arrowKeys(
  rows: readonly (readonly Focusable[])[],
  first: Focusable | undefined = rows.find((row) => row.length > 0)?.[0],
): void {
  let reached = first;
  const reach = (element: Focusable) => {
    reached?.setAttribute("tabindex", "-1");
    reached = element;
    element.setAttribute("tabindex", "0");
  };
  const listen = (element: Focusable, row: number, place: number) => {
    element.setAttribute("tabindex", element === first ? "0" : "-1");
    element.addEventListener("focus", () => reach(element));
    element.addEventListener("keydown", (event) => {
      const { key } = event as KeyboardEvent;
      if (key === "Enter" || key === " ") {
        element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
      } else {
        const [down, right] = MOVES[key] ?? [0, 0];
        const target = rows[row + down];
        if (down === 0 && right === 0) return;
        // Rows need not be of the same length.
        target?.[Math.min(place + right, target.length - 1)]?.focus();
      }
      event.preventDefault();
    });
  };
  for (const [row, elements] of rows.entries()) {
    for (const [place, element] of elements.entries()) listen(element, row, place);
  }
}

const MOVES: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};
