/**
 * A node in each of some languages, and what makes it run: under virtual time, and as a process.
 *
 * @module
 */

import type { Program } from "@eddy/workbench";

/** A command that makes a program of a file. */
interface Compiler {
  readonly command: string;
  /** What goes before `-o TARGET SOURCE`. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A language in which nodes are written. */
export interface Language {
  readonly name: string;
  /** The node, beside this file. */
  readonly file: string;
  /** Whether it sends again what a partition has lost. */
  readonly resends: boolean;
  /** What starts it as a process; absent where it is compiled. */
  readonly interpreter?: readonly [command: string, ...args: string[]];
  readonly compiled?: Compiled;
}

/** How a language is compiled. */
interface Compiled {
  /** What it takes to compile it to WebAssembly. */
  readonly needs: string;
  /** A program that does nothing, which shows whether a compiler and its library are there. */
  readonly trial: string;
  /** Those that make WebAssembly for WASI preview 1; the first that works is taken. */
  readonly toWasm: readonly Compiler[];
  /** Those that make a program for this machine. */
  readonly toNative: readonly Compiler[];
}

const rust = (command: string, ...target: string[]): Compiler => ({
  command,
  args: [...target, "-O"],
});

/** All languages. */
export const languages: readonly Language[] = [
  {
    name: "TypeScript on the library",
    file: "library.ts",
    resends: true,
    interpreter: [Deno.execPath(), "run", "--quiet"],
  },
  {
    name: "TypeScript on bare Deno",
    file: "deno.ts",
    resends: true,
    interpreter: [Deno.execPath(), "run", "--quiet"],
  },
  { name: "JavaScript on Node.js", file: "node.mjs", resends: true, interpreter: ["node"] },
  {
    name: "C",
    file: "node.c",
    resends: true,
    compiled: {
      needs: "clang, lld, wasi-libc and libclang-rt-dev-wasm32",
      trial: "int main(void) { return 0; }\n",
      toWasm: [{ command: "clang", args: ["--target=wasm32-wasi", "-O2", "-Wall", "-Werror"] }],
      toNative: [{ command: "cc", args: ["-O2"] }],
    },
  },
  {
    name: "Go",
    file: "node.go",
    resends: true,
    compiled: {
      needs: "Go 1.21 or newer",
      trial: "package main\n\nfunc main() {}\n",
      toWasm: [{ command: "go", args: ["build"], env: { GOOS: "wasip1", GOARCH: "wasm" } }],
      toNative: [{ command: "go", args: ["build"] }],
    },
  },
  {
    name: "Rust",
    file: "node.rs",
    resends: false,
    compiled: {
      needs: "rustc with the library of wasm32-wasip1, or Debian's rustc and " +
        "libstd-rust-dev-wasm32",
      trial: "fn main() {}\n",
      // Debian's compiler, beside another that comes first in PATH, has the target's former name.
      toWasm: [
        rust("rustc", "--target", "wasm32-wasip1"),
        rust("rustc", "--target", "wasm32-wasi"),
        rust("/usr/bin/rustc", "--target", "wasm32-wasi"),
      ],
      toNative: [rust("rustc")],
    },
  },
];

/** The path of a file beside this one. */
export function pathOf(file: string): string {
  return decodeURIComponent(new URL(file, import.meta.url).pathname);
}

/** Whether a command is there. */
export function isInstalled(command: string): boolean {
  try {
    return new Deno.Command(command, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

/**
 * What `--bin` takes to run a language's node under virtual time, compiled into a folder.
 *
 * @returns its path; undefined if no compiler is there.
 * @throws {Error} if a compiler is there, and the node does not compile, with what it said.
 */
export function virtualNode({ file, compiled }: Language, folder: string): string | undefined {
  if (compiled === undefined) return pathOf(file);
  return compileWith(compiled.toWasm, compiled, file, folder, "wasm");
}

/**
 * What runs a language's node as a process, compiled into a folder.
 *
 * @returns the program; undefined if no compiler or interpreter is there.
 * @throws {Error} if a compiler is there, and the node does not compile, with what it said.
 */
export function nativeNode(language: Language, folder: string): Program | undefined {
  const { file, compiled, interpreter } = language;
  if (compiled !== undefined) {
    const bin = compileWith(compiled.toNative, compiled, file, folder, "native");
    return bin === undefined ? undefined : { bin, args: [] };
  }
  const [command = "", ...args] = interpreter ?? [];
  if (!isInstalled(command)) return undefined;
  return { bin: "/usr/bin/env", args: [command, ...args, pathOf(file)] };
}

/** The first compiler to WebAssembly that works here, tried in a folder. */
export function wasmCompiler(language: Language, folder: string): Compiler | undefined {
  const { file, compiled } = language;
  return compiled && firstOf(compiled.toWasm, compiled, file, folder);
}

function firstOf(
  compilers: readonly Compiler[],
  { trial }: Compiled,
  file: string,
  folder: string,
): Compiler | undefined {
  // Rust names a program after its file, which must be a word.
  const smallest = `${folder}/trial${file.slice(file.lastIndexOf("."))}`;
  Deno.writeTextFileSync(smallest, trial);
  return compilers.find((each) => compile(each, smallest, `${folder}/trial.out`) === "");
}

function compileWith(
  compilers: readonly Compiler[],
  compiled: Compiled,
  file: string,
  folder: string,
  ending: string,
): string | undefined {
  const compiler = firstOf(compilers, compiled, file, folder);
  if (compiler === undefined) return undefined;
  const target = `${folder}/${file}.${ending}`;
  const said = compile(compiler, pathOf(file), target);
  if (said !== "") throw new Error(`Cannot compile ${file}: ${said}`);
  return target;
}

/** Compiles a file, and returns what was wrong; nothing is the empty text. */
function compile({ command, args, env = {} }: Compiler, source: string, target: string): string {
  try {
    const { success, stderr } = new Deno.Command(command, {
      args: [...args, "-o", target, source],
      env: { ...env },
      stdout: "null",
      stderr: "piped",
    }).outputSync();
    return success ? "" : new TextDecoder().decode(stderr) || `${command} failed`;
  } catch (error) {
    return String(error);
  }
}
