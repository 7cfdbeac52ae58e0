/**
 * The pages of the site: which files of the project they are, where they are on the site, and what
 * becomes of their links.
 *
 * @module
 */

import { join } from "@std/path/join";

/** The table of contents, from which the site takes its pages, their order and its sidebar. */
export const CONTENTS = "docs/README.md";

/** A line of the table of contents. */
export interface Entry {
  readonly label: string;
  /** The page, from the project's root. */
  readonly page: string;
  /** What follows the page in the link, with its `#`; empty if nothing does. */
  readonly fragment: string;
  /** The lines that are indented below it. */
  readonly entries: Entry[];
}

/** A heading of the table of contents, and the lines below it. */
export interface Group {
  readonly title: string;
  readonly entries: Entry[];
}

/** A heading of a group, or a list item that begins with a link. */
const CONTENTS_LINE = /^## +(.+)$|^( *)- \[([^\]]+)\]\(([^()\s]+)\)/gm;

/**
 * Reads the table of contents: the second headings are groups, the links at the beginning of list
 * items their pages.
 */
export function parseContents(markdown: string): Group[] {
  const groups: Group[] = [];
  for (const [, title, indent, label = "", link = ""] of markdown.matchAll(CONTENTS_LINE)) {
    if (title !== undefined) {
      groups.push({ title, entries: [] });
      continue;
    }
    const [path = "", fragment = ""] = split(link);
    const entry = {
      label: label.replaceAll(/`/g, "").replaceAll(/\s+/g, " "),
      page: join(CONTENTS, "..", path),
      fragment,
      entries: [],
    };
    const siblings = groups.at(-1)?.entries;
    const parent = siblings?.at(-1);
    (indent === "" ? siblings : parent?.entries)?.push(entry);
  }
  return groups;
}

/** All pages that the table of contents lists, in order. */
export function pagesOf(groups: readonly Group[]): string[] {
  const all = (entries: readonly Entry[]): string[] =>
    entries.flatMap((entry) => [entry.page, ...all(entry.entries)]);
  return groups.flatMap(({ entries }) => all(entries));
}

/** The path of a link, and its fragment with the `#`. */
function split(link: string): [path: string, fragment: string] {
  const at = link.indexOf("#");
  return at < 0 ? [link, ""] : [link.slice(0, at), link.slice(at)];
}

/** A part of an address with its escapes decoded; undefined if they are no text. */
export function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Where a file of the project is on the site. */
export function placeOf(file: string): string {
  if (!file.startsWith("docs/")) return `project/${file.toLowerCase()}`;
  return file.slice("docs/".length).replace(/(^|\/)README\.md$/, "$1index.md");
}

/** The path of one place of the site, as another links to it. */
export function pathBetween(from: string, to: string): string {
  return "../".repeat(from.split("/").length - 1) + to;
}

/** The name that GitHub gives to a heading, for links to it. */
export function slugOf(heading: string): string {
  return heading.trim().toLowerCase().replaceAll(/[^\p{L}\p{M}\p{N}_\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** What a link leads to. */
export type Target =
  /** Another site. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "page"; readonly page: string; readonly fragment: string }
  /** A file or a folder of the project that is no page. */
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "nothing" };

/** The files of the project, as far as links need them. */
export interface Project {
  /** The files that are pages of the site, from the project's root. */
  readonly pages: ReadonlySet<string>;
  /** Whether there is such a file or folder, from the project's root. */
  readonly exists: (path: string) => boolean;
}

/**
 * Finds what a link of a page leads to.
 *
 * @param page the page, from the project's root
 * @param link the address as it is written on the page
 */
export function targetOf(page: string, link: string, { pages, exists }: Project): Target {
  if (/^([a-z][a-z\d+.-]*:|\/\/)/i.test(link)) return { kind: "elsewhere" };
  const [path, fragment] = split(link);
  if (path === "") return { kind: "page", page, fragment };
  const name = decoded(path);
  if (name === undefined) return { kind: "nothing" };
  const file = join(page, "..", name).replace(/\/$/, "");
  for (const each of [file, `${file}/README.md`]) {
    if (pages.has(each)) return { kind: "page", page: each, fragment };
  }
  const isInside = !path.startsWith("/") && !/^\.\.(\/|$)/.test(file);
  return isInside && exists(file) ? { kind: "file", file } : { kind: "nothing" };
}
