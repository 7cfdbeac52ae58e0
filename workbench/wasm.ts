/**
 * Nodes that are programs in WebAssembly for WASI preview 1, each with a memory of its own in this
 * process: under virtual time, unchanged, and reproducible.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { Cluster, type ClusterOptions, type LaunchContext } from "./cluster.ts";
import type { SimulatedDisk } from "./disk.ts";
import type { RunOptions } from "./options.ts";
import { EPOCH_MS, type ProgramOptions, ProgramProcess } from "./program_process.ts";
import { Activities, type RunHooks, runIn, type RunResult } from "./run.ts";
import { SYNCING, WAITING, Wasi } from "./wasi.ts";
import { WASI_MODULE, type WasmProgram } from "./wasm_program.ts";
import { createVirtualWorld } from "./world.ts";

/** Settings of {@linkcode createWasmCluster}. */
export interface WasmOptions extends ProgramOptions {
  readonly program: WasmProgram;
  /** Called with the bytes of memory that a node has, from time to time and at its end. */
  readonly onMemory: (bytes: number) => void;
}

/** A cluster of programs under the world's clock. */
export function createWasmCluster(options: WasmOptions): Cluster {
  return new Cluster(options, (context) => new WasmInstance(context, options).process);
}

/** Runs a workload against a program in this process, under virtual time. */
export async function runInWasm(
  program: WasmProgram,
  args: readonly string[],
  options: RunOptions,
  hooks: RunHooks,
): Promise<RunResult> {
  const { seed, latency } = options;
  const world = createVirtualWorld(seed, { latency, links: hooks.plan?.links });
  let peakMemoryBytes = 0;
  const onMemory = (bytes: number) => {
    peakMemoryBytes = Math.max(peakMemoryBytes, bytes);
  };
  const make = (cluster: ClusterOptions) =>
    createWasmCluster({ ...cluster, program, args, onMemory });
  const result = await runIn(world, make, options, hooks, { watchers: [new Activities(seed)] });
  return { ...result, peakMemoryBytes };
}

/** The exit code of a program that did what cannot be done, as of one that the system ends. */
const TRAP_CODE = 134;

/** A program's memory and functions. */
class WasmInstance {
  readonly process: ProgramProcess;
  readonly #program: WasmProgram;
  readonly #wasi: Wasi;
  readonly #disk: SimulatedDisk | undefined;
  readonly #onMemory: (bytes: number) => void;
  #memory: WebAssembly.Memory | undefined;

  constructor(context: LaunchContext, { program, args, compute, onMemory }: WasmOptions) {
    const process = this.process = new ProgramProcess(context, {
      onInput: () => this.#wasi.onInput(),
      onError: (error) => this.#fail(error),
      onEnd: () => this.#wasi.end(),
    }, compute);
    this.#program = program;
    this.#disk = context.disk;
    this.#onMemory = onMemory;
    this.#wasi = new Wasi({
      args: [nameOf(program.path), ...args],
      isNonBlocking: program.isGo,
      epochMs: EPOCH_MS + process.startMs,
      now: () => process.now(),
      jumpMs: () => process.clock.jumpMs,
      spend: (ms) => process.clock.spend(ms),
      random: () => process.random.next(),
      disk: context.disk,
      schedule: (delayMs, callback) => {
        this.#noteMemory();
        return process.clock.schedule(delayMs, callback);
      },
      scheduleWorld: process.clock.world.schedule,
      hasInput: () => process.hasInput,
      takeInput: () => process.takeInput(),
      write: (fd, bytes) => process.write(fd, bytes),
      exit: (code) => this.#end(code),
    });
    process.clock.schedule(0, () => this.#start());
  }

  #start(): void {
    const functions: WebAssembly.ModuleImports = { ...this.#wasi.functions };
    for (const name of this.#disk === undefined ? WAITING : [...WAITING, ...SYNCING]) {
      functions[name] = new Suspending(this.#wasi.functions[name]);
    }
    const { exports } = new WebAssembly.Instance(this.#program.module, {
      [WASI_MODULE]: functions,
    });
    this.#memory = exports.memory as WebAssembly.Memory;
    this.#wasi.attach(this.#memory);
    promising(exports._start)().then(() => this.#end(0), (error) => this.#fail(error));
  }

  #noteMemory(): void {
    if (this.#memory !== undefined) this.#onMemory(this.#memory.buffer.byteLength);
  }

  #end(code: number): void {
    this.#noteMemory();
    this.process.end(code);
  }

  /** Ends the program as the system ends one that did what cannot be done. */
  #fail(error: unknown): void {
    if (this.process.isDead) return;
    this.process.write(2, `error: ${describeTrap(error, this.#program)}\n`);
    this.#end(TRAP_CODE);
  }
}

/** What went wrong, and the program's functions that led there, with the places in its file. */
function describeTrap(error: unknown, { path, addedBytes }: WasmProgram): string {
  const stack = error instanceof Error ? error.stack ?? "" : "";
  const frames = stack.split("\n").filter((line) => PLACE.test(line)).map((line) =>
    line.replace(PLACE, (_, offset) => {
      return `${nameOf(path)}:0x${(parseInt(offset, 16) - addedBytes).toString(16)}`;
    })
  );
  return [`The program trapped: ${errorText(error)}`, ...frames].join("\n");
}

/** A place in a module. */
const PLACE = /wasm:\/\/.*:wasm-function\[\d+\]:0x([0-9a-f]+)/;

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The part of WebAssembly that lets a program wait; the types of it are not there yet. */
interface Suspension {
  readonly Suspending: new (call: unknown) => WebAssembly.ImportValue;
  readonly promising: (call: unknown) => () => Promise<void>;
}

const { Suspending, promising } = WebAssembly as unknown as Suspension;
