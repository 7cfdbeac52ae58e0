/**
 * The page's colours, for what is drawn rather than laid out.
 *
 * @module
 */

/**
 * Gives the colours of the style sheet as they are at present: light or dark.
 *
 * A canvas takes neither variables nor `light-dark()`; what an element in the page comes to have is
 * a colour that it takes.
 */
export class Colors {
  readonly #probe: HTMLElement;
  readonly #known = new Map<string, string>();

  /** @param probe an element of the page, which has nothing in it */
  constructor(probe: HTMLElement) {
    this.#probe = probe;
    probe.hidden = true;
  }

  /** The colour of a variable of the style sheet, by its name without the hyphens before it. */
  of(name: string): string {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    this.#probe.style.color = `var(--${name})`;
    const color = getComputedStyle(this.#probe).color;
    // Not in the page yet: what is read then is not the colour.
    if (this.#probe.isConnected) this.#known.set(name, color);
    return color;
  }

  /** Calls a function whenever the colours have changed, until a signal. */
  onChange(changed: () => void, signal: AbortSignal): void {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#known.clear();
      changed();
    }, { signal });
  }
}
