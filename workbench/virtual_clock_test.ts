import * as fc from "fast-check";
import { assertEquals, assertRejects } from "@std/assert";
import { runVirtual, type Timed, TimedQueue, VirtualClock, wholeTicks } from "./virtual_clock.ts";

const sleep = (clock: VirtualClock, ms: number) =>
  new Promise<void>((resolve) => clock.schedule(ms, resolve));

Deno.test("time jumps from event to event, ties in the order of scheduling", () => {
  const clock = new VirtualClock();
  const log: [string, number][] = [];
  const note = (name: string) => () => log.push([name, clock.now()]);
  clock.schedule(20, note("late"));
  clock.schedule(10.5, note("first"));
  clock.schedule(10.5, note("second"));
  clock.schedule(-5, note("past"));
  clock.schedule(NaN, note("never a number"));
  while (clock.step());
  assertEquals(log, [["past", 0], ["never a number", 0], ["first", 10.5], ["second", 10.5], [
    "late",
    20,
  ]]);
});

Deno.test("a moment is the same, from whichever other it is reached", () => {
  const time = fc.double({ min: 0, max: 1e9, noNaN: true });
  fc.assert(fc.property(time, time, time, (start, wait, ahead) => {
    const clock = new VirtualClock();
    const moments: number[] = [];
    clock.schedule(start, () => {
      const startMs = clock.now();
      const dueMs = startMs + wholeTicks(wait + ahead);
      clock.schedule(dueMs - startMs, () => moments.push(clock.now() - dueMs));
      clock.schedule(wait, () => {
        clock.schedule(dueMs - clock.now(), () => moments.push(clock.now() - dueMs));
      });
    });
    while (clock.step());
    assertEquals(moments, [0, 0]);
  }));
});

Deno.test("a timer that waits for what is left of its time ends", () => {
  const clock = new VirtualClock();
  const dueMs = 0.1;
  let turns = 0;
  const wait = () => {
    if (clock.now() < dueMs && turns++ < 10) clock.schedule(dueMs - clock.now(), wait);
  };
  wait();
  while (clock.step());
  assertEquals(turns, 1);
});

Deno.test("a cancelled timer does not run, and takes no time", () => {
  const clock = new VirtualClock();
  let runs = 0;
  const cancel = clock.schedule(1000, () => runs++);
  const again = clock.schedule(1, () => runs++);
  cancel();
  cancel();
  while (clock.step());
  again();
  assertEquals([runs, clock.now(), clock.size], [1, 1, 0]);
});

Deno.test("a timer delayed without end never runs", () => {
  const clock = new VirtualClock();
  clock.schedule(Infinity, () => {})();
  assertEquals(clock.step(), false);
});

Deno.test("timers left behind by the hundred thousand are swept out", () => {
  const clock = new VirtualClock();
  const log: number[] = [];
  clock.schedule(5, () => log.push(5));
  for (let count = 0; count < 100_000; count++) clock.schedule(1000 + count % 7, () => {})();
  clock.schedule(3, () => log.push(3));
  assertEquals(clock.size, 2);
  while (clock.step());
  assertEquals(log, [3, 5]);
  assertEquals([clock.size, clock.now()], [0, 5]);
});

Deno.test("between two events promises come to rest, however long their chain", async () => {
  const clock = new VirtualClock();
  const log: string[] = [];
  await runVirtual(clock, async () => {
    clock.schedule(1, async () => {
      for (let hop = 0; hop < 1000; hop++) await undefined;
      log.push(`chain at ${clock.now()}`);
    });
    clock.schedule(1, () => log.push("same instant"));
    clock.schedule(1.001, () => log.push("later"));
    await sleep(clock, 2);
    log.push("end");
  });
  assertEquals(log, ["chain at 1", "same instant", "later", "end"]);
});

Deno.test("a run gives what its main gives, and leaves later timers alone", async () => {
  const clock = new VirtualClock();
  const result = await runVirtual(clock, async () => {
    clock.schedule(100, () => {
      throw new Error("Ran on");
    });
    await sleep(clock, 50);
    return clock.now();
  });
  assertEquals([result, clock.now()], [50, 50]);
});

Deno.test("what a main or a timer throws ends the run", async () => {
  const clock = new VirtualClock();
  await assertRejects(
    () => runVirtual(clock, () => Promise.reject(new Error("main"))),
    Error,
    "main",
  );
  const throwing = () => {
    clock.schedule(1, () => {
      throw new Error("timer");
    });
    return sleep(clock, 10);
  };
  await assertRejects(() => runVirtual(clock, throwing), Error, "timer");
});

Deno.test("a main that no event can end is rejected", async () => {
  const clock = new VirtualClock();
  const main = async () => {
    await sleep(clock, 7);
    await new Promise(() => {});
  };
  await assertRejects(() => runVirtual(clock, main), Error, "Cannot go on at 7 ms");
});

Deno.test("two clocks run side by side", async () => {
  const run = (stepMs: number) => {
    const clock = new VirtualClock();
    return runVirtual(clock, async () => {
      for (let count = 0; count < 100; count++) await sleep(clock, stepMs);
      return clock.now();
    });
  };
  assertEquals(await Promise.all([run(1), run(1000)]), [100, 100_000]);
});

Deno.test("timers that set each other off without end are found out", async () => {
  const clock = new VirtualClock();
  const again = () => void clock.schedule(0, again);
  again();
  await assertRejects(
    () => runVirtual(clock, () => new Promise(() => {})),
    Error,
    "timers ran while time stood still",
  );
});

const RUNS = { numRuns: 200, seed: 1 };

const items = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 })
  .map((times) => times.map((at, order): Timed => ({ at, order })));

const sorted = (all: readonly Timed[]) => [...all].sort((a, b) => a.at - b.at || a.order - b.order);

function popAll(queue: TimedQueue<Timed>): Timed[] {
  const all: Timed[] = [];
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) all.push(item);
  return all;
}

Deno.test("a queue gives back what is due first, ties in order", () => {
  fc.assert(
    fc.property(items, (all) => {
      const queue = new TimedQueue<Timed>();
      for (const item of all) queue.push(item);
      assertEquals(queue.peek(), sorted(all)[0]);
      assertEquals(queue.size, all.length);
      assertEquals(popAll(queue), sorted(all));
    }),
    RUNS,
  );
});

Deno.test("a queue stays one when items are left out or taken in between", () => {
  fc.assert(
    fc.property(items, items, fc.nat(50), (before, after, taken) => {
      const queue = new TimedQueue<Timed>();
      for (const item of before) queue.push(item);
      for (let count = 0; count < taken; count++) queue.pop();
      queue.retain(({ at }) => at % 3 !== 0);
      for (const item of after) queue.push(item);
      const left = sorted(before).slice(taken).filter(({ at }) => at % 3 !== 0);
      assertEquals(popAll(queue), sorted([...left, ...after]));
    }),
    RUNS,
  );
});

Deno.test("draining gives everything in order and leaves nothing", () => {
  fc.assert(
    fc.property(items, (all) => {
      const queue = new TimedQueue<Timed>();
      for (const item of all) queue.push(item);
      assertEquals(queue.drain(), sorted(all));
      assertEquals(queue.pop(), undefined);
    }),
    RUNS,
  );
});
