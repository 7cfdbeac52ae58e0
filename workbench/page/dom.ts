/**
 * Elements of a page, and the texts that it was written with. Foreign text only ever becomes text.
 *
 * @module
 */

import { printableLine } from "../explain.ts";

/** What may stand in an element; `undefined` and `false` stand for nothing. */
export type Child = Node | string | number | undefined | false | readonly Child[];

/** Attributes by name; a function is a listener for the event of that name. */
export type Attributes = Readonly<
  Record<string, string | number | boolean | undefined | ((event: never) => void)>
>;

/** Makes an element. Texts are shown as a terminal would have them, with control characters escaped. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  return filled(document.createElement(name), attributes, children);
}

/** Makes an element of a drawing. */
export function drawn<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  return filled(made, attributes, children);
}

function filled<Made extends Element>(
  made: Made,
  attributes: Attributes,
  children: readonly Child[],
): Made {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value as EventListener);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== undefined && value !== false) made.setAttribute(key, String(value));
  }
  append(made, children);
  return made;
}

function append(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined || child === false) continue;
    // Forms and their lists have a length, too.
    if (child instanceof Node) parent.appendChild(child);
    else if (typeof child === "object") append(parent, child);
    else parent.appendChild(document.createTextNode(printableLine(String(child))));
  }
}

/** A part of a report under its heading. */
export function section(id: string, heading: string, ...children: readonly Child[]): HTMLElement {
  return element(
    "section",
    { id, "aria-labelledby": `${id}-heading` },
    element("h2", { id: `${id}-heading` }, heading),
    ...children,
  );
}

/** Whether the page has a text of some name. */
export function hasPart(name: string): boolean {
  return document.getElementById(`part-${name}`) !== null;
}

/** Where `writePage` puts what unpacks the texts of a page. */
interface Loader {
  readonly unpackText: (text: string) => Promise<string>;
}

/**
 * Reads a text that the page has, as `writePage` put it there.
 *
 * @throws {Error} if it has none of the name.
 */
export async function readPart(name: string): Promise<string> {
  const text = document.getElementById(`part-${name}`)?.textContent;
  if (text === undefined || text === null) {
    throw new Error(`Cannot read ${name}: the page has none`);
  }
  return await (globalThis as unknown as Loader).unpackText(text);
}
