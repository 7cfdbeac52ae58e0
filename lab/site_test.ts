/**
 * The site of the documentation: what becomes of links, what stops the build, and the built site in a
 * browser.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { UsageError } from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";
import { TextLineStream } from "@std/streams/text-line-stream";
import {
  CONTENTS,
  pagesOf,
  parseContents,
  pathBetween,
  placeOf,
  slugOf,
  targetOf,
} from "../scripts/site/pages.ts";
import { answer, listen } from "../scripts/site/serve.ts";
import { projectPath } from "../scripts/support.ts";
import { longTestInBrowser, openAddress } from "./browser.ts";
import { longTest } from "./long.ts";

Deno.test("the table of contents is read: groups, pages, labels over two lines, lists in lists", () => {
  const groups = parseContents(`# Title

- [Before](any.md): is in no group.

## Guides

Words, and [a link](elsewhere.md).

- [The \`eddy\`
  command](workbench.md#flags): flags.
  - [Go](tutorial/go.md): the same.
- [Changes](../CHANGELOG.md)

## Nothing
`);
  const go = { label: "Go", page: "docs/tutorial/go.md", fragment: "", entries: [] };
  const command = { page: "docs/workbench.md", fragment: "#flags", entries: [go] };
  const changes = { label: "Changes", page: "CHANGELOG.md", fragment: "", entries: [] };
  assertEquals(groups, [
    { title: "Guides", entries: [{ label: "The eddy command", ...command }, changes] },
    { title: "Nothing", entries: [] },
  ]);
  assertEquals(pagesOf(groups), ["docs/workbench.md", "docs/tutorial/go.md", "CHANGELOG.md"]);
});

Deno.test("a link leads to a page, to a file of the project, elsewhere, or nowhere", () => {
  const pages = new Set(["docs/a.md", "docs/tutorial/README.md", "README.md"]);
  const files = ["lab/programs", "lab/programs/node.c", "docs", ".."];
  const project = { pages, exists: (path: string) => pages.has(path) || files.includes(path) };
  const target = (link: string, from = "docs/a.md") => targetOf(from, link, project);
  const page = (name: string, fragment = "") => ({ kind: "page" as const, page: name, fragment });
  assertEquals(target("tutorial/README.md#begin"), page("docs/tutorial/README.md", "#begin"));
  assertEquals(target("tutorial/"), page("docs/tutorial/README.md"));
  assertEquals(target("../README.md"), page("README.md"));
  assertEquals(target("../a.md", "docs/tutorial/README.md"), page("docs/a.md"));
  assertEquals(target("#here"), page("docs/a.md", "#here"));
  assertEquals(target("../lab/programs/node.c"), { kind: "file", file: "lab/programs/node.c" });
  assertEquals(target("../lab/programs/"), { kind: "file", file: "lab/programs" });
  for (const link of ["https://fly.io/a.md", "mailto:a@example.org", "//fly.io"]) {
    assertEquals(target(link), { kind: "elsewhere" });
  }
  const nowhere = ["b.md", "../../README.md", "../..", "/docs/a.md", "a.md/README.md"];
  for (const link of [...nowhere, "%E0%A4%25A.md"]) {
    assertEquals(target(link), { kind: "nothing" });
  }
});

Deno.test("files have their places on the site, and headings the names that GitHub gives them", () => {
  assertEquals(placeOf(CONTENTS), "index.md");
  assertEquals(placeOf("docs/tutorial/README.md"), "tutorial/index.md");
  assertEquals(placeOf("docs/tutorial/pictures/01.png"), "tutorial/pictures/01.png");
  assertEquals(placeOf("CONTRIBUTING.md"), "project/contributing.md");
  assertEquals(pathBetween("tutorial/a.md", "project/readme.md"), "../project/readme.md");
  assertEquals(pathBetween("a.md", "b.md"), "b.md");
  assertEquals(slugOf("JavaScript on Node.js"), "javascript-on-nodejs");
  assertEquals(slugOf("3b: A run's `plan.json` & more"), "3b-a-runs-planjson--more");
});

/** What says that the registry could not be reached, in which case nothing can be tested. */
const OFFLINE = /error sending request|dns error|tcp connect error/;

