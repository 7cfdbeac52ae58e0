import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Json, JsonObject } from "@eddy/maelstrom";
import { referenceOf, references, type Server } from "@eddy/mutants";
import {
  check,
  type CheckResult,
  type Op,
  type RunSettings,
  type Stage,
  type WorkloadName,
} from "@eddy/workbench";
import { placedPairs } from "@eddy/workbench/checkers/checker.ts";
import type { Cluster } from "@eddy/workbench/cluster.ts";
import { writeHistoryLine } from "@eddy/workbench/history.ts";
import { defaultOptions } from "@eddy/workbench/options.ts";
import { Faults } from "@eddy/workbench/faults.ts";
import { Nemesis } from "@eddy/workbench/nemesis.ts";
import { type RunOutcome, runTest, type RunTestOptions } from "@eddy/workbench/runner.ts";
import { createVirtualWorld, type World } from "@eddy/workbench/world.ts";
import { createSharedCluster } from "./shared_cluster.ts";

interface Setting extends RunTestOptions {
  readonly settings?: RunSettings;
  readonly server?: Server;
}

const short: RunSettings = { nodeCount: 3, rate: 100, timeLimitSeconds: 5, concurrency: "2n" };

function rightServer(workload: WorkloadName): Server {
  return referenceOf(workload).inMemory();
}

/** A run under virtual time against nodes that answer by one function. */
async function runWith(workload: WorkloadName, { settings, server, ...rest }: Setting = {}) {
  const options = defaultOptions(workload, { ...short, ...settings });
  const world = createVirtualWorld(options.seed, { latency: options.latency });
  const { cluster, requests } = createSharedCluster(
    world,
    options,
    server ?? rightServer(workload),
  );
  const outcome = await world.run(() => runTest(world, cluster, options, rest));
  const result = check(outcome.history, options);
  return { ...outcome, options, world, running: cluster.isUp("n0"), requests, result };
}

function jsonl({ history }: RunOutcome): string {
  return history.map(writeHistoryLine).join("\n");
}

/** The share of operations that must succeed where some may fail. */
const shares: Partial<Record<WorkloadName, number>> = { kafka: 0.9, "lin-kv": 0.4 };

for (const { workload } of references) {
  Deno.test(`${workload}: nodes that are right are found right, the same way each time`, async () => {
    const run = await runWith(workload, {
      settings: { availability: shares[workload] ?? "total" },
    });
    assertEquals(run.broke, undefined);
    assertEquals(run.result.valid, true, JSON.stringify(run.result));
    assert(run.counts.invocations > 400);
    assertEquals(run.running, false);
    assertEquals(placedPairs(run.history).filter(({ completion }) => completion === undefined), []);
    assertEquals(jsonl(run), jsonl(await runWith(workload)));
    assert(jsonl(run) !== jsonl(await runWith(workload, { settings: { seed: 2 } })));
  });
}

/** A server that is right but for its replies to one type of request. */
function wrongServer(
  workload: WorkloadName,
  type: string,
  spoil: (reply: JsonObject, request: JsonObject) => JsonObject,
): Server {
  const right = rightServer(workload);
  return (body, node) => {
    const reply = right(body, node);
    return reply !== undefined && body.type === type ? spoil(reply, body) : reply;
  };
}

