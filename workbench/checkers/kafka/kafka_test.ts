import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Json, parseJson } from "@eddy/maelstrom";
import { MAX_FINDINGS, type Op, type Validity } from "../../history.ts";
import { checkKafka, type KafkaResult } from "./kafka.ts";
import { from, Run, sent } from "../../testing.ts";

/** Checks a run for exactly these anomalies. */
function assertFound(run: Run, anomalies: string[], valid?: Validity): KafkaResult {
  const result = checkKafka(run.ops);
  assertEquals(result.errorTypes, anomalies);
  assertEquals(result.valid, valid ?? anomalies.length === 0);
  return result;
}

/** The sentences of a result's findings. */
function sentences(result: KafkaResult): string[] {
  return (result.findings ?? []).map(({ what }) => what);
}

function errsOf(result: KafkaResult, anomaly: string): unknown {
  return result.anomalies[anomaly]?.errs;
}

Deno.test("a log read in order and in full is fine", () => {
  const run = sent("k", 4).poll(1, { k: from(0, 2) }).poll(1, { k: from(2, 4) }).poll(1, {});
  const result = assertFound(run, []);
  assertEquals(result.findings, undefined);
  assertEquals(result.warnings, undefined);
  assertEquals(result.badErrorTypes, []);
  assertEquals(result.infoTxnCauses, []);
});

Deno.test("nothing at all is fine, but nothing in any order is not", () => {
  assertFound(new Run(), []);
  assertFound(new Run().crash(0), ["empty-transaction-graph"]);
  assertFound(new Run().poll(0, {}), ["empty-transaction-graph"]);
  assertFound(new Run().poll(0, {}).poll(0, {}), []);
});

Deno.test("inconsistent-offsets: two messages at one offset", () => {
  const run = new Run().send(0, "k", 1, 5).send(1, "k", 2, 5).poll(2, { k: [[5, 1]] })
    .poll(3, { k: [[5, 2]] });
  const result = assertFound(run, ["inconsistent-offsets"]);
  assertEquals(errsOf(result, "inconsistent-offsets"), [
    { key: "k", offset: 5, index: 0, values: [1, 2] },
  ]);
  assertEquals(sentences(result), [
    'Offset 5 of key "k" holds 2 messages: 1 (sent by process 0 on n0 at 1.000 s), ' +
    "2 (sent by process 1 on n1 at 3.000 s)",
  ]);
  assertEquals(result.findings?.[0]?.ops.map(({ index }) => index), [1, 3]);
});

Deno.test("inconsistent-offsets: an indefinite send counts once something of it was seen", () => {
  const info = [["send", "x", [0, 1]], ["send", "y", 1]];
  const run = () => new Run().txn(0, "info", info).send(1, "x", 2, 0).poll(2, { x: [[0, 2]] });
  assertFound(run(), []);
  // Now message 1 of x should have been seen too, but its offset is taken.
  const types = checkKafka(run().poll(3, { y: [[5, 1]] }).ops).errorTypes as string[];
  assert(types.includes("inconsistent-offsets"), String(types));
});

Deno.test("duplicate: one message at two offsets", () => {
  const run = new Run().send(0, "k", 1, 0).send(1, "k", 2, 1).poll(2, {
    k: [[0, 1], [1, 2], [2, 1]],
  });
  const result = checkKafka(run.ops);
  // The later place counts, so the poll seems to run backwards as well.
  assertEquals(result.errorTypes, ["duplicate", "int-nonmonotonic-poll"]);
  assertEquals(errsOf(result, "duplicate"), [{ key: "k", value: 1, count: 2, offsets: [0, 2] }]);
  assertEquals(
    sentences(result)[0],
    'Message 1 of key "k" stands at 2 offsets: 0 (sent by process 0 on n0 at 1.000 s), ' +
      "2 (polled by process 2 on n2 at 5.000 s)",
  );
});

