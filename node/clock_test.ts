import { assertEquals, assertRejects } from "@std/assert";
import { pause, retry, systemClock } from "./clock.ts";
import { ErrorCode, RpcError } from "./errors.ts";
import { ManualClock } from "./testing.ts";

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

const random = { next: () => 1 };

function failing(times: number, code: number) {
  const startedAtMs: number[] = [];
  const clock = new ManualClock();
  const attempt = (tryNumber: number) => {
    startedAtMs.push(clock.now());
    if (tryNumber <= times) return Promise.reject(new RpcError(code, "no"));
    return Promise.resolve(tryNumber);
  };
  return { clock, attempt, startedAtMs, context: { clock, random } };
}

Deno.test("retry waits twice as long each time, up to the longest pause", async () => {
  const { clock, attempt, startedAtMs, context } = failing(5, ErrorCode.timeout);
  const result = retry(attempt, { minDelayMs: 100, maxDelayMs: 500 }, context);
  await clock.advance(10_000);
  assertEquals(await result, 6);
  assertEquals(startedAtMs, [0, 100, 300, 700, 1200, 1700]);
});

Deno.test("retry leaves definite errors alone unless their code is listed", async () => {
  const definite = failing(1, ErrorCode.preconditionFailed);
  await assertRejects(() => retry(definite.attempt, {}, definite.context), RpcError, "no");
  assertEquals(definite.startedAtMs.length, 1);

  const listed = failing(1, ErrorCode.temporarilyUnavailable);
  const codes = [ErrorCode.temporarilyUnavailable];
  const result = retry(listed.attempt, { codes }, listed.context);
  await listed.clock.advance(1000);
  assertEquals(await result, 2);
});

Deno.test("retry throws at once what is no RpcError", async () => {
  const { context } = failing(0, 0);
  let tries = 0;
  const attempt = () => {
    tries++;
    return Promise.reject(new TypeError("a bug"));
  };
  await assertRejects(() => retry(attempt, {}, context), TypeError, "a bug");
  assertEquals(tries, 1);
});

Deno.test("retry begins no try after its time, nor more than it may", async () => {
  const late = failing(Infinity, ErrorCode.crash);
  const ended = assertRejects(() => retry(late.attempt, { timeoutMs: 450 }, late.context));
  await late.clock.advance(10_000);
  await ended;
  assertEquals(late.startedAtMs, [0, 100, 300]);
  assertEquals(late.clock.timers, 0);

  const few = failing(Infinity, ErrorCode.crash);
  const gaveUp = assertRejects(() => retry(few.attempt, { maxTries: 2 }, few.context));
  await few.clock.advance(10_000);
  await gaveUp;
  assertEquals(few.startedAtMs.length, 2);
});

Deno.test("retry and pause end with their signal and leave no timer", async () => {
  const { clock, attempt, context } = failing(Infinity, ErrorCode.timeout);
  const controller = new AbortController();
  const ended = assertRejects(
    () => retry(attempt, { signal: controller.signal }, context),
    DOMException,
  );
  await clock.advance(50);
  assertEquals(clock.timers, 1);
  controller.abort();
  await ended;
  assertEquals(clock.timers, 0);
  await assertRejects(() => pause(clock, 10, controller.signal), DOMException);
});

Deno.test("retry says how often and for how long it has tried, and keeps the last error's code", async () => {
  const { clock, attempt, context } = failing(Infinity, ErrorCode.timeout);
  const ended = assertRejects(() => retry(attempt, { timeoutMs: 450 }, context), RpcError);
  await clock.advance(10_000);
  const error = await ended;
  assertEquals(error.message, "Gave up after 3 tries in 300 ms: no");
  assertEquals([error.code, error.definite], [ErrorCode.timeout, false]);
  assertEquals((error.cause as RpcError).message, "no");

  const own = failing(Infinity, 1001);
  const once = assertRejects(() => retry(own.attempt, { maxTries: 1 }, own.context), RpcError);
  assertEquals((await once).message, "Gave up after 1 try in 0 ms: no");
});

Deno.test("retry goes on for ever where it is told to", async () => {
  const { clock, attempt, context } = failing(1000, ErrorCode.timeout);
  const result = retry(attempt, { timeoutMs: Infinity }, context);
  await clock.advance(10_000_000);
  assertEquals(await result, 1001);
});

Deno.test("retry pauses for a finite time, whatever its options and however often it has tried", async () => {
  const extremes = [0, Number.MIN_VALUE, Number.MAX_VALUE, Infinity];
  for (const minDelayMs of extremes) {
    for (const maxDelayMs of extremes) {
      let now = 0;
      const paused: number[] = [];
      const clock = {
        now: () => now,
        schedule(delayMs: number, callback: () => void) {
          paused.push(delayMs);
          now += delayMs;
          queueMicrotask(callback);
          return () => {};
        },
      };
      const { attempt } = failing(1100, ErrorCode.timeout);
      const options = { minDelayMs, maxDelayMs, timeoutMs: Infinity };
      assertEquals(await retry(attempt, options, { clock, random }), 1101);
      assertEquals(paused.filter((ms) => !(ms >= 0 && ms < Infinity)), []);
    }
  }
});

Deno.test("retry without pauses ends when its time is up", async () => {
  let now = 0;
  const clock = {
    now: () => now++,
    schedule(_: number, callback: () => void) {
      queueMicrotask(callback);
      return () => {};
    },
  };
  let tries = 0;
  const attempt = () => {
    if (++tries > 3000) throw new Error("Still trying");
    return Promise.reject(new RpcError(ErrorCode.timeout, "no"));
  };
  const ended = retry(attempt, { minDelayMs: 0, timeoutMs: 2000 }, { clock, random });
  await assertRejects(() => ended, RpcError, "Gave up after 2000 tries");
});