/** Nodes with a bug: what they do to a reply, and the anomaly that they must be found to have. */
const faults: readonly {
  readonly workload: WorkloadName;
  readonly type: string;
  readonly spoil: (reply: JsonObject, request: JsonObject) => JsonObject;
  readonly anomaly: string;
}[] = [
  {
    workload: "echo",
    type: "echo",
    spoil: (r) => ({ ...r, echo: "no" }),
    anomaly: "wrong-echo",
  },
  {
    workload: "unique-ids",
    type: "generate",
    spoil: (r) => ({ ...r, id: Number(r.id) >> 1 }),
    anomaly: "duplicate",
  },
  {
    workload: "broadcast",
    type: "read",
    spoil: ({ messages, ...r }) => ({ ...r, messages: odd(messages) }),
    anomaly: "lost",
  },
  {
    workload: "g-set",
    type: "read",
    spoil: ({ value, ...r }) => ({ ...r, value: odd(value) }),
    anomaly: "lost",
  },
  {
    workload: "g-counter",
    type: "read",
    spoil: (r) => ({ ...r, value: Number(r.value) - 1 }),
    anomaly: "wrong-final-read",
  },
  {
    workload: "pn-counter",
    type: "read",
    spoil: (r) => ({ ...r, value: Number(r.value) + 1 }),
    anomaly: "wrong-final-read",
  },
  {
    workload: "lin-kv",
    type: "read",
    spoil: (r) => ({ ...r, value: (Number(r.value) + 1) % 5 }),
    anomaly: "nonlinearizable",
  },
  {
    workload: "kafka",
    type: "send",
    spoil: (r, { msg }) => ({ ...r, offset: Number(r.offset) + Number(msg) % 2 }),
    anomaly: "inconsistent-offsets",
  },
  {
    workload: "txn-list-append",
    type: "txn",
    spoil: (r) => rereads(r, (value) => Array.isArray(value) ? value.slice(0, -1) : value),
    anomaly: "internal",
  },
  {
    workload: "txn-rw-register",
    type: "txn",
    spoil: (r) => rereads(r, (value) => typeof value === "number" ? value - 1 || null : value),
    anomaly: "internal",
  },
];

/** Changes what the reads of a transaction found. */
function rereads(reply: JsonObject, change: (value: Json) => Json): JsonObject {
  const txn = (reply.txn as Json[][]).map(([f = null, key = null, value = null]) => [
    f,
    key,
    f === "r" ? change(value) : value,
  ]);
  return { ...reply, txn };
}

function odd(list: Json | undefined): Json {
  return Array.isArray(list) ? list.filter((element) => Number(element) % 2 === 1) : null;
}

for (const { workload, type, spoil, anomaly } of faults) {
  Deno.test(`${workload}: nodes that are wrong are found wrong`, async () => {
    const { result } = await runWith(workload, { server: wrongServer(workload, type, spoil) });
    assertEquals(result.workload.valid, false);
    assertStringIncludes(anomaliesOf(result.workload).join(), anomaly);
  });
}

function anomaliesOf({ findings = [] }: CheckResult): string[] {
  return findings.map(({ anomaly }) => anomaly);
}

Deno.test("init clients come first, then setup clients, then workers", async () => {
  const { requests } = await runWith("broadcast", { settings: { topology: "line" } });
  const seen = new Map<string, string>();
  for (const { src, node, body } of requests) {
    if (!seen.has(src)) seen.set(src, `${body.type === "read" ? "broadcast" : body.type} ${node}`);
  }
  assertEquals(Object.fromEntries(seen), {
    c0: "init n0",
    c1: "init n1",
    c2: "init n2",
    c3: "topology n0",
    c4: "topology n1",
    c5: "topology n2",
    c6: "broadcast n0",
    c7: "broadcast n1",
    c8: "broadcast n2",
    c9: "broadcast n0",
    c10: "broadcast n1",
    c11: "broadcast n2",
  });
  const topology = requests.find(({ body }) => body.type === "topology")?.body.topology;
  assertEquals(topology, { n0: ["n1"], n1: ["n0", "n2"], n2: ["n1"] });
});

Deno.test("with one node, the first client of the workload is c2", async () => {
  const { requests } = await runWith("echo", { settings: { nodeCount: 1, timeLimitSeconds: 1 } });
  assertEquals(requests.map(({ src }) => src).slice(0, 2), ["c0", "c2"]);
});

Deno.test("the final reads come 10 s after the last operation, one on each thread", async () => {
  const { history } = await runWith("g-counter");
  const final = placedPairs(history).filter(({ invoke }) => invoke.final === true);
  const main = history.filter((op) => op.final !== true);
  assertEquals(final.map(({ invoke }) => invoke.process).toSorted(), [0, 1, 2, 3, 4, 5]);
  const lastMs = Math.max(5000, ...main.map(({ time }) => time / 1e6));
  for (const { invoke } of final) assertEquals(invoke.time / 1e6, lastMs + 10_000);
  assert(final.every(({ completion }) => completion?.final === true));
});