Deno.test("G1a: a message whose send failed", () => {
  const failed = new Run().trySend(0, "fail", "k", 1);
  const result = assertFound(failed.poll(1, { k: [[0, 1]] }), ["G1a"]);
  assertEquals(sentences(result), [
    'Message 1 of key "k" at offset 0 was polled by process 1 on n1 at 3.000 s, though its send ' +
    "by process 0 on n0 at 1.000 s failed",
  ]);
  assertFound(new Run().trySend(0, "info", "k", 1).poll(1, { k: [[0, 1]] }), []);
});

Deno.test("precommitted-read: an operation that polls what it sends", () => {
  const own = (value: number) => [["send", "k", [0, 1]], ["poll", { k: [[0, value]] }]];
  const result = assertFound(new Run().poll(1, {}).txn(0, "ok", own(1)), ["precommitted-read"]);
  assertMatch(
    sentences(result)[0] ?? "",
    /^Message 1 of key "k" at offset 0 was polled by the very/,
  );
});

Deno.test("lost-write: polled past, never polled", () => {
  const run = sent("k", 3).poll(1, { k: from(1, 3) });
  const result = assertFound(run, ["lost-write", "unseen"]);
  assertEquals(errsOf(result, "lost-write"), [
    { key: "k", value: 1, index: 0, maxReadIndex: 2, writer: 1, maxRead: 7 },
  ]);
  assertEquals(
    sentences(result)[0],
    'Message 1 of key "k" at offset 0 was never polled, though its send by process 0 on n0 at ' +
      "1.000 s was acknowledged and process 1 on n1 at 7.000 s polled beyond it, to offset 2",
  );
});

Deno.test("lost-write: not of what may not have happened, nor of what no poll passed", () => {
  const unknown = new Run().txn(0, "info", [["send", "k", [0, 1]]]).send(1, "k", 2, 1);
  assertFound(unknown.poll(1, { k: [[1, 2]] }), []);
  assertFound(sent("k", 2).poll(1, { k: from(0, 1) }), ["unseen"]);
  const proven = new Run().txn(0, "info", [["send", "x", 1], ["send", "k", [0, 1]]])
    .send(1, "k", 2, 1).poll(2, { x: [[0, 1]], k: [[1, 2]] });
  const result = assertFound(proven, ["lost-write"]);
  assertMatch(sentences(result)[0] ?? "", /took effect/);
});

Deno.test("unseen: acknowledged, and never polled by the end", () => {
  const run = sent("k", 3).send(0, "other", 1, 0).poll(1, { k: from(0, 1), other: [[0, 1]] });
  const result = assertFound(run, ["unseen"]);
  assertEquals(result.anomalies.unseen?.count, 2);
  assertEquals(result.unseen, {
    time: 9e9,
    unseen: { k: 2 },
    messages: { k: [2, 3] },
  });
  assertEquals(
    sentences(result)[0],
    'Message 2 of key "k" at offset 1 was never polled by the end, though its send by process 0 ' +
      "on n0 at 3.000 s was acknowledged, nor 1 other of its key",
  );
  // An indefinite or failed send promises nothing.
  assertFound(sent("k", 1).trySend(0, "info", "k", 2).poll(1, { k: from(0, 1) }), []);
});

Deno.test("poll-skip: the next poll of a process begins past a message", () => {
  const run = sent("k", 5).poll(1, { k: from(0, 2) }).poll(2, { k: from(0, 5) })
    .poll(1, { k: from(4, 5) });
  const result = assertFound(run, ["poll-skip"]);
  assertEquals(errsOf(result, "poll-skip"), [
    { key: "k", values: [2, 5], delta: 3, skipped: [3, 4], ops: [11, 15] },
  ]);
  assertEquals(sentences(result), [
    'Key "k": process 1 on n1 at 11.000 s polled message 2 at offset 1, then message 5 at offset ' +
    "4 at 15.000 s, skipping message 3 at offset 2 and 1 more",
  ]);
  assertEquals(result.findings?.[0]?.ops.map(({ index }) => index), [5, 11, 15]);
});

