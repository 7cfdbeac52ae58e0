import fc from "fast-check";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { type Json, MemoryStorage, RpcError } from "@eddy/maelstrom";
import { DurableRaftStorage, lastOfTerm, MemoryRaftStorage } from "./log.ts";
import { countFitting, isMessage, Link } from "./message.ts";
import { Raft } from "./raft.ts";
import {
  Commands,
  type Machine,
  type Outcome,
  payloadOf,
  Reads,
  Replica,
  type Request,
  Sessions,
} from "./replica.ts";
import { KeyValueMachine, ListMachine, RegisterMachine } from "./state_machines.ts";

Deno.test("a link learns its delay, whatever the other side holds back", () => {
  const link = new Link();
  for (let i = 0; i < 50; i++) {
    const [number] = link.stamp(i * 1000, Infinity);
    link.receive([i + 1, number, 90], i * 1000 + 100);
  }
  assert(Math.abs(link.roundTripMs - 10) < 1, `${link.roundTripMs}`);
});

Deno.test("one message that was held up changes little", () => {
  const link = new Link();
  for (let i = 0; i < 50; i++) {
    link.receive([i + 1, link.stamp(i * 1000, Infinity)[0], 0], i * 1000 + 1);
  }
  link.receive([60, link.stamp(60_000, Infinity)[0], 0], 65_000);
  assert(link.roundTripMs < 100, `${link.roundTripMs}`);
});

Deno.test("a link that is fast again is soon believed to be", () => {
  const link = new Link();
  for (let i = 0; i < 30; i++) {
    const delayMs = i < 24 ? 900 : 100;
    link.receive([i + 1, link.stamp(i * 1000, Infinity)[0], 0], i * 1000 + delayMs);
    if (i === 23) assert(link.roundTripMs > 800, `${link.roundTripMs}`);
  }
  assert(link.roundTripMs < 600, `${link.roundTripMs}`);
});

Deno.test("an answer is owed from the first message that asked for it", () => {
  const link = new Link();
  const [first] = link.stamp(1000, 0);
  const [second] = link.stamp(1100, 0);
  assertEquals(link.awaitingSinceMs, 1000);
  assert(link.overdue(1000 + link.patienceMs + 1));
  link.receive([1, first, 0], 1200);
  assertEquals(link.awaitingSinceMs, 1100);
  link.receive([2, second, 0], 1300);
  assertEquals(link.awaitingSinceMs, undefined);
});

Deno.test("an answer that may wait is missed later, and one asked for at once is not", () => {
  const link = new Link();
  link.stamp(1000, 100);
  const [prompt] = link.stamp(1010, 0);
  assertEquals(link.awaitingSinceMs, 1010);
  link.receive([1, prompt, 0], 1020);
  assertEquals(link.awaitingSinceMs, undefined);
  link.stamp(2000, 100);
  link.stamp(2050, 100);
  assertEquals(link.awaitingSinceMs, 2100);
  assert(!link.overdue(2100 + link.patienceMs));
  assert(link.overdue(2101 + link.patienceMs));
  link.stamp(2200, Infinity);
  assertEquals(link.awaitingSinceMs, 2100);
});

Deno.test("what is not answered is repeated at ever longer intervals, until it is", () => {
  const link = new Link();
  assertEquals(link.repeatAtMs, Infinity);
  link.stamp(0, 0);
  const waits = [];
  let nowMs = 0;
  for (let repeat = 0; repeat < 8; repeat++) {
    assertEquals(link.isSilentAt(link.repeatAtMs - 1), repeat > 1);
    waits.push((link.repeatAtMs - nowMs) / link.patienceMs);
    nowMs = link.repeatAtMs;
    assertEquals(link.isSilentAt(nowMs), repeat > 0);
    link.repeated(nowMs);
    link.stamp(nowMs, 0);
  }
  assertEquals(waits, [1, 1, 2, 4, 8, 16, 16, 16]);
  link.receive([1, 9, 0], nowMs + 10);
  assertEquals([link.repeatAtMs, link.repeats], [Infinity, 0]);
});

Deno.test("an echo from the life before a restart answers nothing", () => {
  const link = new Link();
  link.stamp(0, 0);
  link.receive([9, 500, 0], 10);
  assertEquals(link.awaitingSinceMs, 0);
});