Deno.test("kafka's final phase ends after 10 s if messages are lost", async () => {
  const server = wrongServer("kafka", "send", (reply) => ({ ...reply, offset: 1000 }));
  const { history } = await runWith("kafka", { server });
  const assigned = history.findLastIndex(({ type, f }) => type === "invoke" && f === "assign");
  const polls = history.slice(assigned + 1).filter(({ type }) => type === "invoke");
  assert(polls.length > 200 && polls.every(({ f }) => f === "poll"));
  const crash = history.findLast(({ f }) => f === "crash")?.time ?? 0;
  const last = polls.at(-1)?.time ?? 0;
  assert(last - crash > 9.5e9 && last - crash < 10e9);
});

Deno.test("a rate of 0 is no operations, just time", async () => {
  const { history, world, startMs } = await runWith("echo", { settings: { rate: 0 } });
  assertEquals(history.length, 0);
  assert(startMs > 0); // Nodes take a moment to answer init.
  assertEquals(world.clock.now(), startMs + 5000);
});

/** A nemesis that records a cut at once and each 1.1 s, and notes how it is called. */
class ScriptedNemesis extends Nemesis {
  readonly calls: string[] = [];
  readonly #world: World;
  #stopped = false;

  constructor(world: World, faults: Faults) {
    super({ world, faults, nodeIds: [], kinds: [], intervalSeconds: 1 });
    this.#world = world;
  }

