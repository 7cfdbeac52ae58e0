/**
 * The folder of a WebAssembly program: private, in memory, bounded, and gone with the process.
 *
 * @module
 */

import {
  Directory,
  Fd,
  Inode,
  OpenFile,
  PreopenDirectory,
  WASI,
  wasi,
} from "@bjorn3/browser_wasi_shim";

/** A function of WASI as a program imports it; it returns an error number, 0 for none. */
export type WasiFunction = (...args: never[]) => number | Promise<number>;

/** How much the files of a process may hold, and what each file or folder counts for beside that. */
const MAX_BYTES = 64 * 2 ** 20;
const ENTRY_BYTES = 4096;

/** Numbers the files of one process, so that a run does not depend on the runs before it. */
interface Numbering {
  next: bigint;
}

let numbering: Numbering = { next: 1n };
Inode.issue_ino = () => numbering.next++;

/** The functions of WASI that are about files, and the folder `/` that they work in. */
export class PrivateFolder {
  /** By name, standard input, output and error left out. */
  readonly functions: Record<string, WasiFunction>;
  readonly #shim: WASI;
  readonly #root: PreopenDirectory;
  readonly #numbering: Numbering = { next: 1n };
  /** At least what the files hold. */
  #bytes = 0;

  constructor() {
    numbering = this.#numbering;
    this.#root = new PreopenDirectory("/", new Map([["tmp", new Directory(new Map())]]));
    const standard = new StandardStream();
    const fds: Fd[] = [standard, standard, standard, this.#root];
    this.#shim = new WASI([], [], fds, { debug: false });
    const all = this.#shim.wasiImport as Record<string, WasiFunction>;
    const bounded: Record<string, WasiFunction> = {
      fd_allocate: (fd: number, offset: bigint, length: bigint) =>
        this.#grow(fd, Number(offset + length)),
      fd_filestat_set_size: (fd: number, size: bigint) => this.#grow(fd, Number(size)),
      fd_write: (fd: number, iovecs: number, count: number) =>
        this.#extend(fd, Number(this.#file(fd)?.file_pos ?? 0), iovecs, count),
      fd_pwrite: (fd: number, iovecs: number, count: number, offset: bigint) =>
        this.#extend(fd, Number(offset), iovecs, count),
      path_open: () => this.#add(ENTRY_BYTES),
      path_create_directory: () => this.#add(ENTRY_BYTES),
    };
    const names = Object.keys(all).filter((name) => /^(fd|path)_/.test(name));
    this.functions = Object.fromEntries(
      names.map((name) => [name, this.#checked(all[name] as WasiFunction, bounded[name])]),
    );
  }

  /** Sets the program's memory, before it calls anything. */
  attach(memory: WebAssembly.Memory): void {
    this.#shim.inst = { exports: { memory } };
  }

  /** Whether a file is open under this number. */
  has(fd: number): boolean {
    return this.#shim.fds[fd] !== undefined;
  }

  #checked(call: WasiFunction, bound?: WasiFunction): WasiFunction {
    return (...args) => {
      numbering = this.#numbering;
      const refused = bound?.(...args) ?? wasi.ERRNO_SUCCESS;
      return refused === wasi.ERRNO_SUCCESS ? call(...args) : refused;
    };
  }

  #file(fd: number): OpenFile | undefined {
    const open = this.#shim.fds[fd];
    return open instanceof OpenFile ? open : undefined;
  }

  /** Makes room for bytes that are written at an offset. */
  #extend(fd: number, offset: number, iovecs: number, count: number): number {
    const view = new DataView(this.#shim.inst.exports.memory.buffer);
    let length = 0;
    for (let i = 0; i < count; i++) length += view.getUint32(iovecs + 8 * i + 4, true);
    const file = this.#file(fd)?.file;
    const end = offset + length;
    if (file === undefined || end <= file.data.byteLength) return wasi.ERRNO_SUCCESS;
    const refused = this.#grow(fd, end);
    if (refused !== wasi.ERRNO_SUCCESS) return refused;
    // Twice as much as is needed, so that a file to which little is added often is not copied often.
    let { buffer } = file.data;
    if (buffer.byteLength < end) {
      buffer = new ArrayBuffer(2 * end);
      new Uint8Array(buffer).set(file.data);
    }
    file.data = new Uint8Array(buffer, 0, end);
    return wasi.ERRNO_SUCCESS;
  }

  /** Counts what a file grows by. */
  #grow(fd: number, size: number): number {
    const before = this.#file(fd)?.file.data.byteLength;
    return before === undefined || size <= before ? wasi.ERRNO_SUCCESS : this.#add(size - before);
  }

  #add(bytes: number): number {
    if (this.#bytes + bytes > MAX_BYTES) this.#bytes = sizeOf(this.#root.dir);
    if (this.#bytes + bytes > MAX_BYTES) return wasi.ERRNO_NOSPC;
    this.#bytes += bytes;
    return wasi.ERRNO_SUCCESS;
  }
}

/** Standard input, output or error, of which this folder knows only that they are open. */
class StandardStream extends Fd {}

function sizeOf(inode: Inode): number {
  if (!(inode instanceof Directory)) return ENTRY_BYTES + Number(inode.stat().size);
  let bytes = ENTRY_BYTES;
  for (const child of inode.contents.values()) bytes += sizeOf(child);
  return bytes;
}
