/**
 * Builds the documentation as a site, and serves it on this machine.
 *
 * @module
 */

import { join } from "@std/path/join";
import { type FlagValues, integer, UsageError } from "@eddy/maelstrom/flags";
import { projectPath, runCommand, say } from "../support.ts";
import { buildSite } from "./build.ts";

/** Where the site is built, which is emptied before. */
const FOLDER = projectPath("dist/site");

const flags = {
  output: { help: "Where to write it: a new or an empty folder", value: "FOLDER", default: FOLDER },
  serve: { help: "Serve it on this machine, until Ctrl-C" },
  port: {
    help: "The port of --serve; 0 takes any that is free",
    value: "N",
    ...integer(0, 65535),
    default: 8081,
  },
};

const usage = `Usage: deno task site [options]

Builds docs/ as a site that needs no network: its pages, their order and its sidebar are those of
docs/README.md. A link that leads nowhere, and a page that is not listed there, are errors.

Examples:
  deno task site
  deno task site --serve --port 9000`;

/** @throws {UsageError} if the folder has files that are not of an earlier site. */
function checkOutput(folder: string): void {
  if (folder === FOLDER) return;
  try {
    if ([...Deno.readDirSync(folder)].length === 0) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.NotADirectory)) throw error;
  }
  throw new UsageError(
    `Cannot use ${JSON.stringify(folder)} for --output: expected a new or an empty folder`,
  );
}

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

/** Answers a request with a file of the site. */
async function answer(request: Request, folder: string): Promise<Response> {
  // No escape is decoded: pathname has no `..`, and the site's names have no other characters.
  const path = new URL(request.url).pathname.replace(/\/$/, "/index.html");
  try {
    const type = TYPES[path.replace(/^.*\./, "")] ?? "application/octet-stream";
    const file = await Deno.readFile(join(folder, path));
    return new Response(file, { headers: { "content-type": type } });
  } catch {
    return new Response("There is no such page", { status: 404 });
  }
}

/** Serves the site until the process is ended. */
async function serve(folder: string, port: number): Promise<void> {
  const listen = { hostname: "127.0.0.1", port, onListen: () => {} };
  try {
    const server = Deno.serve(listen, (request) => answer(request, folder));
    say(`The site is at http://127.0.0.1:${server.addr.port}/ (Ctrl-C ends it)`);
    await server.finished;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new UsageError(
      `Cannot listen on port ${port}: something else listens there; --port names another`,
    );
  }
}

async function main(given: FlagValues<typeof flags>): Promise<number> {
  checkOutput(given.output);
  const count = await buildSite(given.output);
  say(`Wrote ${count} pages to ${given.output}`);
  if (given.serve) await serve(given.output, given.port);
  else say("To read them: deno task site --serve");
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);
