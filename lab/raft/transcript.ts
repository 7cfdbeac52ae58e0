/**
 * Transcripts: lines that begin with `>` are commands, and what they lead to is written below.
 *
 * Nodes act when a message is delivered to them or a line names them, and at no other time:
 *
 * - `> log n1 1 1 4`: gives n1 a log of these terms, before anything else
 * - `> term 3`: puts all nodes in that term at least, before anything else
 * - `> bound 1`: lets an append carry so many entries, before anything else
 * - `> wait 700 n1`: lets time pass, and n1 notice
 * - `> propose n1 x`: a client of n1 wants x
 * - `> deliver`: delivers messages, and those that come of them, until there are no more
 * - `> deliver 3`: delivers three
 * - `> drop`: loses what is under way
 * - `> cut n1 n2`, `> heal`: loses whatever is sent to these nodes or by them
 * - `> logs`: shows every log, a bar behind what is committed
 *
 * @module
 */

import { type CommandSource, Raft } from "@eddy/handlers/raft";
import { MemoryRaftStorage } from "@eddy/handlers/raft/log";
import type { Content, Message } from "@eddy/handlers/raft/message.ts";
import type { Json } from "@eddy/maelstrom";

/** The commands that clients of one node have proposed. */
class Proposals implements CommandSource {
  readonly #commands: Json[] = [];

  get dueMs(): number {
    return this.#commands.length > 0 ? 0 : Infinity;
  }

  add(command: Json): void {
    this.#commands.push(command);
  }

  take(): Json[] {
    return this.#commands.splice(0);
  }

  repeat(): void {}
}

interface Member {
  readonly raft: Raft;
  readonly storage: MemoryRaftStorage;
  readonly proposals: Proposals;
  /** The role and term that were last written down. */
  state: string;
}

/** How long a message takes. */
const DELAY_MS = 10;
/** How many messages to deliver at most. */
const MAX_MESSAGES = 500;
/** What comes before anything else. */
const settings = ["log", "term", "bound"];

/** A cluster whose messages are delivered one by one. */
class Stage {
  readonly lines: string[] = [];
  readonly #members = new Map<string, Member>();
  readonly #cut = new Set<string>();
  #underWay: { from: string; to: string; message: Message }[] = [];
  #nowMs = 0;

  constructor(logs: ReadonlyMap<string, readonly number[]>, term: number, maxEntries: number) {
    for (const [id, terms] of logs) {
      const storage = new MemoryRaftStorage();
      storage.append(terms.map((term): [number, Json] => [term, "-"]));
      storage.setTerm(Math.max(term, ...terms), undefined);
      const proposals = new Proposals();
      const raft = new Raft({
        id,
        nodeIds: [...logs.keys()],
        random: { next: () => 0.5 },
        nowMs: 0,
        commands: proposals,
        snapshot: () => [],
        storage,
        timing: { maxEntries },
      });
      this.#members.set(id, { raft, storage, proposals, state: "" });
    }
  }

  do(line: string): void {
    this.lines.push(line);
    const [verb, ...words] = line.slice(2).split(" ");
    const [first = "", second = ""] = words;
    if (verb === "wait") this.#wait(Number(first), second);
    else if (verb === "propose") this.#propose(first, second);
    else if (verb === "deliver") this.#deliver(first === "" ? MAX_MESSAGES : Number(first));
    else if (verb === "drop") this.#underWay = [];
    else if (verb === "cut") { for (const id of words) this.#cut.add(id); }
    else if (verb === "heal") this.#cut.clear();
    else if (verb === "logs") this.#showLogs();
    else if (!settings.includes(verb ?? "")) throw new Error(`Cannot ${line}`);
  }

  #member(id: string): Member {
    const member = this.#members.get(id);
    if (member === undefined) throw new Error(`No node ${id}`);
    return member;
  }

  #wait(ms: number, id: string): void {
    this.#nowMs += ms;
    if (id !== "") this.#turn(id);
  }

  #propose(id: string, command: string): void {
    this.#nowMs += DELAY_MS;
    this.#member(id).proposals.add(command);
    this.#turn(id);
  }

  #deliver(most: number): void {
    for (let count = 0; count < most; count++) {
      const next = this.#underWay.shift();
      if (next === undefined) return;
      const { from, to, message } = next;
      this.#nowMs += DELAY_MS;
      if (this.#cut.has(from) || this.#cut.has(to)) continue;
      this.lines.push(`${from} -> ${to} ${describe(message)}`);
      this.#member(to).raft.step(from, message, this.#nowMs);
      this.#turn(to);
    }
    if (most === MAX_MESSAGES) throw new Error(`More than ${MAX_MESSAGES} messages`);
  }

  #turn(id: string): void {
    const member = this.#member(id);
    const { raft } = member;
    const { messages, first, entries } = raft.flush(this.#nowMs);
    for (const { to, message } of messages) this.#underWay.push({ from: id, to, message });
    if (entries.length > 0) raft.advance(first + entries.length - 1);
    const state = raft.role === "follower" ? "" : `${id} is ${raft.role} in term ${raft.term}`;
    if (state !== "" && state !== member.state) this.lines.push(state);
    member.state = state;
    if (entries.length > 0) this.lines.push(`${id} applies up to ${raft.commit}`);
  }

  #showLogs(): void {
    for (const [id, { storage, raft }] of this.#members) {
      const terms = storage.slice(1, storage.lastIndex).map(([term]) => String(term));
      terms.splice(raft.commit, 0, "|");
      this.lines.push(`${id}: ${terms.join(" ")}`);
    }
  }
}

function describe(message: Content): string {
  const { type, term } = message;
  const start = `${type} term ${term}`;
  switch (message.type) {
    case "request_vote":
      return `${start}${message.pre ? " pre" : ""} last ${message.lastIndex}:${message.lastTerm}`;
    case "vote":
      return `${start}${message.pre ? " pre" : ""} ${message.granted ? "yes" : "no"}`;
    case "append_entries": {
      const terms = message.entries.map(([term]) => term).join(" ");
      const { prevIndex, prevTerm, commit } = message;
      return `${start} after ${prevIndex}:${prevTerm} [${terms}] commit ${commit}`;
    }
    case "acknowledge": {
      const { reject, match, commands } = message;
      const refused = reject && ` no ${reject[0]}, try ${reject[1]}:${reject[2]}`;
      return `${start}${refused ?? ` match ${match}`}${commands ? ` wants ${commands}` : ""}`;
    }
    default:
      return start;
  }
}

/** Does what a transcript's lines say, and returns the transcript as it should be. */
export function perform(transcript: string): string {
  const orders = transcript.split("\n").map((line) => line.trim()).filter((line) =>
    line.startsWith(">") || line.startsWith("#")
  );
  const logs = new Map<string, number[]>();
  let startTerm = 0;
  let maxEntries = 100;
  for (const order of orders) {
    const [, verb, first = "", ...terms] = order.split(" ");
    if (verb === "log") logs.set(first, terms.map(Number));
    if (verb === "term") startTerm = Number(first);
    if (verb === "bound") maxEntries = Number(first);
  }
  const stage = new Stage(logs, startTerm, maxEntries);
  for (const order of orders) {
    if (order.startsWith("#")) stage.lines.push(order);
    else stage.do(order);
  }
  return stage.lines.join("\n");
}
