/**
 * Nodes that are programs, in any language, started as Maelstrom starts them.
 *
 * @module
 */

import { join } from "@std/path/join";
import { type Clock, errorText } from "@eddy/maelstrom";
import { quote } from "@eddy/maelstrom/message";
import { Cluster, type ClusterOptions, type Incarnation, type LaunchContext } from "./cluster.ts";
import { LineSplitter } from "./line_splitter.ts";
import type { Packet } from "./network.ts";
import { RecentLines } from "./protocol.ts";

/** Settings of {@linkcode createProcessCluster}. */
export interface ProcessOptions extends ClusterOptions {
  /** The program: a path, which is not looked up anywhere. */
  readonly bin: string;
  /**
   * What every node is started with.
   *
   * @default none
   */
  readonly args?: readonly string[];
}

/** How long a killed process may take to end. */
const KILL_TIMEOUT_MS = 5000;

/** How long the last lines of a dead process may take to arrive. */
const LAST_LINES_MS = 200;

/**
 * A cluster of child processes, under real time.
 *
 * As under Maelstrom, symbolic links to the program are resolved, the working directory is one for
 * temporary files, the environment is inherited, and SIGKILL ends a node. Unlike there, the directory
 * is the run's own and is removed at its end, so that no run finds files of another; and each node is
 * a process group: faults and the end reach what the program has started, too.
 *
 * Needs the permissions to run any program, without which a group cannot be signalled, and to write
 * temporary files.
 *
 * @param launch starts one node
 * @throws {Error} if there is no such program.
 */
export function createProcessCluster(
  options: ProcessOptions,
  launch: (context: LaunchContext, start: Start) => Incarnation = (context, start) =>
    new ChildIncarnation(context, start),
): Cluster {
  const { bin, args = [], holdUntilInit = true } = options;
  const path = findProgram(bin);
  const id = crypto.randomUUID();
  let folder: string | undefined;
  const launchIn = (context: LaunchContext) => {
    folder ??= makeFolder();
    return launch(context, { path, args, id, folder });
  };
  const removeFolder = async () => {
    // A process that has left its group may still write there: then it stays.
    if (folder !== undefined) await Deno.remove(folder, { recursive: true }).catch(() => {});
  };
  return new Cluster({ ...options, holdUntilInit, realClocks: true }, launchIn, removeFolder);
}

/** What all starts of a run's nodes have in common. */
export interface Start {
  /** The program, links resolved. */
  readonly path: string;
  readonly args: readonly string[];
  /** Another for each run, so that a node takes no other run's data for its own. */
  readonly id: string;
  /** The working directory. */
  readonly folder: string;
}

function makeFolder(): string {
  try {
    return Deno.makeTempDirSync({ prefix: "eddy-run-" });
  } catch (cause) {
    throw new Error(`Cannot make a folder for the nodes: ${errorText(cause)}`, { cause });
  }
}

/**
 * Where a program is, links resolved.
 *
 * @throws {Error} if there is no such file, or it cannot be executed.
 */
export function findProgram(bin: string): string {
  const { path, mode } = findFile(bin);
  if (mode === null || (mode & 0o111) !== 0) return path;
  const firstLine = whyNotRun(bin);
  const also = firstLine === undefined ? "" : `, and ${firstLine.replace("the file ", "")}`;
  throw cannotStart(bin, `it is not executable (chmod +x ${bin})${also}`);
}

/**
 * Where a program's file is, links resolved, and its mode.
 *
 * @throws {Error} if there is no such file.
 */
export function findFile(bin: string): { readonly path: string; readonly mode: number | null } {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(bin);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw cannotStart(bin, errorText(error));
    throw cannotStart(bin, "there is no such file (commands are not looked up)");
  }
  if (info.isDirectory) throw cannotStart(bin, "it is a folder");
  if (!info.isFile) throw cannotStart(bin, "it is no file");
  return { path: Deno.realPathSync(bin), mode: info.mode };
}

