/**
 * `init`: a project of one's own, with a node, its test, and how to run them.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import * as handlers from "@eddy/handlers";
import { oneOf, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { join } from "@std/path/join";
import config from "../deno.json" with { type: "json" };
import { type WorkloadName, WORKLOADS } from "../workloads/mod.ts";
import { commandName, denoName, shellWord } from "./command_name.ts";
import { print } from "./terminal.ts";

/** The flags of `init`. */
export const initFlags = {
  workload: {
    help: "The workload; for another than echo the handlers are yours to write",
    value: "NAME",
    short: "w",
    ...oneOf(WORKLOADS),
    default: "echo" as const,
  },
};

/** Runs the command and returns the exit code. */
export function initCommand(args: readonly string[]): Promise<number> {
  const { flags: { workload }, words, rest } = parseFlags(initFlags, args);
  const [folder = ".", extra] = [...words, ...rest];
  if (extra !== undefined) {
    throw new UsageError(
      `Unexpected argument ${JSON.stringify(extra)}: one folder is accepted, or none for this one`,
    );
  }
  if (folder === "" || /[\p{Cc}\p{Bidi_Control}]/u.test(folder)) {
    throw new UsageError(
      `Cannot use ${
        JSON.stringify(folder)
      } as the folder: expected a name, without control characters`,
    );
  }
  const made = createFolder(folder);
  try {
    createFiles(folder, projectFiles(workload, new URL(`file://${encodePath(realPath(folder))}/`)));
  } catch (error) {
    if (made !== undefined) remove(made);
    throw error;
  }
  const path = folder.startsWith("-") ? `./${folder}` : folder;
  const enter = folder === "." ? "" : `cd ${shellWord(path)} && `;
  print(`A node for ${workload} is in ${folder}: begin with README.md, or with
  ${enter}${denoName()} test`);
  return Promise.resolve(0);
}

/** A file of a project. */
interface ProjectFile {
  readonly name: string;
  readonly text: string;
  /** Its permissions, in addition to those of any file. */
  readonly mode?: number;
}

/**
 * The files of a project.
 *
 * @param folder where it will be, as a URL that ends with a slash
 */
function projectFiles(workload: WorkloadName, folder: URL): ProjectFile[] {
  const imports = importsFor(folder);
  const isInModules = Object.values(imports).some((path) => path.includes("/node_modules/"));
  const settings = {
    imports,
    // Beside a package.json Deno would take them for packages, which have no types there.
    ...(isInModules && { nodeModulesDir: "none" }),
    tasks: { test: "deno test" },
  };
  return [
    { name: "deno.json", text: `${JSON.stringify(settings, null, 2)}\n` },
    { name: "node.ts", text: nodeOf(workload), mode: 0o755 },
    { name: "node_test.ts", text: testOf(workload) },
    { name: "README.md", text: readmeOf(workload, Object.values(imports)[0] ?? "") },
  ];
}

/** What a project imports, each with its module. */
const MODULES = {
  "@eddy/maelstrom": "node/mod",
  "@eddy/maelstrom/disk": "node/disk",
  "@eddy/handlers": "handlers/mod",
  "@eddy/workbench": "workbench/mod",
} as const;

/**
 * Where a project has the packages from: where the running workbench has them from.
 *
 * @throws {Error} if that is a bundle without them.
 */
function importsFor(folder: URL): Record<string, string> {
  const here = new URL(import.meta.url);
  const from = here.protocol !== "file:"
    ? undefined
    : here.pathname.endsWith(".ts")
    ? new URL("../../", here)
    : new URL("lib/", here);
  if (from?.pathname.endsWith("/lib/") && !exists(from)) {
    throw new Error(
      "Cannot begin a project: the library, which it imports, is not beside the workbench's bundle; " +
        "call init in the project's folder, with deno task workbench, or from the npm package",
    );
  }
  return Object.fromEntries(
    Object.entries(MODULES).map(([name, module]) => [
      name,
      from === undefined
        ? published(name)
        : address(new URL(`${module}${here.pathname.slice(-3)}`, from), folder),
    ]),
  );
}

/** The published package, or a part of it. */
function published(name: string): string {
  const [scope, title, ...part] = name.split("/");
  return `jsr:${[`${scope}/${title}@^${config.version}`, ...part].join("/")}`;
}

/**
 * The address of a module: a path from the project's folder if the `node_modules` that has it is in
 * that folder or above, so that both can be moved or copied together.
 */
function address(module: URL, folder: URL): string {
  const end = module.pathname.lastIndexOf("/node_modules/") + 1;
  const above = module.pathname.slice(0, end);
  if (end === 0 || !folder.pathname.startsWith(above)) return module.href;
  const depth = folder.pathname.slice(above.length).split("/").length - 1;
  return (depth === 0 ? "./" : "../".repeat(depth)) + module.pathname.slice(end);
}

function nodeOf(workload: WorkloadName): string {
  const { name, types } = schemaOf(workload);
  const isSolved = workload === "echo";
  const handlers = Object.entries(types).map(([type, keys]) => {
    const request = keys.length === 0 ? "" : `{ body: { ${keys.join(", ")} } }`;
    const fields = keys.length === 0 ? "" : `, { ${keys.join(", ")} }`;
    const answer = isSolved ? "{ echo }" : `todo("${type}"${fields})`;
    return `  node.on("${type}", (${request}) => {
    return ${answer};
  }, { schema: ${name}.${type} });`;
  });
  const library = isSolved ? "Node, serve" : "ErrorCode, Node, RpcError, serve";
  return `#!/usr/bin/env -S deno run
import { ${library} } from "@eddy/maelstrom";
import { ${name} } from "@eddy/handlers";

/** Registers the handlers of a node. */
export function install(node: Node): void {
${handlers.join("\n")}
}
${isSolved ? "" : TODO}
if (import.meta.main) {
  const node = new Node();
  install(node);
  await serve(node);
}
`;
}

