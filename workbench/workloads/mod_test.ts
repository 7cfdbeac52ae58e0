import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Json, JsonObject } from "@eddy/maelstrom";
import { failureOf, ReplyTimeout } from "../client.ts";
import type { Invocation } from "../generator.ts";
import type { Op } from "../history.ts";
import { defaultOptions } from "../options.ts";
import { check } from "../report.ts";
import { type WorkloadName, WORKLOADS, workloads } from "./mod.ts";
import { ScriptedNode } from "../testing.ts";

/** Every operation: what is asked, and what a good answer makes of it. */
const operations: {
  workload: WorkloadName;
  op: Invocation;
  request: JsonObject;
  reply: JsonObject;
  value: Json;
  /** Whether any error means that nothing happened. */
  idempotent?: true;
}[] = [
  {
    workload: "echo",
    op: { f: "echo", value: "Please echo 1" },
    request: { type: "echo", echo: "Please echo 1" },
    reply: { type: "echo_ok", echo: "Please echo 1" },
    value: { type: "echo_ok", echo: "Please echo 1", in_reply_to: 1 },
  },
  {
    workload: "unique-ids",
    op: { f: "generate", value: null },
    request: { type: "generate" },
    reply: { type: "generate_ok", id: [1, "a"] },
    value: [1, "a"],
  },
  {
    workload: "broadcast",
    op: { f: "broadcast", value: 4 },
    request: { type: "broadcast", message: 4 },
    reply: { type: "broadcast_ok" },
    value: 4,
  },
  {
    workload: "broadcast",
    op: { f: "read", value: null },
    request: { type: "read" },
    reply: { type: "read_ok", messages: [1, 2] },
    value: [1, 2],
    idempotent: true,
  },
  {
    workload: "g-set",
    op: { f: "add", value: 4 },
    request: { type: "add", element: 4 },
    reply: { type: "add_ok" },
    value: 4,
  },
  {
    workload: "g-set",
    op: { f: "read", value: null },
    request: { type: "read" },
    reply: { type: "read_ok", value: [1, 2] },
    value: [1, 2],
  },
  ...(["g-counter", "pn-counter"] as const).flatMap((workload) => [
    {
      workload,
      op: { f: "add", value: -3 },
      request: { type: "add", delta: -3 },
      reply: { type: "add_ok" },
      value: -3,
    },
    {
      workload,
      op: { f: "read", value: null },
      request: { type: "read" },
      reply: { type: "read_ok", value: 12 },
      value: 12,
    },
  ]),
  {
    workload: "lin-kv",
    op: { f: "read", value: [7, null] },
    request: { type: "read", key: 7 },
    reply: { type: "read_ok", value: 3 },
    value: [7, 3],
    idempotent: true,
  },
  {
    workload: "lin-kv",
    op: { f: "write", value: [7, 2] },
    request: { type: "write", key: 7, value: 2 },
    reply: { type: "write_ok" },
    value: [7, 2],
  },
  {
    workload: "lin-kv",
    op: { f: "cas", value: [7, [0, 4]] },
    request: { type: "cas", key: 7, from: 0, to: 4 },
    reply: { type: "cas_ok" },
    value: [7, [0, 4]],
  },
  {
    workload: "kafka",
    op: { f: "send", value: [["send", "1", 2]] },
    request: { type: "send", key: "1", msg: 2 },
    reply: { type: "send_ok", offset: 5 },
    value: [["send", "1", [5, 2]]],
  },
  {
    workload: "kafka",
    op: { f: "poll", value: [["poll"]] },
    request: { type: "poll", offsets: {} },
    reply: { type: "poll_ok", msgs: {} },
    value: [["poll", {}]],
  },
  {
    workload: "kafka",
    op: { f: "assign", value: ["1"] },
    request: { type: "list_committed_offsets", keys: ["1"] },
    reply: { type: "list_committed_offsets_ok", offsets: {} },
    value: ["1"],
    idempotent: true,
  },
  {
    workload: "txn-list-append",
    op: { f: "txn", value: [["r", 1, null], ["append", 1, 2]] },
    request: { type: "txn", txn: [["r", 1, null], ["append", 1, 2]] },
    reply: { type: "txn_ok", txn: [["r", 1, [1]], ["append", 1, 2]] },
    value: [["r", 1, [1]], ["append", 1, 2]],
  },
  {
    workload: "txn-list-append",
    op: { f: "txn", value: [["r", 1, null]] },
    request: { type: "txn", txn: [["r", 1, null]] },
    reply: { type: "txn_ok", txn: null },
    value: [],
  },
  {
    workload: "txn-rw-register",
    op: { f: "txn", value: [["r", 1, null], ["w", 1, 2]] },
    request: { type: "txn", txn: [["r", 1, null], ["w", 1, 2]] },
    reply: { type: "txn_ok", txn: [["r", 1, null], ["w", 1, 2]] },
    value: [["r", 1, null], ["w", 1, 2]],
  },
];

