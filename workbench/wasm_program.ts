/**
 * Programs in WebAssembly: whether a file is one that can run here, and its bound of memory.
 *
 * @module
 */

import { WASI } from "@bjorn3/browser_wasi_shim";
import { errorText } from "@eddy/maelstrom";

/** A compiled program. */
export interface WasmProgram {
  /** Tells it from programs in JavaScript. */
  readonly kind: "wasm";
  /** Where it was read from, links resolved. */
  readonly path: string;
  /** What every node is an instance of. */
  readonly module: WebAssembly.Module;
  /** How many bytes longer the module is than the file. */
  readonly addedBytes: number;
  /** Whether it was built by the Go compiler, which never waits for input while it has timers. */
  readonly isGo: boolean;
}

/** The only module that a program may import from. */
export const WASI_MODULE = "wasi_snapshot_preview1";

/** The names of all its functions. */
const FUNCTIONS = new Set(Object.keys(new WASI([], [], [], { debug: false }).wasiImport));

/** How much memory a node may have. */
export const MAX_MEMORY_BYTES: number = 1024 * 2 ** 20;

const PAGE_BYTES = 2 ** 16;
const MAX_PAGES = MAX_MEMORY_BYTES / PAGE_BYTES;

/** How a module begins, and a component. */
const MAGIC = [0, 0x61, 0x73, 0x6d];
const MODULE_VERSION = [1, 0, 0, 0];

/** The section of a module that says how much memory it has. */
const MEMORY_SECTION = 5;

/** Where Go leaves its build's name, now and before Go 1.21. */
const GO_SECTIONS = ["go:buildid", "go.buildid"];

/**
 * Compiles a program.
 *
 * @param bin how errors name it
 * @param path where it was read from
 * @throws {Error} if it is none that can run here, and why.
 */
export function compileWasm(
  bin: string,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): WasmProgram {
  const cannot = (why: string) => new Error(`Cannot run ${bin}: ${why}`);
  if (!startsWith(bytes, MAGIC)) throw cannot("it is no WebAssembly");
  if (bytes.length < MAGIC.length + MODULE_VERSION.length) throw cannot("it ends too early");
  if (!startsWith(bytes.subarray(4), MODULE_VERSION)) {
    throw cannot(
      "it is a component (WASI preview 2), and only modules of WASI preview 1 can run, as " +
        "compilers make them for wasm32-wasip1",
    );
  }
  let module: WebAssembly.Module;
  let addedBytes: number;
  try {
    const bounded = withBoundedMemory(bytes);
    addedBytes = bounded.length - bytes.length;
    module = new WebAssembly.Module(bounded);
  } catch (error) {
    throw cannot(errorText(error).replace("WebAssembly.Module(): ", ""));
  }
  const why = whyNotRunnable(module);
  if (why !== undefined) throw cannot(why);
  return { kind: "wasm", path, module, addedBytes, isGo: isGo(module) };
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

function isGo(module: WebAssembly.Module): boolean {
  const sections = GO_SECTIONS.map((name) => WebAssembly.Module.customSections(module, name));
  return sections.some(({ length }) => length > 0);
}

/** Why a module is no program for WASI preview 1; undefined if it is one. */
function whyNotRunnable(module: WebAssembly.Module): string | undefined {
  const foreign = WebAssembly.Module.imports(module).find(({ module, kind }) =>
    module !== WASI_MODULE || kind !== "function"
  );
  if (foreign !== undefined) {
    const hint = foreign.module === "gojs" ? " (build with GOOS=wasip1, not GOOS=js)" : "";
    return `it imports the ${foreign.kind} ${foreign.name} of ${foreign.module}, and only ` +
      `functions of ${WASI_MODULE} are there${hint}`;
  }
  const unknown = WebAssembly.Module.imports(module).find(({ name }) => !FUNCTIONS.has(name));
  if (unknown !== undefined) {
    return `it imports the function ${unknown.name} of ${WASI_MODULE}, which is none of its ` +
      "functions";
  }
  const exports = WebAssembly.Module.exports(module);
  const has = (name: string, kind: string) =>
    exports.some((each) => each.name === name && each.kind === kind);
  if (!has("_start", "function")) {
    return "it has no function _start: it is a library, and no program";
  }
  if (!has("memory", "memory")) return "it exports no memory";
  return undefined;
}

/**
 * A module with {@linkcode MAX_MEMORY_BYTES} as its bound: a request for more fails, as on a machine
 * that has no more.
 *
 * @throws {Error} if it begins with more.
 */
function withBoundedMemory(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at];
    const [size, start] = readNumber(bytes, at + 1);
    const end = start + size;
    if (id === MEMORY_SECTION) {
      const section = boundedSection(bytes.subarray(start, end));
      return concatenate([bytes.subarray(0, at), section, bytes.subarray(end)]);
    }
    at = end;
  }
  return bytes;
}

/** A section with one memory; other modules are left to the compiler. */
function boundedSection(content: Uint8Array): Uint8Array {
  const [count, flags] = content;
  if (count !== 1 || flags === undefined || flags > 1) {
    throw new Error("its memory is shared, of 64 bits, or more than one");
  }
  const [min, next] = readNumber(content, 2);
  const [max] = flags === 1 ? readNumber(content, next) : [MAX_PAGES];
  if (min > MAX_PAGES) {
    const mib = (pages: number) => Math.ceil(pages * PAGE_BYTES / 2 ** 20);
    throw new Error(
      `it begins with ${mib(min)} MiB of memory, and a node may have ${mib(MAX_PAGES)}`,
    );
  }
  const bounded = [1, 1, ...numberBytes(min), ...numberBytes(Math.min(max, MAX_PAGES))];
  return Uint8Array.from([MEMORY_SECTION, ...numberBytes(bounded.length), ...bounded]);
}

/** Reads a number in LEB128, and says where the next byte is. */
function readNumber(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let scale = 1;; scale *= 128) {
    const byte = bytes[at++];
    if (byte === undefined) throw new Error("it ends too early");
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at];
  }
}

function numberBytes(value: number): number[] {
  return value < 128 ? [value] : [value % 128 + 128, ...numberBytes(Math.floor(value / 128))];
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
