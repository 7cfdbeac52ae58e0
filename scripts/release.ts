/**
 * Makes a release: checks that everything it needs is there, and puts what is published into one
 * folder. It publishes nothing.
 *
 * @module
 */

import { join } from "@std/path/join";
import type { FlagValues } from "@eddy/maelstrom/flags";
import config from "../deno.json" with { type: "json" };
import { bundle } from "./bundle.ts";
import { pack, TARBALL } from "./pack.ts";
import {
  attempt,
  projectPath,
  runCommand,
  runDeno,
  say,
  ScriptError,
  withTempDir,
} from "./support.ts";

const flags = {
  "skip-checks": { help: "Leave out `deno task ok`, which takes minutes" },
};

const usage = `Usage: deno task release [options]

Checks what a release needs, and makes it in dist/release: the tarball for npm, the node in one file
and their SHA-256 checksums. It publishes nothing, and says what is left to do.

Needed are a semantic version in deno.json, which all packages have, its section with a date in
CHANGELOG.md, a working tree without changes, no other commit with the version's tag, and that
\`deno task ok\` and \`deno publish --dry-run\` pass.

Examples:
  deno task release
  deno task release --skip-checks`;

/** Where a release is put, in the place of an earlier one. */
const FOLDER = "dist/release";

/** The file of the checksums. */
const CHECKSUMS = "SHA256SUMS";

/** The form of versions. Source: https://semver.org */
const SEMVER =
  /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-(0|[1-9]\d*|\d*[a-z-][\da-z-]*)(\.(0|[1-9]\d*|\d*[a-z-][\da-z-]*))*)?(\+[\da-z-]+(\.[\da-z-]+)*)?$/i;

/** Whether a version is one of Semantic Versioning 2.0.0. */
export function isSemantic(version: string): boolean {
  return SEMVER.test(version);
}

