import { assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Json } from "@eddy/maelstrom";
import type { Op } from "../history.ts";
import { handmade, type Row } from "../testing.ts";
import { checkLinearizable, registerOrders, type RegisterResult } from "./linearizable.ts";

/** Whether some order works, by trying them all. */
function bruteForce(history: readonly Op[]): boolean {
  const calls: { f: string; args: unknown; invoked: number; completed: number; must: boolean }[] =
    [];
  const open = new Map<Op["process"], number>();
  history.forEach((op, at) => {
    const args = (op.value as unknown[])[1];
    if (op.type === "invoke") {
      open.set(op.process, calls.length);
      calls.push({ f: op.f, args, invoked: at, completed: Infinity, must: false });
      return;
    }
    const call = calls[open.get(op.process) ?? -1];
    if (call === undefined) return;
    if (op.type === "ok") Object.assign(call, { args, completed: at, must: true });
    if (op.type === "fail") call.f = "failed";
  });
  const left = new Set(calls.filter(({ f, must }) => f !== "failed" && (f !== "read" || must)));
  const fits = (state: unknown): boolean => {
    if ([...left].every(({ must }) => !must)) return true;
    for (const call of [...left]) {
      if ([...left].some((other) => other.completed < call.invoked)) continue;
      let next = state;
      if (call.f === "write") next = call.args;
      else if (call.f === "read") {
        if (call.args !== null && call.args !== state) continue;
      } else {
        const [from, to] = call.args as unknown[];
        if (from !== state) continue;
        next = to;
      }
      left.delete(call);
      const fit = fits(next);
      left.add(call);
      if (fit) return true;
    }
    return false;
  };
  return fits(null);
}

/** Small histories on one key: each step starts or ends one of the processes' operations. */
function smallHistory(unknownWeight: number): fc.Arbitrary<Op[]> {
  const value = fc.constantFrom(1, 2, null);
  const step = fc.record({
    process: fc.nat(3),
    f: fc.constantFrom("read", "read", "write", "cas"),
    from: value,
    to: value,
    end: fc.oneof(
      { weight: 6, arbitrary: fc.constant("ok" as const) },
      { weight: 1, arbitrary: fc.constant("fail" as const) },
      { weight: unknownWeight, arbitrary: fc.constant("info" as const) },
    ),
  });
  return fc.array(step, { minLength: 4, maxLength: 16 }).map((steps) => {
    const open = new Map<number, { process: number; f: string; value: Row[3] & object }>();
    const rows: Row[] = [];
    for (const { process: thread, f, from, to, end } of steps) {
      const call = open.get(thread);
      if (call === undefined) {
        const process = thread + 4 * rows.length;
        const value = [0, f === "cas" ? [from, to] : f === "write" ? to : null];
        open.set(thread, { process, f, value });
        rows.push([process, "invoke", f, value]);
      } else {
        const value = call.f === "read" && end === "ok" ? [0, to] : call.value;
        open.delete(thread);
        rows.push([call.process, end, call.f, value]);
      }
    }
    return handmade(...rows);
  });
}

for (const unknownWeight of [1, 8]) {
  Deno.test(`checkLinearizable() agrees with trying every order, unknowns ${unknownWeight} to 6`, () => {
    const tally = { true: 0, false: 0 };
    fc.assert(
      fc.property(smallHistory(unknownWeight), (history) => {
        const expected = bruteForce(history);
        tally[`${expected}`] += 1;
        assertEquals(checkLinearizable(history).valid, expected);
      }),
      { numRuns: 3000 },
    );
    assertGreater(tally.true, 300);
    assertGreater(tally.false, 300);
  });
}

Deno.test("checkLinearizable() blames the first completion that cannot be", () => {
  fc.assert(
    fc.property(smallHistory(4), (history) => {
      const result = checkLinearizable(history);
      if (result.valid !== false) return;
      const at = result.results["0"]?.op?.index ?? -1;
      const failed = new Set(history.filter(({ type }) => type === "fail").map((o) => o.process));
      const upTo = (end: number) =>
        history.filter(({ index, process }) => index < end && !failed.has(process));
      assertEquals(bruteForce(upTo(at + 1)), false);
      assertEquals(bruteForce(upTo(at)), true);
    }),
    { numRuns: 1500 },
  );
});

