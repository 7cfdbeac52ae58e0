import { assert, assertEquals, assertLess } from "@std/assert";
import { LinkDelay } from "@eddy/handlers/gossip/membership.ts";
import { seededRandom } from "@eddy/workbench/random.ts";

Deno.test("nothing is known of a link before the first round trip", () => {
  const delay = new LinkDelay();
  assertEquals([delay.known, delay.oneWayMs(7), delay.safeMs(9), delay.leastMs], [
    false,
    7,
    9,
    0,
  ]);
});

Deno.test("an even link has no deviation", () => {
  const delay = new LinkDelay();
  for (let i = 0; i < 30; i++) delay.add(200);
  assertEquals(delay.oneWayMs(0), 100);
  assertLess(delay.safeMs(0), 100.1);
});

Deno.test("nearly all messages of an uneven link take at most the safe delay", () => {
  const delay = new LinkDelay();
  const random = seededRandom(1, "delay");
  let late = 0;
  for (let i = 0; i < 1000; i++) {
    const [there, back] = [200 * random.next(), 200 * random.next()];
    if (delay.known && there > delay.safeMs(0)) late++;
    delay.add(there + back);
  }
  assertLess(late, 150);
  assert(delay.safeMs(0) < 400, String(delay.safeMs(0)));
});

Deno.test("the delay of a link that becomes slow is soon measured", () => {
  const delay = new LinkDelay();
  for (let i = 0; i < 10; i++) delay.add(20);
  for (let i = 0; i < 20; i++) delay.add(1000);
  assert(delay.oneWayMs(0) > 450);
  assertEquals(delay.leastMs, 10);
});