Deno.test("a request is admitted once, and not at all when its maker has given it up", () => {
  const sessions = new Sessions();
  assert(sessions.admit(["a", 0, 0, null]));
  assert(!sessions.admit(["a", 0, 0, null]));
  assert(sessions.admit(["b", 0, 0, null]));
  assert(sessions.admit(["a", 2, 2, null]));
  assert(!sessions.admit(["a", 1, 1, null]), "1 was given up before 2 was made");
});

Deno.test("sessions stay small and survive a snapshot", () => {
  const sessions = new Sessions();
  for (let i = 0; i < 3000; i++) sessions.admit([`n${i % 1000}`, i, i, null]);
  assert(sessions.size <= 128, `${sessions.size}`);
  const copy = new Sessions();
  copy.restore(sessions.snapshot());
  assertEquals(copy.snapshot(), sessions.snapshot());
  assert(!copy.admit(["n999", 2999, 2999, null]));
});

Deno.test("a log answers for what it holds, and for the end of what it has dropped", () => {
  const storage = new MemoryRaftStorage();
  storage.append([[1, "a"], [1, "b"], [3, "c"], [4, "d"]]);
  storage.compact(2, () => ({ lastIndex: 2, items: [] }));
  assertEquals([storage.baseIndex, storage.lastIndex], [2, 4]);
  assertEquals([1, 2, 3, 4, 5].map((i) => storage.termAt(i)), [undefined, 1, 3, 4, undefined]);
  assertEquals(lastOfTerm(storage, 9, 3), 3);
  assertEquals(lastOfTerm(storage, 4, 2), 2);
  storage.truncate(4);
  assertEquals(storage.slice(3, 3), [[3, "c"]]);
  storage.reset({ lastIndex: 10, items: [] }, 5);
  assertEquals([storage.baseIndex, storage.lastIndex, storage.termAt(10)], [10, 10, 5]);
});

Deno.test("a durable log is as it was when it is opened again, but for what its snapshot has", () => {
  const kept = new MemoryStorage();
  const storage = new DurableRaftStorage(kept);
  storage.setTerm(3, "n2");
  storage.append([[1, "a"], [1, "b"], [2, "c"], [2, "x"]]);
  storage.truncate(4);
  storage.append([[3, "d"]]);
  const before = new DurableRaftStorage(kept);
  assertEquals([before.term, before.vote, before.snapshot], [3, "n2", undefined]);
  assertEquals(before.slice(1, 4), [[1, "a"], [1, "b"], [2, "c"], [3, "d"]]);

  storage.compact(1, () => ({ lastIndex: 3, items: ["abc"] }));
  assertEquals([storage.baseIndex, storage.lastIndex], [1, 4], "followers may still lack b and c");
  const after = new DurableRaftStorage(kept);
  assertEquals(after.snapshot, { lastIndex: 3, items: ["abc"] });
  assertEquals([after.baseIndex, after.termAt(3), after.slice(4, 4)], [3, 2, [[3, "d"]]]);

  storage.reset({ lastIndex: 9, items: ["a to i"] }, 5);
  storage.append([[6, "j"]]);
  const last = new DurableRaftStorage(kept);
  assertEquals([last.baseIndex, last.termAt(9), last.slice(10, 10)], [9, 5, [[6, "j"]]]);
});

Deno.test("where leaders have leases a node that starts again does not vote for a while", () => {
  const vote = (leaseReads: boolean, nowMs: number) => {
    const storage = new MemoryRaftStorage();
    storage.setTerm(3, "n1");
    const commands = new Commands({ session: "s", maxLatencyMs: 0, holdMs: 900 });
    const nodeIds = ["n0", "n1", "n2"];
    const random = { next: () => 0.5 };
    const options = { id: "n0", nodeIds, random, nowMs: 0, commands, snapshot: () => [], storage };
    const raft = new Raft({ ...options, leaseReads });
    assertEquals(raft.flush(0).messages.length === 0, leaseReads, "it stands for election itself");
    const request = {
      type: "request_vote",
      term: 4,
      pre: false,
      lastIndex: 0,
      lastTerm: 0,
    } as const;
    raft.step("n2", { ...request, link: new Link().stamp(0, 0) }, nowMs);
    return raft.flush(nowMs).messages.map(({ message }) =>
      message.type === "vote" && message.granted
    ).includes(true);
  };
  assertEquals([vote(true, 199), vote(true, 1000), vote(false, 0)], [false, true, true]);
});

