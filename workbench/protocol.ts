/**
 * The protocol that nodes must keep to on standard output, and what is recorded when one does not.
 *
 * @module
 */

import {
  errorText,
  isClient,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "@eddy/maelstrom";
import { isMsgId, quote } from "@eddy/maelstrom/message";
import { nestsDeeper } from "./history.ts";
import { type Network, SERVICES } from "./network.ts";

/** Where and how a node broke the protocol. */
export interface Violation {
  /** Which node. */
  readonly node: string;
  /** The offending line of standard output; the last one when the process ended. */
  readonly line: string;
  /** Its number, from 1; 0 before the first. */
  readonly lineNumber: number;
  /** Why it breaks the protocol. */
  readonly why: string;
  /** What the protocol requires. */
  readonly expected: string;
}

/** A node broke the protocol. */
export class ProtocolError extends Error implements Violation {
  /** `ProtocolError`. */
  override readonly name = "ProtocolError";
  /** Which node. */
  readonly node: string;
  /** The offending line of standard output. */
  readonly line: string;
  /** Its number, from 1. */
  readonly lineNumber: number;
  /** Why it breaks the protocol. */
  readonly why: string;
  /** What the protocol requires. */
  readonly expected: string;

  /**
   * Keeps a violation.
   *
   * @param message the message, if the offending line is not the reason
   */
  constructor(violation: Violation, message: string = describe(violation)) {
    super(message);
    const { node, line, lineNumber, why, expected } = violation;
    this.node = node;
    this.line = line;
    this.lineNumber = lineNumber;
    this.why = why;
    this.expected = expected;
  }
}

function describe({ node, line, lineNumber, why, expected }: Violation): string {
  const where = `on line ${lineNumber} of standard output`;
  return `Node ${node} broke the protocol ${where}: ${why}: ${quote(line)}; expected ${expected}`;
}

/** What a line of standard output must be. */
const EXPECTED_LINE =
  'one JSON object per line with the keys "src", "dest" and "body", and nothing else on standard output';

/** What the destination of a message must be. */
const EXPECTED_NAME = `a node of "node_ids", a service (${
  SERVICES.join(", ")
}), or a client that has asked something`;

/** A message as a node wrote it. */
interface OutputMessage {
  readonly src: string;
  readonly dest: string;
  readonly body: JsonObject;
}

const TOO_DEEP = "the line is nested too deeply";

const KEYS: readonly string[] = ["src", "dest", "body", "id"];

/**
 * Reads a line of a node's standard output, as strictly as Maelstrom.
 *
 * @returns the message, or what is wrong with the line.
 */
export function readOutputLine(line: string): OutputMessage | string {
  if (line.trim() === "") return "the line is blank";
  let value: Json;
  try {
    value = parseJson(line);
  } catch (error) {
    if (error instanceof RangeError) return TOO_DEEP;
    return `the line is not JSON (${errorText(error)})`;
  }
  if (nestsDeeper(value)) return TOO_DEEP;
  if (!isJsonObject(value)) return "the line is JSON, but no object";
  const { src, dest, body, id } = value;
  if (typeof src !== "string") return "src must be a string";
  if (typeof dest !== "string") return "dest must be a string";
  if (body === undefined || !isJsonObject(body)) return "body must be an object";
  if (id !== undefined && !isMsgId(id)) return "id must be an integer, if there is one";
  const extra = Object.keys(value).find((key) => !KEYS.includes(key));
  if (extra !== undefined) return `the key ${JSON.stringify(extra)} does not belong there`;
  return { src, dest, body };
}

const BODY_KEY = '","body":';
const OPENING_BRACE = "{".charCodeAt(0);

/** What the standard output of a node needs of its cluster. */
interface StdoutContext {
  readonly node: string;
  readonly network: Network;
  /** Whether a protocol error only mutes the node, as under Maelstrom. */
  readonly strictMaelstrom: boolean;
  /** Called with the first protocol error. */
  readonly onError: (error: ProtocolError) => void;
  /** Called at a reply to a client that was closed, or a message in its name. */
  readonly onLateReply: (node: string, client: string) => void;
  /** Called at a message whose source is another endpoint than the node. */
  readonly onForeignSource: (node: string, src: string) => void;
}

/** The standard output of one process of a node. */
export class Stdout {
  /** The last lines, for reports. */
  readonly recent: RecentLines = new RecentLines();
  readonly #context: StdoutContext;
  /** How every line begins that this project's own `Node` writes. */
  readonly #prefix: string;
  #lineNumber = 0;
  #muted = false;

  constructor(context: StdoutContext) {
    this.#context = context;
    this.#prefix = `{"src":"${context.node}","dest":"`;
  }

  /** How many lines there were. */
  get lineNumber(): number {
    return this.#lineNumber;
  }

  /** Whether further lines are ignored. */
  get muted(): boolean {
    return this.#muted;
  }

  /** Ignores all further lines: the process is dead, or broke the protocol. */
  mute(): void {
    this.#muted = true;
  }

  /** Takes a line of any content. */
  accept(line: string): void {
    if (this.#muted) return;
    this.#lineNumber++;
    this.recent.add(line);
    const message = readOutputLine(line);
    if (typeof message === "string") return this.#fail(line, message);
    const { src, dest, body } = message;
    const { node, network, onForeignSource } = this.#context;
    // Some nodes forward a client's request in the client's name; Maelstrom lets them.
    if (src !== node && network.has(src)) onForeignSource(node, src);
    this.#send(line, src, dest, JSON.stringify(body));
  }

  /**
   * Takes a line that `JSON.stringify` made of `src`, `dest` and `body`, in that order; it need
   * not be parsed on its way.
   */
  acceptOwn(line: string): void {
    const { node } = this.#context;
    const start = this.#prefix.length;
    const end = line.indexOf('"', start);
    const dest = line.slice(start, end);
    const bodyStart = end + BODY_KEY.length;
    const plain = line.startsWith(this.#prefix) && line.startsWith(BODY_KEY, end) &&
      line.charCodeAt(bodyStart) === OPENING_BRACE && !dest.includes("\\");
    if (!plain) return this.accept(line);
    if (this.#muted) return;
    this.#lineNumber++;
    this.#send(line, node, dest, line.slice(bodyStart, -1));
  }

  #send(line: string, src: string, dest: string, text: string): void {
    const { node, network, strictMaelstrom, onLateReply } = this.#context;
    if (network.sendText(src, dest, text)) return;
    const missing = [src, dest].filter((name) => !network.has(name));
    const [unknown = ""] = missing;
    if (missing.every((name) => isClient(name) && network.wasClosed(name))) {
      if (strictMaelstrom) this.#muted = true;
      onLateReply(node, unknown);
      return;
    }
    const name = missing.find((each) => !network.wasClosed(each)) ?? unknown;
    const why = `there is no endpoint named ${JSON.stringify(name)} on the network`;
    this.#fail(line, why, EXPECTED_NAME);
  }

  #fail(line: string, why: string, expected: string = EXPECTED_LINE): void {
    this.#muted = true;
    const { node, onError } = this.#context;
    const lineNumber = this.#lineNumber;
    onError(new ProtocolError({ node, line, lineNumber, why, expected }));
  }
}

/** How many lines are kept, as under Maelstrom. */
const MAX_LINES = 32;

/** How much of a line is kept. */
const MAX_CHARS = 1000;

/** The last lines of something that may be long. */
export class RecentLines {
  readonly #ring: string[] = [];
  #count = 0;

  /** Adds a line. */
  add(line: string): void {
    this.#ring[this.#count++ % MAX_LINES] = line.length <= MAX_CHARS
      ? line
      : `${line.slice(0, MAX_CHARS)}... (${line.length} characters)`;
  }

  /** The last lines, oldest first. */
  get lines(): string[] {
    if (this.#count <= MAX_LINES) return [...this.#ring];
    const start = this.#count % MAX_LINES;
    return [...this.#ring.slice(start), ...this.#ring.slice(0, start)];
  }
}

/** How often something happened to each node, and whom it concerned first. */
class Occurrences {
  readonly byNode = new Map<string, { count: number; readonly first: string }>();

  add(node: string, whom: string): void {
    const known = this.byNode.get(node);
    if (known === undefined) this.byNode.set(node, { count: 1, first: whom });
    else known.count++;
  }
}

/** How a cluster treats protocol errors. */
interface ProtocolErrorsOptions {
  readonly strictMaelstrom?: boolean | undefined;
  readonly onProtocolError?: ((error: ProtocolError) => void) | undefined;
}

/** How a process ended that was not killed by the workbench. */
export interface ExitStatus {
  /** Its exit status; 128 and the signal's number if a signal ended it. */
  readonly code: number;
  /** The signal that ended it. */
  readonly signal?: string | undefined;
  /** What may be the reason, where something is known. */
  readonly hint?: string | undefined;
}

/** A process that ended by itself. */
interface Exit {
  readonly node: string;
  readonly stdout: Stdout;
  readonly status: ExitStatus;
  /** The last lines of its standard error. */
  readonly recentLog: readonly string[];
}

/** The protocol errors of a cluster's nodes, and what else Maelstrom would object to. */
export class ProtocolErrors {
  /** One for each process at most. */
  readonly errors: ProtocolError[] = [];
  readonly #options: ProtocolErrorsOptions;
  /** Late replies by node, with the first client of each. */
  readonly #late = new Occurrences();
  /** Messages in another's name by node, with the first such name of each. */
  readonly #foreign = new Occurrences();
  readonly #first = Promise.withResolvers<never>();
  #crash: string | undefined;

  constructor(options: ProtocolErrorsOptions) {
    this.#options = options;
    // Not every caller waits for it.
    this.#first.promise.catch(() => {});
  }

  /** Rejects with the first error that fails the run. */
  get first(): Promise<never> {
    return this.#first.promise;
  }

  /** Maelstrom's error at the end if a process has ended by itself; only when strict. */
  get crash(): string | undefined {
    return this.#options.strictMaelstrom === true ? this.#crash : undefined;
  }

  /** How many replies came after their client was closed. */
  get lateReplies(): number {
    let sum = 0;
    for (const [, { count }] of this.#late.byNode) sum += count;
    return sum;
  }

  /** One sentence for each node that replied too late, wrote in another's name, or was muted. */
  get warnings(): string[] {
    return [...this.#lateWarnings(), ...this.#foreignWarnings(), ...this.#mutedWarnings()];
  }

  /** Adds a line that breaks the protocol. */
  add(error: ProtocolError): void {
    const { strictMaelstrom = false, onProtocolError } = this.#options;
    this.errors.push(error);
    if (strictMaelstrom) return;
    this.#first.reject(error);
    onProtocolError?.(error);
  }

  /** Adds a reply to a client that was closed. */
  addLateReply(node: string, client: string): void {
    this.#late.add(node, client);
  }

  /** Adds a message whose source is another endpoint than the node that wrote it. */
  addForeignSource(node: string, src: string): void {
    this.#foreign.add(node, src);
  }

  #lateWarnings(): string[] {
    return [...this.#late.byNode].map(([node, { count, first }]) => {
      const what = count === 1 ? "a message" : `${count} messages`;
      return `Node ${node} sent ${what} to clients that were gone, or in their name (the first is ` +
        `${first}), which would silence this node under Maelstrom`;
    });
  }

  #foreignWarnings(): string[] {
    return [...this.#foreign.byNode].map(([node, { count, first }]) => {
      const what = count === 1 ? "a message" : `${count} messages`;
      return `Node ${node} sent ${what} with another's name as src (the first with ${first}), ` +
        "which Maelstrom allows; whoever reads the messages cannot tell who sent them";
    });
  }

  #mutedWarnings(): string[] {
    if (this.#options.strictMaelstrom !== true) return [];
    return this.errors.map(({ message }) =>
      `From there on the node's output was not read, as under Maelstrom: ${message}`
    );
  }

  /** Adds the end of a process that was not killed. */
  addExit({ node, stdout, status, recentLog }: Exit): void {
    const { lineNumber, recent: { lines } } = stdout;
    const wrote = `Before crashing, it wrote to STDOUT:\n\n${listed(lines)}\n\n` +
      `And to STDERR:\n\n${listed(recentLog)}`;
    this.#crash ??= `Node ${node} crashed with exit status ${status.code}. ${wrote}`;
    const why = describeExit(status, lineNumber > 0);
    const expected = "it to run until it is killed";
    const line = lines.at(-1) ?? "";
    const when = lineNumber === 0 ? "before it wrote anything" : `after line ${lineNumber}`;
    const message =
      `Node ${node} broke the protocol: ${why} ${when}; expected ${expected}. ${wrote}`;
    this.add(new ProtocolError({ node, line, lineNumber, why, expected }, message));
  }
}

/** Signals that end a process, by their numbers, which are the same on Linux and macOS. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
  24: "SIGXCPU",
  25: "SIGXFSZ",
};

/** What shells mean by an exit status. */
function meaningOf(code: number): string | undefined {
  const signal = SIGNALS[code - 128];
  if (signal !== undefined) return `as of a shell whose command was killed by ${signal}`;
  if (code === 126) return "as of a shell that may not execute a command";
  if (code === 127) return "as of a shell that finds no command of a name";
  return undefined;
}

/** What may be the reason of an end that looks like a success. */
const NO_INPUT = "does the program read standard input, as serve does?";

function describeExit({ code, signal, hint }: ExitStatus, hasWritten: boolean): string {
  if (signal !== undefined) return `the process was killed by ${signal}`;
  const reason = hint ?? (code === 0 && !hasWritten ? NO_INPUT : undefined);
  const notes = [meaningOf(code), reason].filter((note) => note !== undefined);
  const more = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  return `the process ended by itself with exit status ${code}${more}`;
}

function listed(lines: readonly string[]): string {
  return lines.length === 0 ? "(nothing)" : lines.join("\n");
}