Deno.test("poll-skip: gaps between offsets are nothing skipped", () => {
  const run = new Run().send(0, "k", 1, 7).send(0, "k", 2, 1_000_000_007)
    .send(0, "k", 3, parseJson("9007199254740995")).poll(1, { k: [[7, 1]] })
    .poll(1, { k: [[1_000_000_007, 2]] }).poll(1, { k: parseJson("[[9007199254740995, 3]]") });
  assertFound(run, []);
});

Deno.test("nonmonotonic-poll: the next poll of a process begins at or before the last message", () => {
  const back = sent("k", 3).poll(1, { k: from(0, 3) }).poll(1, { k: from(1, 3) });
  const result = assertFound(back, ["nonmonotonic-poll"]);
  assertEquals(errsOf(result, "nonmonotonic-poll"), [
    { key: "k", values: [3, 2], delta: -1, ops: [7, 9] },
  ]);
  assertMatch(
    sentences(result)[0] ?? "",
    /then message 2 at offset 1 at 9\.000 s, 1 back in the log$/,
  );
  const again = sent("k", 1).poll(1, { k: from(0, 1) }).poll(1, { k: from(0, 1) });
  assertMatch(sentences(assertFound(again, ["nonmonotonic-poll"]))[0] ?? "", /, the same again$/);
});

Deno.test("an assign forgets the keys it leaves out, and only those", () => {
  const run = (keys: Json, type?: "ok" | "info" | "fail") =>
    sent("k", 2).poll(1, { k: from(0, 2) }).assign(1, keys, type).poll(1, { k: from(0, 2) });
  assertFound(run(["k", "x"]), ["nonmonotonic-poll"]);
  assertFound(run(["x"]), []);
  assertFound(run(["x"], "info"), []);
  assertFound(run(["x"], "fail"), ["nonmonotonic-poll"]);
  assertFound(run([]), []);
});

Deno.test("a crash begins a new process, which owes nothing to the old", () => {
  const run = sent("k", 2).poll(1, { k: from(0, 2) }).crash(1).poll(4, { k: from(0, 2) });
  assertFound(run, []);
});

Deno.test("a poll that did not end well moves nothing", () => {
  const reply = [["poll", { k: from(1, 2) }]];
  const run = sent("k", 2).poll(1, { k: from(0, 1) }).txn(1, "fail", reply).txn(1, "info", reply);
  assertFound(run.poll(1, { k: from(1, 2) }), []);
});

Deno.test("an empty list makes Maelstrom forget; that is warned of", () => {
  const again = sent("k", 1).poll(1, { k: from(0, 1) }).poll(1, { k: [] }).poll(1, { k: [] });
  const result = assertFound(again.poll(1, { k: from(0, 1) }), []);
  assertMatch(result.warnings?.[0] ?? "", /^Polls that skip or repeat .*the same again$/);
  const onward = sent("k", 2).poll(1, { k: from(0, 1) }).poll(1, { k: [] });
  assertEquals(assertFound(onward.poll(1, { k: from(1, 2) }), []).warnings, undefined);
});

Deno.test("int-poll-skip and int-nonmonotonic-poll: within one reply", () => {
  const seen = () => sent("k", 3).poll(2, { k: from(0, 3) });
  const skip = assertFound(seen().poll(1, { k: [[0, 1], [2, 3]] }), ["int-poll-skip"]);
  assertEquals(errsOf(skip, "int-poll-skip"), [
    { key: "k", values: [1, 3], delta: 2, skipped: [2], ops: [9] },
  ]);
  assertEquals(sentences(skip), [
    'Key "k": process 1 on n1 at 9.000 s polled message 1 at offset 0 and next message 3 at ' +
    "offset 2, skipping message 2 at offset 1",
  ]);
  const back = seen().poll(1, { k: [[1, 2], [0, 1]] });
  assertFound(back, ["int-nonmonotonic-poll"]);
  assertFound(seen().poll(1, { k: [[0, 1], [0, 1]] }), ["int-nonmonotonic-poll"]);
});

