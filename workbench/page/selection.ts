/**
 * What is selected on a page: all parts of it show the same place of the run.
 *
 * @module
 */

import type { Cause, Place } from "../report_data.ts";
import { element } from "./dom.ts";

/** A place in the run: a time, and the message or the operation that it is. */
export type Target = Omit<Place, "text">;

/** What is selected, and who is told of it. */
export class Selection {
  readonly #listeners: ((target: Target | undefined, from: unknown) => void)[] = [];
  #target: Target | undefined;
  readonly #end = new AbortController();

  /** Ends what listens outside of the parts that it is for: they are shown no more. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  end(): void {
    this.#end.abort();
  }

  /** What is selected at present, if anything is. */
  get target(): Target | undefined {
    return this.#target;
  }

  /** Calls a function whenever something is selected, or nothing any more. */
  onSelect(listener: (target: Target | undefined, from: unknown) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Selects a place; nothing where it is undefined.
   *
   * @param from who does: it need not bring the place into view, for it is there
   */
  select(target: Target | undefined, from?: unknown): void {
    this.#target = target;
    for (const listener of this.#listeners) listener(target, from);
  }
}

/** The moments that a text names, as places: `0.452 s`. */
function withMoments(text: string): Cause {
  return text.split(/(\d+\.\d{3} s)\b/).map((part, i) => {
    return i % 2 === 0 ? part : { text: part, atMs: Number.parseFloat(part) * 1000 };
  });
}

/** A sentence whose places, and the moments that it names, can be clicked. */
export function linked(parts: Cause, selection: Selection): readonly (Node | string)[] {
  const all = parts.flatMap((part) => typeof part === "string" ? withMoments(part) : [part]);
  return all.map((part) => {
    if (typeof part === "string") return part;
    const { text, ...target } = part;
    const go = (event: Event) => {
      event.preventDefault();
      selection.select(target);
    };
    return element("a", { href: "#diagram", class: "place", click: go }, text);
  });
}