function outcomes(): { list: unknown[]; settle: (outcome: Outcome) => void } {
  const list: unknown[] = [];
  return { list, settle: (o) => void list.push(o instanceof RpcError ? o.code : o) };
}

Deno.test("what was never handed out is refused, what was is not", () => {
  const commands = new Commands({ session: "s", maxLatencyMs: 0, holdMs: 900 });
  const { list, settle } = outcomes();
  commands.isOpen = true;
  commands.add("sent", 0, settle);
  assertEquals(commands.take(10, 1000), [["s", 0, 0, "sent"]]);
  commands.isOpen = false;
  commands.add("kept", 10, settle);
  assertEquals(commands.take(10, 1000), []);
  commands.tick(20, true, 300);
  assertEquals(list, [11]);
  commands.tick(1000, false, 300);
  assertEquals(commands.take(10, 1000), [["s", 0, 0, "sent"]], "repeated under its number");
  commands.tick(10_000, true, 300);
  assertEquals(list, [11, 0], "the outcome is unknown");
});

Deno.test("a request waits for company as long as it may, and no longer", () => {
  const commands = new Commands({ session: "s", maxLatencyMs: 50, holdMs: 900 });
  commands.isOpen = true;
  commands.add("a", 100, () => {});
  commands.add("b", 120, () => {});
  assertEquals(commands.dueMs, 150);
  assertEquals(commands.take(1, 1000).length, 1);
  assertEquals(commands.dueMs, 170);
});

Deno.test("an executed request has its outcome once", () => {
  const commands = new Commands({ session: "s", maxLatencyMs: 0, holdMs: 900 });
  commands.isOpen = true;
  commands.add("a", 0, () => {});
  commands.take(1, 1000);
  assertEquals(commands.executed(["other", 0, 0, "a"]), undefined);
  assert(commands.executed(["s", 0, 0, "a"]) !== undefined);
  assertEquals(commands.executed(["s", 0, 0, "a"]), undefined);
  commands.repeat();
  assertEquals(commands.take(1, 1000), []);
});

Deno.test("reads wait for their ticket, and for its index to be applied", () => {
  const reads = new Reads(900);
  const { list, settle } = outcomes();
  for (const ticket of [1, 2, 3]) reads.add(ticket, () => ({ ticket }), 0, settle);
  reads.granted([{ ticket: 2, index: 7 }]);
  reads.serve(6);
  assertEquals(list, []);
  reads.serve(7);
  assertEquals(list, [{ ticket: 1 }, { ticket: 2 }]);
  reads.granted([{ ticket: 3, index: 99 }]);
  reads.renew(() => 4);
  reads.serve(100);
  assertEquals(list.length, 2, "the old leader's word does not count any more");
  reads.tick(1000, false);
  assertEquals(list[2], 11);
});

Deno.test("keys and values are any JSON, compared as Maelstrom does", () => {
  const machine = new KeyValueMachine();
  const missing = machine.read({ a: 1, b: 2 });
  assertInstanceOf(missing, RpcError);
  assertEquals(missing.code, 20);
  machine.apply(["write", { a: 1, b: 2 }, [1]]);
  assertEquals(machine.read({ b: 2, a: 1 }), { value: [1] });
  const mismatch = machine.apply(["cas", { b: 2, a: 1 }, [2], 3])();
  assertInstanceOf(mismatch, RpcError);
  assertEquals(mismatch.code, 22);
  machine.apply(["cas", { b: 2, a: 1 }, [1], "1"]);
  assertEquals(machine.read({ a: 1, b: 2 }), { value: "1" });
  const copy = new KeyValueMachine();
  copy.restore(machine.snapshot());
  assertEquals(copy.snapshot(), machine.snapshot());
});

