import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { type Timed, TimedQueue } from "./timed_queue.ts";

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
