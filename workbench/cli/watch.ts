/**
 * `test --watch`: runs again when the program, or a file that it imports, changes.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { UsageError } from "@eddy/maelstrom/flags";
import { isMutant } from "@eddy/mutants";
import { join } from "@std/path/join";
import { isLoadable, isWasm } from "../program.ts";
import { clearScreen, Interrupts, printError } from "./terminal.ts";

/** How long no file has to change before a run begins: editors and formatters save more than once. */
const QUIET_MS = 100;

/**
 * Runs again and again, each time that a file of the program changes, until a signal comes.
 *
 * A run under way is broken off by a change. An error, as of a program that cannot be bundled, is
 * printed, and a change waited for.
 *
 * @param run does the runs; it is to end soon after its signal aborts, and resolves with an exit
 * code, or undefined once a signal to the process has broken it off
 * @returns the exit code of the last run that came to its end, or 0.
 * @throws {UsageError} if there is no program to watch.
 */
export async function watching(
  bin: string | undefined,
  run: (changed: AbortSignal) => Promise<number | undefined>,
): Promise<number> {
  if (bin === undefined || isMutant(bin)) {
    throw new UsageError("Cannot use --watch without a program to watch: name it with --bin");
  }
  let lastCode = 0;
  for (;;) {
    const changed = new AbortController();
    // The files are watched before they are read, so that no change is missed.
    using watch = watchFiles(await filesOf(bin), () => changed.abort(new Error(CHANGED)));
    clearScreen();
    try {
      const code = await run(changed.signal);
      if (code === undefined) return lastCode;
      if (!changed.signal.aborted) lastCode = code;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      if (!changed.signal.aborted) printError(errorText(error));
    }
    if (!await changeOrInterrupt(changed.signal, bin)) return lastCode;
    await watch.quiet();
  }
}

const CHANGED = "The run was broken off: the program has changed";

/** Whether there was a change, rather than a signal. */
async function changeOrInterrupt(changed: AbortSignal, bin: string): Promise<boolean> {
  if (changed.aborted) return true;
  const interrupts = new Interrupts("watch");
  printError(`Waiting for a change of ${bin}`);
  const either = AbortSignal.any([changed, interrupts.signal]);
  try {
    if (!either.aborted) {
      await new Promise((resolve) => either.addEventListener("abort", resolve, { once: true }));
    }
    return changed.aborted;
  } finally {
    interrupts.stop();
  }
}

/** The files of a program: itself and, of one in TypeScript or JavaScript, what it imports. */
export async function filesOf(bin: string): Promise<ReadonlySet<string>> {
  const path = bin.startsWith("/") ? bin : join(Deno.cwd(), bin);
  const files = new Set([path]);
  try {
    files.add(Deno.realPathSync(path));
  } catch {
    // It may be there later.
    return files;
  }
  if (!isLoadable(path) || isWasm(path)) return files;
  const folder = path.slice(0, path.lastIndexOf("/"));
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", path],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  for (const file of localFiles(new TextDecoder().decode(stdout))) files.add(file);
  return files;
}

/** The local files that `deno info --json` names; also those of a module with an error. */
function localFiles(json: string): string[] {
  try {
    const { modules = [] }: { modules?: { local?: string; specifier?: string }[] } = JSON.parse(
      json,
    );
    return modules.flatMap(({ local, specifier = "" }) => {
      if (!specifier.startsWith("file:")) return [];
      return [local ?? decodeURIComponent(new URL(specifier).pathname)];
    });
  } catch {
    return [];
  }
}

/** Files that are watched. */
interface Watched extends Disposable {
  /** Resolves when nothing has changed for a while. */
  quiet(): Promise<void>;
}

/** Watches files by their folders, because an editor may replace a file by another. */
function watchFiles(files: ReadonlySet<string>, onChange: () => void): Watched {
  const folders = new Set([...files].map((file) => file.slice(0, file.lastIndexOf("/")) || "/"));
  const watcher = Deno.watchFs([...folders].filter(isFolder), { recursive: false });
  let lastMs = 0;
  const read = async () => {
    for await (const { kind, paths } of watcher) {
      if (kind === "access" || !paths.some((path) => files.has(path))) continue;
      lastMs = performance.now();
      onChange();
    }
  };
  void read();
  return {
    async quiet() {
      for (;;) {
        const restMs = lastMs + QUIET_MS - performance.now();
        if (restMs <= 0) return;
        await new Promise((resolve) => setTimeout(resolve, restMs));
      }
    },
    [Symbol.dispose]: () => watcher.close(),
  };
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
