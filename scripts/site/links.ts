/**
 * The links and pictures of all pages: they lead to the places of the site, and each that leads
 * nowhere is found.
 *
 * @module
 */

import type { MarkdownRenderer } from "vitepress";
import { decoded, pathBetween, placeOf, type Project, targetOf } from "./pages.ts";

type Token = ReturnType<MarkdownRenderer["parse"]>[number];

/** A link to a heading, which is checked when the headings of all pages are known. */
interface HeadingLink {
  readonly from: string;
  readonly page: string;
  readonly fragment: string;
}

/** Changes links and pictures while pages are parsed, and remembers what it found. */
export class Links {
  /** The pictures that pages show, from the project's root. */
  readonly pictures = new Set<string>();

  readonly #project: Project;
  readonly #pageAt: ReadonlyMap<string, string>;
  readonly #problems: string[] = [];
  readonly #headings = new Map<string, Set<string>>();
  readonly #toHeadings: HeadingLink[] = [];

  constructor(project: Project) {
    this.#project = project;
    this.#pageAt = new Map([...project.pages].map((page) => [placeOf(page), page]));
  }

  /** Adds itself to what parses pages. */
  addTo(md: MarkdownRenderer): void {
    md.core.ruler.push("eddy-links", ({ tokens, env }) => {
      const page = this.#pageAt.get(env.relativePath);
      if (page === undefined) return;
      this.#headings.set(page, new Set(tokens.flatMap((token) => token.attrGet("id") ?? [])));
      for (const { children } of tokens) if (children !== null) this.#change(page, children);
    });
  }

  /** What is wrong with the pages that were parsed, a sentence for each. */
  problems(): string[] {
    const missing = this.#toHeadings.filter(({ page, fragment }) =>
      !this.#headings.get(page)?.has(decoded(fragment.slice(1)) ?? fragment)
    );
    return [
      ...this.#problems,
      ...missing.map(({ from, page, fragment }) =>
        `${from} links to ${fragment}, but ${page} has no such heading`
      ),
    ];
  }

  #change(page: string, tokens: readonly Token[]): void {
    let isPlain = false;
    for (const token of tokens) {
      if (token.type === "image") this.#changePicture(page, token);
      else if (token.type === "link_open") isPlain = this.#changeLink(page, token);
      if (!isPlain) continue;
      // The project has no address where its files could be read: their names remain, as code.
      if (token.type === "text") Object.assign(token, { type: "code_inline", tag: "code" });
      if (token.type === "link_close") isPlain = false;
      if (token.type.startsWith("link_")) Object.assign(token, { type: "text", content: "" });
    }
  }

  /** Lets a link lead to its place on the site; returns whether there is no such place. */
  #changeLink(page: string, token: Token): boolean {
    const link = token.attrGet("href") ?? "";
    const target = targetOf(page, link, this.#project);
    if (target.kind === "elsewhere") return false;
    if (target.kind === "page") {
      const { page: to, fragment } = target;
      if (fragment !== "") this.#toHeadings.push({ from: page, page: to, fragment });
      if (to !== page) token.attrSet("href", pathBetween(placeOf(page), placeOf(to)) + fragment);
      return false;
    }
    if (target.kind === "nothing") {
      this.#problems.push(`${page} links to ${link}, which is not there`);
    }
    return true;
  }

  #changePicture(page: string, token: Token): void {
    const link = token.attrGet("src") ?? "";
    const target = targetOf(page, link, this.#project);
    if (target.kind !== "file") {
      const why = target.kind === "elsewhere"
        ? "which is not of the project"
        : "which is not there";
      this.#problems.push(`${page} shows ${link}, ${why}`);
      return;
    }
    this.pictures.add(target.file);
    token.attrSet("src", pathBetween(placeOf(page), placeOf(target.file)));
  }
}
