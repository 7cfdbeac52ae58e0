/**
 * Builds the documentation as a site, and serves it on this machine.
 *
 * @module
 */

import { type FlagValues, integer, UsageError } from "@eddy/maelstrom/flags";
import { attempt, projectPath, quoteForShell, runCommand, say } from "../support.ts";
import { buildSite } from "./build.ts";
import { listen } from "./serve.ts";

/** Where the site is built, which is emptied before. */
const FOLDER = projectPath("dist/site");

const flags = {
  output: {
    help: "Where to write it: a new or an empty folder, or a site",
    value: "FOLDER",
    default: FOLDER,
  },
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
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    // VitePress writes this one.
    if (names.length === 0 || names.includes("hashmap.json")) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
  }
  throw new UsageError(
    `Cannot use ${
      JSON.stringify(folder)
    } for --output: expected a new or an empty folder, or a site`,
  );
}

async function main(given: FlagValues<typeof flags>): Promise<number> {
  const { output, port } = given;
  checkOutput(output);
  await attempt(`make the folder ${output}`, () => Deno.mkdir(output, { recursive: true }));
  // Before the slow part, for the port may be in use.
  const server = given.serve ? listen(output, port) : undefined;
  const count = await buildSite(output);
  say(`Wrote ${count} pages to ${output}`);
  if (server === undefined) {
    const there = output === FOLDER ? "" : ` --output ${quoteForShell(output)}`;
    say(`To read them: deno task site --serve${there}`);
  } else {
    say(`The site is at http://127.0.0.1:${server.addr.port}/ (Ctrl-C ends it)`);
    await server.finished;
  }
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);
