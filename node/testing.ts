/**
 * What tests of nodes need: a node in the test's own process, and one as a process of its own.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import type { Clock } from "./clock.ts";
import { RpcError } from "./errors.ts";
import { Node, type NodeOptions } from "./node.ts";

/** A clock that moves only when {@linkcode ManualClock.advance} is called. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; callback: () => void }[] = [];

  /** Milliseconds since the clock was made. */
  now(): number {
    return this.#nowMs;
  }

  /** Timers that have neither run nor been cancelled. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Runs `callback` once, when `delayMs` milliseconds have passed. */
  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets `ms` milliseconds pass: runs the timers that fall due, in order, and pending promises. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    while (true) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settle();
    }
    this.#nowMs = endMs;
  }
}

/** Lets pending promises run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A message that a node has sent. */
export interface Reply {
  /** The sender's name. */
  src: string;
  /** The receiver's name. */
  dest: string;
  /** The content. */
  body: Record<string, unknown>;
}

/** What {@linkcode testNode} gives. */
export interface TestNode {
  /** The node. */
  node: Node;
  /** Its clock. */
  clock: ManualClock;
  /** Messages sent so far, parsed. */
  sent: Reply[];
  /** Lines sent so far. */
  lines: string[];
  /** Lines logged so far. */
  logs: string[];
  /** Hands a message to the node. */
  receive(src: string, body: Record<string, unknown>): void;
}

/** A node `n1` of three, initialized unless `init` is false, whose output is kept. */
export async function testNode(
  options: NodeOptions = {},
  { init = true }: { init?: boolean } = {},
): Promise<TestNode> {
  const clock = new ManualClock();
  const sent: Reply[] = [];
  const lines: string[] = [];
  const logs: string[] = [];
  const node = new Node({
    clock,
    random: { next: () => 0.5 },
    log: (text) => void logs.push(text),
    output: {
      write(line) {
        lines.push(line);
        sent.push(JSON.parse(line));
      },
    },
    ...options,
  });
  const receive = (src: string, body: Record<string, unknown>) =>
    node.receive(JSON.stringify({ src, dest: "n1", body }));
  if (init) {
    receive("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1", "n2", "n3"] });
    await settle();
    sent.length = lines.length = 0;
  }
  return { node, clock, sent, lines, logs, receive };
}

/** What code may throw that throws again when it is looked at, by what is odd about it. */
export function oddThrown(): Record<string, unknown> {
  const refuse = (): never => {
    throw new Error("looked at");
  };
  const withGetter = (error: object, name: string) =>
    Object.defineProperty(error, name, { get: refuse });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  return {
    stack: withGetter(new Error("odd"), "stack"),
    message: withGetter(withGetter(new Error("odd"), "message"), "stack"),
    "no texts": Object.assign(new Error("odd"), { stack: {}, message: Object.create(null) }),
    name: withGetter(new Error("odd"), "name"),
    cause: withGetter(new Error("odd"), "cause"),
    "code of an RpcError": withGetter(new RpcError(11, "odd"), "code"),
    "message of an RpcError": withGetter(new RpcError(11, "odd"), "message"),
    "code that is none": Object.assign(new RpcError(11, "odd"), { code: 1n }),
    toString: { toString: refuse },
    "no prototype": Object.create(null),
    symbol: Symbol("odd"),
    "revoked proxy": revoked.proxy,
    "proxy that refuses": new Proxy(new RpcError(11, "odd"), {
      get: refuse,
      getPrototypeOf: refuse,
      has: refuse,
      ownKeys: refuse,
    }),
  };
}

/** Flags that give a node no permission but for the directory of `--data`, if that is given. */
function permissions(args: readonly string[]): string[] {
  const denied = ["net", "env", "run", "sys", "ffi"].map((name) => `--deny-${name}`);
  const at = args.indexOf("--data");
  const files = ["read", "write"].map((name) =>
    at === -1 ? `--deny-${name}` : `--allow-${name}=${args[at + 1]}`
  );
  return [...denied, ...files];
}

/** A node as a process without permissions, but for the directory that follows `--data`. */
export class NodeProcess {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  readonly #encoder = new TextEncoder();

  /** Starts a program with Deno. */
  constructor(program: URL | string, ...args: string[]) {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...permissions(args), String(program), ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    this.#process = command.spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#stderr = new Response(this.#process.stderr).text();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough<string>(new TextLineStream()).getReader();
  }

  /** Writes to its standard input. */
  write(text: string | Uint8Array): Promise<void> {
    return this.#writer.write(typeof text === "string" ? this.#encoder.encode(text) : text);
  }

  /** Sends it a message. */
  send(src: string, body: Record<string, unknown>): Promise<void> {
    return this.write(JSON.stringify({ src, dest: "n1", body }) + "\n");
  }

  /** Initializes it as `n1`. */
  async init(nodeIds = ["n1", "n2"]): Promise<void> {
    await this.send("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: nodeIds });
    assertEquals((await this.next()).body.type, "init_ok");
  }

  /** The next line; fails when there is none. */
  async nextLine(): Promise<string> {
    const { value } = await this.#lines.read();
    if (value === undefined) throw new Error("The node has ended");
    return value;
  }

  /** The next message. */
  async next(): Promise<Reply> {
    return JSON.parse(await this.nextLine());
  }

  /**
   * Sends echo requests of a kilobyte, numbered from 0, until the node takes no more because its
   * replies are not read.
   *
   * @returns a promise that resolves when the rest of them is sent.
   */
  async stall(count: number): Promise<{ sending: Promise<void> }> {
    const echo = "x".repeat(1000);
    let sent = 0;
    const sending = (async () => {
      for (; sent < count; sent++) await this.send("c1", { type: "echo", msg_id: sent, echo });
    })();
    for (let before = -1; before !== sent;) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assert(sent < count, "the node took in every request, though its replies were not read");
    return { sending };
  }

  /** Sends it a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Closes the reading end of its standard output. */
  async hangUp(): Promise<void> {
    await this.#lines.cancel();
  }

  /** Ends the input. */
  async endInput(): Promise<void> {
    await this.#writer.close().catch(() => {});
  }

  /** Ends the input and waits for the process, which must not fail. */
  async end(): Promise<{ rest: string[]; stderr: string }> {
    await this.endInput();
    return await this.ended();
  }

  /** Waits for the process to end without reading its output. */
  async endedUnread(): Promise<{ code: number; stderr: string }> {
    const { code } = await this.#process.status;
    await this.hangUp();
    await this.#writer.abort().catch(() => {});
    return { code, stderr: await this.#stderr };
  }

  /** Reads its output to the end and waits for the process, which must not fail. */
  async ended(): Promise<{ rest: string[]; stderr: string }> {
    const rest: string[] = [];
    for (let read; !(read = await this.#lines.read()).done;) rest.push(read.value);
    const { code } = await this.#process.status;
    await this.#writer.abort().catch(() => {});
    assertEquals(code, 0);
    return { rest, stderr: await this.#stderr };
  }
}

/** Calls `use` with a temporary file that holds a program built on the library. */
export async function withProgram(
  code: string,
  use: (file: string) => Promise<void>,
): Promise<void> {
  const file = await Deno.makeTempFile({
    dir: decodeURIComponent(new URL("..", import.meta.url).pathname),
    suffix: ".ts",
  });
  try {
    await Deno.writeTextFile(
      file,
      code.replaceAll(
        /@eddy\/maelstrom(?:\/(\w+))?/g,
        (_, entry = "mod") => String(new URL(`./${entry}.ts`, import.meta.url)),
      ),
    );
    await use(file);
  } finally {
    await Deno.remove(file);
  }
}
