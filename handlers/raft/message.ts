/**
 * What the nodes of a cluster say to each other.
 *
 * Everything rides on two messages: what a leader has for a follower on `append_entries`, what a
 * follower has for its leader on `acknowledge`. A term, wherever it stands, is the sender's.
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";

/** One entry of the log: the term of the leader that made it, and a command; `null` does nothing. */
export type Entry = readonly [term: number, command: Json];

/**
 * What a message says about its link: its own number, the number of the newest message that came
 * the other way, and how long ago that was. From it follow the link's delay and who hears whom.
 */
export type Stamp = readonly [number: number, echo: number, heldMs: number];

/** A read that waits for the leader: which life of its node asked, and its number there. */
export type Ticket = readonly [life: number, number: number];

/** Asks for a vote (paper 5.2), or whether one would be given (dissertation 9.6). */
export interface RequestVote {
  readonly type: "request_vote";
  /** The term stood for; with `pre` the one that would be. */
  readonly term: number;
  readonly pre: boolean;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/** Answers {@linkcode RequestVote}; when granted, `term` is the one asked for. */
export interface Vote {
  readonly type: "vote";
  readonly term: number;
  readonly pre: boolean;
  readonly granted: boolean;
}

/** A leader's word to a follower (paper 5.3): entries, or only that it is there. */
export interface AppendEntries {
  readonly type: "append_entries";
  readonly term: number;
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
  /** The newest leadership round (dissertation 6.4); an acknowledgement repeats it. */
  readonly round: number;
  /** Whether somebody waits for the acknowledgement; it may ride on something else if not. */
  readonly prompt: boolean;
  /** The next message will come within this time. */
  readonly heartbeatMs: number;
  /** Reads up to this ticket may go ahead once this index is applied. */
  readonly granted?: readonly [ticket: Ticket, index: number] | undefined;
}

/** A piece of a snapshot (paper 7), for a follower that needs entries the leader has no more. */
export interface InstallSnapshot {
  readonly type: "install_snapshot";
  readonly term: number;
  /** The last entry that the snapshot covers, and its term. */
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** How many items came before these. */
  readonly offset: number;
  readonly items: readonly Json[];
  readonly done: boolean;
  readonly heartbeatMs: number;
}

/** A follower's word to its leader: what it has, and what its clients want. */
export interface Acknowledge {
  readonly type: "acknowledge";
  readonly term: number;
  /** Up to here the follower's log is known to be the leader's. */
  readonly match: number;
  readonly round: number;
  /** The entry before an append was another or missing: which, and where to try (paper 5.3). */
  readonly reject?: readonly [prevIndex: number, hintIndex: number, hintTerm: number] | undefined;
  /** Commands of the follower's clients. */
  readonly commands?: readonly Json[] | undefined;
  /** Reads up to this ticket wait for the leader. */
  readonly reads?: Ticket | undefined;
  /** How many items of the snapshot at this index have come. */
  readonly installed?: readonly [lastIndex: number, offset: number] | undefined;
}

/** Says that a node leads no more: to all when it resigns, and to who still acknowledges. */
export interface Resigned {
  readonly type: "resigned";
  readonly term: number;
}

/** Any message, before its link puts its stamp on it. */
export type Content =
  | RequestVote
  | Vote
  | AppendEntries
  | InstallSnapshot
  | Acknowledge
  | Resigned;

/** Any message as it travels. */
export type Message = Content & { readonly link: Stamp };

/** The types of all messages. */
export const MESSAGE_TYPES = [
  "request_vote",
  "vote",
  "append_entries",
  "install_snapshot",
  "acknowledge",
  "resigned",
] as const satisfies readonly Content["type"][];

/** How deep {@linkcode roughSize} looks; below, a value counts as small. */
const MAX_DEPTH = 8;

/** About how many characters a value takes as JSON; cheap, and good enough to bound a message. */
export function roughSize(value: Json | Entry, depth: number = MAX_DEPTH): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null || depth === 0) return 8;
  let size = 2;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) size += roughSize(item, depth - 1) + 1;
    return size;
  }
  for (const [key, item] of Object.entries(value)) {
    size += key.length + 4 + roughSize(item, depth - 1);
  }
  return size;
}

/** How many items from `offset` on fit a message: one at least, if there is one. */
export function countFitting(
  items: readonly (Json | Entry)[],
  offset: number,
  maxCount: number,
  maxChars: number,
): number {
  const end = Math.min(items.length, offset + maxCount);
  let chars = 0;
  for (let at = offset; at < end; at++) {
    chars += roughSize(items[at] ?? null);
    if (chars > maxChars && at > offset) return at - offset;
  }
  return end - offset;
}