/** Begins the program that builds the site. */
function startSite(root: string, ...args: string[]): Deno.ChildProcess {
  const config = join(root, "scripts/site/deno.json");
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--config", config, join(root, "scripts/site/main.ts"), ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function inTempDir(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "eddy-site-test-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Copies what the site is made of, and its program. */
async function copyProject(target: string): Promise<void> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md", "docs"]
      .concat("scripts", "node"),
    cwd: projectPath("."),
  }).output();
  for (const path of new TextDecoder().decode(stdout).split("\0")) {
    if (path === "") continue;
    await Deno.mkdir(join(target, path, ".."), { recursive: true });
    await Deno.copyFile(projectPath(path), join(target, path));
  }
}

Deno.test("the server answers for files of the site alone, to this machine's own names", async () => {
  await inTempDir(async (parent) => {
    const folder = join(parent, "site");
    await Deno.mkdir(folder);
    await Deno.writeTextFile(join(folder, "index.html"), "The site");
    await Deno.writeTextFile(join(parent, "secret"), "");
    await Deno.symlink(join(parent, "secret"), join(folder, "link.txt"));
    const ask = async (url: string, method = "GET") => {
      const response = await answer(new Request(url, { method }), folder);
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await ask("http://127.0.0.1:8081/"), 200);
    assertEquals(await ask("http://localhost/index.html"), 200);
    assertEquals(await ask("http://localhost/", "HEAD"), 200);
    for (const path of ["link.txt", "..%2fsecret", "none", "%00", "index.html/"]) {
      assertEquals(await ask(`http://localhost/${path}`), 404, path);
    }
    assertEquals(await ask("http://evil.example/"), 403);
    assertEquals(await ask("http://127.0.0.1.evil.example/"), 403);
    for (const method of ["POST", "PUT", "DELETE"]) {
      assertEquals(await ask("http://127.0.0.1/", method), 405, method);
    }
  });
});

Deno.test("a port in use is said", () => {
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const { port } = other.addr;
    const said = `Cannot listen on port ${port}: something else listens there`;
    assertThrows(() => listen(".", port), UsageError, said);
  } finally {
    other.close();
  }
});

const BROKEN = `# Broken

[a](nowhere.md), [b](library.md#no-such-heading), [c](../scripts/site/main.ts),
[d](../scripts/none.ts), [e](#broken) and [f](#other)

![g](nowhere.png) ![h](https://example.org/i.png)
`;

longTest("a link that leads nowhere, and a page that is not listed, stop the build", async () => {
  await inTempDir(async (folder) => {
    await copyProject(folder);
    await Deno.writeTextFile(join(folder, "docs/broken.md"), BROKEN);
    const contents = await Deno.readTextFile(projectPath(CONTENTS));
    await Deno.writeTextFile(join(folder, CONTENTS), `${contents}- [Missing](missing.md)\n`);
    const { code, stdout, stderr } = await startSite(folder).output();
    const said = new TextDecoder().decode(stderr);
    if (OFFLINE.test(said)) return console.warn(`Skipped: ${said}`);
    assertEquals([code, new TextDecoder().decode(stdout)], [1, ""], said);
    const [head, ...lines] = said.trimEnd().split("\n");
    assertEquals(head, "Cannot build the site:");
    assertEquals(lines.map((line) => line.trim()).filter((line) => /broken|missing/.test(line)), [
      "docs/README.md lists docs/missing.md, which is no page",
      "docs/README.md does not list docs/broken.md",
      "docs/README.md links to missing.md, which is not there",
      "docs/broken.md links to nowhere.md, which is not there",
      "docs/broken.md links to ../scripts/none.ts, which is not there",
      "docs/broken.md shows nowhere.png, which is not there",
      "docs/broken.md shows https://example.org/i.png, which is not of the project",
      "docs/broken.md links to #no-such-heading, but docs/library.md has no such heading",
      "docs/broken.md links to #other, but docs/broken.md has no such heading",
    ]);
  });
});

