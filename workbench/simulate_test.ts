import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { Node } from "@eddy/maelstrom";
import type { SetFullResult } from "./checkers/set_full.ts";
import { summarize } from "./explain.ts";
import { defaultOptions } from "./options.ts";
import { runProgram } from "./run_program.ts";
import { simulate, type SimulateOptions } from "./simulate.ts";
import { writeHistoryLine } from "./history.ts";
import { NEMESES } from "./nemesis.ts";
import { WORKLOADS } from "./workloads/mod.ts";

/** A history as it would be stored. */
async function historyOf(options: SimulateOptions): Promise<string> {
  return (await simulate(options)).history.map(writeHistoryLine).join("\n");
}

for (const workload of WORKLOADS) {
  Deno.test(`the same seed gives the same history, byte for byte: ${workload}`, async () => {
    const options: SimulateOptions = {
      workload,
      nodeCount: 3,
      rate: 50,
      timeLimitSeconds: 5,
      latency: { meanMs: 10, distribution: "exponential" },
      nemesis: NEMESES,
      nemesisIntervalSeconds: 1,
    };
    const first = await historyOf({ ...options, seed: 7 });
    assertEquals(await historyOf({ ...options, seed: 7 }), first);
    assertNotEquals(await historyOf({ ...options, seed: 8 }), first);
  });
}

const quiet: SimulateOptions = {
  workload: "broadcast",
  nodeCount: 3,
  rate: 20,
  timeLimitSeconds: 5,
  seed: 3,
};

/** A broadcast node that sends each message to its peers once, and never again. */
function sendOnce(node: Node): void {
  const seen = new Set<unknown>();
  node.on("topology", () => ({}));
  node.on("read", () => ({ messages: [...seen] as number[] }));
  node.on("broadcast", ({ body }) => {
    seen.add(body.message);
    node.broadcast({ type: "gossip", message: body.message ?? null });
    return {};
  });
  node.on("gossip", ({ body }) => void seen.add(body.message));
}

Deno.test("a failure is explained in four lines: what, which operations, which fault, what it dropped", async () => {
  const { results } = await simulate({
    ...quiet,
    install: sendOnce,
    script: (faults, clock) => {
      clock.schedule(1000, () => {
        const heal = faults.partition([["n0"], ["n1", "n2"]]);
        clock.schedule(2000, heal);
      });
    },
  });
  assertEquals(results.valid, false);
  const [first = []] = results.explanations;
  assertEquals(first.length, 4);
  const [what = "", seen = "", faults = "", dropped = ""] = first;
  assertStringIncludes(what, "lost:");
  assertStringIncludes(seen, "process");
  assertStringIncludes(faults, "partition: n0 | n1 n2, from 1.000 s to 3.000 s");
  assertStringIncludes(dropped, "n0 -> n");
});

Deno.test("without the fault the same node is right", async () => {
  const { results } = await simulate({ ...quiet, install: sendOnce });
  assertEquals([results.valid, results.explanations], [true, []]);
  assertEquals(results.net.servers.msgCount, 2 * (results.workload as SetFullResult).attemptCount);
});

Deno.test("a node that breaks the protocol ends the run, quoting what it wrote", async () => {
  const install = (node: Node) => {
    sendOnce(node);
    node.onInit(() => void node.clock.schedule(2000, () => node.send("nobody", { type: "hi" })));
  };
  const { results, protocolErrors, history } = await simulate({ ...quiet, install });
  assertEquals(results.valid, false);
  assertEquals(results.broke?.byNode, true);
  assertStringIncludes(results.broke?.text ?? "", "nobody");
  assertEquals(protocolErrors.length >= 1, true);
  assert((history.at(-1)?.time ?? 0) <= 2.1e9, "the run goes on");
});

Deno.test("with strictMaelstrom such a node is muted instead, and the run goes on", async () => {
  const install = (node: Node) => {
    sendOnce(node);
    node.onInit(() => {
      if (node.id !== "n1") return;
      node.clock.schedule(2000, () => node.send("nobody", { type: "hi" }));
    });
  };
  const { results, history } = await simulate({ ...quiet, install, strictMaelstrom: true });
  assertEquals(results.broke, undefined);
  assert(history.some(({ type, node, time }) => type === "info" && node === "n1" && time > 2e9));
});

Deno.test("a node that does not answer init breaks the run", async () => {
  const install = (node: Node) => node.onInit(() => new Promise(() => {}));
  const { results } = await simulate({ ...quiet, install });
  assertEquals([results.valid, results.broke?.byNode], ["unknown", false]);
  assertStringIncludes(results.broke?.text ?? "", "init");
});