function session(workload: WorkloadName, node: ScriptedNode) {
  return workloads[workload].session(node.call, defaultOptions(workload));
}

/** How an operation ends when the node's answer is an error, or it throws. */
async function endOf(workload: WorkloadName, op: Invocation, answer: () => JsonObject) {
  try {
    await session(workload, new ScriptedNode(answer))(op);
    return { type: "ok" };
  } catch (error) {
    return failureOf(error, op.f, workloads[workload].errors);
  }
}

for (const { workload, op, request, reply, value } of operations) {
  Deno.test(`${workload}: ${op.f} asks for ${JSON.stringify(request)}`, async () => {
    const node = new ScriptedNode(() => reply);
    assertEquals(await session(workload, node)(op), value);
    assertEquals(node.requests, [request]);
    assertEquals(node.timeouts, [workload === "lin-kv" ? 1000 : undefined]);
  });
}

/** The workloads that map no errors. */
const unmapped = new Set<WorkloadName>(["g-set", "g-counter", "pn-counter"]);

for (const { workload, op, reply, idempotent } of operations) {
  Deno.test(`${workload}: how ${op.f} ends without ${JSON.stringify(reply)}`, async () => {
    const type = async (answer: () => JsonObject) => (await endOf(workload, op, answer)).type;
    const timeout = () => {
      throw new ReplyTimeout("No reply");
    };
    const open = idempotent ? "fail" : "info";
    assertEquals(await type(timeout), open);
    for (const code of [0, 13, 99, 1000]) {
      assertEquals(await type(() => ({ type: "error", code })), open, `code ${code}`);
    }
    for (const code of [1, 10, 11, 12, 14, 20, 21, 22, 30]) {
      const wanted = unmapped.has(workload) ? "info" : "fail";
      assertEquals(await type(() => ({ type: "error", code })), wanted, `code ${code}`);
    }
    const extra = await endOf(workload, op, () => ({ ...reply, more: 1 }));
    assertEquals(extra.type, "info");
    assertStringIncludes(JSON.stringify(extra), "extra field more (1)");
    assertEquals(await type(() => ({ ...reply, type: "what" })), "info");
  });
}

Deno.test("which clients outlive an operation whose outcome is unknown", () => {
  assertEquals(WORKLOADS.filter((workload) => workloads[workload].reusableClients), [
    "lin-kv",
    "txn-list-append",
    "txn-rw-register",
    "unique-ids",
  ]);
});

Deno.test("only broadcast sets its nodes up: with the topology", async () => {
  for (const workload of WORKLOADS) {
    const node = new ScriptedNode(() => ({ type: "topology_ok" }));
    const options = defaultOptions(workload, { nodeCount: 3, topology: "line" });
    await workloads[workload].setup?.(node.call, options);
    const topology = { n0: ["n1"], n1: ["n0", "n2"], n2: ["n1"] };
    const wanted = workload === "broadcast" ? [{ type: "topology", topology }] : [];
    assertEquals(node.requests, wanted, workload);
  }
});

const add = (type: Op["type"], index: number): Op => ({
  index,
  time: index,
  type,
  process: 0,
  f: "add",
  value: 1,
});

Deno.test("the verdict is the worst of four", () => {
  const options = defaultOptions("pn-counter");
  const good = [add("invoke", 0), add("ok", 1)];
  assertEquals(check(good, options).valid, true);
  const failing = [add("invoke", 0), add("info", 1)];
  const result = check(failing, { ...options, availability: "total" });
  assertEquals(
    [result.stats, result.availability, result.exceptions, result.workload, result]
      .map((each) => each.valid),
    [false, false, true, true, false],
  );
});
