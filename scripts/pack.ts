/**
 * Packs the workbench for people with Node.js and no Deno: a tarball that `npm install` takes, with the
 * command `eddy` and the library.
 *
 * @module
 */

import { join } from "@std/path/join";
import type { FlagValues } from "@eddy/maelstrom/flags";
import config from "../deno.json" with { type: "json" };
import { bundlePages, WORKBENCH } from "./bundle.ts";
import {
  attempt,
  projectPath,
  runCommand,
  runDeno,
  say,
  ScriptError,
  withTempDir,
} from "./support.ts";

/** The name of the tarball, as npm gives it. */
export const TARBALL: string = `eddy-${config.version}.tgz`;

const flags = {
  output: {
    help: "Where to write it",
    value: "FILE",
    default: projectPath(`dist/${TARBALL}`),
  },
};

const usage = `Usage: deno task pack [options]

Packs the command \`eddy\` and the library for npm, with the npm package \`deno\` as the runtime:
  npm install ./dist/${TARBALL}
  npx eddy test -w echo`;

/** The packages that programs import, by their folders. */
const PACKAGES = ["node", "handlers", "workbench"] as const;

/**
 * Writes the tarball.
 *
 * @throws {ScriptError} if a part of it cannot be made.
 */
export async function pack(output: string): Promise<void> {
  await withTempDir({ prefix: "eddy-pack-" }, async (temp) => {
    const folder = join(temp, "package");
    await attempt(`pack into ${folder}`, () => fill(folder, temp));
    await attempt(`make the folder of ${output}`, () => {
      return Deno.mkdir(join(output, ".."), { recursive: true });
    });
    await tar("-cf", output, ...await reproducibly(), "-C", temp, "package");
  });
}

/** Fills the folder that becomes the tarball. */
async function fill(folder: string, temp: string): Promise<void> {
  await Deno.mkdir(join(folder, "bin"), { recursive: true });
  // In chunks, of which a command loads its own.
  const chunks = ["--code-splitting", "--outdir", folder];
  await deno("bundle", "--quiet", ...chunks, WORKBENCH);
  await bundlePages(folder);
  await addLibrary(folder, temp);
  await addLaunchers(join(folder, "bin"));
  await Deno.copyFile(projectPath("LICENSE"), join(folder, "LICENSE"));
  await Deno.writeTextFile(join(folder, "README.md"), readme);
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
}

/** Adds the launchers, and what npm runs once to choose between them. */
async function addLaunchers(folder: string): Promise<void> {
  const add = async (source: string, name: string) => {
    await Deno.copyFile(projectPath(`scripts/${source}`), join(folder, name));
    await Deno.chmod(join(folder, name), 0o755);
  };
  await add("launcher.cjs", "eddy.cjs");
  await add("launcher.cjs", "launcher.cjs");
  await add("launcher.sh", "eddy.sh");
  await add("install.cjs", "install.cjs");
}

const manifest = {
  name: "eddy",
  version: config.version,
  description: "Runs and checks Maelstrom nodes in seconds, and a library to write them with",
  license: "MIT",
  type: "module",
  bin: { eddy: "bin/eddy.cjs" },
  scripts: { postinstall: "node bin/install.cjs" },
  dependencies: { deno: Deno.version.deno },
  engines: { node: ">=18" },
};

const readme = `# Eddy

Runs and checks Maelstrom nodes in seconds, without a JVM.

    npx eddy init my-node      # a project of your own
    npx eddy test -w lin-kv    # a run of Eddy's own node
    npx eddy --help
`;

/** The modules that a package exports, from the project's root. */
async function entriesOf(path: string): Promise<string[]> {
  const { exports } = JSON.parse(await Deno.readTextFile(projectPath(`${path}/deno.json`)));
  return Object.values<string>(exports).map((file) => join(path, file));
}

/** The name of a package. */
async function nameOf(path: string): Promise<string> {
  return JSON.parse(await Deno.readTextFile(projectPath(`${path}/deno.json`))).name;
}

