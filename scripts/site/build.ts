/**
 * Builds the site with VitePress, from copies of the pages.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { join } from "@std/path/join";
import { build, createMarkdownRenderer, type DefaultTheme, type MarkdownOptions } from "vitepress";
import { attempt, projectPath, ScriptError, withTempDir } from "../support.ts";
import { Links } from "./links.ts";
import {
  CONTENTS,
  type Entry,
  type Group,
  pagesOf,
  parseContents,
  placeOf,
  type Project,
  slugOf,
} from "./pages.ts";

/**
 * Builds the site.
 *
 * @param output its folder, which is emptied
 * @returns how many pages it has
 * @throws {ScriptError} if a link leads nowhere, or the table of contents lacks a page.
 */
export async function buildSite(output: string): Promise<number> {
  const groups = parseContents(await read(CONTENTS));
  const project = { pages: await findPages(groups), exists };
  const links = new Links(project);
  const markdown = markdownOptions(links);
  await withTempDir({ prefix: "eddy-site-" }, async (folder) => {
    await checkPages(folder, project, groups, links, markdown);
    for (const file of [...project.pages, ...links.pictures]) await copy(file, folder);
    // Vite looks for Vue in the folders above the pages.
    const packages = new URL("../../../", import.meta.resolve("vitepress"));
    await Deno.symlink(packages, join(folder, "node_modules"));
    await attempt(
      "build the site",
      () =>
        buildPages(folder, output, groups, markdown).catch((error) => {
          // A page that the builder cannot take is named by its copy.
          const page = [...project.pages].find((each) => join(folder, placeOf(each)) === error?.id);
          throw page === undefined ? error : new Error(`${page}: ${errorText(error)}`);
        }),
    );
  });
  return project.pages.size;
}

function buildPages(
  folder: string,
  output: string,
  groups: readonly Group[],
  markdown: MarkdownOptions,
): Promise<void> {
  return build(folder, {
    outDir: output,
    onAfterConfigResolve(config) {
      Object.assign(config.site, {
        title: "Eddy",
        description: "A Maelstrom node in TypeScript, a library, and a workbench for any node",
        themeConfig: themeOf(groups),
      });
      config.site.head.push(["link", { rel: "icon", href: "data:," }]);
      config.markdown = markdown;
      // Deno could not resolve the import of Vue in the copy that renders the pages.
      config.vite = { ssr: { noExternal: true } };
    },
  });
}

function read(file: string): Promise<string> {
  return Deno.readTextFile(projectPath(file));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(projectPath(path));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function copy(file: string, folder: string): Promise<void> {
  const target = join(folder, placeOf(file));
  await Deno.mkdir(join(target, ".."), { recursive: true });
  await Deno.copyFile(projectPath(file), target);
}

/** The pages of `docs/`, and those that the table of contents lists besides. */
async function findPages(groups: readonly Group[]): Promise<Set<string>> {
  const listed = pagesOf(groups).filter((page) => page.endsWith(".md") && exists(page));
  return new Set([...await pagesIn("docs"), ...listed]);
}

async function pagesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(projectPath(folder))) {
    if (isDirectory) found.push(...await pagesIn(`${folder}/${name}`));
    else if (name.endsWith(".md")) found.push(`${folder}/${name}`);
  }
  return found.toSorted();
}

/** Pages are read as GitHub reads them. */
function markdownOptions(links: Links): MarkdownOptions {
  return {
    html: false,
    attrs: { disable: true },
    anchor: { slugify: slugOf },
    config(md) {
      links.addTo(md);
      // Pages become templates of Vue, which must not find its own braces there.
      const { render } = md;
      md.render = (text, env) => render.call(md, text, env).replaceAll("{{", "&#123;&#123;");
    },
  };
}

/** Parses all pages once, before the slow part. */
async function checkPages(
  folder: string,
  project: Project,
  groups: readonly Group[],
  links: Links,
  markdown: MarkdownOptions,
): Promise<void> {
  const md = await createMarkdownRenderer(folder, markdown);
  for (const page of project.pages) {
    await attempt(`read ${page}`, async () => {
      md.parse(await read(page), { relativePath: placeOf(page) });
    });
  }
  const listed = new Set([CONTENTS, ...pagesOf(groups)]);
  const problems = new Set([
    ...[...listed].filter((page) => !project.pages.has(page))
      .map((page) => `${CONTENTS} lists ${page}, which is no page`),
    ...[...project.pages].filter((page) => !listed.has(page))
      .map((page) => `${CONTENTS} does not list ${page}`),
    ...links.problems(),
  ]);
  if (problems.size === 0) return;
  throw new ScriptError(["Cannot build the site:", ...problems].join("\n  "));
}

function themeOf(groups: readonly Group[]): DefaultTheme.Config {
  return {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: groups.map(({ title, entries }) => ({ text: title, items: entries.map(itemOf) })),
  };
}

function itemOf({ label, page, fragment, entries }: Entry): DefaultTheme.SidebarItem {
  return {
    // The theme takes HTML here.
    text: label.replaceAll("&", "&amp;").replaceAll("<", "&lt;"),
    link: `/${placeOf(page)}${fragment}`,
    ...(entries.length > 0 && { items: entries.map(itemOf) }),
  };
}
