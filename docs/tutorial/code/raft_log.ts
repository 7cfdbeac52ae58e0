#!/usr/bin/env -S deno run
import { ErrorCode, isClient, type Json, jsonEqual, Node, RpcError, serve } from "@eddy/maelstrom";

const HEARTBEAT_MS = 100;
/** Election timeouts are drawn between this and twice this. */
const ELECTION_MS = 500;

type Role = "follower" | "candidate" | "leader";

type Read = { type: "read"; key: Json };
type Write = { type: "write"; key: Json; value: Json };
type Cas = { type: "cas"; key: Json; from: Json; to: Json };

/** A new leader begins its term with an entry that does nothing. */
type Command = Read | Write | Cas | { type: "nothing" };
type Entry = { term: number; command: Command };

type VoteRequest = { type: "request_vote"; term: number; lastIndex: number; lastTerm: number };
type VoteReply = { term: number; granted: boolean };
type AppendRequest = {
  type: "append_entries";
  term: number;
  prevIndex: number;
  prevTerm: number;
  entries: Entry[];
  commitIndex: number;
};
type AppendReply = { term: number; success: boolean; lastIndex: number };

const node = new Node();

// The state of every node.
let role: Role = "follower";
let term = 0;
let votedFor: string | undefined;
let leader: string | undefined;
/** The entry at index 0 is the same in all nodes, so that each other entry has one before it. */
const log: Entry[] = [{ term: 0, command: { type: "nothing" } }];
let commitIndex = 0;
const values = new Map<Json, Json>();

// The state of a leader.
const nextIndex = new Map<string, number>();
const matchIndex = new Map<string, number>();
/** The clients whose entries are not committed yet, by the index of the entry. */
const waiting = new Map<number, PromiseWithResolvers<object>>();

/** Changes role and term; nothing else does. */
function become(newRole: Role, newTerm: number, newLeader?: string): void {
  leader = newLeader;
  if (newRole === role && newTerm === term) return;
  if (newTerm > term) votedFor = undefined;
  role = newRole;
  term = newTerm;
  node.observe({ role, term });
  const lost = new RpcError(ErrorCode.timeout, "The leader changed: it may have happened or not");
  for (const client of waiting.values()) client.reject(lost);
  waiting.clear();
}

let cancelElection = () => {};

function resetElectionTimer(): void {
  cancelElection();
  cancelElection = node.clock.schedule(ELECTION_MS * (1 + node.random.next()), elect);
}

/** Calls a node. The reply counts only if both nodes are still in the term of the request. */
async function call<Reply extends { term: number }>(
  peer: string,
  request: VoteRequest | AppendRequest,
): Promise<Reply | undefined> {
  let reply: Reply;
  try {
    reply = await node.rpc(peer, request) as Reply;
  } catch {
    return undefined; // No reply in time: the next heartbeat or election asks again.
  }
  if (reply.term > term) become("follower", reply.term);
  return reply.term === request.term && term === request.term ? reply : undefined;
}

/** Whether a majority says yes, this node included; resolves as soon as that is known. */
function majority(answers: Promise<boolean>[]): Promise<boolean> {
  return new Promise((resolve) => {
    let yes = 1;
    let open = answers.length;
    const decide = () => {
      if (yes > node.nodeIds.length / 2) resolve(true);
      else if (open === 0) resolve(false);
    };
    decide();
    for (const answer of answers) {
      answer.then((isYes) => {
        open--;
        if (isYes) yes++;
        decide();
      });
    }
  });
}

async function elect(): Promise<void> {
  resetElectionTimer();
  if (role === "leader") return;
  become("candidate", term + 1);
  votedFor = node.id;
  const lastIndex = log.length - 1;
  const lastTerm = termAt(lastIndex);
  const request: VoteRequest = { type: "request_vote", term, lastIndex, lastTerm };
  const votes = node.otherNodes.map(async (peer) => {
    const reply = await call<VoteReply>(peer, request);
    return reply?.granted === true;
  });
  const isElected = await majority(votes);
  // While this node waited, it may have heard of another term.
  if (isElected && role === "candidate" && term === request.term) lead();
}

node.on("request_vote", ({ src, body }) => {
  const request = body as VoteRequest;
  if (request.term > term) become("follower", request.term);
  const isFree = votedFor === undefined || votedFor === src;
  const granted = request.term === term && isFree && isUpToDate(request);
  if (granted) {
    votedFor = src;
    resetElectionTimer();
  }
  return { term, granted };
});

