/**
 * What docs/nodes.md shows: each listing is written to its file, and each command is run and finds
 * what the page says.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { projectPath } from "../scripts/support.ts";
import { isInstalled, languages, wasmCompiler } from "./programs/languages.ts";

const page = await Deno.readTextFile(projectPath("docs/nodes.md"));

/** The page's parts with commands or listings, by their titles. */
const sections = page.split(/^##? /m)
  .map((section) => section.split("\n", 1).concat(section))
  .filter(([, text = ""]) => text.includes("\n```"));

/** A listing, with the name of its file in the paragraph before it; or a block of another kind. */
const BLOCK = /(?:^`([\w.]+)`[^`]*\n\n)?^```(\w+)[^\n]*\n([^]*?)^```$/gm;

/** Runs a command in a folder, with this Deno; returns its exit code and what it printed. */
async function shell(folder: string, line: string) {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    // Inside of another task a task keeps that one's folder.
    args: ["-c", `unset INIT_CWD EDDY_FOLDER; ${line}`],
    cwd: folder,
    env: { NO_COLOR: "1", PATH: `${join(Deno.execPath(), "..")}:${Deno.env.get("PATH")}` },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a line of the page, and compares what it finds with what stands after `#`. */
async function runLine(folder: string, line: string): Promise<string> {
  const [command = "", expected = ""] = line.split(/ +# /);
  const { code, stdout, stderr } = await shell(folder, command);
  const isWrong = expected.startsWith("invalid");
  assertEquals(code, isWrong ? 1 : 0, `${line}\n${stdout}${stderr}`);
  if (isWrong) assertStringIncludes(stdout, expected.slice("invalid: ".length), line);
  else if (expected.includes("seeds")) assert(/^all (\d+) +\1 valid /m.test(stdout), stdout);
  else if (expected !== "") {
    assert(/: valid$/m.test(stdout), stdout);
    const engine = expected.includes("virtual") ? "Virtual time" : "Real time";
    assert(stdout.startsWith(engine), stdout);
  }
  return stdout;
}

/** Goes through a section as a reader does. */
async function follow(text: string, folder: string): Promise<void> {
  let printed: string[] = [];
  for (const [, file, kind, block = ""] of text.matchAll(BLOCK)) {
    if (file !== undefined) await Deno.writeTextFile(`${folder}/${file}`, block);
    else if (kind === "sh") {
      for (const line of block.trim().split("\n")) {
        printed = (await runLine(folder, line)).split("\n");
      }
    } else for (const line of block.trim().split("\n")) assert(printed.includes(line), line);
  }
}

/** What a section needs and this machine lacks; undefined if nothing. */
function missing(title: string, folder: string): string | undefined {
  if (title === "Python") return isInstalled("python3") ? undefined : "python3";
  const language = languages.find(({ name }) => name === title);
  if (language?.compiled === undefined) return undefined;
  return wasmCompiler(language, folder) === undefined ? language.compiled.needs : undefined;
}

/** The section with the compiler that is here: Debian's Rust has another name for the target. */
function forThisMachine(title: string, text: string, folder: string): string {
  if (title !== "Rust") return text;
  const language = languages.find(({ name }) => name === title);
  const compiler = language && wasmCompiler(language, folder);
  const { command = "", args = [] } = compiler ?? {};
  return text.replaceAll("rustc --target wasm32-wasip1 -O", [command, ...args].join(" "));
}

const folder = await Deno.makeTempDir({ dir: projectPath("."), prefix: "nodes-page-" });
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

for (const [title = "", text = ""] of sections) {
  const lacks = missing(title, folder);
  Deno.test({
    name: `docs/nodes.md, ${title}: all that is shown runs` +
      (lacks === undefined ? "" : ` (skipped: ${lacks} would be needed)`),
    ignore: lacks !== undefined,
    fn: () => follow(forThisMachine(title, text, folder), folder),
  });
}

Deno.test("docs/nodes.md has a section for every language with a node here", () => {
  const titles = sections.map(([title]) => title);
  for (const { name } of languages) assert(titles.includes(name), `${name}: ${titles}`);
  for (const file of ["README.md", "docs/workbench.md"]) {
    assert(Deno.readTextFileSync(projectPath(file)).includes("nodes.md)"), file);
  }
});
