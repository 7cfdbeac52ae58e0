import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { errorText, type Node } from "@eddy/maelstrom";
import {
  NEMESES,
  type NemesisName,
  type Op,
  simulate,
  type SimulateOptions,
} from "@eddy/workbench";

/** How many seeds each node is tried with, and each workload whose nodes must recover. */
const [SEEDS, RECOVERIES] = [100, 30];

const DISK_FAULTS: readonly NemesisName[] = NEMESES.filter((name) => name.startsWith("disk-"));

/** Counts in one value of its own; everybody tells everybody of all counts. */
function serveCounter(node: Node): void {
  const counts = new Map<string, number>();
  const learn = (of: string, count: number) => counts.set(of, Math.max(counts.get(of) ?? 0, count));
  node.onInit(() => void learn(node.id, Number(node.storage.get("count") ?? 0)));
  node.on("add", ({ body }) => {
    const count = (counts.get(node.id) ?? 0) + Number(body.delta);
    learn(node.id, count);
    node.storage.set("count", count);
    return {};
  });
  node.on("read", () => ({ value: [...counts.values()].reduce((sum, count) => sum + count, 0) }));
  node.on("counts", ({ body }) => {
    for (const [of, count] of Object.entries(body.counts ?? {})) learn(of, Number(count));
  });
  node.every(200, () => node.broadcast({ type: "counts", counts: Object.fromEntries(counts) }));
}

/** How many elements a log may have until a snapshot stands for them. */
const MAX_ENTRIES = 8;

/** Keeps a set in a log and its snapshot; everybody tells everybody of all elements. */
function serveSet(node: Node): void {
  const elements = new Set<number>();
  const add = (added: readonly number[]) => {
    const fresh = added.filter((each) => !elements.has(each));
    if (fresh.length === 0) return;
    for (const each of fresh) elements.add(each);
    const log = node.storage.log("elements");
    log.append(fresh);
    if (log.last - log.base > MAX_ENTRIES) log.replace(log.last, [[...elements]]);
  };
  node.onInit(() => {
    const log = node.storage.log("elements");
    for (const each of [...log.snapshot().flat(), ...log.entries()]) elements.add(Number(each));
  });
  node.on("add", ({ body }) => {
    add([Number(body.element)]);
    return {};
  });
  node.on("read", () => ({ value: [...elements] }));
  node.on("elements", ({ body }) => add(body.elements as number[]));
  node.every(200, () => node.broadcast({ type: "elements", elements: [...elements] }));
}

/** Answers before anything is durable, as it says that nothing waits for a sync. */
function forgetful(install: (node: Node) => void): (node: Node) => void {
  return (node) => {
    node.onInit(() => void Object.defineProperty(node.storage, "isDirty", { get: () => false }));
    install(node);
  };
}

function run(more: Pick<SimulateOptions, "workload" | "install" | "nemesis" | "seed">) {
  return simulate({
    nodeCount: 3,
    rate: 50,
    concurrency: "6n",
    timeLimitSeconds: 20,
    nemesisIntervalSeconds: 2,
    latency: { meanMs: 5, distribution: "exponential" },
    ...more,
  });
}

const nodes = [
  { workload: "g-counter", install: serveCounter },
  { workload: "g-set", install: serveSet },
] as const;