Deno.test("messages are bounded, but one item always fits", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 50 })), fc.nat(60), (items, maxChars) => {
      const parts: Json[][] = [];
      for (let at = 0; at < items.length;) {
        const count = countFitting(items, at, 5, maxChars);
        assert(count >= 1 && count <= 5);
        const part = items.slice(at, at + count);
        const chars = part.reduce((sum, item) => sum + item.length + 2, 0);
        assert(count === 1 || chars <= maxChars);
        parts.push(part);
        at += count;
      }
      assertEquals(parts.flat(), items);
    }),
    { numRuns: 200 },
  );
});

Deno.test("every field of a peer's message is checked", () => {
  const messages = [
    { type: "request_vote", term: 1, pre: true, lastIndex: 0, lastTerm: 0 },
    { type: "vote", term: 1, pre: true, granted: false },
    {
      type: "append_entries",
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      entries: [[1, null], [1, ["n1.x", 0, 0, ["write", 1, 2]]]],
      commit: 0,
      round: 3,
      prompt: true,
      heartbeatMs: 100.5,
      granted: [[7, 1], 2],
    },
    {
      type: "install_snapshot",
      term: 1,
      lastIndex: 9,
      lastTerm: 1,
      offset: 0,
      items: [[0, []], [1, 2]],
      done: true,
      heartbeatMs: 100,
    },
    {
      type: "acknowledge",
      term: 1,
      match: 2,
      round: 3,
      reject: [1, 0, 0],
      commands: [["n1.x", 0, 0, ["cas", 1, 2, 3]]],
      reads: [7, 1],
      installed: [9, 1],
    },
    { type: "resigned", term: 1 },
  ];
  const payload = payloadOf(new KeyValueMachine());
  const isOptional = (type: string, field: string) =>
    ["reject", "commands", "reads", "installed"].includes(field) ||
    (type === "append_entries" && field === "granted");
  for (const content of messages) {
    const message = { ...content, link: [1, 0, 0.25] };
    assert(isMessage(message, payload), content.type);
    for (const field of Object.keys(message)) {
      for (const value of ["x", -1, [[]], null]) {
        assert(
          !isMessage({ ...message, [field]: value }, payload),
          `${content.type} with ${field} ${value}`,
        );
      }
      const isWhole = isMessage({ ...message, [field]: undefined }, payload);
      assertEquals(isWhole, isOptional(content.type, field), `${content.type} without ${field}`);
    }
  }
});

Deno.test("what a peer's commands and snapshots contain is checked, too", () => {
  const wrong: [machine: Machine<Json, object>, operations: Json[], items: Json[]][] = [
    [
      new KeyValueMachine(),
      [5, [], ["read", 1], ["write", 1], ["write", 1, 2, 3], ["cas", 1, 2], { type: "x" }],
      [1, null, [], [1], [1, 2, 3], "xy"],
    ],
    [
      new ListMachine(),
      [5, [5], [[]], [["w", 1, 2]], [["append", 1]], [["r", 1, null], "x"], {}],
      [1, [1], [1, 2], ["x", "y"], [1, {}]],
    ],
    [new RegisterMachine(), [5, [5], [["append", 1, 2]], [["w", 1]], {}], [1, [], [1], {}]],
  ];
  for (const [machine, operations, items] of wrong) {
    const payload = payloadOf(machine);
    for (const operation of operations) {
      const command = ["n1.x", 0, 0, operation];
      assert(!payload.isCommand(command), JSON.stringify(command));
    }
    for (const item of items) assert(!payload.isItem(item, 1), JSON.stringify(item));
  }
  const { isCommand, isItem } = payloadOf(new RegisterMachine());
  const mops: Json = [["w", 1, 2]];
  assert(isCommand(["n1.x", 3, 2, mops]));
  const requests: Json[] = [mops, ["n1.x", 0, 0], [1, 0, 0, mops], ["n1.x", 0, 1, mops], [
    "n1.x",
    -1,
    -2,
    mops,
  ]];
  for (const request of requests) assert(!isCommand(request), JSON.stringify(request));
  assert(isItem([3, [["n1.x", 2, [2, 3], 3]]], 0));
  const sessions: Json[] = [null, [], [1], [1, [1]], [-1, []], [1, [["x", 0, [0.5], 0]]], [1, 2]];
  for (const item of sessions) assert(!isItem(item, 0), JSON.stringify(item));
});

