/**
 * WASI preview 1 for one program: standard input, output and error, time, chance and its end. Files
 * are those of {@linkcode PrivateFolder}.
 *
 * Source: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 *
 * @module
 */

import { wasi } from "@bjorn3/browser_wasi_shim";
import type { SimulatedDisk } from "./disk.ts";
import { PrivateFolder, type WasiFunction } from "./wasi_files.ts";

/** What the program is given from outside. */
export interface WasiOutside {
  /** Its arguments, its own name first. */
  readonly args: readonly string[];
  /** Whether it asks for input without waiting, and then waits for it with `poll_oneoff`. */
  readonly isNonBlocking: boolean;
  /** When it was started, in milliseconds since 1970, while the time of day is right. */
  readonly epochMs: number;
  /** Milliseconds since it was started. */
  now(): number;
  /** How far the time of day is ahead of what these two say, in milliseconds. */
  jumpMs(): number;
  /** Adds to what it takes at present: nothing of it happens before that is over. */
  spend(ms: number): void;
  /** A number from 0 up to 1. */
  random(): number;
  /** The disk that its files are on, if they are to outlive it. */
  readonly disk?: SimulatedDisk | undefined;
  /** Calls `callback` once, by its clock; returns a function that cancels. */
  schedule(delayMs: number, callback: () => void): () => void;
  /** The same by the world's time, in which disks work. */
  scheduleWorld(delayMs: number, callback: () => void): () => void;
  /** Whether there is input. */
  hasInput(): boolean;
  /** The next bytes of standard input, if there are any. */
  takeInput(): Uint8Array;
  /** Takes bytes for standard output (1) or error (2). */
  write(fd: 1 | 2, bytes: Uint8Array): void;
  /** Ends the program. */
  exit(code: number): void;
}

/** The environment: nothing of the machine's. */
const ENVIRONMENT = "EDDY_OBSERVE=1 HOME=/ LANG=C.UTF-8 PWD=/ TMPDIR=/tmp TZ=UTC".split(" ");

/** How often a program may ask without waiting, until that takes time. */
const FREE_QUESTIONS = 20;

/** How often it may read the clock without waiting, until that takes time, and how much. */
const FREE_CLOCK_READS = 1000;
const CLOCK_READ_MS = 0.001;

/** What clocks but that of the day show at the start; Go takes a zero for a broken clock. */
const UPTIME_NS = 10n ** 9n;

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;

/** The functions that make a program wait; what they return is to be awaited. */
export const WAITING: readonly string[] = ["fd_read", "poll_oneoff", "sched_yield"];

/** Those that do so, too, where files are on a disk. */
export const SYNCING: readonly string[] = ["fd_sync", "fd_datasync", "fd_write", "fd_pwrite"];

/** What a program waits for. */
interface Subscription {
  readonly userdata: bigint;
  readonly type: number;
  /** For a clock: milliseconds from the call on. */
  readonly delayMs: number;
  /** For a file: its number. */
  readonly fd: number;
}

/** The functions of WASI for one process. */
export class Wasi {
  /** By name. */
  readonly functions: Record<string, WasiFunction>;
  readonly #outside: WasiOutside;
  readonly #folder: PrivateFolder;
  readonly #encoder = new TextEncoder();
  #memory = new WebAssembly.Memory({ initial: 0 });
  /** What of the input it has taken, but not been given yet. */
  #input: Uint8Array = new Uint8Array();
  #isNonBlocking: boolean;
  /** Ends the present wait for input. */
  #wake: (() => void) | undefined;
  /** Cancels the end of the present wait. */
  #cancel = () => {};
  /** Ends it with an error. */
  #leave: (error: unknown) => void = () => {};
  #isEnded = false;
  #questions = 0;
  #clockReads = 0;
  /** How far its clock is ahead of the world's. */
  #aheadMs = 0;
  #lastMs = 0;

