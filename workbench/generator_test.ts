import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { oncePerThread } from "./generator.ts";
import { defaultOptions } from "./options.ts";
import { seededRandom } from "./random.ts";
import { ScriptedThreads, take, tally } from "./testing.ts";
import { type WorkloadName, WORKLOADS, workloads } from "./workloads/mod.ts";

const SOME = 12_000;

/** Counts lie within five standard deviations of what a fair draw gives. */
function assertShare(count: number, share: number, of = SOME): void {
  const deviation = Math.sqrt(of * share * (1 - share));
  assertLess(Math.abs(count - of * share), 5 * deviation, `${count} of ${of} is not ${share}`);
}

Deno.test("every generator draws the same from the same seed, and other things from another", () => {
  for (const workload of WORKLOADS) {
    const settings = { concurrency: "2n", seed: 4 } as const;
    const once = take(workload, 200, settings);
    assertEquals(once, take(workload, 200, settings), workload);
    const isConstant = once.every(({ op }) => JSON.stringify(op) === JSON.stringify(once[0]?.op));
    if (isConstant) continue; // Its operations draw nothing, as those of unique-ids.
    const other = take(workload, 200, { ...settings, seed: 5 });
    assert(JSON.stringify(once) !== JSON.stringify(other), workload);
  }
});

Deno.test("an operation goes to the thread whose turn it is, or to none", () => {
  for (const workload of WORKLOADS) {
    if (workload === "lin-kv") continue; // Its threads have parts of their own.
    const threads = take(workload, 12).map(({ thread }) => thread);
    assertEquals(threads, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1], workload);
  }
  for (const workload of WORKLOADS) {
    const options = defaultOptions(workload);
    const busy = new ScriptedThreads(options.concurrency);
    for (let thread = 0; thread < options.concurrency; thread++) busy.busy.add(thread);
    const generator = workloads[workload].generator(options, seededRandom(1, ""));
    assertEquals(generator.next(busy, 0), "pending", workload);
  }
});

Deno.test("echo sends one of 128 texts", () => {
  const texts = tally(take("echo", SOME).map(({ op }) => `${op.f} ${op.value}`));
  assertEquals(Object.keys(texts).length, 128);
  for (const [text, count] of Object.entries(texts)) {
    assert(/^echo Please echo (\d|\d\d|1[01]\d|12[0-7])$/.test(text), text);
    assertShare(count, 1 / 128);
  }
});

Deno.test("unique-ids only generates", () => {
  assertEquals(take("unique-ids", 3).map(({ op }) => op), [
    { f: "generate", value: null },
    { f: "generate", value: null },
    { f: "generate", value: null },
  ]);
});

for (const [workload, addF] of [["broadcast", "broadcast"], ["g-set", "add"]] as const) {
  Deno.test(`${workload} adds 0, 1, 2, ... in half of its operations and reads in the others`, () => {
    const ops = take(workload, SOME).map(({ op }) => op);
    const adds = ops.filter(({ f }) => f === addF);
    assertEquals(adds.map(({ value }) => value), adds.map((_, i) => i));
    assertEquals(ops.filter(({ f }) => f === "read").length, SOME - adds.length);
    assert(ops.every(({ f, value }) => f === addF || value === null));
    assertShare(adds.length, 1 / 2);
  });
}

Deno.test("pn-counter adds -5 to 4 in half of its operations", () => {
  const counts = tally(take("pn-counter", SOME).map(({ op }) => `${op.f} ${op.value}`));
  assertShare(counts["read null"] ?? 0, 1 / 2);
  for (let delta = -5; delta <= 4; delta++) assertShare(counts[`add ${delta}`] ?? 0, 1 / 20);
  assertEquals(Object.keys(counts).length, 11);
});

Deno.test("g-counter adds 0 to 4 in a third of its operations", () => {
  const counts = tally(take("g-counter", SOME).map(({ op }) => `${op.f} ${op.value}`));
  assertShare(counts["read null"] ?? 0, 2 / 3);
  for (let delta = 0; delta <= 4; delta++) assertShare(counts[`add ${delta}`] ?? 0, 1 / 15);
  assertEquals(Object.keys(counts).length, 6);
});

Deno.test("transactions have 1 to 4 micro-operations, reads as often as writes", () => {
  for (
    const [workload, write] of [["txn-list-append", "append"], ["txn-rw-register", "w"]] as const
  ) {
    const txns = take(workload, SOME).map(({ op }) => {
      assertEquals(op.f, "txn");
      return op.value as [string, number, number | null][];
    });
    const lengths = tally(txns.map((txn) => String(txn.length)));
    assertEquals(Object.keys(lengths), ["1", "2", "3", "4"]);
    for (const count of Object.values(lengths)) assertShare(count, 1 / 4);
    const microOps = txns.flat();
    for (const [f, key, value] of microOps) {
      assert(Number.isInteger(key));
      assert(f === "r" ? value === null : f === write && Number.isInteger(value));
    }
    // A write to a used-up key is drawn again, and then may become a read.
    const reads = microOps.filter(([f]) => f === "r").length / microOps.length;
    assertGreater(reads, 0.49);
    assertLess(reads, 0.54);
  }
});

Deno.test("a final read happens once on every thread, at once, in any order", () => {
  const first = new Set<number>();
  for (let seed = 0; seed < 40; seed++) {
    const threads = new ScriptedThreads(4);
    const { generator, limitMs } = oncePerThread(
      { f: "read", value: null },
      seededRandom(seed, ""),
    );
    assertEquals(limitMs, undefined);
    const order = Array.from({ length: 4 }, () => {
      const next = generator.next(threads, 0);
      assert(typeof next === "object" && "thread" in next);
      threads.busy.add(next.thread);
      return next.thread;
    });
    assertEquals(order.toSorted(), [0, 1, 2, 3]);
    assertEquals(generator.next(threads, 0), "done");
    first.add(order[0] ?? -1);
  }
  assertEquals(first.size, 4);
});

Deno.test("which workloads end with a final phase, and what their final reads are marked", () => {
  const none = ["no limit", "no final phase"];
  const marked = ["no limit", { f: "read", value: null, final: true }];
  const wanted: Partial<Record<WorkloadName, unknown[]>> = {
    broadcast: marked,
    echo: none,
    "g-counter": marked,
    "g-set": ["no limit", { f: "read", value: null }],
    kafka: [10_000, "done"], // Nothing was sent.
    "lin-kv": none,
    "pn-counter": marked,
    "txn-list-append": none,
    "txn-rw-register": none,
    "unique-ids": none,
  };
  const marks = (Object.keys(wanted) as WorkloadName[]).map((workload) => {
    const options = defaultOptions(workload);
    const final = workloads[workload].generator(options, seededRandom(1, "")).final?.(
      seededRandom(2, ""),
    );
    const next = final?.generator.next(new ScriptedThreads(1), 0);
    const op = typeof next === "object" && "op" in next ? next.op : undefined;
    return [workload, [final?.limitMs ?? "no limit", op ?? next ?? "no final phase"]];
  });
  assertEquals(Object.fromEntries(marks), wanted);
});