Deno.test("nonmonotonic-send: a process's later send lands at or before its earlier one", () => {
  const both = { k: [[3, 1], [4, 2]] };
  const run = (first: number, second: number) =>
    new Run().send(0, "k", first, first + 2).send(0, "k", second, second + 2).poll(1, both);
  assertFound(run(1, 2), []);
  const result = assertFound(run(2, 1), ["nonmonotonic-send"]);
  assertEquals(errsOf(result, "nonmonotonic-send"), [
    { key: "k", values: [2, 1], delta: -1, ops: [1, 3] },
  ]);
  assertMatch(
    sentences(result)[0] ?? "",
    /sent message 2 at offset 4, then message 1 at offset 3 at/,
  );
  const others = new Run().send(0, "k", 2, 4).send(1, "k", 1, 3).poll(1, both);
  assertFound(others, []);
  // A poll tells where an indefinite send went.
  const unknown = new Run().send(0, "k", 2, 4).trySend(0, "info", "k", 1).poll(1, both);
  assertFound(unknown, ["nonmonotonic-send"]);
  const failed = new Run().send(0, "k", 1, 3).trySend(0, "fail", "k", 9).send(0, "k", 2, 4);
  assertFound(failed.poll(1, both), []);
  const forgot = new Run().send(0, "k", 2, 4).assign(0, ["x"]).send(0, "k", 1, 3).poll(1, both);
  assertFound(forgot, []);
});

Deno.test("int-nonmonotonic-send is bad, int-send-skip is allowed", () => {
  const steps = (a: number, b: number) => [["send", "k", [a, a]], ["send", "k", [b, b]]];
  const all = { k: [[1, 1], [2, 2], [3, 3]] };
  const run = (a: number, b: number, other: number) =>
    new Run().txn(0, "ok", steps(a, b)).send(1, "k", other, other).poll(2, all);
  assertFound(run(2, 1, 3), ["int-nonmonotonic-send"]);
  const result = assertFound(run(1, 3, 2), ["int-send-skip"], true);
  assertEquals(result.badErrorTypes, []);
  assertEquals(result.findings, undefined);
});

Deno.test("G1c-realtime: polled before its send began", () => {
  const run = new Run().poll(1, { k: [[0, 1]] }).send(0, "k", 1, 0);
  const result = assertFound(run, ["G1c-realtime"]);
  assertEquals(result.findings?.[0]?.ops.map(({ index }) => index), [0, 1, 2, 3]);
  assertMatch(
    sentences(result)[0] ?? "",
    /message 1, sent by process 0 .*, was polled by process 1 /,
  );
  assertMatch(
    sentences(result)[0] ?? "",
    /the poll of process 1 on n1 at 1.000 s ended before the send/,
  );
  const chain = new Run().poll(1, { k: [[0, 1]] }).poll(2, {}).send(0, "k", 1, 0);
  const { cycle } = (errsOf(assertFound(chain, ["G1c-realtime"]), "G1c-realtime") as {
    cycle: number[];
  }[])[0] ?? { cycle: [] };
  assertEquals(cycle, [5, 1]);
});

Deno.test("G1c-realtime: what overlaps may come in either order", () => {
  const run = new Run().event(0, "invoke", "send", [["send", "k", 1]]).poll(1, { k: [[0, 1]] })
    .event(0, "ok", "send", [["send", "k", [0, 1]]]);
  assertFound(run, []);
  const late = new Run().poll(1, { k: [[0, 1]] }).trySend(0, "info", "k", 1);
  assertFound(late, ["G1c-realtime"]);
});

Deno.test("G1c: two operations that polled each other's messages", () => {
  const step = (own: string, other: string) => [
    ["send", own, [0, 1]],
    ["poll", { [other]: [[0, 1]] }],
  ];
  const run = new Run().event(0, "invoke", "txn", [["send", "x", 1], ["poll"]])
    .txn(1, "ok", step("y", "x")).event(0, "ok", "txn", step("x", "y"));
  const result = assertFound(run, ["G1c"]);
  assertEquals((errsOf(result, "G1c") as unknown[]).length, 1);
});

