import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Disks, type Loss, LOSSES, type SimulatedDisk } from "./disk.ts";
import { VirtualClock } from "./virtual_clock.ts";
import { Wasi } from "./wasi.ts";
import { createVirtualWorld } from "./world.ts";

const [BADF, AGAIN, FAULT, IO, NOSPC] = [8, 6, 21, 29, 51];

/** A process with a memory of its own, which a test writes to and reads from. */
class Process {
  readonly clock = new VirtualClock();
  readonly memory = new WebAssembly.Memory({ initial: 2, maximum: 2048 });
  readonly wasi: Wasi;
  readonly written: string[] = [];
  exitCode: number | undefined;
  input = "";
  spentMs = 0;
  jumpMs = 0;

  constructor(isNonBlocking = false, disk?: SimulatedDisk) {
    this.wasi = new Wasi({
      args: ["node.wasm", "größe"],
      isNonBlocking,
      epochMs: 1_000_000,
      now: () => this.clock.now(),
      jumpMs: () => this.jumpMs,
      spend: (ms) => void (this.spentMs += ms),
      random: () => 0.5,
      disk,
      schedule: (delayMs, callback) => this.clock.schedule(delayMs, callback),
      scheduleWorld: (delayMs, callback) => this.clock.schedule(delayMs, callback),
      hasInput: () => this.input !== "",
      takeInput: () => {
        const bytes = new TextEncoder().encode(this.input);
        this.input = "";
        return bytes;
      },
      write: (fd, bytes) => void this.written.push(`${fd} ${new TextDecoder().decode(bytes)}`),
      exit: (code) => {
        this.exitCode = code;
        this.wasi.end();
      },
    });
    this.wasi.attach(this.memory);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  call(name: string, ...args: (number | bigint)[]): number | Promise<number> {
    const run = this.wasi.functions[name];
    assert(run !== undefined, name);
    return run(...args as never[]);
  }

  put(at: number, text: string): number {
    const bytes = new TextEncoder().encode(text);
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return bytes.length;
  }

  text(at: number, length: number): string {
    return new TextDecoder().decode(new Uint8Array(this.memory.buffer, at, length));
  }

  /** An iovec at 0 of `length` bytes at `at`, with its count at 8. */
  read(fd: number, length: number, at = 1024): number | Promise<number> {
    this.view.setUint32(0, at, true);
    this.view.setUint32(4, length, true);
    return this.call("fd_read", fd, 0, 1, 8);
  }

  write(fd: number, text: string): number | Promise<number> {
    this.view.setUint32(0, 1024, true);
    this.view.setUint32(4, this.put(1024, text), true);
    return this.call("fd_write", fd, 0, 1, 8);
  }

  get count(): number {
    return this.view.getUint32(8, true);
  }

  /** Sets the i-th subscription at 2048: to a clock in so many ms, or to input. */
  subscribe(i: number, what: number | "input"): void {
    const at = 2048 + 48 * i;
    this.view.setBigUint64(at, BigInt(100 + i), true);
    this.view.setUint8(at + 8, what === "input" ? 1 : 0);
    this.view.setUint32(at + 16, what === "input" ? 0 : 1, true);
    if (what !== "input") this.view.setBigUint64(at + 24, BigInt(what * 1e6), true);
  }

  poll(count: number): number | Promise<number> {
    return this.call("poll_oneoff", 2048, 4096, count, 8);
  }

  /** The user data of the events of the last poll. */
  get events(): number[] {
    return Array.from(
      { length: this.count },
      (_, i) => Number(this.view.getBigUint64(4096 + 32 * i, true)),
    );
  }

  open(path: string): number | Promise<number> {
    const [create, all] = [1, 2n ** 30n - 1n];
    const length = this.put(512, path);
    return this.call("path_open", 3, 0, 512, length, create, all, all, 0, 16);
  }

  now(clock: number): bigint {
    assertEquals(this.call("clock_time_get", clock, 1n, 64), 0);
    return this.view.getBigUint64(64, true);
  }
}

/** Whether a promise is still open when all that can happen at once has happened. */
async function isOpen(promise: number | Promise<number>): Promise<boolean> {
  const turn = new Promise<"open">((resolve) => setTimeout(() => resolve("open"), 0));
  return await Promise.race([promise, turn]) === "open";
}

Deno.test("a read waits for input, and gives as much of it as fits", async () => {
  const process = new Process();
  const reading = process.read(0, 5);
  assert(await isOpen(reading));
  process.input = "one line\n";
  process.wasi.onInput();
  assertEquals([await reading, process.count, process.text(1024, 5)], [0, 5, "one l"]);
  assertEquals([process.read(0, 99), process.count, process.text(1024, 4)], [0, 4, "ine\n"]);
});

Deno.test("a Go program is told that there is no input, and is woken by a poll", async () => {
  const process = new Process(true);
  process.call("fd_fdstat_get", 0, 64);
  assertEquals(process.view.getUint16(66, true), 4, "non-blocking");
  assertEquals(process.read(0, 99), AGAIN);
  process.subscribe(0, 50);
  process.subscribe(1, "input");
  let polling = process.poll(2);
  assert(await isOpen(polling));
  process.input = "x\n";
  process.wasi.onInput();
  assertEquals([await polling, process.events], [0, [101]]);
  assertEquals([process.read(0, 99), process.count], [0, 2]);
  polling = process.poll(2);
  while (process.clock.step());
  assertEquals([await polling, process.events, process.clock.now()], [0, [100], 50]);
});

Deno.test("a poll whose time is over returns at once, and takes time when it does so often", async () => {
  const process = new Process();
  process.subscribe(0, 0);
  process.subscribe(1, 10);
  for (let i = 0; i < 20; i++) assertEquals([process.poll(2), process.events], [0, [100]]);
  const polling = process.poll(2);
  assert(await isOpen(polling));
  process.clock.step();
  assertEquals([await polling, process.events, process.clock.now()], [0, [100], 0]);
  assertEquals(process.poll(0), 28, "no subscription is an error");
});

Deno.test("the clock is the world's, and moves on where a program only reads it", () => {
  const process = new Process();
  assert(process.now(1) > 0n, "Go takes a zero for a broken clock");
  process.clock.schedule(2.5, () => {});
  process.clock.step();
  assertEquals([process.now(0), process.now(1)], [1_000_002_500_000n, 1_002_500_000n]);
  process.jumpMs = -1000;
  assertEquals([process.now(0), process.now(1)], [999_002_500_000n, 1_002_500_000n]);
  let reads = 5;
  while (process.now(1) < 1_003_500_000n) reads++;
  assert(reads > 1500 && reads < 2500, `${reads} reads`);
  assert(process.spentMs > 0.99 && process.spentMs < 1.01, `${process.spentMs} ms`);
});

Deno.test("arguments are UTF-8, the environment is small, and chance is the world's", () => {
  const process = new Process();
  assertEquals(process.call("args_sizes_get", 0, 4), 0);
  assertEquals([process.view.getUint32(0, true), process.view.getUint32(4, true)], [2, 18]);
  assertEquals(process.call("args_get", 0, 1024), 0);
  assertEquals(process.text(process.view.getUint32(4, true), 8), "größe\0");
  process.call("environ_sizes_get", 0, 4);
  process.call("environ_get", 64, 1024);
  const names = process.text(1024, process.view.getUint32(4, true)).split("\0");
  assert(
    names.includes("TZ=UTC") && names.includes("EDDY_OBSERVE=1") &&
      !names.some((name) => name.startsWith("PATH")),
  );
  process.call("random_get", 0, 3);
  assertEquals(process.text(0, 3).charCodeAt(0), 0xfffd, "0x80 is no character");
});

Deno.test("files are in a folder of the process's own, and bounded", () => {
  const [one, two] = [new Process(), new Process()];
  assertEquals([one.open("tmp/log"), one.view.getUint32(16, true)], [0, 4]);
  for (let i = 0; i < 1000; i++) assertEquals(one.write(4, `line ${i}\n`), 0);
  assertEquals(one.call("fd_seek", 4, 0n, 0, 64), 0);
  assertEquals([one.read(4, 9000), one.text(1024, 14)], [0, "line 0\nline 1\n"]);
  assertEquals(one.count, 8890);
  const missing = two.call("path_open", 3, 0, 512, two.put(512, "tmp/log"), 0, 0n, 0n, 0, 16);
  assertEquals(missing, 44, "another process has another folder");
  assertEquals(two.open("x"), 0);
  assertEquals(one.call("fd_filestat_set_size", 4, 2n ** 40n), NOSPC);
  assertEquals(one.call("fd_allocate", 4, 0n, 2n ** 27n), NOSPC);
  one.call("fd_seek", 4, 2n ** 30n, 0, 64);
  assertEquals(one.write(4, "far"), NOSPC);
  assertEquals(one.write(9, "x"), BADF);
  assertEquals([one.write(1, "out"), one.write(2, "log"), one.written], [
    0,
    0,
    ["1 out", "2 log"],
  ]);
});

/** A disk, and processes on it, one after the other. */
function diskProcesses(seed = 1) {
  const world = createVirtualWorld(seed);
  const disk = new Disks(world).of("n1");
  const sync = async (process: Process, fd: number): Promise<number> => {
    const answer = process.call("fd_sync", fd);
    while (process.clock.step());
    return await answer;
  };
  return { disk, begin: () => new Process(false, disk), sync };
}

/** What a file has in it; undefined if there is none. */
function contentOf(process: Process, name: string): string | undefined {
  const length = process.put(512, name);
  if (process.call("path_open", 3, 0, 512, length, 0, 0n, 0n, 0, 16) !== 0) return undefined;
  process.read(process.view.getUint32(16, true), 4096);
  return process.text(1024, process.count);
}

Deno.test("files on a disk outlive the process, as far as they were synced", async () => {
  const { disk, begin, sync } = diskProcesses();
  const first = begin();
  first.open("log");
  first.write(4, "one ");
  first.write(4, "two ");
  assertEquals(await sync(first, 4), 0);
  assert(first.clock.now() > 0, "a sync takes time");
  first.write(4, "three ");
  first.open("other");
  first.write(5, "unsynced");
  first.wasi.end();
  disk.crash("kill");
  const second = begin();
  assertEquals([contentOf(second, "log"), contentOf(second, "other")], ["one two ", undefined]);
  // Cut, written in the middle, renamed, and synced by the folder.
  second.open("log");
  second.call("fd_filestat_set_size", 5, 4n);
  second.view.setUint32(4, second.put(1024, "ON"), true);
  assertEquals(second.call("fd_pwrite", 5, 0, 1, 0n, 8), 0);
  assertEquals(await sync(second, 5), 0);
  second.put(512, "logmoved");
  assertEquals(second.call("path_rename", 3, 512, 3, 3, 515, 5), 0);
  assertEquals(await sync(second, 3), 0);
  disk.crash("kill");
  const third = begin();
  assertEquals([contentOf(third, "moved"), contentOf(third, "log")], ["ONe ", undefined]);
  assertEquals(await third.call("fd_sync", 99), BADF);
});

Deno.test("a file that is open to be synced at each write needs no sync", async () => {
  const { disk, begin } = diskProcesses();
  const process = begin();
  const dsync = 2;
  process.call("path_open", 3, 0, 512, process.put(512, "log"), 1, 0n, 0n, dsync, 16);
  const written = process.write(4, "one");
  while (process.clock.step());
  assertEquals(await written, 0);
  disk.crash("kill");
  assertEquals(contentOf(begin(), "log"), "one");
});

Deno.test("over seeds a crash leaves files as a disk may, and what was synced always", async () => {
  const left = new Map<Loss, Set<string>>();
  for (const loss of LOSSES) {
    const seen = new Set<string>();
    left.set(loss, seen);
    for (let seed = 0; seed < 100; seed++) {
      const { disk, begin, sync } = diskProcesses(seed);
      const process = begin();
      process.open("log");
      process.write(4, "synced ");
      await sync(process, 4);
      process.write(4, "ab");
      process.write(4, "cd");
      process.open("new");
      process.write(5, "x");
      disk.crash(loss);
      const next = begin();
      seen.add(`${contentOf(next, "log")}${contentOf(next, "new") ?? "-"}`);
    }
  }
  const logs = ["synced ", "synced ab", "synced abcd"];
  assertEquals(left.get("kill"), new Set(["synced -"]));
  const all = logs.flatMap((log) => ["-", "", "x"].map((other) => log + other));
  assertEquals(left.get("disk-lose"), new Set(all));
  const torn = ["synced ", "synced a", "synced ab", "synced abc"];
  assertEquals(
    left.get("disk-torn"),
    new Set(torn.flatMap((log) => ["-", ""].map((other) => log + other))),
  );
});

Deno.test("a sync that fails says why, and what it covered is not made durable by another", async () => {
  const seen = new Set<string | undefined>();
  for (let seed = 0; seed < 50; seed++) {
    const { disk, begin, sync } = diskProcesses(seed);
    const process = begin();
    process.open("log");
    await sync(process, 4);
    process.write(4, "one");
    const heal = disk.fail({ fault: seed % 2 === 0 ? "disk-full" : "disk-eio", onStop: () => {} });
    assertEquals(await sync(process, 4), seed % 2 === 0 ? NOSPC : IO);
    assert(disk.failed !== undefined);
    heal();
    assertEquals(await sync(process, 4), 0);
    disk.crash("kill");
    seen.add(contentOf(begin(), "log"));
  }
  assertEquals(seen, new Set(["", "one"]));
});

Deno.test("the numbers of files do not depend on other processes", () => {
  const inode = (process: Process) => {
    process.open("file");
    process.call("fd_filestat_get", process.view.getUint32(16, true), 64);
    return process.view.getBigUint64(72, true);
  };
  const [one, two] = [new Process(), new Process()];
  assertEquals(inode(one), inode(two));
});

Deno.test("pointers out of memory are errors of the call", async () => {
  const process = new Process();
  assertEquals(process.call("fd_write", 1, -16, 1, 0), FAULT);
  assertEquals(process.call("random_get", 100, -1), FAULT);
  assertEquals(process.call("poll_oneoff", 0, 0, -1, 0), FAULT);
  assertEquals(
    process.call("path_open", 3, 0, 512, process.put(512, "x"), 1, 0n, 0n, 0, -4),
    FAULT,
  );
  const reading = process.call("fd_read", 0, -8, 1, 0);
  process.input = "x";
  process.wasi.onInput();
  assertEquals(await reading, FAULT);
});

Deno.test("a program that has ended is left where it waits and where it calls", async () => {
  const process = new Process();
  const reading = process.read(0, 9) as Promise<number>;
  process.wasi.end();
  await assertRejects(() => reading.catch((error) => Promise.reject(Error(String(error)))), Error);
  const other = new Process();
  other.subscribe(0, 1000);
  const polling = other.poll(1) as Promise<number>;
  polling.catch(() => {});
  const exit = () => {
    try {
      other.call("proc_exit", 258);
    } catch (error) {
      throw Error(String(error));
    }
  };
  assertThrows(exit, Error, "Symbol(ended)");
  assertEquals([other.exitCode, other.clock.size], [2, 0]);
  assertThrows(exit, Error, "Symbol(ended)");
});

Deno.test("all functions of WASI preview 1 are there", () => {
  assertEquals(Object.keys(new Process().wasi.functions).length, 46);
});