for (const { workload, install } of nodes) {
  Deno.test(`a ${workload} on disks loses nothing that it acknowledged, whatever the disks do`, async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < SEEDS; seed++) {
      const nemesis = ["kill", ...DISK_FAULTS] as const;
      const { results, protocolErrors } = await run({ workload, install, nemesis, seed });
      assertEquals(protocolErrors.map(errorText), [], `seed ${seed}`);
      assertEquals(results.valid, true, `seed ${seed}: ${results.explanations.flat().join("\n")}`);
      for (const { fault, description } of results.faults) seen.add(`${fault} ${description}`);
    }
    const stopped = [...seen].filter((text) => text.endsWith("a sync of its disk has failed"));
    for (const fault of ["disk-full", "disk-eio"]) {
      assert(stopped.some((text) => text.startsWith(fault)), `${fault} has stopped no node`);
    }
  });

  for (const nemesis of ["kill", "disk-lose", "disk-torn"] as const) {
    Deno.test(`a ${workload} that answers before a sync is found under ${nemesis}`, async () => {
      let invalid = 0;
      for (let seed = 0; seed < 10; seed++) {
        const install = forgetful(workload === "g-set" ? serveSet : serveCounter);
        const { results } = await run({ workload, install, nemesis: [nemesis], seed });
        if (results.valid === false) invalid++;
      }
      assert(invalid > 0, "no run is invalid");
    });
  }
}

/** Whether an event of a history begins the operation that another one ends. */
function isInvocationOf(end: Op | undefined): (op: Op) => boolean {
  return ({ type, process }) => type === "invoke" && process === end?.process;
}

/** When all faults of a run below have ended, and when its nodes must have recovered from them. */
const [HEALED_MS, RECOVERED_MS] = [6000, 8000];

for (const workload of ["lin-kv", "txn-list-append", "kafka"] as const) {
  Deno.test(`${workload} is safe while disks of a minority fail, and serves again after it`, async () => {
    let stopped = 0;
    for (let seed = 0; seed < RECOVERIES; seed++) {
      const { results, history } = await simulate({
        workload,
        nodeCount: 3,
        rate: 20,
        timeLimitSeconds: 12,
        latency: { meanMs: 5, distribution: "exponential" },
        disk: true,
        seed,
        script(faults, clock) {
          const failing = (["disk-full", "disk-eio"] as const).flatMap((failure, i) => {
            const fromMs = 500 + 2500 * i + seed * 5;
            const node = `n${(seed + i * (seed % 2)) % 3}`;
            return [{ failure, node, fromMs, toMs: fromMs + 2000 }];
          });
          for (const { failure, node, fromMs, toMs } of failing) {
            clock.schedule(fromMs, () => {
              const heal = faults.failSyncs(node, failure);
              clock.schedule(Math.min(toMs, HEALED_MS) - fromMs, () => void heal());
            });
          }
        },
      });
      assertEquals(results.valid, true, `seed ${seed}: ${results.explanations.flat().join("\n")}`);
      stopped += results.faults.filter(({ description }) => description.includes("is down")).length;
      const late = history.filter(({ time, type, f }, i) =>
        type === "info" && f !== "crash" && time > RECOVERED_MS * 1e6 &&
        (history.slice(0, i).findLast(isInvocationOf(history[i]))?.time ?? 0) > RECOVERED_MS * 1e6
      );
      assertEquals(late, [], `seed ${seed}: without an answer`);
    }
    assert(stopped > RECOVERIES, `only ${stopped} nodes were stopped`);
  });
}

Deno.test("without disks what was acknowledged is lost", async () => {
  const { results } = await simulate({
    workload: "g-counter",
    install: serveCounter,
    nodeCount: 3,
    timeLimitSeconds: 10,
    nemesis: ["kill"],
    nemesisIntervalSeconds: 1,
    disk: false,
    seed: 1,
  });
  assertEquals(results.valid, false);
});

Deno.test("a storage that fails without a fault of the plan is a broken protocol", async () => {
  const install = (node: Node) => {
    serveCounter(node);
    node.onInit(() => {
      node.storage.sync = () => Promise.reject(new Error("no such file"));
    });
  };
  const { results } = await run({
    workload: "g-counter",
    install,
    nemesis: ["disk-slow"],
    seed: 1,
  });
  assertEquals(results.valid, false);
  assertStringIncludes(results.broke?.text ?? "", "exit status 74");
  assertStringIncludes(results.broke?.text ?? "", "Cannot use the storage: no such file");
});