Deno.test("promises that a node rejects and does not catch are reported, and have no other effect", async () => {
  const run = (forget: boolean) =>
    simulate({
      ...quiet,
      workload: "echo",
      install: (node) =>
        node.on("echo", ({ body }) => {
          if (forget) Promise.resolve().then(() => Promise.reject(new Error("Forgotten")));
          return { echo: body.echo };
        }),
    });
  const { results, history } = await run(true);
  const [warning = "", ...others] = results.warnings;
  assertStringIncludes(
    warning,
    "Promises of nodes were rejected and not caught: Error: Forgotten at ",
  );
  const echoes = results.stats.count;
  assert(warning.endsWith(`, and ${echoes - 1} more`), warning);
  assertEquals([results.valid, others], [true, []]);
  assertEquals(history, (await run(false)).history);
});

Deno.test("a promise that is rejected with a value that has no text is reported, too", async () => {
  const { results } = await simulate({
    ...quiet,
    workload: "echo",
    install: (node) =>
      node.on("echo", ({ body }) => {
        Promise.resolve().then(() => Promise.reject(Object.create(null)));
        return { echo: body.echo };
      }),
  });
  assertStringIncludes(
    results.warnings[0] ?? "",
    "Promises of nodes were rejected and not caught: Something was thrown that has no text",
  );
});

Deno.test("nodes that keep each other busy for ever break the run off, with all that was before", async () => {
  const { results, history } = await simulate({
    ...quiet,
    workload: "echo",
    install: (node) => {
      let count = 0;
      node.on("ping", ({ src }) => node.send(src, { type: "ping" }));
      node.on("echo", ({ body }) => {
        if (++count === 5) node.send(node.id, { type: "ping" });
        return { echo: body.echo };
      });
    },
  });
  assertEquals(results.valid, "unknown");
  assertStringIncludes(results.broke?.text ?? "", "timers ran while time stood still");
  assert(history.length > 8, `${history.length} events`);
});

Deno.test("a run that is broken off from outside is judged as far as it came", async () => {
  const stop = new AbortController();
  const { results, history } = await simulate({
    ...quiet,
    signal: stop.signal,
    script: (_, clock) => void clock.schedule(2500, () => stop.abort(new Error("Enough"))),
  });
  assertEquals([results.valid, results.broke], ["unknown", { byNode: false, text: "Enough" }]);
  const last = history.at(-1)?.time ?? 0;
  assert(last > 2e9 && last <= 2.5e9, `${last}`);
});

Deno.test("what stops nodes begins after the first operations, all else at once", async () => {
  const atOnce = ["partition", "one-way", "loss", "duplicate", "slow", "disk-slow", "clock"];
  for (const kind of NEMESES) {
    const { history } = await simulate({ ...quiet, nemesis: [kind], nemesisIntervalSeconds: 2 });
    const firstFault = history.findIndex(({ process }) => process === "nemesis");
    assert(firstFault !== -1);
    const ended = history.slice(0, firstFault).filter(({ type }) => type !== "invoke");
    assertEquals(ended.length, atOnce.includes(kind) ? 0 : 10, kind);
  }
});

Deno.test("planned operations that never began are counted, and warned of above a half", async () => {
  const options: SimulateOptions = {
    workload: "lin-kv",
    nodeCount: 1,
    rate: 50,
    timeLimitSeconds: 10,
    seed: 1,
  };
  const fine = await simulate(options);
  assertEquals(fine.results.planned, undefined);
  assertEquals(fine.results.warnings, []);
  const down = (atMs: number) => async () =>
    await simulate({
      ...options,
      script: (faults, clock) => void clock.schedule(atMs, () => void faults.crash("n0")),
    });
  const late = await down(7000)();
  const { planned } = late.results;
  assert(planned !== undefined && planned.count > 450 && planned.count < 550);
  assert(planned.begun > 250 && planned.begun < 450, `${planned.begun}`);
  const summary = summarize(late.results, late.options);
  assertStringIncludes(
    summary,
    `of about ${planned.count} planned ${planned.count - planned.begun} never began`,
  );
  assertEquals(late.results.warnings, []);
  const early = await down(100)();
  const [warning = ""] = early.results.warnings;
  assertStringIncludes(warning, `Only ${early.results.planned?.begun} of about `);
  // Few operations are few by chance, not because clients waited.
  for (let seed = 0; seed < 20; seed++) {
    const short = { ...options, workload: "echo", rate: 5, timeLimitSeconds: 2, seed } as const;
    assertEquals((await simulate(short)).results.planned, undefined);
  }
});