/** Lines that say no change: headings, addresses of links, rules, and list items without words. */
const NO_CHANGE = /^(#.*|\[[^\]]*\]:.*|[\s*+_-]*)$/;

/** How far the calendars of the world are ahead of UTC, in ms. */
const AHEAD_MS = 14 * 3_600_000;

/**
 * Finds what CHANGELOG.md lacks for the release of a version, a sentence for each.
 *
 * @param text the file, in the form of https://keepachangelog.com
 * @param nowMs the time of the release, since 1970
 */
export function changelogProblems(text: string, version: string, nowMs: number): string[] {
  const sections = text.replace(/<!--[^]*?(-->|$)/g, "").split(/^## (?=\[)/m).slice(1)
    .map((section) => {
      const [, name = "", rest = ""] = /^\[([^\]]*)\](.*)/.exec(section) ?? [];
      const [own = ""] = section.split(/^#{1,2} /m);
      const isEmpty = own.split("\n").slice(1).every((line) => NO_CHANGE.test(line));
      return { name, date: rest.replace(/^ - /, "").trimEnd(), isEmpty };
    });
  const unreleased = sections.find(({ name }) => name === "Unreleased");
  const [section, ...others] = sections.filter(({ name }) => name === version);
  const problems: string[] = [];
  if (unreleased === undefined) problems.push("CHANGELOG.md has no section [Unreleased]");
  else if (unreleased !== sections[0]) {
    problems.push("CHANGELOG.md has [Unreleased] below a version: expected it above all");
  }
  if (section === undefined) {
    problems.push(`CHANGELOG.md has no section, such as: ## [${version}] - 2026-01-31`);
    return problems;
  }
  if (others.length > 0) problems.push(`CHANGELOG.md has more than one section [${version}]`);
  if (unreleased?.isEmpty === false) {
    problems.push(`CHANGELOG.md has changes in [Unreleased], and not in [${version}]`);
  }
  if (section.isEmpty) problems.push(`CHANGELOG.md has no changes in [${version}]`);
  if (!isDate(section.date) || Date.parse(section.date) > nowMs + AHEAD_MS) {
    const given = JSON.stringify(section.date);
    problems.push(
      `CHANGELOG.md has ${given} for the date of [${version}]: ` +
        "expected year-month-day, not in the future",
    );
  }
  return problems;
}

/** Whether a text is a day of the calendar, as `2026-01-31`. */
function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const date = new Date(`${text}T00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/**
 * Finds what a project lacks for a release, a sentence for each.
 *
 * @param root the project's folder
 */
export async function releaseProblems(root: string): Promise<string[]> {
  const read = (path: string) => attempt(`read ${path}`, () => Deno.readTextFile(join(root, path)));
  const { version, workspace } = JSON.parse(await read("deno.json"));
  const problems = isSemantic(version)
    ? []
    : [`deno.json has the version ${JSON.stringify(version)}: expected one such as 1.2.3`];
  for (const path of workspace) {
    const file = join(path, "deno.json");
    const own = JSON.parse(await read(file)).version;
    if (own === version) continue;
    problems.push(`${file} has the version ${JSON.stringify(own)}, and deno.json "${version}"`);
  }
  problems.push(...changelogProblems(await read("CHANGELOG.md"), version, Date.now()));
  return [...problems, ...await gitProblems(root, `v${version}`)];
}

async function gitProblems(root: string, tag: string): Promise<string[]> {
  const status = ["status", "--porcelain", "--untracked-files=normal"];
  const changed = await git(root, "-c", "core.quotePath=false", ...status);
  if (changed === undefined) return ["Cannot run git status in the project's folder"];
  const files = changed.split("\n").filter((line) => line !== "").map((line) => line.slice(3));
  const problems = files.map((file) =>
    `The working tree has a change that is in no commit: ${file}`
  );
  const commit = await git(root, "rev-parse", "--quiet", "--verify", `${tag}^{commit}`);
  if (commit !== undefined && commit !== await git(root, "rev-parse", "HEAD")) {
    problems.push(`The tag ${tag} is on another commit, ${commit.slice(0, 10)}`);
  }
  return problems;
}

/** What git prints; undefined if it fails, or is not there. */
async function git(root: string, ...args: string[]): Promise<string | undefined> {
  try {
    const git = new Deno.Command("git", { args, cwd: root, stderr: "null" });
    const { success, stdout } = await git.output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The SHA-256 checksums of a folder's other files, as `sha256sum` writes and reads them. */
export async function checksumsOf(folder: string): Promise<string> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const lines = names.filter((name) => name !== CHECKSUMS).toSorted().map(async (name) => {
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(join(folder, name)));
    return `${new Uint8Array(digest).toHex()}  ${name}\n`;
  });
  return (await Promise.all(lines)).join("");
}

/** Runs `deno task ok`, whose output is shown. */
async function runChecks(): Promise<void> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "ok"],
    cwd: projectPath("."),
  }).spawn().status;
  if (code !== 0) throw new ScriptError(`Cannot release: deno task ok ended with ${code}`);
}

/** Fills a folder with what is published. */
async function fill(folder: string): Promise<void> {
  const { code, said } = await runDeno(["publish", "--dry-run", "--quiet"]);
  if (code !== 0) throw new ScriptError(`Cannot release: deno publish --dry-run failed: ${said}`);
  await pack(join(folder, TARBALL));
  await bundle(join(folder, "eddy.js"));
  await Deno.writeTextFile(join(folder, CHECKSUMS), await checksumsOf(folder));
}

/** Puts a folder in the place of the release. */
async function replace(folder: string, earlier: string): Promise<void> {
  await Deno.rename(projectPath(FOLDER), earlier).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.rename(folder, projectPath(FOLDER));
}

/**
 * Checks what a release needs.
 *
 * @returns the commit that is released
 * @throws {ScriptError} if something is missing.
 */
async function checkProject(): Promise<string> {
  const problems = await releaseProblems(projectPath("."));
  if (problems.length > 0) {
    throw new ScriptError([`Cannot release ${config.version}:`, ...problems].join("\n  "));
  }
  return await git(projectPath("."), "rev-parse", "HEAD") ?? "";
}

async function main(given: FlagValues<typeof flags>): Promise<number> {
  const commit = await checkProject();
  const make = () => Deno.mkdir(projectPath(FOLDER), { recursive: true });
  await attempt(`make the folder ${FOLDER}`, make);
  if (given["skip-checks"]) say("Skipped: deno task ok. Do not publish before it has passed");
  else await runChecks();
  await withTempDir({ dir: projectPath("dist"), prefix: "release-" }, async (temp) => {
    const folder = join(temp, "release");
    await attempt(`write ${folder}`, async () => {
      await Deno.mkdir(folder);
      await fill(folder);
    });
    // What was packed is that commit only if nothing was changed meanwhile.
    if (await checkProject() !== commit) {
      throw new ScriptError(`Cannot release ${commit.slice(0, 10)}: HEAD is another commit by now`);
    }
    await attempt(`write ${FOLDER}`, () => replace(folder, join(temp, "earlier")));
  });
  say(`Made the release ${config.version} in ${FOLDER}:
  ${TARBALL}  the command eddy and the library, for npm
  eddy.js         the node in one file, for machines with Deno
  ${CHECKSUMS}      their checksums: cd ${FOLDER} && sha256sum --check ${CHECKSUMS}

It is not published. To publish it:
  git tag --annotate v${config.version} --message "Eddy ${config.version}" && git push origin v${config.version}
  npm publish ${FOLDER}/${TARBALL}
  deno publish`);
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);