function cannotStart(bin: string, why: string): Error {
  return new Error(`Cannot start ${bin}: ${why}`);
}

/** How much of a program is read to find out why it does not run. */
const MAX_HEAD_BYTES = 4096;

/** Why the system may refuse a program, judging by its first line; undefined for no reason seen. */
function whyNotRun(path: string): string | undefined {
  const head = headOf(path);
  if (head === undefined || head.includes("\0")) return undefined;
  if (head === "") return "the file is empty";
  if (!head.startsWith("#!")) {
    return "the file has no #! line, such as #!/usr/bin/env -S deno run --allow-all";
  }
  const [line = ""] = head.slice(2).split("\n");
  if (line.endsWith("\r")) {
    return "its #! line ends in a carriage return: lines must end in LF alone, not CRLF";
  }
  const [interpreter = "", ...words] = line.trim().split(/\s+/);
  if (!exists(interpreter)) return `${interpreter} of its #! line is not there`;
  if (!interpreter.endsWith("/env")) return undefined;
  const name = words.find((word) => !word.startsWith("-") && !word.includes("="));
  if (name === undefined || name.includes("/")) return undefined;
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  if (!folders.some((folder) => exists(`${folder}/${name}`))) {
    return `${name} of its #! line is not found in PATH`;
  }
  if (words.length === 1 || words[0]?.startsWith("-")) return undefined;
  return `env takes ${JSON.stringify(words.join(" "))} of its #! line for one name: use env -S`;
}