Deno.test("terms along a peer's entries never decrease, nor exceed the leader's", () => {
  const append = {
    type: "append_entries",
    term: 3,
    prevIndex: 1,
    prevTerm: 2,
    commit: 0,
    round: 0,
    prompt: true,
    heartbeatMs: 100,
    link: [1, 0, 0],
  };
  const payload = payloadOf(new KeyValueMachine());
  const fits = (...terms: number[]) =>
    isMessage({ ...append, entries: terms.map((term) => [term, null]) }, payload);
  assert(fits(2, 2, 3));
  assert(!fits(1));
  assert(!fits(3, 2));
  assert(!fits(2, 4));
});

Deno.test("a session's numbers may jump", () => {
  const sessions = new Sessions();
  assert(sessions.admit(["x", 1, 0, null]));
  assert(sessions.admit(["x", 2 ** 53 - 1, 2 ** 53 - 1, null]));
  assertEquals(sessions.size, 1);
  assert(!sessions.admit(["x", 1, 0, null]));
});

Deno.test("a snapshot brings what requests came to, as long as their node waits for it", () => {
  const machine = new KeyValueMachine();
  const sessions = new Sessions();
  const requests: Request<Parameters<KeyValueMachine["apply"]>[0]>[] = [
    ["n1:a", 0, 0, ["write", "x", 1]],
    ["n1:a", 1, 0, ["cas", "x", 2, 3]],
    ["n1:a", 2, 1, ["cas", "x", 1, 2]],
  ];
  for (const request of requests) {
    assert(sessions.admit(request));
    sessions.keep(request, machine.apply(request[3]));
  }
  const snapshot: unknown = JSON.parse(JSON.stringify(sessions.snapshot()));
  assert(Sessions.isSnapshot(snapshot));
  const copy = new Sessions();
  copy.restore(snapshot);
  assertEquals(copy.snapshot(), sessions.snapshot());
  assertEquals(copy.outcome("n1:a", 0), undefined, "n1 has its answer");
  const error = copy.outcome("n1:a", 1);
  assertInstanceOf(error, RpcError);
  assertEquals([error.code, error.message], [22, "Expected 2, found 1"]);
  assertEquals(copy.outcome("n1:a", 2), {});
  assertEquals(copy.outcome("n1:a", 3), undefined);
  for (const wrong of [[1], [1, 2], [1, "x"], [1, 22], [1, -1, "x"], [-1, {}], [1, {}, 2], "1"]) {
    assert(!Sessions.isSnapshot([1, [["n1:a", 0, [wrong], 1]]]), JSON.stringify(wrong));
  }
});

Deno.test("a node whose client's request comes to it in a snapshot answers it", () => {
  const machine = new KeyValueMachine();
  const nodeIds = ["n0", "n1", "n2"];
  const random = { next: () => 0.5 };
  const replica = new Replica({ id: "n0", nodeIds, random, nowMs: 0, machine });
  const leads = { term: 1, heartbeatMs: 100, link: [1, 0, 0] as const };
  const appends = { prevIndex: 0, prevTerm: 0, entries: [], commit: 0, round: 1, prompt: true };
  replica.step("n1", { type: "append_entries", ...leads, ...appends }, 1);
  replica.turn(1);
  const outcomes: unknown[] = [];
  replica.execute(["write", "x", 1], 2, (outcome) => outcomes.push(outcome));
  let session = "";
  for (let nowMs = 2; session === ""; nowMs++) {
    for (const { message } of replica.turn(nowMs)) {
      if (message.type === "acknowledge" && message.commands !== undefined) {
        [[session]] = message.commands as [Request];
      }
    }
  }
  const items: Json[] = [[1, [[session, 0, [[0, {}]], 1]]], ["x", 1]];
  const covers = { lastIndex: 1, lastTerm: 1, offset: 0, done: true };
  replica.step("n1", { type: "install_snapshot", ...leads, ...covers, items }, 50);
  replica.turn(50);
  assertEquals([outcomes, machine.read("x")], [[{}], { value: 1 }]);
});
