/**
 * Nodes that serve their workload rightly, but break the protocol.
 *
 * What only a process can do (garbage on standard output, an exit) is in `lab/programs/`.
 *
 * @module
 */

import { type Body, ErrorCode, type Node, parseJson, pause, RpcError } from "@eddy/maelstrom";
import { nowAndThen, serveAlone, serveByAuthority } from "./authority.ts";
import { broadcast } from "./broadcast.ts";
import { echo } from "./echo.ts";
import { gSet } from "./g_set.ts";
import { kafka } from "./kafka.ts";
import { linKv } from "./lin_kv.ts";
import type { Mutant, Settings } from "./mutant.ts";
import type { AsyncServer, Change, Reference } from "./reference.ts";
import { txnListAppend } from "./txn.ts";

/** What the workbench calls a reply that does not fit its schema, as Maelstrom does. */
const MALFORMED = "malformed-rpc-response";

/** A right cluster that does one thing otherwise. */
function faulty(
  reference: Reference,
  name: string,
  anomaly: string,
  around: Change,
  needs: Settings = {},
): Mutant {
  const install = (node: Node) => serveByAuthority(node, reference, { around });
  return { name, workload: reference.workload, anomaly, needs, install };
}

/** Answers with something else now and then. */
function answers(change: (answer: Record<string, unknown>) => object): Change {
  return (ask, node) => async (body, asked) => {
    const answer = await ask(body, asked);
    if (body.type === "topology") return answer;
    if (answer === undefined || answer.type === "error" || !nowAndThen(node, 0.1)) return answer;
    return change(answer) as Awaited<ReturnType<AsyncServer>>;
  };
}

/** Answers an echo by hand, in `body`. */
function echoesByHand(
  name: string,
  anomaly: string,
  reply: (node: Node, client: string, body: Body) => void,
  needs: Settings = {},
): Mutant {
  return {
    name,
    workload: "echo",
    anomaly,
    needs,
    install(node) {
      node.on("echo", ({ src, body: { echo = null, msg_id = null } }) => {
        const body: Body = { type: "echo_ok", echo, in_reply_to: msg_id };
        if (!nowAndThen(node, 0.05)) node.send(src, body);
        else reply(node, src, body);
      });
    },
  };
}

/** Nodes that break the protocol. */
export const protocolMutants: readonly Mutant[] = [
  faulty(
    broadcast,
    "adds a key to its replies",
    MALFORMED,
    answers((answer) => ({ ...answer, took_ms: 3 })),
  ),
  faulty(gSet, "leaves a key out of its replies", MALFORMED, answers(() => ({}))),
  faulty(
    linKv,
    "calls its replies by another name",
    MALFORMED,
    answers((answer) => ({
      ...answer,
      type: "ok",
    })),
  ),
  faulty(
    kafka,
    "answers with offsets that are no integers",
    MALFORMED,
    answers((answer) => ({
      ...answer,
      ...("offset" in answer ? { offset: parseJson(`${answer.offset}.5`) } : {}),
    })),
  ),
  faulty(
    txnListAppend,
    "answers a transaction with an object",
    MALFORMED,
    answers((answer) => ({
      ...answer,
      txn: { ...answer.txn as object },
    })),
  ),
  echoesByHand(
    "answers another request than it was asked",
    "unavailable",
    (node, client, body) => node.send(client, { ...body, in_reply_to: 1_000_000 }),
    { availability: "total" },
  ),
  echoesByHand(
    "writes to a node that does not exist",
    "there is no endpoint named",
    (node, _client, body) => {
      node.send("n99", body);
    },
  ),
  echoesByHand(
    "answers when its client is gone",
    "would silence this node under Maelstrom",
    (node, client, body) => void pause(node.clock, 7000).then(() => node.send(client, body)),
    { timeLimitSeconds: 12 },
  ),
  {
    name: "refuses to begin",
    workload: "echo",
    anomaly: "Expected node ",
    install(node) {
      node.onInit(() => {
        throw new RpcError(ErrorCode.crash, "No");
      });
      serveAlone(node, echo, echo.inMemory());
    },
  },
  {
    name: "does not take the topology",
    workload: "broadcast",
    anomaly: "Cannot set up node ",
    install(node) {
      const server = broadcast.inMemory();
      serveAlone(node, broadcast, (body, asked) => {
        if (body.type === "topology") throw new RpcError(ErrorCode.notSupported, "No");
        return server(body, asked);
      });
    },
  },
];
