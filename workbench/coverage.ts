/**
 * What a run reached: the states of its nodes, the messages that they got in them and one after the
 * other, the faults that met them, and how operations ended.
 *
 * It is seen from outside, of any program. The pairs follow Meng et al., "Greybox Fuzzing of
 * Distributed Systems", CCS 2023; counts are taken to the next power of two, as AFL does.
 *
 * @module
 */

import { isClient, type JsonObject } from "@eddy/maelstrom";
import type { NetEvent } from "./journal.ts";
import type { PlanFault } from "./nemesis.ts";
import { routedBody } from "./report_messages.ts";
import type { RunResult } from "./run.ts";

/** How many messages of a run are looked at. */
const MAX_MESSAGES = 200_000;
/** How many things one run can reach, at most. */
const MAX_REACHED = 10_000;
/** How long the name of a message or a state may be, in characters. */
const MAX_NAME_CHARS = 100;

/** Something that changes what is known of nodes, in the history's time. */
interface TraceStep {
  readonly atMs: number;
  readonly nodes: readonly string[];
  readonly take: (node: NodeTrace) => void;
}

/** Follows a run, and says at its end what it reached. */
export class Coverage {
  readonly #messages: TraceStep[] = [];

  /** Takes an event of the network. */
  add({ type, timeMs, message, why }: NetEvent): void {
    const { src, dest, body } = message;
    if (type === "send" || isClient(dest) || this.#messages.length >= MAX_MESSAGES) return;
    const inner = routedBody(body);
    // What a node passes on for others is not for it.
    if (inner !== undefined && body.dest !== dest) return;
    const what = isClient(src) ? `client's ${kindOf(body)}` : kindOf(inner ?? body);
    const take = type === "drop"
      ? (node: NodeTrace) => node.misses(what, why ?? "")
      : (node: NodeTrace) => node.gets(what);
    this.#messages.push({ atMs: timeMs, nodes: [dest], take });
  }

  /** What the run reached, each a short text. */
  reached(
    { history, observations, startMs, options: { nodeIds }, plan }: Pick<
      RunResult,
      "history" | "observations" | "startMs" | "options" | "plan"
    >,
  ): string[] {
    const reached = new ReachedTally();
    const traces = new Map(nodeIds.map((id) => [id, new NodeTrace(reached)]));
    const steps: TraceStep[] = [
      ...plan().faults.flatMap((fault) => stepsOf(fault, nodeIds)),
      ...observations.map(({ time, node, observation }): TraceStep => ({
        atMs: time / 1e6,
        nodes: [node],
        take: (trace) => {
          if ("observe" in observation) trace.becomes(stateOf(observation.observe));
          else if ("sometimes" in observation) trace.reaches(observation.sometimes);
        },
      })),
      ...this.#messages.map((step) => ({ ...step, atMs: step.atMs - startMs })),
    ];
    for (const { nodes, take } of steps.sort((a, b) => a.atMs - b.atMs)) {
      for (const id of nodes) {
        const trace = traces.get(id);
        if (trace !== undefined) take(trace);
      }
    }
    for (const { process, type, f, error } of history) {
      if (process === "nemesis" || type === "invoke") continue;
      reached.count(`${f} ${type} ${error?.code ?? ""}`);
    }
    return reached.all();
  }
}

/** A message's type, with what it says by yes, no and codes of errors. */
function kindOf(body: JsonObject): string {
  const said = Object.entries(body).filter(([name, value]) =>
    typeof value === "boolean" || name === "code"
  );
  const words = [String(body.type), ...said.map(([name, value]) => `${name}=${String(value)}`)];
  return words.join(" ").slice(0, MAX_NAME_CHARS);
}

/** What a node says of itself, without numbers, of which there is no end. */
function stateOf(observed: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(observed).filter(([, value]) => typeof value !== "number")
    .map(([name, value]) => `${name}=${value}`).join(" ").slice(0, MAX_NAME_CHARS);
}

/** The begin and the end of a fault, on the nodes that it is about. */
function stepsOf(
  { kind, nodes, drops, fromMs, toMs }: PlanFault,
  all: readonly string[],
): TraceStep[] {
  const cut = drops && [...new Set([...Object.keys(drops), ...Object.values(drops).flat()])];
  const about = nodes ?? cut ?? all;
  return [
    { atMs: fromMs, nodes: about, take: (node) => node.meets(kind) },
    { atMs: toMs ?? Infinity, nodes: about, take: (node) => node.leaves(kind) },
  ];
}

/** What happened to a node so far, as far as it matters for what happens next. */
class NodeTrace {
  readonly #reached: ReachedTally;
  readonly #faults = new Set<string>();
  #state = "";
  #last = "";

  constructor(reached: ReachedTally) {
    this.#reached = reached;
  }

  misses(message: string, why: string): void {
    this.#reached.add(`${message} lost by ${why} in ${this.#state}`);
  }

  gets(message: string): void {
    this.#reached.add(`${message} in ${this.#state}`);
    this.#reached.add(`${message} after ${this.#last}`);
    for (const fault of this.#faults) this.#reached.add(`${message} under ${fault}`);
    this.#last = message;
  }

  becomes(state: string): void {
    this.#reached.count(`${state} after ${this.#state}`);
    for (const fault of this.#faults) this.#reached.add(`${state} under ${fault}`);
    this.#state = state;
  }

  reaches(name: string): void {
    this.#reached.add(`sometimes ${name}`);
  }

  meets(fault: string): void {
    this.#reached.count(`${fault} in ${this.#state}`);
    for (const other of this.#faults) this.#reached.add(`${fault} under ${other}`);
    this.#faults.add(fault);
  }

  leaves(fault: string): void {
    this.#faults.delete(fault);
  }
}

/** What was reached, and of some of it how often. */
class ReachedTally {
  readonly #names = new Set<string>();
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    if (this.#names.size < MAX_REACHED) this.#names.add(name);
  }

  count(name: string): void {
    const count = this.#counts.get(name);
    if (count !== undefined || this.#counts.size < MAX_REACHED) {
      this.#counts.set(name, (count ?? 0) + 1);
    }
  }

  all(): string[] {
    const counts = [...this.#counts].map(([name, count]) => {
      return `${name}, ${2 ** Math.floor(Math.log2(count))} times`;
    });
    return [...this.#names, ...counts].slice(0, MAX_REACHED);
  }
}
