import { assertEquals } from "@std/assert";
import { HubSchedule } from "./links.ts";

const way = { leadMs: 110, delayMs: 100, graceMs: 120, sentAtMs: -Infinity, pauseMs: 0 };

/** A hub that sends at 1000, and every 300 ms. */
function schedule(): HubSchedule {
  const result = new HubSchedule(500);
  result.heard(800, { nextMs: 300, periodMs: 300 }, 100);
  return result;
}

Deno.test("an early event waits until it would arrive just in time", () => {
  assertEquals(schedule().dueMs(810, way), 890);
});

Deno.test("a slightly late event is sent at once", () => {
  assertEquals(schedule().dueMs(895, way), 895);
  assertEquals(schedule().dueMs(895, { ...way, sentAtMs: 890 }), 1120, "unless something has left");
});

Deno.test("an event that is too late waits for the message after, unless that is too far away", () => {
  assertEquals(schedule().dueMs(950, way), 1120);
  const slow = new HubSchedule(500);
  slow.heard(800, { nextMs: 300, periodMs: 2000 }, 100);
  assertEquals(slow.dueMs(950, way), 1120);
});

Deno.test("a hub without a rhythm is sent to at once, and then with pauses", () => {
  assertEquals(new HubSchedule(500).dueMs(5, way), 5);
  assertEquals(new HubSchedule(500).dueMs(5, { ...way, sentAtMs: 3, pauseMs: 100 }), 103);
  assertEquals(schedule().dueMs(1500, way), 1500);
  const forgotten = schedule();
  forgotten.forget();
  assertEquals(forgotten.dueMs(810, way), 810);
});