  override start(record: Parameters<Nemesis["start"]>[0]): void {
    this.calls.push("start");
    const cut = () => {
      if (this.#stopped) return;
      record({ type: "info", f: "cut", value: null });
      this.#world.clock.schedule(1100, cut);
    };
    cut();
  }

  override stop(): void {
    if (!this.#stopped) this.calls.push("stop");
    this.#stopped = true;
  }

  override heal(): Promise<void> {
    this.calls.push("heal");
    return new Promise((resolve) => void this.#world.clock.schedule(500, resolve));
  }
}

async function runWithNemesis(workload: WorkloadName) {
  const options = defaultOptions(workload, short);
  const world = createVirtualWorld(1);
  const { cluster } = createSharedCluster(world, options, rightServer(workload));
  const nemesis = new ScriptedNemesis(world, new Faults({ world, cluster }));
  const stages: Stage[] = [];
  const onProgress = ({ stage }: { stage: Stage }) => {
    if (stages.at(-1) !== stage) stages.push(stage);
  };
  const outcome = await world.run(() => runTest(world, cluster, options, { nemesis, onProgress }));
  return { ...outcome, nemesis, stages };
}

Deno.test("the nemesis begins at 0, stops at the time limit and heals before the final phase", async () => {
  const { history, nemesis, stages } = await runWithNemesis("g-set");
  const cuts = history.filter(({ process }) => process === "nemesis");
  assertEquals(
    cuts.map(({ time, f }) => [time / 1e9, f]),
    [0, 1.1, 2.2, 3.3, 4.4].map((at) => [at, "cut"]),
  );
  assertEquals(history[0]?.process, "nemesis");
  assertEquals(nemesis.calls, ["start", "stop", "heal"]);
  assertEquals(stages, ["start", "setup", "main", "heal", "recovery", "final", "stop", "done"]);
  assertEquals(history.map(({ index }) => index), history.map((_, i) => i));
});

Deno.test("without a final phase nothing is healed", async () => {
  const { nemesis, stages } = await runWithNemesis("lin-kv");
  assertEquals(nemesis.calls, ["start", "stop"]);
  assertEquals(stages, ["start", "setup", "main", "stop", "done"]);
});

Deno.test("a run that is broken off says why, and keeps its history", async () => {
  const abort = new AbortController();
  let asked = 0;
  const right = rightServer("g-set");
  const server: Server = (body, node) => {
    if (++asked === 100) abort.abort(new Error("n1 wrote a blank line"));
    return right(body, node);
  };
  const { broke, history, running, counts, world } = await runWith("g-set", {
    server,
    signal: abort.signal,
  });
  assertEquals([broke?.stage, broke?.error.message], ["main", "n1 wrote a blank line"]);
  assertEquals(counts.invocations, 100);
  assertEquals(history.length, counts.invocations + counts.ok);
  assertEquals(running, false);
  assert(world.clock.now() < 2000);
  assert(!world.network.has("c3"));
});

Deno.test("a run that was broken off before it began never begins", async () => {
  const { broke, history, requests } = await runWith("echo", {
    signal: AbortSignal.abort(new Error("Not today")),
  });
  assertEquals([broke?.stage, broke?.error.message, history.length], ["start", "Not today", 0]);
  assertEquals(requests, []);
});

Deno.test("a node that cannot be set up breaks the run off", async () => {
  const server = wrongServer(
    "broadcast",
    "topology",
    () => ({ type: "error", code: 10, text: "no" }),
  );
  const { broke, history, running } = await runWith("broadcast", { server });
  assertEquals([broke?.stage, history.length], ["setup", 0]);
  assertMatch(broke?.error.message ?? "", /^Cannot set up node n[012]: no$/);
  assertEquals(running, false);
});

Deno.test("a cluster that does not start, or does not stop well, breaks the run off", async () => {
  const options = defaultOptions("echo", short);
  const fail = (text: string) => () => Promise.reject(new Error(text));
  const run = (methods: Partial<Pick<Cluster, "start" | "stop">>) => {
    const world = createVirtualWorld(1);
    const { cluster } = createSharedCluster(world, options, rightServer("echo"));
    Object.assign(cluster, methods);
    return world.run(() => runTest(world, cluster, { ...options, rate: 0 }));
  };
  const unborn = await run({ start: fail("No init") });
  assertEquals([unborn.broke?.stage, unborn.broke?.error.message], ["start", "No init"]);
  const crashed = await run({ stop: fail("n0 crashed") });
  assertEquals([crashed.broke?.stage, crashed.broke?.error.message], ["stop", "n0 crashed"]);
});

Deno.test("the cluster is stopped even if the nemesis or the observer fails", async () => {
  const fail = () => {
    throw new Error("Broken");
  };
  const world = createVirtualWorld(1);
  const { cluster } = createSharedCluster(world, defaultOptions("echo"), rightServer("echo"));
  const nemesis = new ScriptedNemesis(world, new Faults({ world, cluster }));
  nemesis.stop = fail;
  const failing = await runWith("echo", { nemesis });
  assertEquals([failing.broke?.error.message, failing.running], ["Broken", false]);
  const observed = await runWith("echo", { onProgress: fail });
  assertEquals([observed.broke?.stage, observed.running], ["start", false]);
});

Deno.test("malformed replies leave operations open and are listed", async () => {
  const server = wrongServer(
    "unique-ids",
    "generate",
    (reply) => Number(reply.id) % 10 === 0 ? { ...reply, extra: true } : reply,
  );
  const { result, counts, history } = await runWith("unique-ids", { server });
  assertEquals(result.valid, true);
  assert(counts.info > 30);
  assertEquals(result.exceptions.exceptions?.[0]?.count, counts.info);
  const over = new Set<Op["process"]>();
  for (const { process, type } of history) {
    assert(!over.has(process), `process ${process} was over`);
    assert(typeof process === "number" && (process < 6 || over.has(process - 6)));
    if (type === "info") over.add(process);
  }
});

Deno.test("silence ends in timeouts", async () => {
  const right = rightServer("echo");
  let asked = 0;
  const server: Server = (body, node) => ++asked % 20 === 0 ? undefined : right(body, node);
  const { result, counts, history } = await runWith("echo", { server });
  assertEquals(result.valid, true);
  assert(counts.info > 0);
  for (const { invoke, completion } of placedPairs(history)) {
    if (completion?.type !== "info") continue;
    assertEquals(completion.time - invoke.time, 5e9);
    assertStringIncludes(completion.error?.text ?? "", "No reply to echo from n");
  }
});

Deno.test("an observer is called each second", async () => {
  const seen: [Stage, number][] = [];
  await runWith("echo", {
    onProgress: ({ stage, elapsedMs, counts }) => {
      if (stage === "main") seen.push([stage, Math.round(elapsedMs / 1000)]);
      assert(counts.invocations >= counts.ok);
    },
  });
  assertEquals(seen.map(([, second]) => second), [0, 1, 2, 3, 4, 5].slice(0, seen.length));
  assert(seen.length >= 5);
});
