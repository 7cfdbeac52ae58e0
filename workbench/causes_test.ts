import { assertEquals, assertMatch } from "@std/assert";
import { ErrorCode, type Json, type Node, RpcError } from "@eddy/maelstrom";
import { check } from "./report.ts";
import type { Cause, ReportData } from "./report_data.ts";
import { makeReport } from "./report_maker.ts";
import { MessageCollector, messageEvent } from "./report_messages.ts";
import { simulate, type SimulateOptions } from "./simulate.ts";

/** A run with its messages, as a page is given it. */
async function reportOf(options: SimulateOptions): Promise<ReportData> {
  const events: Parameters<MessageCollector["add"]>[0][] = [];
  const result = await simulate({
    nodeCount: 3,
    concurrency: "2n",
    timeLimitSeconds: 4,
    rate: 20,
    latency: { meanMs: 5, distribution: "constant" },
    seed: 1,
    ...options,
    onMessage: (event) => void events.push(messageEvent(event)),
  });
  const collector = new MessageCollector(result.startMs);
  for (const event of events) collector.add(event);
  const { results: report, history, options: run, observations } = result;
  return makeReport({
    workload: options.workload,
    report,
    options: run,
    history,
    observations,
    ...collector.shown,
  });
}

function textOf(cause: Cause = []): string {
  return cause.map((part) => typeof part === "string" ? part : part.text).join("");
}

/** Sends each value once, and never again. */
function sendsOnce(node: Node, keeps = true): void {
  const values = new Set<unknown>();
  node.on("topology", () => ({}));
  node.on("broadcast", ({ body: { message = null } }) => {
    values.add(message);
    for (const other of node.otherNodes) node.send(other, { type: "pass", clock: 7, message });
    return {};
  });
  node.on("pass", ({ body: { message } }) => {
    if (keeps) values.add(message);
  });
  node.on("read", () => ({ messages: [...values] as number[] }));
}

Deno.test("a lost value: the last message that carried it to a node, and the fault that took it", async () => {
  const { report, causes } = await reportOf({
    workload: "broadcast",
    install: sendsOnce,
    script: (faults, clock) => {
      const heal = faults.isolate("n1");
      clock.schedule(2000, heal);
    },
  });
  assertEquals(report.findings[0]?.anomaly, "lost");
  const texts = causes[0]?.map(textOf) ?? [];
  const all = texts.join("\n");
  assertMatch(
    all,
    /^The only message with 0 to n[012] was pass from n\d to n\d, sent at 0\.\d{3} s, which the partition n1 \| n0 n2 took; after the partition ended at 2\.000 s nobody sent 0 to n\d again$/m,
  );
  const place = causes[0]?.[0]?.find((part) => typeof part !== "string");
  assertEquals(typeof place?.message, "number");
});

Deno.test("a lost value that arrived, and one that nobody sent", async () => {
  const arrived = await reportOf({
    workload: "broadcast",
    install: (node) => sendsOnce(node, false),
  });
  assertMatch(textOf(arrived.causes[0]?.[0]), /; one with it arrived at .* and did not keep it$/);
  const alone = await reportOf({
    workload: "g-set",
    install: (node) => {
      const values: number[] = [];
      node.on("add", ({ body }) => {
        values.push(body.element as number);
        return {};
      });
      node.on("read", () => ({ value: values }));
    },
  });
  assertMatch(
    textOf(alone.causes[0]?.[0]),
    /^Nobody sent 0 to n\d: no message between nodes is seen to carry it$/,
  );
});

Deno.test("a lost value that the node itself acknowledged", async () => {
  const { causes } = await reportOf({
    workload: "broadcast",
    nodeCount: 1,
    install: (node) => {
      let newest: number[] = [];
      node.on("topology", () => ({}));
      node.on("broadcast", ({ body }) => {
        newest = [body.message as number];
        return {};
      });
      node.on("read", () => ({ messages: newest }));
    },
  });
  assertMatch(
    textOf(causes[0]?.[0]),
    /^n0 acknowledged 0 itself at 0\.\d{3} s: n0 had 0 by then, and did not keep it$/,
  );
});

Deno.test("a stale read: the write that it missed, and who took itself for the leader", async () => {
  const { report, causes } = await reportOf({
    workload: "lin-kv",
    install: (node) => {
      const registers = new Map<unknown, number>();
      const lead = () => node.observe({ role: "leader", term: node.id === "n0" ? 1 : 2 });
      node.on("write", ({ body: { key, value } }) => {
        lead();
        registers.set(key, value as number);
        return {};
      });
      node.on("read", ({ body: { key } }) => {
        lead();
        const value = registers.get(key);
        if (value === undefined) throw new RpcError(ErrorCode.keyDoesNotExist, "No such key");
        return { value };
      });
      node.on("cas", () => {
        throw new RpcError(ErrorCode.preconditionFailed, "Expected another value");
      });
    },
  });
  assertEquals(report.findings[0]?.anomaly, "nonlinearizable");
  const texts = causes.map((each) => each.map(textOf).join("\n"));
  assertMatch(
    texts.join("\n"),
    /^The last write before it, (write|cas) .* acknowledged at .*, ended .* began, which saw something else$/m,
  );
  assertMatch(
    texts.join("\n"),
    /^Leader by its own account: n0 in term 1, since .*; n1 in term 2, since /m,
  );
});

Deno.test("a read of what was acknowledged last, though another read shows that it came first", () => {
  const ms = (time: number) => time * 1e6;
  const call = (process: number, f: string, [from, to]: number[], asked: Json, got = asked) => [
    { type: "invoke" as const, process, f, time: ms(from ?? 0), value: asked },
    { type: "ok" as const, process, f, time: ms(to ?? 0), value: got },
  ];
  const history = [
    ...call(0, "write", [10, 40], [0, 1]),
    ...call(1, "write", [20, 30], [0, 4]),
    ...call(2, "read", [50, 60], [0, null], [0, 4]),
    ...call(3, "read", [70, 80], [0, null], [0, 1]),
  ].sort((a, b) => a.time - b.time)
    .map((op, index) => ({ ...op, index, node: `n${op.process}` }));
  const report = check(history, { workload: "lin-kv", consistencyModels: [] });
  const { causes } = makeReport({
    workload: "lin-kv",
    report,
    history,
    observations: [],
    ...new MessageCollector(0).shown,
  });
  assertEquals(
    textOf(causes[0]?.[0]),
    "A write of another value before it, write [0,4] by process 1 on n1, acknowledged at 0.030 s, " +
      "ended 40.0 ms before this read on n3 began; the write of what that saw ended later, but " +
      "must have come first",
  );
});