Deno.test("where killed nodes may lose what consensus promised, the summary says so", async () => {
  const summary = async (
    workload: SimulateOptions["workload"],
    fault: "kill" | "pause",
    disk = true,
  ) => {
    const nemesis = [fault] as const;
    const settings = { ...quiet, workload, disk, nemesis, nemesisIntervalSeconds: 1 };
    const { results, options } = await simulate(settings);
    return summarize(results, options);
  };
  const memory = async (...of: Parameters<typeof summary>) =>
    /^ {2}killed +nodes start again with nothing but what/m.test(await summary(...of));
  assertEquals(await memory("lin-kv", "kill", false), true);
  assertEquals(await memory("txn-list-append", "kill", false), true);
  assertEquals(await memory("lin-kv", "pause", false), false);
  assertEquals(await memory("broadcast", "kill", false), false);
  assertEquals(await memory("lin-kv", "kill"), false);
  assertMatch(
    await summary("lin-kv", "kill"),
    /^ {2}disks +\d+ writes, \d+ syncs; \d+ writes? lost that none covered$/m,
  );
});

Deno.test("a partition that isolates nobody is no fault", async () => {
  const { results, history } = await simulate({
    ...quiet,
    nodeCount: 1,
    nemesis: ["partition", "one-way"],
    nemesisIntervalSeconds: 0.5,
  });
  assert(history.some(({ process }) => process === "nemesis"));
  assertEquals(results.faults, []);
});
Deno.test("a real timer in a handler is reported with its place, and timers are given back", async () => {
  const before = [globalThis.setTimeout, globalThis.setInterval];
  const timers: (() => void)[] = [];
  const use = (set: () => () => void) =>
    simulate({
      ...quiet,
      workload: "echo",
      nodeCount: 1,
      timeLimitSeconds: 1,
      install: (node) =>
        node.on("echo", async ({ body }) => {
          if (body.echo !== undefined) timers.push(set());
          await new Promise(() => {});
          return {};
        }),
    });
  // The runs overlap, and end in another order than they began.
  const [first, second] = await Promise.all([
    use(() => {
      const timer = setTimeout(() => {}, 60_000);
      return () => clearTimeout(timer);
    }),
    use(() => {
      const timer = setInterval(() => {}, 60_000);
      return () => clearInterval(timer);
    }),
  ]);
  for (const clear of timers) clear();
  assertEquals([globalThis.setTimeout, globalThis.setInterval], before);
  for (const { results } of [first, second]) {
    const warning = results.warnings.find((text) => text.includes("node.clock")) ?? "";
    assertStringIncludes(warning, "simulate_test.ts:");
    assert(/called set(Timeout|Interval) /.test(warning), warning);
  }
});

Deno.test("hooks and arguments of another kind are refused by name, before anything runs", async () => {
  for (const name of ["install", "onMessage", "onLog", "onProgress", "script", "signal", "args"]) {
    const run = () => simulate({ ...quiet, [name]: 7 });
    await assertRejects(run, RangeError, `Cannot run with ${name} 7: it must be `);
  }
  await assertRejects(
    () => simulate({ ...quiet, instal: () => {} } as SimulateOptions),
    RangeError,
    "instal",
  );
  const { seed, ...rest } = defaultOptions("echo");
  const program = { bin: "/bin/sh", args: [] };
  assertThrows(() => runProgram(program, { ...rest, seed: seed / 0 }), RangeError, "seed Infinity");
  const options = { ...rest, seed };
  assertThrows(
    () => runProgram({ bin: "/bin/sh", args: [1 as never] }, options),
    RangeError,
    "args",
  );
});

Deno.test("a hook that throws breaks the run off, whoever calls it", async () => {
  const hook = () => {
    throw new Error("Cannot show it");
  };
  const install = (node: Node) => {
    node.on("echo", ({ body: { echo = null } }) => {
      node.log(String(echo));
      return { type: "echo_ok", echo };
    });
  };
  const settings = { workload: "echo", nodeCount: 1, rate: 50, timeLimitSeconds: 1 } as const;
  const code = "#!/bin/sh\nread line\necho hello >&2\nsleep 10\n";
  const bin = await Deno.makeTempFile();
  await Deno.writeTextFile(bin, code);
  await Deno.chmod(bin, 0o755);
  try {
    for (const hooks of [{ onLog: hook }, { onMessage: hook }]) {
      const runs = [
        await simulate({ ...settings, install, ...hooks }),
        await runProgram({ bin, args: [] }, defaultOptions("echo", settings), hooks),
      ];
      for (const { results } of runs) {
        assertEquals(results.broke, { byNode: false, text: "Cannot show it" });
      }
    }
  } finally {
    await Deno.remove(bin);
  }
});
