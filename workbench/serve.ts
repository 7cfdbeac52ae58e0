/**
 * A store over HTTP: the list of its runs, and their files.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { join } from "@std/path/join";
import { pagePart } from "./page_parts.ts";
import { escapeHtml, writePage } from "./report_page.ts";
import { RunIndex } from "./run_index.ts";

/** The types of the files of a run, by the ends of their names; all others are plain text. */
const TYPES: Readonly<Record<string, string>> = {
  json: "application/json; charset=utf-8",
  svg: "image/svg+xml",
};

const HTML = "text/html; charset=utf-8";
const TEXT = "text/plain; charset=utf-8";

/** What every answer says: it is for this site only, is what it says it is, and is not kept. */
const HEADERS = {
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** Files are shown without running anything in them; pages have a policy of their own. */
const FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/**
 * The page of a run has a policy of its own, but a store may hold a page that somebody else wrote:
 * none belongs to this site, so that it cannot read the others, or asks for anything.
 */
const PAGE_POLICY = "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; " +
  "style-src 'unsafe-inline'; worker-src blob:; sandbox allow-scripts allow-downloads";

/**
 * Answers requests for a store.
 *
 * Refused are other names of the host than those given, by which a foreign site could make a browser
 * ask (DNS rebinding), and paths that lead out of the store.
 *
 * @param root the store's folder
 * @param isHost whether a `Host` header is one of ours
 */
export function storeHandler(
  root: string,
  isHost: (host: string) => boolean,
): (request: Request) => Promise<Response> {
  const index = new RunIndex(root);
  return async (request) => {
    try {
      return await answer(request, root, index, isHost);
    } catch (error) {
      return refuse(500, errorText(error));
    }
  };
}

async function answer(
  request: Request,
  root: string,
  index: RunIndex,
  isHost: (host: string) => boolean,
): Promise<Response> {
  const host = request.headers.get("host") ?? "";
  if (!isHost(host)) return refuse(403, `This is not ${host}`);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refuse(405, `Cannot ${request.method}: only GET and HEAD are answered`);
  }
  const { pathname } = new URL(request.url);
  if (pathname === "/") return respond(await indexPage(), HTML);
  if (pathname === "/runs.json") return respond(JSON.stringify(await index.runs()), TYPES.json);
  const [, inStore] = /^\/runs\/(.+)$/.exec(pathname) ?? [];
  const path = inStore === undefined ? undefined : await pathIn(root, inStore);
  if (path === undefined) return refuse(404, `There is no ${pathname}`);
  const { isDirectory, isFile } = await Deno.stat(path);
  if (isDirectory) {
    return pathname.endsWith("/")
      ? respond(await listing(path), HTML, FILE_POLICY)
      : new Response(null, { status: 302, headers: { ...HEADERS, location: `${pathname}/` } });
  }
  if (!isFile) return refuse(404, `There is no file ${pathname}`);
  return await fileResponse(path);
}

/** The list of runs, as a page that asks for them. */
async function indexPage(): Promise<string> {
  return await writePage({
    title: "Runs",
    body: "<h1>Runs</h1>\n<noscript><p>The list of runs needs JavaScript.</p></noscript>",
    code: await pagePart("runs"),
    allows: { connects: ["'self'"], frames: ["'self'"] },
  });
}

/** A path in the store, links resolved; undefined if there is none, or it leads out of the store. */
async function pathIn(root: string, encoded: string): Promise<string | undefined> {
  try {
    const names = encoded.split("/").map(decodeURIComponent);
    if (names.some((name) => name === ".." || /[/\\\0]/.test(name))) return undefined;
    const top = await Deno.realPath(root);
    const path = await Deno.realPath(join(top, ...names));
    return path.startsWith(`${top}/`) || path.startsWith(`${top}\\`) ? path : undefined;
  } catch {
    // A path that is malformed, or is not there.
    return undefined;
  }
}

async function listing(path: string): Promise<string> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  const items = entries.map(({ name, isDirectory }) => isDirectory ? `${name}/` : name).sort()
    .map((name) => {
      const [, plain = name, slash = ""] = /^(.*?)(\/?)$/.exec(name) ?? [];
      return `<li><a href="./${encodeURIComponent(plain)}${slash}">${escapeHtml(name)}</a></li>`;
    });
  const title = escapeHtml(path.split(/[/\\]/).slice(-2).join("/"));
  return `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>${title}</title>\n` +
    `<h1>${title}</h1>\n<ul>\n${items.join("\n")}\n</ul>\n`;
}

/** A file, read as the reader takes it. */
async function fileResponse(path: string): Promise<Response> {
  const [, name = "", end = ""] = /([^/\\]*?(?:\.(\w+))?)$/.exec(path) ?? [];
  const file = await Deno.open(path);
  const isPage = name === "report.html";
  const type = isPage ? HTML : TYPES[end] ?? TEXT;
  return respond(file.readable, type, isPage ? PAGE_POLICY : FILE_POLICY);
}

function respond(
  body: string | ReadableStream<Uint8Array<ArrayBuffer>>,
  type: string = TEXT,
  policy?: string,
): Response {
  const headers = new Headers({ ...HEADERS, "content-type": type });
  if (policy !== undefined) headers.set("content-security-policy", policy);
  return new Response(body, { headers });
}

function refuse(status: number, why: string): Response {
  return new Response(`${why}\n`, { status, headers: { ...HEADERS, "content-type": TEXT } });
}
