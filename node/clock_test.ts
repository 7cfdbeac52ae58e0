import { assertEquals } from "@std/assert";
import { systemClock } from "./clock.ts";

Deno.test("the system's clock runs what is due and nothing that was cancelled", async () => {
  const ran: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  systemClock.schedule(20, resolve);
  systemClock.schedule(1, () => void ran.push("later"));
  systemClock.schedule(0, () => void ran.push("now"));
  for (const delayMs of [0, 1]) systemClock.schedule(delayMs, () => void ran.push("never"))();
  await promise;
  assertEquals(ran.sort(), ["later", "now"]);
});

Deno.test("the system's clock waits for ever where it is told to", async () => {
  let ran = false;
  const cancels = [Infinity, 2 ** 31].map((ms) =>
    systemClock.schedule(ms, () => void (ran = true))
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(ran, false);
  for (const cancel of cancels) cancel();
});