/** Whether a candidate's log is not behind this node's. */
function isUpToDate({ lastIndex, lastTerm }: VoteRequest): boolean {
  const ownIndex = log.length - 1;
  const ownTerm = termAt(ownIndex);
  return lastTerm > ownTerm || (lastTerm === ownTerm && lastIndex >= ownIndex);
}

function termAt(index: number): number {
  return log[index]?.term ?? -1;
}

function lead(): void {
  become("leader", term, node.id);
  for (const peer of node.otherNodes) {
    nextIndex.set(peer, log.length);
    matchIndex.set(peer, 0);
  }
  append({ type: "nothing" });
}

function append(command: Command): void {
  log.push({ term, command });
  advanceCommit();
  replicateToAll();
}

function replicateToAll(): void {
  for (const peer of node.otherNodes) replicate(peer);
}

/** Sends a node what its log lacks. */
async function replicate(peer: string): Promise<void> {
  const prevIndex = (nextIndex.get(peer) ?? 1) - 1;
  const prevTerm = termAt(prevIndex);
  const entries = log.slice(prevIndex + 1);
  const reply = await call<AppendReply>(peer, {
    type: "append_entries",
    term,
    prevIndex,
    prevTerm,
    entries,
    commitIndex,
  });
  if (reply === undefined) return;
  if (reply.success) {
    // Replies may come in another order than their requests were sent.
    const match = Math.max(matchIndex.get(peer) ?? 0, prevIndex + entries.length);
    matchIndex.set(peer, match);
    nextIndex.set(peer, match + 1);
    advanceCommit();
  } else {
    nextIndex.set(peer, Math.min(prevIndex, reply.lastIndex + 1));
    replicate(peer);
  }
}

/** Commits what a majority holds, if it ends with an entry of this term. */
function advanceCommit(): void {
  const lastIndices = [log.length - 1, ...matchIndex.values()].sort((a, b) => b - a);
  const index = lastIndices[Math.floor(lastIndices.length / 2)] ?? 0;
  if (termAt(index) === term) commitUpTo(index);
}

node.on("append_entries", ({ src, body }) => {
  const request = body as AppendRequest;
  if (request.term < term) return { term, success: false, lastIndex: 0 };
  become("follower", request.term, src);
  resetElectionTimer();
  const { prevIndex, entries } = request;
  if (termAt(prevIndex) !== request.prevTerm) {
    return { term, success: false, lastIndex: log.length - 1 };
  }
  entries.forEach((entry, i) => {
    const index = prevIndex + 1 + i;
    if (termAt(index) === entry.term) return; // This node has it.
    log.splice(index); // Removes what conflicts, and all that follows it.
    log.push(entry);
  });
  commitUpTo(Math.min(request.commitIndex, prevIndex + entries.length));
  return { term, success: true, lastIndex: log.length - 1 };
});

/** Applies entries in the order of the log. */
function commitUpTo(index: number): void {
  for (const { command } of log.slice(commitIndex + 1, index + 1)) {
    commitIndex++;
    const client = waiting.get(commitIndex);
    waiting.delete(commitIndex);
    try {
      const reply = execute(command);
      client?.resolve(reply);
    } catch (error) {
      client?.reject(error);
    }
  }
}

function execute(command: Command): object {
  if (command.type === "nothing") return {};
  const { key } = command;
  if (command.type === "write") {
    values.set(key, command.value);
    return {};
  }
  const value = values.get(key);
  if (value === undefined) throw new RpcError(ErrorCode.keyDoesNotExist, `No key ${key}`);
  if (command.type === "read") return { value };
  if (!jsonEqual(value, command.from)) {
    throw new RpcError(ErrorCode.preconditionFailed, `Expected ${command.from}, found ${value}`);
  }
  values.set(key, command.to);
  return {};
}

for (const type of ["read", "write", "cas"]) {
  node.on(type, async ({ src, body }) => {
    if (role === "leader") return await serveAsLeader(body as Read | Write | Cas);
    if (leader === undefined || !isClient(src)) throw unavailable();
    return await node.rpc(leader, body);
  });
}

function unavailable(): RpcError {
  return new RpcError(ErrorCode.temporarilyUnavailable, "This node knows no leader");
}

async function serveAsLeader(request: Read | Write | Cas): Promise<object> {
  if (request.type === "read") return execute(request);
  const client = Promise.withResolvers<object>();
  waiting.set(log.length, client);
  append(request);
  return await client.promise;
}

node.onInit(resetElectionTimer);
node.every(HEARTBEAT_MS, () => {
  if (role === "leader") replicateToAll();
});
await serve(node);