function headOf(path: string): string | undefined {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(MAX_HEAD_BYTES);
    return new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A child process that is a node, which reads messages from standard input. */
export class ChildIncarnation implements Incarnation {
  readonly #child: Deno.ChildProcess;
  readonly #group: ProcessGroup;
  readonly #clock: Clock;
  readonly #stdin: LineWriter;
  readonly #stdout: LineReader;
  readonly #stderr: LineReader;
  readonly #recentLog = new RecentLines();
  readonly #node: string;
  readonly #path: string;
  #ended = false;

  constructor(context: LaunchContext, start: Start) {
    this.#path = start.path;
    this.#node = context.node;
    const { node, world: { clock, network }, stdout, log } = context;
    this.#clock = clock;
    this.#child = spawn(start);
    this.#group = new ProcessGroup(this.#child, start.folder);
    this.#stdin = new LineWriter(
      this.#child.stdin,
      () => network.hold(node),
      (error) => log(`Cannot write to its standard input: ${error}`),
    );
    // Maelstrom never again reads the output of a node that broke the protocol.
    const isEnough = () => stdout.muted;
    this.#stdout = new LineReader(this.#child.stdout, (line) => stdout.accept(line), isEnough);
    this.#stderr = new LineReader(this.#child.stderr, (line) => {
      this.#recentLog.add(line);
      log(line);
    });
    this.#watch(context);
  }

  get pid(): number {
    return this.#child.pid;
  }

  deliver(packet: Packet): void {
    this.#stdin.write(packet.toLine());
  }

  async kill(): Promise<void> {
    this.#ended = true;
    await this.#within(KILL_TIMEOUT_MS, this.#group.end());
    // A child that left the group may hold on to its streams, so their end is not waited for.
    await this.#within(LAST_LINES_MS, this.#stderr.done);
    await Promise.all([this.#stdin.abort(), this.#stdout.cancel(), this.#stderr.cancel()]);
  }

  pause(): void {
    this.#group.signal("SIGSTOP");
  }

  resume(): void {
    this.#group.signal("SIGCONT");
  }

  unread(): string {
    const { unfinished } = this.#stdout;
    const { lines } = this.#recentLog;
    if (unfinished === "" && lines.length === 0) return "It has written nothing";
    const bytes = new TextEncoder().encode(unfinished).length;
    const texts = [
      ...bytes > 0
        ? [`${bytes} bytes without a line end came from ${this.#node}: ${quote(unfinished)}`]
        : [],
      ...lines.length > 0 ? [`It wrote to STDERR:\n\n${lines.join("\n")}`] : [],
    ];
    return texts.join(". ");
  }

  /** Reports an end without a kill, after the last lines that it wrote. */
  async #watch({ onExit }: LaunchContext): Promise<void> {
    const { code, signal } = await this.#child.status;
    await this.#group.end();
    const lastLines = Promise.all([this.#stdout.done, this.#stderr.done]);
    await this.#within(LAST_LINES_MS, lastLines);
    if (this.#ended) return;
    this.#ended = true;
    // A file without #! line is no error to the system, which then has /bin/sh run it.
    onExit(
      { code, signal: signal ?? undefined, hint: whyNotRun(this.#path) },
      this.#recentLog.lines,
    );
    await Promise.all([this.#stdin.abort(), this.#stdout.cancel(), this.#stderr.cancel()]);
  }

  /** Waits for a promise, up to a limit. */
  async #within(limitMs: number, awaited: Promise<unknown>): Promise<void> {
    let cancel = () => {};
    const limit = new Promise<void>((resolve) => {
      cancel = this.#clock.schedule(limitMs, resolve);
    });
    await Promise.race([awaited, limit]);
    cancel();
  }
}

/** Whether the system has process groups. */
const HAS_GROUPS = Deno.build.os !== "windows";

/**
 * A program and all that it starts, as far as that does not leave its process group. It ends with
 * this process, too, however that ends.
 */
export class ProcessGroup {
  readonly #leader: Deno.ChildProcess;
  readonly #guard: GroupGuard | undefined;
  #ended: Promise<void> | undefined;

  /**
   * @param leader a process that was started `detached`
   * @param folder what is removed, too, when this process is gone before the group
   */
  constructor(leader: Deno.ChildProcess, folder = "") {
    this.#leader = leader;
    this.#guard = startGuard(leader.pid, folder);
  }

  /** Signals all of it. */
  signal(signal: Deno.Signal): void {
    if (this.#ended !== undefined) return;
    try {
      if (HAS_GROUPS) Deno.kill(-this.#leader.pid, signal);
      else this.#leader.kill(signal);
    } catch (error) {
      // None of it is left, or none that can be signalled; the leader's end is reported elsewhere.
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  }

  /** Kills all of it, also what its leader left behind; resolves when the leader is gone. */
  end(): Promise<void> {
    if (this.#ended !== undefined) return this.#ended;
    this.signal("SIGKILL");
    return this.#ended = this.#leader.status.then(() => this.#guard?.stop());
  }
}

/** Kills a group, and removes a folder, when standard input ends before a line has come. */
const GUARD_SCRIPT = 'read -r line || { kill -s KILL -- "-$1"; rm -rf -- "$2"; }';

/** A process that ends a group when this one is gone, however it went: by SIGKILL, say. */
interface GroupGuard {
  /** Ends the guard alone. */
  stop(): Promise<void>;
}

function startGuard(group: number, folder: string): GroupGuard | undefined {
  if (!HAS_GROUPS) return undefined;
  try {
    const guard = new Deno.Command("/bin/sh", {
      args: ["-c", GUARD_SCRIPT, "sh", String(group), folder],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    const stop = async () => {
      const writer = guard.stdin.getWriter();
      // Both fail if the guard was killed.
      await writer.write(new TextEncoder().encode("stop\n")).catch(() => {});
      await writer.close().catch(() => {});
      await guard.status;
    };
    return { stop };
  } catch {
    // Without a shell groups end with the run, but not with a workbench that is killed.
    return undefined;
  }
}

/** PATH with this Deno last: where it came with the npm package, a node's first line finds no other. */
function pathForNodes(): string {
  const path = Deno.env.get("PATH") ?? "";
  const own = join(Deno.execPath(), "..");
  // An empty folder in PATH would be the one that a node runs in.
  return path === "" ? own : `${path}:${own}`;
}

function spawn({ path, args, id, folder }: Start): Deno.ChildProcess {
  try {
    return new Deno.Command(path, {
      args: [...args],
      cwd: folder,
      env: { EDDY_OBSERVE: "1", EDDY_RUN: id, PATH: pathForNodes() },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: HAS_GROUPS,
    }).spawn();
  } catch (cause) {
    const why = whyNotRun(path) ?? errorText(cause);
    throw new Error(`Cannot start ${path}: ${why}`, { cause });
  }
}

/** Reads a stream line by line. */
export class LineReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #lines: LineSplitter;
  readonly #isEnough: () => boolean;
  /** Resolves when the stream has ended, or enough was read; rejects if `onLine` has thrown. */
  readonly done: Promise<void>;

  /**
   * @param onLine called with each line, without its end; also with a last line that has none
   * @param isEnough called before each read; once it is true, the stream is left unread, but open
   */
  constructor(
    stream: ReadableStream<Uint8Array>,
    onLine: (line: string) => void,
    isEnough: () => boolean = () => false,
  ) {
    this.#reader = stream.getReader();
    this.#lines = new LineSplitter(onLine);
    this.#isEnough = isEnough;
    this.done = this.#run();
  }

  /** What came after the last line end. */
  get unfinished(): string {
    return this.#lines.unfinished;
  }

  /** Closes the stream. */
  async cancel(): Promise<void> {
    // A stream that is broken is closed already.
    await this.#reader.cancel().catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#isEnough()) {
      const chunk = await this.#next();
      if (chunk === undefined) return;
      if (chunk.done) return this.#lines.end();
      this.#lines.add(chunk.value);
    }
  }

  async #next(): Promise<ReadableStreamReadResult<Uint8Array> | undefined> {
    try {
      return await this.#reader.read();
    } catch {
      // The stream broke, as it does when its process is killed: what came before counts.
      return undefined;
    }
  }
}

/** What may be on its way to a process, in characters, before more waits on the network. */
const MAX_PENDING_CHARS = 1 << 16;

/**
 * Writes lines in batches, one for each turn of the event loop, and holds its source while the
 * reader does not keep up.
 */
export class LineWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #hold: () => () => void;
  readonly #onError: (error: unknown) => void;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #pendingChars = 0;
  #release: (() => void) | undefined;
  #running = false;
  #broken = false;

  /**
   * @param hold stops the source of lines, and returns a function that lets it continue
   * @param onError called once, when nothing can be written any more
   */
  constructor(
    stream: WritableStream<Uint8Array>,
    hold: () => () => void,
    onError: (error: unknown) => void,
  ) {
    this.#writer = stream.getWriter();
    // An error that breaks the stream rejects a write, too.
    this.#writer.closed.catch(() => {});
    this.#hold = hold;
    this.#onError = onError;
  }

  /** Takes one line, without its end. */
  write(line: string): void {
    if (this.#broken) return;
    this.#lines.push(line);
    this.#pendingChars += line.length + 1;
    if (this.#pendingChars > MAX_PENDING_CHARS) this.#release ??= this.#hold();
    if (!this.#running) this.#run();
  }

  /** Gives up what was not written, and closes the stream. */
  async abort(): Promise<void> {
    this.#broken = true;
    this.#lines = [];
    await this.#writer.abort().catch(() => {});
  }

  async #run(): Promise<void> {
    this.#running = true;
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#lines.length > 0) {
        const text = this.#lines.join("\n") + "\n";
        this.#lines = [];
        await this.#writer.write(this.#encoder.encode(text));
        this.#pendingChars -= text.length;
        if (this.#pendingChars <= MAX_PENDING_CHARS) this.#resume();
      }
    } catch (error) {
      if (!this.#broken) this.#onError(error);
      this.#broken = true;
      this.#resume();
    }
    this.#running = false;
  }

  #resume(): void {
    this.#release?.();
    this.#release = undefined;
  }
}