/** Builds and serves the site; calls nothing where the registry cannot be reached. */
async function withSite(use: (address: string) => Promise<void>): Promise<void> {
  await inTempDir(async (folder) => {
    const site = startSite(projectPath("."), "--output", folder, "--serve", "--port", "0");
    const said = new Response(site.stderr).text();
    const printed: string[] = [];
    const lines = site.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    try {
      for await (const line of lines) {
        printed.push(line);
        const [, address] = /^The site is at (\S+) /.exec(line) ?? [];
        if (address !== undefined) return await use(address);
      }
      const problems = await said;
      assert(OFFLINE.test(problems), `${printed.join("\n")}\n${problems}`);
      console.warn(`Skipped: ${problems}`);
    } finally {
      try {
        site.kill();
      } catch {
        // It has ended by itself.
      }
      await site.status;
      await said;
    }
  });
}

/** What a page shows, as far as other pages may link to it. */
interface Shown {
  readonly headings: readonly string[];
  readonly ids: readonly string[];
  readonly links: readonly string[];
  readonly brokenImages: readonly string[];
}

const SHOWN = `({
  headings: [...document.querySelectorAll("h1")].map((heading) => heading.innerText),
  ids: [...document.querySelectorAll("[id]")].map((element) => element.id),
  links: [...document.links].map((link) => link.href),
  brokenImages: [...document.images].filter((image) => image.naturalWidth === 0)
    .map((image) => image.src),
})`;

/** The links of pages to headings and pages of the site that are not there. */
function brokenLinks(address: string, pages: ReadonlyMap<string, Shown>): string[] {
  return [...pages].flatMap(([place, { links }]) =>
    links.filter((link) => {
      if (!link.startsWith(address)) return /^(file|http:\/\/(127|localhost))/.test(link);
      const [path = "", id] = link.slice(address.length).split("#");
      const page = pages.get(path.replace(/(^|\/)$/, "$1index.html"));
      return page === undefined ||
        (id !== undefined && id !== "" && !page.ids.includes(decodeURIComponent(id)));
    }).map((link) => `${place}: ${link}`)
  );
}

/** The first heading of a page's source, as a reader sees it. */
async function titleOf(page: string): Promise<string> {
  const [, title = ""] = /^# (.+)$/m.exec(await Deno.readTextFile(projectPath(page))) ?? [];
  return title.replaceAll("`", "");
}

async function followSearch(address: string): Promise<void> {
  const { page, problems } = await openAddress(address, { colorScheme: "dark" });
  assertMatch(await page.evaluate("document.documentElement.className"), /\bdark\b/);
  await page.getByRole("button", { name: "Search" }).first().click();
  await page.locator("#localsearch-input").fill("licence");
  await page.locator(".VPLocalSearchBox .result").first().click();
  await page.waitForURL((url) => url.href !== address);
  assertStringIncludes((await page.locator("main").innerText()).toLowerCase(), "licence");
  assertEquals(problems, []);
}

longTestInBrowser(
  "the site opens: every page, every link and picture, and the search",
  async () => {
    const listed = pagesOf(parseContents(await Deno.readTextFile(projectPath(CONTENTS))));
    await withSite(async (address) => {
      await followSearch(address);
      const { page, problems, requests } = await openAddress(address);
      const sidebar: string[] = await page.evaluate(
        `[...document.querySelectorAll(".VPSidebar a.link")].map((link) => link.href.split("#")[0])`,
      );
      const addressOf = (file: string) => address + placeOf(file).replace(/\.md$/, ".html");
      const withIndex = sidebar.map((link) => link.replace(/\/$/, "/index.html"));
      assertEquals(withIndex, listed.map(addressOf));
      const pages = new Map<string, Shown>();
      for (const file of [CONTENTS, ...listed]) {
        await page.goto(addressOf(file));
        const shown: Shown = await page.evaluate(SHOWN);
        // A link to the heading follows its text, with a character of no width.
        const title = await titleOf(file);
        assertEquals(
          shown.headings.map((text) => text.replace(/\u200b/g, "").trim()),
          [title],
          file,
        );
        assertEquals(await page.title(), title === "Eddy" ? title : `${title} | Eddy`);
        assertEquals(shown.brokenImages, [], file);
        assertEquals(problems, [], file);
        pages.set(addressOf(file).slice(address.length), shown);
      }
      assertEquals(brokenLinks(address, pages), []);
      assertEquals(requests.filter((request) => !request.startsWith(address)), []);
    });
  },
);