  constructor(outside: WasiOutside) {
    this.#outside = outside;
    this.#isNonBlocking = outside.isNonBlocking;
    this.#folder = new PrivateFolder(outside.disk, (ms) => this.#sleep(ms));
    const files = this.#folder.functions;
    const own: Record<string, WasiFunction> = {
      args_sizes_get: (...to: [number, number]) => this.#sizes(outside.args, ...to),
      args_get: (...to: [number, number]) => this.#texts(outside.args, ...to),
      environ_sizes_get: (...to: [number, number]) => this.#sizes(ENVIRONMENT, ...to),
      environ_get: (...to: [number, number]) => this.#texts(ENVIRONMENT, ...to),
      clock_res_get: (_id: number, to: number) => this.#setTime(to, 1n),
      clock_time_get: (id: number, _precision: bigint, to: number) =>
        this.#setTime(to, this.#time(id)),
      random_get: (to: number, length: number) => this.#random(to, length),
      fd_read: (fd: number, ...to: [number, number, number]) =>
        fd === 0 ? this.#readInput(...to) : call(files, "fd_read", fd, ...to),
      fd_write: (fd: number, ...from: [number, number, number]) =>
        fd === 1 || fd === 2 ? this.#write(fd, ...from) : call(files, "fd_write", fd, ...from),
      fd_fdstat_get: (fd: number, to: number) =>
        isStandard(fd) ? this.#streamState(fd, to) : call(files, "fd_fdstat_get", fd, to),
      fd_fdstat_set_flags: (fd: number, flags: number) =>
        isStandard(fd) ? this.#setFlags(fd, flags) : call(files, "fd_fdstat_set_flags", fd, flags),
      fd_close: (fd: number) => isStandard(fd) ? wasi.ERRNO_SUCCESS : call(files, "fd_close", fd),
      fd_filestat_get: (fd: number, to: number) =>
        isStandard(fd) ? this.#streamFile(to) : call(files, "fd_filestat_get", fd, to),
      poll_oneoff: (...args: [number, number, number, number]) => this.#poll(...args),
      sched_yield: () => this.#question() ?? wasi.ERRNO_SUCCESS,
      proc_exit: (code: number) => this.#exit(code & 0xff),
      proc_raise: (signal: number) => this.#exit(128 + (signal & 0x7f)),
    };
    for (const name of ["sock_accept", "sock_recv", "sock_send", "sock_shutdown"]) {
      own[name] = () => wasi.ERRNO_NOTSUP;
    }
    const others = Object.entries(files).map(([name, run]) => [name, notForStreams(run)] as const);
    this.functions = { ...Object.fromEntries(others), ...own };
    for (const [name, run] of Object.entries(this.functions)) {
      this.functions[name] = this.#guarded(run);
    }
  }