const TODO = `
/** Refuses a request: replace each call by what the node does. */
function todo(type: string, request: object = {}): never {
  const text = \`\${type} \${JSON.stringify(request)} is yet to be written\`;
  throw new RpcError(ErrorCode.notSupported, text);
}
`;

/** The name of a workload's schema in `@eddy/handlers`, and the keys of each type of request. */
function schemaOf(workload: WorkloadName): { name: string; types: Record<string, string[]> } {
  const exported: Readonly<Record<string, unknown>> = handlers;
  // The counters share theirs.
  const names = [workload, workload.slice(workload.lastIndexOf("-") + 1)].map((words) =>
    `${words.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())}Schema`
  );
  const name = names.find((name) => name in exported) ?? "";
  const requests = Object.entries((exported[name] ?? {}) as Record<string, { request: object }>);
  const types = requests.map(([type, { request }]) => [
    type,
    "entries" in request ? Object.keys(request.entries as object) : [],
  ]);
  return { name, types: Object.fromEntries(types) };
}

function testOf(workload: WorkloadName): string {
  return `import { simulate, summarize } from "@eddy/workbench";
import { install } from "./node.ts";

Deno.test("three nodes serve ${workload}", async () => {
  const { results, options } = await simulate({
    workload: "${workload}",
    nodeCount: 3,
    rate: 10,
    timeLimitSeconds: 10,
    seed: 1,
    install,
  });
  if (results.valid !== true) throw new Error(summarize(results, options));
});
`;
}

function readmeOf(workload: WorkloadName, library: string): string {
  const eddy = commandName();
  const deno = denoName();
  const run = `${eddy} test -w ${workload} --bin ./node.ts --node-count 3 --time-limit 10`;
  const task = workload === "echo"
    ? "`node.ts` answers `echo`. Change its handler, or add one, and see what the test says of it."
    : `\`node.ts\` has a handler for each request of \`${workload}\`, with its types. Write them until ` +
      `the test passes. What they do: ${WORKLOADS_PAGE}#workload-${workload}`;
  const more = `The last two keep a history, and a picture of the messages, in \`store/latest\`. ` +
    `\`${eddy} test --help\` lists their flags. The library is \`${library}\` in \`deno.json\`: ` +
    `once it is published on JSR (jsr.io, Deno's package registry), \`${
      published("@eddy/maelstrom")
    }\` can stand there, and ` +
    "the other two packages likewise.";
  return `# A node for ${workload}

${wrapped(task)}

    ${deno} check .
    ${deno} test
    ${run}
    ${run} --nemesis partition

${wrapped(more)}
`;
}

const WORKLOADS_PAGE = "https://github.com/jepsen-io/maelstrom/blob/main/doc/workloads.md";

/** A paragraph in lines as `deno fmt` breaks it. */
function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length <= 80) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join("\n").trim();
}

/**
 * Creates a folder, and those above it.
 *
 * @returns the first that did not exist; undefined if there was nothing to create.
 */
function createFolder(folder: string): string | undefined {
  const missing = firstMissing(folder);
  try {
    Deno.mkdirSync(folder, { recursive: true });
  } catch (cause) {
    if (missing !== undefined) remove(missing);
    const isFile = cause instanceof Deno.errors.AlreadyExists;
    const reason = isFile ? "there is a file of that name" : reasonOf(cause);
    throw new Error(`Cannot create the folder ${folder}: ${reason}`, { cause });
  }
  return missing;
}

function firstMissing(folder: string): string | undefined {
  let missing: string | undefined;
  let at = folder;
  while (!exists(at)) {
    missing = at;
    const parent = join(at, "..");
    if (parent === at || parent === ".") break;
    at = parent;
  }
  return missing;
}

/** Writes all files; none, if there is one of such a name, or one cannot be written. */
function createFiles(folder: string, files: readonly ProjectFile[]): void {
  const taken = files.find(({ name }) => exists(join(folder, name)));
  if (taken !== undefined) {
    throw new UsageError(
      `Cannot begin a project in ${folder}: it has a file ${taken.name}, and none is overwritten`,
    );
  }
  const written: string[] = [];
  for (const { name, text, mode } of files) {
    const path = join(folder, name);
    try {
      const file = Deno.openSync(path, { write: true, createNew: true, mode: mode ?? 0o666 });
      written.push(path);
      using _ = file;
      const bytes = new TextEncoder().encode(text);
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    } catch (cause) {
      written.forEach(remove);
      throw new Error(`Cannot write ${path}: ${reasonOf(cause)}`, { cause });
    }
  }
}

function exists(path: string | URL): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // What went wrong before is what is said.
  }
}

function realPath(folder: string): string {
  try {
    return Deno.realPathSync(folder);
  } catch (cause) {
    throw new Error(`Cannot use the folder ${folder}: ${reasonOf(cause)}`, { cause });
  }
}

/** A path as a URL has it. */
function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** What went wrong, without the number and the call of the system. */
function reasonOf(error: unknown): string {
  return errorText(error).replace(/ \(os error \d+\).*$/s, "");
}