/** Adds the packages as JavaScript with declarations: Deno takes no TypeScript in node_modules. */
async function addLibrary(folder: string, temp: string): Promise<void> {
  const lib = join(folder, "lib");
  const entries = (await Promise.all(PACKAGES.map(entriesOf))).flat()
    .filter((path) => !path.startsWith("workbench/cli/"));
  await deno("bundle", "--quiet", "--code-splitting", "--outdir", lib, ...entries);
  const folders = new Map<string, string>();
  for (const path of PACKAGES) folders.set(await nameOf(path), join(lib, path));
  for (const path of PACKAGES) {
    const unpacked = join(temp, path);
    await deno("pack", "--quiet", "--allow-dirty", "--output", `${unpacked}.tgz`, { in: path });
    await Deno.mkdir(unpacked);
    await tar("-xzf", `${unpacked}.tgz`, "-C", unpacked);
    await addTypes(join(unpacked, "package"), join(lib, path), folders);
  }
  for (const path of entries) {
    const module = join(lib, path.replace(/\.ts$/, ".js"));
    const types = path.replace(/^.*\//, "./").replace(/\.ts$/, ".d.ts");
    const code = await Deno.readTextFile(module);
    await Deno.writeTextFile(module, `// @ts-self-types="${types}"\n${code}`);
  }
}

/** Copies declarations; what they import becomes a path to declarations. */
async function addTypes(
  from: string,
  to: string,
  folders: ReadonlyMap<string, string>,
): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await addTypes(join(from, name), join(to, name), folders);
    if (!name.endsWith(".d.ts")) continue;
    await Deno.mkdir(to, { recursive: true });
    const text = await Deno.readTextFile(join(from, name));
    await Deno.writeTextFile(
      join(to, name),
      text.replace(IMPORT, (_, start, module) => `${start}"${typesOf(module, to, folders)}"`),
    );
  }
}

/** What a line imports, outside comments or after one. */
const IMPORT = /^((?:.*\*\/ )?(?:import|export|\}).* from )"([^"]+)"/gm;

function typesOf(module: string, from: string, folders: ReadonlyMap<string, string>): string {
  if (module.startsWith(".")) return module.replace(/\.js$/, ".d.ts");
  const [, name = "", entry = "mod"] = /^(@\w+\/\w+)(?:\/(\w+))?$/.exec(module) ?? [];
  const folder = folders.get(name);
  if (folder === undefined) {
    throw new ScriptError(`Cannot pack the declarations in ${from}: they import ${module}`);
  }
  const lib = join(folder, "..");
  const up = "../".repeat(from.slice(lib.length).split("/").length - 1);
  return `${up}${folder.slice(lib.length + 1)}/${entry}.d.ts`;
}

/** Runs Deno, in the project's root or in a folder of it. */
async function deno(...args: (string | { readonly in: string })[]): Promise<void> {
  const words = args.filter((arg) => typeof arg === "string");
  const folder = args.find((arg) => typeof arg !== "string")?.in ?? ".";
  const { code, said } = await runDeno(words, {}, folder);
  if (code !== 0) throw new ScriptError(`Cannot run deno ${words.join(" ")}: ${said}`);
}

/** Options by which GNU tar makes the same of the same files, whoever packs them, and when. */
async function reproducibly(): Promise<string[]> {
  if (!(await tar("--version")).includes("GNU")) return ["-z"];
  return [
    ...["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go=rX"],
    // As npm dates what it packs: ZIP has no earlier years than 1980.
    ...["--mtime=1985-10-26T08:15:00Z", "--use-compress-program=gzip -n"],
  ];
}

/** Runs tar, and returns what it printed. */
async function tar(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await attempt("run tar", () => {
    return new Deno.Command("tar", { args }).output();
  });
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new ScriptError(`Cannot run tar ${args.join(" ")}: ${decoder.decode(stderr).trim()}`);
}

async function main(given: FlagValues<typeof flags>): Promise<number> {
  say(`Packing ${TARBALL}: this takes up to a minute`);
  await pack(given.output);
  say(`Wrote ${given.output}`);
  return 0;
}

if (import.meta.main) await runCommand(usage, flags, main);