Deno.test("a message that was never sent leaves the run unknown", () => {
  const run = () => sent("k", 1).poll(1, { k: [[0, 1], [1, "ghost"]] });
  const result = assertFound(run(), ["no-writer-of-value"], "unknown");
  assertEquals(sentences(result), [
    'Message "ghost" of key "k" at offset 1 was polled by process 1 on n1 at 3.000 s, but no ' +
    "operation sent it",
  ]);
  assertFound(run().poll(1, { k: from(0, 1) }), ["no-writer-of-value", "nonmonotonic-poll"], false);
});

Deno.test("numbers that only look alike are different messages", () => {
  const run = sent("k", 1).poll(1, { k: parseJson("[[0, 1.0]]") });
  const types = checkKafka(run.ops).errorTypes as string[];
  assert(types.includes("no-writer-of-value") && types.includes("inconsistent-offsets"));
});

Deno.test("keys may be integers, as in Jepsen's own histories", () => {
  const run = new Run().send(0, 7, 1, 0).assign(1, [7]).poll(1, { "7": [[0, 1]] })
    .poll(1, { "7": [[0, 1]] });
  assertFound(run, ["nonmonotonic-poll"]);
});

Deno.test("an operation that never came back may have happened", () => {
  const run = new Run().event(0, "invoke", "send", [["send", "k", 1]]).poll(1, { k: [[0, 1]] })
    .poll(1, {}).event(2, "invoke", "poll", [["poll"]]);
  assertEquals(assertFound(run, []).infoTxnCauses, ["nothing was heard"]);
});

Deno.test("info-txn-causes: why sends and polls are indefinite", () => {
  const run = sent("k", 1).trySend(2, "info", "k", 2).trySend(5, "info", "k", 3).crash(1)
    .poll(4, { k: from(0, 1) });
  assertEquals(assertFound(run, []).infoTxnCauses, ["Busy"]);
});

Deno.test("the lag counts from when a message was known to when a poll without it began", () => {
  const lagOf = (run: Run) => checkKafka(run.ops).worstRealtimeLag;
  assertEquals(lagOf(new Run()), { time: 0, lag: 0 });
  // Acknowledged at 3 s, polled in vain from 8 s on.
  const run = new Run().assign(1, ["k"]).send(0, "k", 1, 0).poll(2, { k: from(0, 1) })
    .poll(2, {}).poll(1, {});
  assertEquals(lagOf(run), { time: 8, process: 1, key: "k", lag: 5 });
  // Whoever knows of offset 5 knows of all below it.
  const sparse = new Run().assign(1, ["k"]).send(0, "k", 1, 5).send(0, "k", 2, 2)
    .poll(1, { k: [[2, 2]] });
  assertEquals(lagOf(sparse), { time: 6, process: 1, key: "k", lag: 3 });
  const dropped = new Run().assign(1, ["k"]).send(0, "k", 1, 0).assign(1, []).poll(1, {});
  assertEquals(lagOf(dropped), { time: 0, lag: 0 });
});

Deno.test("a committed offset that ran ahead is warned of", () => {
  const ahead = sent("k", 3).poll(1, { k: from(0, 1) }).assign(2, ["k"]).poll(2, { k: from(2, 3) })
    .poll(3, { k: from(0, 3) });
  const result = assertFound(ahead, []);
  assertEquals(result.warnings, [
    "Poll after an assign from beyond what could be committed, which Maelstrom does not notice: " +
    'key "k", assigned by process 2 on n2 at 9.000 s, was first polled from message 3 at offset ' +
    "2, past offset 1, but no process had polled beyond offset 0",
  ]);
});

