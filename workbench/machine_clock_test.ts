import * as fc from "fast-check";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { MachineClock } from "./machine_clock.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** A clock, and what lets the world's time go on to a moment. */
function machine() {
  const world = new VirtualClock();
  const clock = new MachineClock(world);
  const until = (ms: number) => {
    let isThere = false;
    world.schedule(ms - world.now(), () => isThere = true);
    while (!isThere) world.step();
  };
  return { world, clock, until };
}

/** Times are right to less than a tick of virtual time, or a few. */
function assertNear(actual: number, expected: number): void {
  assert(Math.abs(actual - expected) < 1e-4, `${actual} is not ${expected}`);
}

Deno.test("a clock shows the world's time until its rate is another, and goes on from there", () => {
  const { clock, until } = machine();
  until(100);
  assertEquals(clock.now(), 100);
  const end = clock.skew({ rate: 0.25, jumpMs: 0 });
  assertEquals(clock.now(), 100);
  until(500);
  assertEquals(clock.now(), 200);
  end();
  end();
  assertEquals(clock.now(), 200);
  until(600);
  assertEquals(clock.now(), 300, "what it has lost stays");
});

Deno.test("timers go by the clock, those that were set before, too", () => {
  const { world, clock, until } = machine();
  const fired: [name: string, worldMs: number, ownMs: number][] = [];
  const set = (name: string, delayMs: number) =>
    clock.schedule(delayMs, () => fired.push([name, world.now(), clock.now()]));
  set("before", 300);
  until(100);
  const end = clock.skew({ rate: 4, jumpMs: 0 });
  set("meanwhile", 40);
  set("at once", 0);
  const cancel = set("cancelled", 20);
  set("never", Infinity);
  until(105);
  cancel();
  until(120);
  end();
  set("after", 100);
  until(1000);
  assertEquals(fired.map(([name]) => name), ["at once", "meanwhile", "after", "before"]);
  const expected = [[100, 100], [110, 140], [220, 280], [240, 300]] as const;
  fired.forEach(([, worldMs, ownMs], i) => {
    assertNear(worldMs, expected[i]?.[0] ?? 0);
    assertNear(ownMs, expected[i]?.[1] ?? 0);
  });
  assertEquals(world.size, 0);
});

Deno.test("the time of day jumps and comes back, and the clock does not jump with it", () => {
  const { clock, until } = machine();
  const end = clock.skew({ rate: 1, jumpMs: -60_000 });
  const endOther = clock.skew({ rate: 1, jumpMs: 1500 });
  until(10);
  assertEquals([clock.now(), clock.jumpMs], [10, -58_500]);
  end();
  assertEquals([clock.now(), clock.jumpMs], [10, 1500]);
  endOther();
  assertEquals([clock.now(), clock.jumpMs], [10, 0]);
});

Deno.test("of several skews the rates are multiplied, and none is left when all have ended", () => {
  const { clock, until } = machine();
  const ends = [0.7, 3, 0.1].map((rate) => clock.skew({ rate, jumpMs: 0.1 }));
  until(100);
  assertNear(clock.now(), 21);
  ends.forEach((end) => end());
  until(200);
  assertNear(clock.now(), 121);
  assertEquals(clock.jumpMs, 0);
});

Deno.test("a skew beyond all bounds is refused", () => {
  const { clock } = machine();
  for (const rate of [0, -1, 0.001, 101, NaN, Infinity]) {
    assertThrows(() => clock.skew({ rate, jumpMs: 0 }), RangeError, `at the rate ${rate}: `);
  }
  for (const jumpMs of [NaN, Infinity, -2e9]) {
    assertThrows(() => clock.skew({ rate: 1, jumpMs }), RangeError, `by ${jumpMs} ms: `);
  }
});

Deno.test("whatever the rates, a clock never goes backwards, and no timer runs early by it", () => {
  const rate = fc.double({ min: 0.01, max: 100, noNaN: true });
  const step = fc.tuple(rate, fc.double({ min: 0, max: 5000, noNaN: true }), fc.boolean());
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
    const { world, clock, until } = machine();
    let lastMs = clock.now();
    let waiting = 0;
    const look = () => {
      const nowMs = clock.now();
      assert(nowMs >= lastMs, `${nowMs} after ${lastMs}`);
      return lastMs = nowMs;
    };
    const ends: (() => void)[] = [];
    for (const [rate, ms, ends1] of steps) {
      ends.push(clock.skew({ rate, jumpMs: 0 }));
      if (ends1) ends.shift()?.();
      const dueMs = look() + ms;
      waiting++;
      clock.schedule(ms, () => {
        waiting--;
        assert(look() >= dueMs, `${clock.now()} before ${dueMs}`);
      });
      until(world.now() + ms / 3);
      look();
    }
    ends.forEach((end) => end());
    while (world.step());
    assertEquals(waiting, 0);
  }));
});
