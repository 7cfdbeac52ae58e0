import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { placedPairs } from "./checkers/checker.ts";
import { type ClientContext, ClientIds, ReplyTimeout } from "./client.ts";
import type { Op } from "./history.ts";
import { defaultOptions, type RunSettings } from "./options.ts";
import { seededRandom } from "./random.ts";
import { Workers } from "./workers.ts";
import { type PhaseSettings, Recorder, RunPhase } from "./runner.ts";
import { runVirtual, VirtualClock } from "./virtual_clock.ts";
import { CRASHED, eachTime, type Generator, mappedErrors, type Workload } from "./generator.ts";

/** What an operation does, in place of asking a node. */
type Act = (wait: (ms: number) => Promise<void>, client: string) => Promise<number>;

interface Setting extends PhaseSettings {
  readonly options?: RunSettings;
  readonly act?: Act;
  readonly generator?: Generator;
  readonly reusable?: boolean;
  readonly seed?: number;
}

const work = eachTime(() => ({ f: "work", value: null }));

/** A phase of operations that take the time that `act` takes. */
function fixture(
  { options: settings, act, generator = work, reusable = false, ...rest }: Setting,
) {
  const clock = new VirtualClock();
  const options = defaultOptions("echo", settings);
  const opened: string[] = [];
  const closed: string[] = [];
  const network: ClientContext["network"] = {
    open: (name) => void opened.push(name),
    close: (name) => void closed.push(name),
    send: () => {},
  };
  const workload: Workload = {
    operations: {},
    errors: mappedErrors(),
    reusableClients: reusable,
    session() {
      const client = opened.at(-1) ?? "none";
      const wait = (ms: number) => new Promise<void>((resolve) => clock.schedule(ms, resolve));
      return async () => act === undefined ? 0 : await act(wait, client);
    },
    generator: () => generator,
    check: () => ({ valid: true }),
  };
  const recorder = new Recorder(clock, 1);
  const random = seededRandom(rest.seed ?? 1, "stagger");
  const workers = new Workers({ network, clock, ids: new ClientIds(), workload, options, random });
  const phase = new RunPhase(generator, rest, { clock, random, workers, recorder, workload });
  return { clock, phase, recorder, workers, opened, closed };
}

async function historyOf(setting: Setting): Promise<readonly Op[]> {
  const { clock, phase, recorder } = fixture(setting);
  await runVirtual(clock, () => phase.run());
  return recorder.history;
}

const invocations = (history: readonly Op[]) => history.filter(({ type }) => type === "invoke");

Deno.test("operations are uniform on 0 to twice the mean apart, over all threads", async () => {
  const history = await historyOf({ intervalMs: 5, limitMs: 50_000 });
  const times = invocations(history).map(({ time }) => time / 1e6);
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  assertEquals(times[0], 0);
  assertLess(Math.abs(gaps.length - 10_000), 300);
  assert(gaps.every((gap) => gap >= 0 && gap <= 10));
  for (let tenth = 0; tenth < 10; tenth++) {
    const count = gaps.filter((gap) => Math.min(9, Math.floor(gap)) === tenth).length;
    assertLess(Math.abs(count - gaps.length / 10), 160, `${count} gaps of ${tenth} ms`);
  }
});

Deno.test("threads take turns, each with its node and its process", async () => {
  const options = { nodeCount: 2, concurrency: 3 };
  const history = await historyOf({ options, intervalMs: 100, limitMs: 2000 });
  const turns = invocations(history).map(({ process, node }) => `${process} ${node}`).slice(0, 7);
  assertEquals(turns, ["0 n0", "1 n1", "2 n0", "0 n0", "1 n1", "2 n0", "0 n0"]);
  assertEquals(history.map(({ index }) => index), history.map((_, i) => i));
  assert(history.every(({ time }) => Number.isInteger(time)));
});

Deno.test("busy threads are passed over, and when all are the schedule slips", async () => {
  const options = { nodeCount: 2 };
  const act: Act = async (wait, client) => (await wait(client === "c0" ? 1000 : 10), 0);
  const history = await historyOf({ options, act, intervalMs: 1, limitMs: 2000 });
  const counts = [0, 1].map((process) =>
    invocations(history).filter((op) => op.process === process).length
  );
  // The slow thread does one each second; the other one about each 10 ms, and never catches up.
  assertEquals(counts[0], 2);
  assertLess(Math.abs((counts[1] ?? 0) - 185), 20);
  const open = placedPairs(history).filter(({ invoke, completion }) =>
    invoke.process === 1 && (completion?.time ?? 0) - invoke.time !== 10_000_000
  );
  assertEquals(open, []);
});

Deno.test("after a wait there is no burst", async () => {
  let first = true;
  const act: Act = async (wait) => {
    if (first) await wait(1000);
    first = false;
    return 0;
  };
  const history = await historyOf({
    options: { nodeCount: 1 },
    act,
    intervalMs: 10,
    limitMs: 2000,
  });
  const times = invocations(history).map(({ time }) => time / 1e6);
  assertEquals(times.slice(0, 2), [0, 1000]);
  assertLess(Math.abs(times.length - 100), 20);
});