  /** Sets the program's memory, before it calls anything. */
  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
    this.#folder.attach(memory);
  }

  /** There is input: ends a wait for it. */
  onInput(): void {
    this.#wake?.();
  }

  /**
   * The program has ended: where it waits, or calls anything, it is left by an error. A program that
   * waits for ever would keep its memory for ever.
   */
  end(): void {
    this.#isEnded = true;
    this.#cancel();
    this.#wake = undefined;
    this.#leave(ENDED);
  }

  /** A function that ends in an error number, or, after the program's end, in an error. */
  #guarded(run: WasiFunction): WasiFunction {
    return (...args) => {
      if (this.#isEnded) throw ENDED;
      try {
        const result = run(...args);
        return result instanceof Promise ? result.catch(faultOf) : result;
      } catch (error) {
        return faultOf(error);
      }
    };
  }

  #exit(code: number): never {
    this.#outside.exit(code);
    throw ENDED;
  }

  get #view(): DataView {
    return new DataView(this.#memory.buffer);
  }

  #bytes(from: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, from, length);
  }

  #sizes(texts: readonly string[], countTo: number, bytesTo: number): number {
    const bytes = texts.reduce((sum, text) => sum + this.#encoder.encode(text).length + 1, 0);
    this.#view.setUint32(countTo, texts.length, true);
    this.#view.setUint32(bytesTo, bytes, true);
    return wasi.ERRNO_SUCCESS;
  }

  #texts(texts: readonly string[], pointersTo: number, bytesTo: number): number {
    let to = bytesTo;
    texts.forEach((text, i) => {
      const bytes = this.#encoder.encode(`${text}\0`);
      this.#view.setUint32(pointersTo + 4 * i, to, true);
      this.#bytes(to, bytes.length).set(bytes);
      to += bytes.length;
    });
    return wasi.ERRNO_SUCCESS;
  }

  /** Milliseconds since the start. A program that does nothing but read its clock moves it on. */
  #now(): number {
    if (++this.#clockReads > FREE_CLOCK_READS) {
      this.#aheadMs += CLOCK_READ_MS;
      this.#outside.spend(CLOCK_READ_MS);
    }
    this.#lastMs = Math.max(this.#lastMs, this.#outside.now() + this.#aheadMs);
    return this.#lastMs;
  }

  #time(clock: number): bigint {
    const sinceStart = BigInt(Math.round(this.#now() * 1e6));
    if (clock !== wasi.CLOCKID_REALTIME) return UPTIME_NS + sinceStart;
    const { epochMs } = this.#outside;
    return sinceStart + BigInt(Math.round((epochMs + this.#outside.jumpMs()) * 1e3)) * 1000n;
  }

  #setTime(to: number, time: bigint): number {
    this.#view.setBigUint64(to, time, true);
    return wasi.ERRNO_SUCCESS;
  }

  #random(to: number, length: number): number {
    const bytes = this.#bytes(to, length);
    for (let i = 0; i < length; i++) bytes[i] = Math.floor(this.#outside.random() * 256);
    return wasi.ERRNO_SUCCESS;
  }

  #hasInput(): boolean {
    return this.#input.length > 0 || this.#outside.hasInput();
  }

  #readInput(iovecs: number, count: number, to: number): number | Promise<number> {
    if (this.#hasInput()) return this.#copyInput(iovecs, count, to);
    if (this.#isNonBlocking) return this.#question(wasi.ERRNO_AGAIN) ?? wasi.ERRNO_AGAIN;
    return this.#wait(Infinity).then(() => this.#copyInput(iovecs, count, to));
  }

  #copyInput(iovecs: number, count: number, to: number): number {
    if (this.#input.length === 0) this.#input = this.#outside.takeInput();
    const view = this.#view;
    let total = 0;
    for (let i = 0; i < count && this.#input.length > 0; i++) {
      const at = iovecs + 8 * i;
      const size = Math.min(view.getUint32(at + 4, true), this.#input.length);
      this.#bytes(view.getUint32(at, true), size).set(this.#input.subarray(0, size));
      this.#input = this.#input.subarray(size);
      total += size;
    }
    view.setUint32(to, total, true);
    return wasi.ERRNO_SUCCESS;
  }

  #write(fd: 1 | 2, iovecs: number, count: number, to: number): number {
    const view = this.#view;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const at = iovecs + 8 * i;
      const bytes = this.#bytes(view.getUint32(at, true), view.getUint32(at + 4, true));
      this.#outside.write(fd, bytes);
      total += bytes.length;
    }
    view.setUint32(to, total, true);
    return wasi.ERRNO_SUCCESS;
  }

  #streamState(fd: number, to: number): number {
    const isNonBlocking = fd === 0 && this.#isNonBlocking;
    // A stream that is no terminal, of which Go does not look at what it may.
    const state = new wasi.Fdstat(wasi.FILETYPE_UNKNOWN, isNonBlocking ? NONBLOCK : 0);
    state.fs_rights_base = BigInt(
      wasi.RIGHTS_POLL_FD_READWRITE | (fd === 0 ? wasi.RIGHTS_FD_READ : wasi.RIGHTS_FD_WRITE),
    );
    state.write_bytes(this.#view, to);
    return wasi.ERRNO_SUCCESS;
  }

  #streamFile(to: number): number {
    new wasi.Filestat(0n, wasi.FILETYPE_UNKNOWN, 0n).write_bytes(this.#view, to);
    return wasi.ERRNO_SUCCESS;
  }

  #setFlags(fd: number, flags: number): number {
    if (fd === 0) this.#isNonBlocking = (flags & NONBLOCK) !== 0;
    return wasi.ERRNO_SUCCESS;
  }

  #poll(from: number, to: number, count: number, countTo: number): number | Promise<number> {
    if (count === 0) return wasi.ERRNO_INVAL;
    const subscriptions = Array.from(
      { length: this.#checked(from, count) },
      (_, i) => this.#subscription(from + SUBSCRIPTION_BYTES * i),
    );
    const answer = (elapsedMs: number) => {
      const ready = subscriptions.filter((each) => this.#isReady(each, elapsedMs));
      ready.forEach((each, i) => this.#setEvent(to + EVENT_BYTES * i, each));
      this.#view.setUint32(countTo, ready.length, true);
      return wasi.ERRNO_SUCCESS;
    };
    if (subscriptions.some((each) => this.#isReady(each, 0))) {
      return this.#question()?.then(() => answer(0)) ?? answer(0);
    }
    const delayMs = Math.min(...subscriptions.map((each) => each.delayMs));
    return this.#wait(delayMs).then((timedOut) => answer(timedOut ? delayMs : 0));
  }

  /** How many subscriptions there are, if all of them are in memory. */
  #checked(from: number, count: number): number {
    this.#bytes(from, SUBSCRIPTION_BYTES * (count >>> 0));
    return count >>> 0;
  }

  #subscription(at: number): Subscription {
    const view = this.#view;
    const userdata = view.getBigUint64(at, true);
    const type = view.getUint8(at + 8);
    if (type !== wasi.EVENTTYPE_CLOCK) {
      return { userdata, type, delayMs: Infinity, fd: view.getUint32(at + 16, true) };
    }
    const time = view.getBigUint64(at + 24, true);
    const isAbsolute = (view.getUint16(at + 40, true) & ABSOLUTE) !== 0;
    const delay = isAbsolute ? time - this.#time(view.getUint32(at + 16, true)) : time;
    return { userdata, type, delayMs: Math.max(0, Number(delay) / 1e6), fd: -1 };
  }

  #isReady({ type, delayMs, fd }: Subscription, elapsedMs: number): boolean {
    if (type === wasi.EVENTTYPE_CLOCK) return delayMs <= elapsedMs;
    return fd !== 0 || type !== wasi.EVENTTYPE_FD_READ || this.#hasInput();
  }

  #setEvent(at: number, { userdata, type, fd }: Subscription): void {
    this.#bytes(at, EVENT_BYTES).fill(0);
    const view = this.#view;
    view.setBigUint64(at, userdata, true);
    const isBad = type !== wasi.EVENTTYPE_CLOCK && !this.#folder.has(fd);
    view.setUint16(at + 8, isBad ? wasi.ERRNO_BADF : wasi.ERRNO_SUCCESS, true);
    view.setUint8(at + 10, type);
    if (type !== wasi.EVENTTYPE_CLOCK) view.setBigUint64(at + 16, 1n, true);
  }

  /** Waits for input, and so long at most; resolves to whether that was over first. */
  #wait(delayMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#leave = reject;
      const end = (timedOut: boolean) => {
        this.#wake = undefined;
        this.#questions = 0;
        this.#clockReads = 0;
        this.#aheadMs = 0;
        resolve(timedOut);
      };
      this.#cancel = this.#outside.schedule(delayMs, () => end(true));
      this.#wake = () => {
        this.#cancel();
        end(false);
      };
    });
  }

  /** Lets time pass, whatever comes meanwhile. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#leave = reject;
      this.#cancel = this.#outside.scheduleWorld(ms, resolve);
    });
  }

  /** Counts a call that does not wait; one in some takes time, so that time cannot stand still. */
  #question(answer: number = wasi.ERRNO_SUCCESS): Promise<number> | undefined {
    if (++this.#questions <= FREE_QUESTIONS) return undefined;
    return this.#wait(0).then(() => answer);
  }
}

/** Thrown to leave a program that has ended where it stands. */
const ENDED = Symbol("ended");

const NONBLOCK = wasi.FDFLAGS_NONBLOCK;
const ABSOLUTE = wasi.SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME;

function isStandard(fd: number): boolean {
  return fd === 0 || fd === 1 || fd === 2;
}

function call(
  functions: Record<string, WasiFunction>,
  name: string,
  ...args: number[]
): number | Promise<number> {
  return functions[name]?.(...args as never[]) ?? wasi.ERRNO_NOSYS;
}

/** A function about files, for which standard input, output and error are none. */
function notForStreams(run: WasiFunction): WasiFunction {
  return (...args: [fd: never, ...rest: never[]]) =>
    isStandard(args[0]) ? wasi.ERRNO_SPIPE : run(...args);
}

/** A pointer out of the program's memory is an error of the call. */
function faultOf(error: unknown): number {
  if (error instanceof RangeError) return wasi.ERRNO_FAULT;
  throw error;
}