Deno.test("a committed offset within what was polled is not", () => {
  const quiet = (run: Run) => assertEquals(checkKafka(run.ops).warnings, undefined);
  const base = () => sent("k", 3).poll(1, { k: from(0, 2) });
  quiet(base().assign(2, ["k"]).poll(2, { k: from(1, 3) }));
  quiet(base().assign(2, ["k"]).poll(2, { k: from(2, 3) }));
  quiet(base().assign(1, ["k"]).poll(1, { k: from(2, 3) }));
  // What an indefinite poll read may have been committed.
  quiet(
    sent("k", 3).assign(1, ["k"]).event(1, "invoke", "poll", [["poll"]])
      .event(1, "info", "poll", [["poll"]]).assign(2, ["k"]).poll(2, { k: from(2, 3) }),
  );
});

Deno.test("a poll from before what its node had committed is warned of", () => {
  const base = () => sent("k", 3).poll(1, { k: from(0, 3) });
  const lost = base().assign(4, ["k"]).send(0, "k", 4, 3).poll(4, { k: from(0, 4) });
  assertEquals(assertFound(lost, []).warnings, [
    "Poll after an assign from before what was committed at the same node, which Maelstrom does " +
    'not notice: key "k", assigned by process 4 on n1 at 9.000 s, was first polled from message 1 ' +
    "at offset 0, but offset 2 had been committed by process 1 on n1 at 7.000 s",
  ]);
  const back = base().assign(4, ["k"]).send(0, "k", 4, 3).poll(4, { k: from(1, 4) });
  assertEquals(checkKafka(back.ops).warnings?.length, 1);
  const quiet = (run: Run) => assertEquals(checkKafka(run.ops).warnings, undefined);
  const end = (run: Run, start: number, process = 4) =>
    run.send(0, "k", 4, 3).poll(process, { k: from(start, 4) });
  quiet(end(base().assign(4, ["k"]), 2));
  // Another node may not have heard of it, and one that was killed may have forgotten.
  quiet(end(base().assign(2, ["k"]), 0, 2));
  const killed = base();
  killed.ops.push({ ...base().ops[0] as Op, type: "info", process: "nemesis", f: "start-kill" });
  quiet(end(killed.assign(4, ["k"]), 0));
  // It went on from where it was, and began at 0 in the final phase.
  quiet(
    sent("k", 3).poll(1, { k: from(0, 3) }).assign(1, ["k"]).send(0, "k", 4, 3)
      .poll(1, { k: from(3, 4) }),
  );
  quiet(base().assign(4, ["k"]).poll(4, { k: from(0, 3) }));
  // The commit was not acknowledged when the assign began.
  quiet(
    sent("k", 3).event(4, "invoke", "assign", ["k"]).poll(1, { k: from(0, 3) })
      .event(4, "ok", "assign", ["k"]).send(0, "k", 4, 3).poll(4, { k: from(0, 4) }),
  );
});

Deno.test("what Maelstrom's checker would die of is warned of", () => {
  const run = sent("k", 1).poll(1, { k: from(0, 1), void: [] });
  const result = assertFound(run, []);
  assertMatch(result.warnings?.[0] ?? "", /IndexOutOfBoundsException.*: "void"$/);
  const negative = new Run().send(0, "k", 1, -1).poll(1, { k: [[-1, 1]] });
  const odd = assertFound(negative, []);
  assertMatch(
    odd.warnings?.join("\n") ?? "",
    /Offset that is no integer from 0 up.*-1 for key "k"/,
  );
});

Deno.test("findings are few, and tell every anomaly first", () => {
  const run = sent("k", 9).poll(3, { k: from(0, 9) });
  for (let i = 0; i < 20; i++) run.poll(1, { k: [[5, 6], [2, 3], [5, 6]] });
  const { findings = [], anomalies } = checkKafka(run.ops);
  assertEquals(findings.length, MAX_FINDINGS);
  assertEquals(findings.map(({ anomaly }) => anomaly).slice(0, 4), [
    "int-nonmonotonic-poll",
    "int-poll-skip",
    "nonmonotonic-poll",
    "int-nonmonotonic-poll",
  ]);
  const { count, errs } = anomalies["int-poll-skip"] as { count: number; errs: unknown[] };
  assertEquals([count, errs.length], [20, 8]);
});
