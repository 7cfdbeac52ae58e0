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
  readonly #listeners: ((target: Target, from: unknown) => void)[] = [];
  #target: Target | undefined;

  /** What is selected at present, if anything is. */
  get target(): Target | undefined {
    return this.#target;
  }

  /** Calls a function whenever something is selected. */
  onSelect(listener: (target: Target, from: unknown) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Selects a place.
   *
   * @param from who does: it need not bring the place into view, for it is there
   */
  select(target: Target, from?: unknown): void {
    this.#target = target;
    for (const listener of this.#listeners) listener(target, from);
  }
}

/** A sentence whose places can be clicked. */
export function linked(parts: Cause, selection: Selection): readonly (Node | string)[] {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    const { text, ...target } = part;
    const go = (event: Event) => {
      event.preventDefault();
      selection.select(target);
    };
    return element("a", { href: "#diagram", class: "place", click: go }, text);
  });
}
