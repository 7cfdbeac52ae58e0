/**
 * Serves the site on this machine.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { UsageError } from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";

/** The types of the site's files, by the ends of their names. */
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

/**
 * Answers a request with a file of the site.
 *
 * Refused are other names of the host than those of this machine, by which a foreign site could make
 * a browser ask (DNS rebinding), and links of the disk that lead out of the site.
 *
 * @param folder the site's
 */
export async function answer(request: Request, folder: string): Promise<Response> {
  const refuse = (status: number, why: string) => new Response(`${why}\n`, { status });
  try {
    // The host is that of the header.
    const { hostname, pathname } = new URL(request.url);
    if (!["127.0.0.1", "localhost"].includes(hostname)) return refuse(403, "This is another host");
    if (!["GET", "HEAD"].includes(request.method)) {
      return refuse(405, `Cannot ${request.method}: only GET and HEAD are answered`);
    }
    // No escape is decoded: pathname has no `..`, and the site's names have no other characters.
    const path = pathname.replace(/\/$/, "/index.html");
    const root = await Deno.realPath(folder);
    const file = await Deno.realPath(join(root, path));
    if (!file.startsWith(`${root}/`)) return refuse(404, "There is no such page");
    const type = TYPES[path.replace(/^.*\./, "")] ?? "application/octet-stream";
    return new Response(await Deno.readFile(file), { headers: { "content-type": type } });
  } catch {
    return refuse(404, "There is no such page");
  }
}

/**
 * Begins to serve the site.
 *
 * @throws {UsageError} if it cannot listen there.
 */
export function listen(folder: string, port: number): Deno.HttpServer<Deno.NetAddr> {
  const options = { hostname: "127.0.0.1", port, onListen: () => {} };
  try {
    return Deno.serve(options, (request) => answer(request, folder));
  } catch (cause) {
    const why = cause instanceof Deno.errors.AddrInUse
      ? "something else listens there; --port names another"
      : errorText(cause);
    throw new UsageError(`Cannot listen on port ${port}: ${why}`, { cause });
  }
}
