/**
 * The folder of a WebAssembly program: private, in memory, bounded, and gone with the process, but for
 * what a simulated disk keeps of it.
 *
 * @module
 */

import {
  Directory,
  Fd,
  File,
  Inode,
  OpenFile,
  PreopenDirectory,
  WASI,
  wasi,
} from "@bjorn3/browser_wasi_shim";

import type { ProcessFolder, SimulatedDisk, SyncFailure } from "./disk.ts";
import type { DiskFile, FileNames } from "./disk_files.ts";

/** A function of WASI as a program imports it; it returns an error number, 0 for none. */
export type WasiFunction = (...args: never[]) => number | Promise<number>;

/** What `fd_write` and `fd_pwrite` are called with. */
type WriteArgs = [fd: number, iovecs: number, count: number, offset: bigint];

/** How much the files of a process may hold, and what each file or folder counts for beside that. */
const MAX_BYTES = 64 * 2 ** 20;
const ENTRY_BYTES = 4096;

/** Numbers the files of one process, so that a run does not depend on the runs before it. */
interface Numbering {
  next: bigint;
}

let numbering: Numbering = { next: 1n };
Inode.issue_ino = () => numbering.next++;

/** What a program is told of a sync that a fault has failed. */
const FAILED: Readonly<Record<SyncFailure, number>> = {
  "disk-full": wasi.ERRNO_NOSPC,
  "disk-eio": wasi.ERRNO_IO,
};

/** A file is open so that each write to it is synced at once. */
const SYNCED = wasi.FDFLAGS_SYNC | wasi.FDFLAGS_DSYNC | wasi.FDFLAGS_RSYNC;

/** The functions of WASI that are about files, and the folder `/` that they work in. */
export class PrivateFolder {
  /** By name, standard input, output and error left out. */
  readonly functions: Record<string, WasiFunction>;
  readonly #shim: WASI;
  readonly #root: PreopenDirectory;
  readonly #numbering: Numbering = { next: 1n };
  /** At least what the files hold. */
  #bytes = 0;

  /** The disk that keeps the files; undefined if they are gone with the process. */
  readonly #disk: ProcessFolder | undefined;
  readonly #sleep: (ms: number) => Promise<void>;
  readonly #diskFiles = new Map<File, DiskFile>();
  readonly #synced = new Set<OpenFile>();

  /** @param sleep lets time pass while a disk syncs */
  constructor(
    disk?: SimulatedDisk,
    sleep: (ms: number) => Promise<void> = () => Promise.resolve(),
  ) {
    numbering = this.#numbering;
    this.#sleep = sleep;
    this.#disk = disk?.openFolder(() => this.#namesOf(this.#root.dir));
    const names = this.#disk?.names ?? new Map([["tmp", new Map()]]);
    this.#root = new PreopenDirectory("/", this.#inodesOf(names));
    if (this.#disk !== undefined) this.#bytes = sizeOf(this.#root.dir);
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
    const functions = Object.keys(all).filter((name) => /^(fd|path)_/.test(name));
    this.functions = Object.fromEntries(
      functions.map((name) => [name, this.#checked(all[name] as WasiFunction, bounded[name])]),
    );
    if (this.#disk !== undefined) this.#keepOn(this.#disk);
  }

  /** Has a disk keep what is written, and sync it. */
  #keepOn(disk: ProcessFolder): void {
    const noted = (name: string, note?: (...args: WriteArgs) => (() => void) | undefined) => {
      const run = this.functions[name] as WasiFunction;
      this.functions[name] = (...args) => {
        const [fd, ...rest] = args as unknown as WriteArgs;
        const finish = note?.(fd, ...rest);
        const answer = run(...args);
        finish?.();
        const open = this.#file(fd);
        if (open === undefined) return answer;
        this.#diskFileOf(open.file).resize(open.file.data.byteLength);
        return this.#synced.has(open) && answer === wasi.ERRNO_SUCCESS
          ? this.#sync(disk, open)
          : answer;
      };
    };
    noted("fd_write", (fd) => {
      const open = this.#file(fd);
      const from = Number(open?.file_pos ?? 0);
      return open && (() => this.#noteWrite(open.file, from, Number(open.file_pos)));
    });
    noted("fd_pwrite", (fd, iovecs, count, offset) => {
      const open = this.#file(fd);
      const from = Number(offset);
      const length = this.#lengthOf(iovecs, count);
      return open && (() => this.#noteWrite(open.file, from, from + length));
    });
    noted("fd_allocate");
    noted("fd_filestat_set_size");
    const open = this.functions.path_open as WasiFunction;
    this.functions.path_open = (...args) => {
      const answer = open(...args);
      const opened = this.#shim.fds.at(-1);
      if (answer !== wasi.ERRNO_SUCCESS || !(opened instanceof OpenFile)) return answer;
      // It may have been cut.
      this.#diskFileOf(opened.file).resize(opened.file.data.byteLength);
      if ((Number(args[7]) & SYNCED) !== 0) this.#synced.add(opened);
      return answer;
    };
    this.functions.fd_sync = this.functions.fd_datasync = (fd: number) =>
      this.has(fd) ? this.#sync(disk, this.#file(fd)) : wasi.ERRNO_BADF;
  }

  async #sync(disk: ProcessFolder, open: OpenFile | undefined): Promise<number> {
    const failure = await disk.sync(open && this.#diskFileOf(open.file), this.#sleep);
    return failure === undefined ? wasi.ERRNO_SUCCESS : FAILED[failure];
  }

  #noteWrite(file: File, from: number, to: number): void {
    const end = Math.min(to, file.data.byteLength);
    if (end > from) this.#diskFileOf(file).write(from, file.data.slice(from, end));
  }

  /** The file of the disk that keeps one. */
  #diskFileOf(file: File): DiskFile {
    const known = this.#diskFiles.get(file) ?? this.#disk?.create();
    if (known === undefined) throw new Error("There is no disk");
    this.#diskFiles.set(file, known);
    return known;
  }

  #namesOf(folder: Directory): FileNames {
    const names = new Map<string, DiskFile | FileNames>();
    for (const [name, inode] of folder.contents) {
      if (inode instanceof Directory) names.set(name, this.#namesOf(inode));
      else if (inode instanceof File) names.set(name, this.#diskFileOf(inode));
    }
    return names;
  }

  #inodesOf(names: FileNames): Map<string, Inode> {
    const inodes = new Map<string, Inode>();
    for (const [name, each] of names) {
      if (each instanceof Map) inodes.set(name, new Directory(this.#inodesOf(each)));
      else {
        const kept = each as DiskFile;
        const file = new File(kept.read());
        this.#diskFiles.set(file, kept);
        inodes.set(name, file);
      }
    }
    return inodes;
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
    const file = this.#file(fd)?.file;
    const end = offset + this.#lengthOf(iovecs, count);
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

  #lengthOf(iovecs: number, count: number): number {
    const view = new DataView(this.#shim.inst.exports.memory.buffer);
    let length = 0;
    for (let i = 0; i < count; i++) length += view.getUint32(iovecs + 8 * i + 4, true);
    return length;
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
