/**
 * What nodes do that they may not, gathered for the verdict.
 *
 * @module
 */

import { ProtocolError } from "./protocol_error.ts";
import type { Stdout } from "./stdout.ts";

/** What is to be done about breaches. */
export interface BreachesOptions {
  readonly strictMaelstrom?: boolean;
  readonly onProtocolError?: (error: ProtocolError) => void;
}

/** A process that ended by itself. */
export interface Exit {
  readonly node: string;
  readonly stdout: Stdout;
  readonly status: number;
  /** The last lines of its standard error. */
  readonly recentLog: readonly string[];
}

/** The breaches of a cluster. */
export class Breaches {
  readonly errors: ProtocolError[] = [];
  readonly #options: BreachesOptions;
  /** Late replies by node, with the first client of each. */
  readonly #late = new Map<string, { count: number; readonly client: string }>();
  readonly #first = Promise.withResolvers<never>();
  #crash: string | undefined;

  constructor(options: BreachesOptions) {
    this.#options = options;
    // It is there for who wants to wait for it, and no loss if nobody does.
    this.#first.promise.catch(() => {});
  }

  /** Rejects with the first breach that fails the run. */
  get first(): Promise<never> {
    return this.#first.promise;
  }

  /** What Maelstrom says at the end when a process had ended by itself; only when strict. */
  get crash(): string | undefined {
    return this.#options.strictMaelstrom === true ? this.#crash : undefined;
  }

  /** How many replies came too late for their client. */
  get lateReplies(): number {
    let sum = 0;
    for (const { count } of this.#late.values()) sum += count;
    return sum;
  }

  /** One sentence for each node that replied too late, and for each that was muted. */
  get warnings(): string[] {
    return [...this.#tellLate(), ...this.#tellMuted()];
  }

  /** Adds a line that breaks the protocol. */
  add(error: ProtocolError): void {
    const { strictMaelstrom = false, onProtocolError } = this.#options;
    this.errors.push(error);
    if (strictMaelstrom) return;
    this.#first.reject(error);
    onProtocolError?.(error);
  }

  /** Adds a reply to a client that was gone. */
  addLateReply(node: string, client: string): void {
    const known = this.#late.get(node);
    if (known === undefined) this.#late.set(node, { count: 1, client });
    else known.count++;
  }

  #tellLate(): string[] {
    return [...this.#late].map(([node, { count, client }]) => {
      const what = count === 1 ? "a reply" : `${count} replies`;
      return `Node ${node} sent ${what} to clients that were gone (the first to ${client}), which ` +
        "would silence this node under Maelstrom";
    });
  }

  #tellMuted(): string[] {
    if (this.#options.strictMaelstrom !== true) return [];
    return this.errors.map(({ message }) =>
      `From there on nobody read what the node wrote, as under Maelstrom: ${message}`
    );
  }

  /** Adds the end of a process that nobody had asked for. */
  addExit({ node, stdout, status, recentLog }: Exit): void {
    const { lineNumber, recent: { lines } } = stdout;
    const wrote = `Before crashing, it wrote to STDOUT:\n\n${listed(lines)}\n\n` +
      `And to STDERR:\n\n${listed(recentLog)}`;
    this.#crash ??= `Node ${node} crashed with exit status ${status}. ${wrote}`;
    const why = `the process ended by itself with exit status ${status}`;
    const expected = "it to run until it is killed";
    const line = lines.at(-1) ?? "";
    const when = lineNumber === 0 ? "before it wrote anything" : `after line ${lineNumber}`;
    const message =
      `Node ${node} broke the protocol: ${why} ${when}; expected ${expected}. ${wrote}`;
    this.add(new ProtocolError({ node, line, lineNumber, why, expected }, message));
  }
}

function listed(lines: readonly string[]): string {
  return lines.length === 0 ? "(nothing)" : lines.join("\n");
}