Deno.test("registerOrders() gives orders in which each operation finds what it requires", () => {
  let [whole, broken] = [0, 0];
  fc.assert(
    fc.property(smallHistory(4), (history) => {
      const { orders: [found] } = registerOrders(history, [], { maxKeys: 1, maxSteps: 10_000 });
      if (found === undefined) return;
      let state: unknown = null;
      let latestInvocation = -1;
      for (const { invoke, completion, invokedAt, completedAt } of found.order) {
        const [, args] = (invoke.f === "read" ? completion ?? invoke : invoke).value as unknown[];
        const [from, to] = invoke.f === "cas" ? args as unknown[] : [state, args];
        assertEquals(invoke.f === "read" ? args : from, state);
        state = to;
        // None has completed before one that comes before it in the order was invoked.
        if (completion?.type === "ok") assertLess(latestInvocation, completedAt);
        latestInvocation = Math.max(latestInvocation, invokedAt);
      }
      const known = found.left.filter(({ completion }) => completion?.type === "ok");
      if (found.valid === true) {
        whole++;
        assertEquals([known, found.stuck], [[], undefined]);
      } else {
        broken++;
        const { op } = checkLinearizable(history).results["0"] ?? {};
        assertEquals(found.stuck?.pair.completion, op);
        assertEquals(known.some((pair) => pair === found.stuck?.pair), true);
        // What completed before the operation that none accounts for is in the order.
        const end = found.stuck?.pair.completedAt ?? 0;
        assertEquals(known.filter(({ completedAt }) => completedAt < end), []);
      }
    }),
    { numRuns: 1500 },
  );
  assertGreater(whole, 200);
  assertGreater(broken, 200);
});

Deno.test("checkLinearizable() stays small on a long run with a hundred unknown operations", () => {
  const history = longHistory(1, { count: 2000, unknownShare: 0.15 });
  assertEquals(history.filter(({ type }) => type === "info").length, 100);
  const { valid, configurations } = checkKey0(history);
  assertEquals(valid, true);
  assertLess(configurations, 5000);
});

Deno.test("checkLinearizable() stays small on twenty thousand operations of one key", () => {
  const history = longHistory(2, { count: 20_000, unknownShare: 0.001 });
  const { valid, configurations } = checkKey0(history);
  assertEquals(valid, true);
  assertLess(configurations, 60_000);
});

Deno.test("checkLinearizable() finds an impossible read behind a hundred unknown operations", () => {
  const history = longHistory(3, { count: 2000, unknownShare: 0.15 });
  const at = history.findLastIndex(({ type, f }) => type === "ok" && f === "read");
  const wrong = history.map((op, index) => index === at ? { ...op, value: [0, 99] } : op);
  const { valid, op } = checkKey0(wrong);
  assertEquals(valid, false);
  assertEquals(op, wrong[at]);
});

function checkKey0(history: Op[]): RegisterResult {
  const { results } = checkLinearizable(history, { maxSteps: 400_000 });
  return results["0"] ?? { valid: "unknown", opCount: 0, configurations: 0 };
}

/**
 * What ten clients do to one register that does one thing at a time: half read, the others write and
 * cas the values 0 to 4, and some of those never hear of it, a hundred at most.
 */
function longHistory(seed: number, options: { count: number; unknownShare: number }): Op[] {
  const random = xoroshiro128plus(seed);
  const below = (bound: number) => uniformInt(random, 0, bound - 1);
  const rows: Row[] = [];
  const open = new Map<number, { row: Row; done?: Row }>();
  const late: Row[] = [];
  const process = Array.from({ length: 10 }, (_, thread) => thread);
  let state: Json = null;
  /** Takes effect now, and tells how it completes. */
  const effect = ([process, , f, value]: Row): Row => {
    const [, asked] = value as [number, Json];
    const [from, to] = Array.isArray(asked) ? asked : [state, asked];
    if (f === "read") return [process, "ok", f, [0, state]];
    if (from !== state) return [process, "fail", f, value ?? null];
    state = to ?? null;
    return [process, "ok", f, value ?? null];
  };
  let unknownCount = 0;
  for (let begun = 0; begun < options.count || open.size > 0;) {
    const thread = below(10);
    const mine = open.get(thread);
    if (late.length > 0 && below(200) === 0) effect(late.splice(below(late.length), 1)[0] as Row);
    if (mine === undefined) {
      if (begun++ >= options.count) continue;
      const f = thread < 5 ? "read" : below(3) === 0 ? "write" : "cas";
      const asked = f === "read" ? null : f === "write" ? below(5) : [below(5), below(5)];
      const row: Row = [process[thread] ?? 0, "invoke", f, [0, asked]];
      rows.push(row);
      open.set(thread, { row });
    } else if (mine.done !== undefined) {
      rows.push(mine.done);
      open.delete(thread);
    } else if (thread >= 5 && unknownCount < 100 && below(1000) < options.unknownShare * 1000) {
      const [before, , f, value] = mine.row;
      unknownCount += 1;
      process[thread] = (process[thread] ?? 0) + 10;
      if (below(2) === 0) late.push(mine.row);
      rows.push([before, "info", f, value ?? null]);
      open.delete(thread);
    } else {
      mine.done = effect(mine.row);
    }
  }
  return handmade(...rows);
}

Deno.test("checkLinearizable() is not held up by a thousand writes that are all concurrent", () => {
  const rows: Row[] = [];
  for (let p = 0; p < 1000; p++) rows.push([p, "invoke", "write", [0, p]]);
  for (let p = 0; p < 1000; p++) rows.push([p, "ok", "write", [0, p]]);
  assertEquals(checkLinearizable(handmade(...rows)).valid, true);
  rows.push([0, "invoke", "read", [0, null]], [0, "ok", "read", [0, -1]]);
  assertEquals(checkLinearizable(handmade(...rows), { maxSteps: 100_000 }).valid, "unknown");
});
