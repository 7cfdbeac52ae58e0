/**
 * Transcripts: lines that begin with `>` are done, and what comes of them is written below.
 *
 * Nodes act when they are sent something or told to `wait`, and at no other time:
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
import { MemoryStorage } from "@eddy/handlers/raft/log";
import type { Content, Message } from "@eddy/handlers/raft/message.ts";
import type { Json } from "@eddy/maelstrom";

/** What clients of one node want. */
class Wishes implements CommandSource {
  readonly #wishes: Json[] = [];

  get dueMs(): number {
    return this.#wishes.length > 0 ? 0 : Infinity;
  }

  add(wish: Json): void {
    this.#wishes.push(wish);
  }

  take(): Json[] {
    return this.#wishes.splice(0);
  }
}

interface Player {
  readonly raft: Raft;
  readonly storage: MemoryStorage;
  readonly wishes: Wishes;
  said: string;
}

/** How long a message takes. */
const DELAY_MS = 10;
/** How many messages to deliver at most. */
const MAX_MESSAGES = 500;
/** What is said before anything else. */
const settings = ["log", "term", "bound"];

class Stage {
  readonly lines: string[] = [];
  readonly #players = new Map<string, Player>();
  readonly #cut = new Set<string>();
  #underWay: { from: string; to: string; message: Message }[] = [];
  #nowMs = 0;

  constructor(logs: ReadonlyMap<string, readonly number[]>, term: number, maxEntries: number) {
    for (const [id, terms] of logs) {
      const storage = new MemoryStorage();
      storage.append(terms.map((term): [number, Json] => [term, "-"]));
      storage.setTerm(Math.max(term, ...terms), undefined);
      const wishes = new Wishes();
      const raft = new Raft({
        id,
        nodeIds: [...logs.keys()],
        random: { next: () => 0.5 },
        nowMs: 0,
        commands: wishes,
        snapshot: () => [],
        storage,
        timing: { maxEntries },
      });
      this.#players.set(id, { raft, storage, wishes, said: "" });
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

  #player(id: string): Player {
    const player = this.#players.get(id);
    if (player === undefined) throw new Error(`No node ${id}`);
    return player;
  }

  #wait(ms: number, id: string): void {
    this.#nowMs += ms;
    if (id !== "") this.#turn(id);
  }

  #propose(id: string, wish: string): void {
    this.#nowMs += DELAY_MS;
    this.#player(id).wishes.add(wish);
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
      this.#player(to).raft.step(from, message, this.#nowMs);
      this.#turn(to);
    }
    if (most === MAX_MESSAGES) throw new Error("Messages go on and on");
  }

  #turn(id: string): void {
    const player = this.#player(id);
    const { raft } = player;
    const { messages, first, entries } = raft.flush(this.#nowMs);
    for (const { to, message } of messages) this.#underWay.push({ from: id, to, message });
    if (entries.length > 0) raft.advance(first + entries.length - 1);
    const state = raft.role === "follower" ? "" : `${id} is ${raft.role} in term ${raft.term}`;
    if (state !== "" && state !== player.said) this.lines.push(state);
    player.said = state;
    if (entries.length > 0) this.lines.push(`${id} applies up to ${raft.commit}`);
  }

  #showLogs(): void {
    for (const [id, { storage, raft }] of this.#players) {
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