Deno.test("the time limit counts from the first operation, and those under way may end", async () => {
  let emittedAtMs = -1;
  const setting: Setting = {
    options: { nodeCount: 1 },
    act: async (wait) => (await wait(300), 0),
    limitMs: 1000,
    onEmitted: () => emittedAtMs = clock.now(),
  };
  const { clock, phase, recorder } = fixture(setting);
  await runVirtual(clock, () => phase.run());
  assertEquals(recorder.history.map(({ type, time }) => [type, time / 1e6]), [
    ["invoke", 0],
    ["ok", 300],
    ["invoke", 300],
    ["ok", 600],
    ["invoke", 600],
    ["ok", 900],
    ["invoke", 900],
    ["ok", 1200],
  ]);
  assertEquals([emittedAtMs, clock.now()], [1000, 1200]);
});

Deno.test("an unknown end gives the thread a new process, and at its next operation a client", async () => {
  let count = 0;
  const clients: string[] = [];
  const act: Act = (_wait, client) => {
    clients.push(client);
    if (++count % 2 === 0) throw new ReplyTimeout("No reply");
    return Promise.resolve(1);
  };
  for (const reusable of [false, true]) {
    [count, clients.length] = [0, 0];
    const setting = { options: { nodeCount: 1, concurrency: 3 }, act, reusable };
    const { clock, phase, recorder, opened, closed } = fixture({
      ...setting,
      intervalMs: 10,
      generator: limited(9),
    });
    await runVirtual(clock, () => phase.run());
    const ends = recorder.history.filter(({ type }) => type !== "invoke");
    assertEquals(ends.map(({ type, process }) => `${process} ${type}`), [
      "0 ok",
      "1 info",
      "2 ok",
      "0 info",
      "4 ok",
      "2 info",
      "3 ok",
      "4 info",
      "5 ok",
    ]);
    assertEquals(ends[1]?.error, { code: 0, text: "No reply" });
    if (reusable) {
      assertEquals(clients, ["c0", "c1", "c2", "c0", "c1", "c2", "c0", "c1", "c2"]);
      assertEquals(closed, []);
    } else {
      assertEquals(clients, ["c0", "c1", "c2", "c0", "c3", "c2", "c4", "c3", "c5"]);
      assertEquals(opened.length, 6);
      // c3 was the last to crash, and nothing was asked of its thread after.
      assertEquals(closed, ["c1", "c0", "c2"]);
    }
  }
});

/** So many operations, then no more. */
function limited(n: number): Generator {
  let left = n;
  return { next: (threads, nowMs) => left-- > 0 ? work.next(threads, nowMs) : "done" };
}

Deno.test("a crash on purpose is an unknown end without an error", async () => {
  const { clock, phase, recorder, workers } = fixture({ generator: limited(1) });
  workers.session = () => () => Promise.resolve(CRASHED);
  await runVirtual(clock, () => phase.run());
  assertEquals(recorder.history.map(({ type, error }) => [type, error]), [
    ["invoke", undefined],
    ["info", undefined],
  ]);
  assertEquals([0, 1].map((thread) => workers.process(thread)), [5, 1]);
});

Deno.test("a generator may wait, for a time or for an end", async () => {
  const times: number[] = [];
  let ended = 0;
  const generator: Generator = {
    next(_threads, nowMs) {
      if (times.length === 3) return "done";
      if (nowMs < 70) return { untilMs: 70 };
      if (times.length > ended) return "pending";
      times.push(nowMs);
      return { thread: times.length, op: { f: "work", value: null } };
    },
    update: () => void ended++,
  };
  const act: Act = async (wait) => (await wait(30), 0);
  const history = await historyOf({ act, generator });
  assertEquals(times, [70, 100, 130]);
  assertEquals(history.length, 6);
});

Deno.test("a generator gets every completion", async () => {
  const completions: unknown[] = [];
  const generator: Generator = {
    ...limited(1),
    update: (thread, completion) => void completions.push([thread, completion]),
  };
  await historyOf({ generator, act: () => Promise.resolve(5) });
  assertEquals(completions, [[0, { type: "ok", f: "work", value: 5 }]]);
});

Deno.test("a phase that is stopped emits and records no more", async () => {
  const { clock, phase, recorder } = fixture({
    act: async (wait) => (await wait(30), 0),
    intervalMs: 1,
  });
  phase.run();
  await runVirtual(clock, () => new Promise((resolve) => clock.schedule(20, () => resolve(0))));
  const before = recorder.history.length;
  phase.stop();
  await runVirtual(clock, () => new Promise((resolve) => clock.schedule(200, () => resolve(0))));
  assertEquals(recorder.history.length, before);
  assertEquals(clock.size, 0);
});

Deno.test("what no node can cause ends the phase", async () => {
  const broken = () => {
    throw new TypeError("Our bug");
  };
  await assertRejects(() => historyOf({ act: broken }), TypeError, "Our bug");
  await assertRejects(() => historyOf({ generator: { next: broken } }), TypeError, "Our bug");
});
