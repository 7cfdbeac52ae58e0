/**
 * Compilers that make WebAssembly for WASI preview 1, taken where they are found.
 *
 * @module
 */

/** A compiler, and the smallest program that shows whether it and its library are there. */
interface Compiler {
  readonly command: string;
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
  /** What it takes to compile it. */
  readonly needs: string;
  /** A program that does nothing. */
  readonly trial: string;
  /** The first that works is taken. */
  readonly compilers: readonly Compiler[];
}

const rust = (command: string, target: string): Compiler => ({
  command,
  args: ["--target", target, "-O"],
});

/** All languages. */
export const languages: readonly Language[] = [
  {
    name: "C",
    file: "node.c",
    resends: true,
    needs: "clang, lld, wasi-libc and libclang-rt-dev-wasm32",
    trial: "int main(void) { return 0; }\n",
    compilers: [{ command: "clang", args: ["--target=wasm32-wasi", "-O2", "-Wall", "-Werror"] }],
  },
  {
    name: "Go",
    file: "node.go",
    resends: true,
    needs: "Go 1.21 or newer",
    trial: "package main\n\nfunc main() {}\n",
    compilers: [
      { command: "go", args: ["build"], env: { GOOS: "wasip1", GOARCH: "wasm" } },
    ],
  },
  {
    name: "Rust",
    file: "node.rs",
    resends: false,
    needs: "rustc with the library of wasm32-wasip1, or Debian's rustc and libstd-rust-dev-wasm32",
    trial: "fn main() {}\n",
    // Debian's compiler, beside another that comes first in PATH, has the target's former name.
    compilers: [
      rust("rustc", "wasm32-wasip1"),
      rust("rustc", "wasm32-wasi"),
      rust("/usr/bin/rustc", "wasm32-wasi"),
    ],
  },
];

/**
 * Compiles a language's node into a folder.
 *
 * @returns the program's path; undefined if no compiler is there.
 * @throws {Error} if a compiler is there, and the node does not compile, with what it said.
 */
export function compileNode(language: Language, folder: string): string | undefined {
  const extension = language.file.slice(language.file.lastIndexOf("."));
  const trial = `${folder}/trial${extension}`;
  Deno.writeTextFileSync(trial, language.trial);
  const compiler = language.compilers.find((each) => {
    return compile(each, trial, `${folder}/trial.wasm`) === "";
  });
  if (compiler === undefined) return undefined;
  const source = decodeURIComponent(new URL(language.file, import.meta.url).pathname);
  const target = `${folder}/${language.name}.wasm`;
  const said = compile(compiler, source, target);
  if (said !== "") throw new Error(`Cannot compile ${language.file}: ${said}`);
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
