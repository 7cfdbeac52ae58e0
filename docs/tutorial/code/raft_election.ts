#!/usr/bin/env -S deno run
import { ErrorCode, isClient, type Json, jsonEqual, Node, RpcError, serve } from "@eddy/maelstrom";

const HEARTBEAT_MS = 100;
/** Election timeouts are drawn between this and twice this. */
const ELECTION_MS = 500;

type Role = "follower" | "candidate" | "leader";

type Read = { type: "read"; key: Json };
type Write = { type: "write"; key: Json; value: Json };
type Cas = { type: "cas"; key: Json; from: Json; to: Json };

type VoteRequest = { type: "request_vote"; term: number };
type VoteReply = { term: number; granted: boolean };
type AppendRequest = { type: "append_entries"; term: number };

const node = new Node();

// The state of every node.
let role: Role = "follower";
let term = 0;
let votedFor: string | undefined;
let leader: string | undefined;
const values = new Map<Json, Json>();

/** Changes role and term; nothing else does. */
function become(newRole: Role, newTerm: number, newLeader?: string): void {
  leader = newLeader;
  if (newRole === role && newTerm === term) return;
  if (newTerm > term) votedFor = undefined;
  role = newRole;
  term = newTerm;
  node.observe({ role, term });
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
  const request: VoteRequest = { type: "request_vote", term };
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
  const granted = request.term === term && isFree;
  if (granted) {
    votedFor = src;
    resetElectionTimer();
  }
  return { term, granted };
});

function lead(): void {
  become("leader", term, node.id);
  sendHeartbeats();
}

function sendHeartbeats(): void {
  for (const peer of node.otherNodes) call(peer, { type: "append_entries", term });
}

node.on("append_entries", ({ src, body }) => {
  const request = body as AppendRequest;
  if (request.term < term) return { term };
  become("follower", request.term, src);
  resetElectionTimer();
  return { term };
});

function execute(request: Read | Write | Cas): object {
  const { key } = request;
  if (request.type === "write") {
    values.set(key, request.value);
    return {};
  }
  const value = values.get(key);
  if (value === undefined) throw new RpcError(ErrorCode.keyDoesNotExist, `No key ${key}`);
  if (request.type === "read") return { value };
  if (!jsonEqual(value, request.from)) {
    throw new RpcError(ErrorCode.preconditionFailed, `Expected ${request.from}, found ${value}`);
  }
  values.set(key, request.to);
  return {};
}

for (const type of ["read", "write", "cas"]) {
  node.on(type, async ({ src, body }) => {
    if (role === "leader") return execute(body as Read | Write | Cas);
    if (leader === undefined || !isClient(src)) throw unavailable();
    return await node.rpc(leader, body);
  });
}

function unavailable(): RpcError {
  return new RpcError(ErrorCode.temporarilyUnavailable, "This node knows no leader");
}

node.onInit(resetElectionTimer);
node.every(HEARTBEAT_MS, () => {
  if (role === "leader") sendHeartbeats();
});
await serve(node);
