/**
 * Runs over NATS: what is valid, what is found, what each fault does, and what is refused.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "@eddy/maelstrom/flags";
import { defaultOptions, type RunHooks, type RunSettings } from "@eddy/workbench";
import type { RunResult, WorkloadName } from "@eddy/workbench";
import { connectTo } from "./connect.ts";
import { runOnServer } from "./engine.ts";
import { hasServer, NatsServer } from "./testing.ts";
import { testOverNats } from "./test.ts";

/** Runs a workload on three nodes, with a server of its own. */
async function run(
  workload: WorkloadName,
  settings: RunSettings,
  hooks: RunHooks = {},
  args: readonly string[] = [],
): Promise<RunResult> {
  await using server = await NatsServer.start();
  const connection = await connectTo({ nats: server.url }, "test");
  const options = defaultOptions(workload, {
    ...{ nodeCount: 3, timeLimitSeconds: 3, rate: 50, seed: 1 },
    ...settings,
  });
  try {
    const nats = { connection, server: { nats: server.url }, args };
    const result = await runOnServer(nats, options, hooks);
    assertEquals(nodesOn(server.url), []);
    return result;
  } finally {
    await connection.close();
  }
}

/** The processes that were started with a server's address; the port is another in each test. */
function nodesOn(url: string): string[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => +name > 0);
  return pids.filter((pid) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0").includes(url);
    } catch {
      return false;
    }
  });
}

/** Kills all nodes for a moment. On a machine that is busy they may start again at the end only. */
const killAll: RunHooks["script"] = (faults, clock) => {
  const nodes = ["n0", "n1", "n2"];
  clock.schedule(1500, () => void faults.crash(nodes));
  clock.schedule(1800, () => void faults.restart(nodes).catch(() => {}));
};

/** What is wrong with a run, but that operations had no time to succeed, as chance or the machine decides. */
function wrongWith({ results: { broke, findings } }: RunResult): unknown {
  return broke ?? findings.filter(({ anomaly }) => anomaly !== "never-ok");
}

Deno.test({
  name: "over NATS: a register is valid, its messages are counted, and no process stays",
  ignore: !hasServer,
  async fn() {
    const seen = { send: 0, recv: 0, drop: 0 };
    const result = await run("lin-kv", { rate: 100 }, {
      onMessage: ({ type }) => void seen[type]++,
    });
    assertEquals(wrongWith(result), []);
    const { all, clients, servers } = result.results.net;
    // A request for each operation and each init, and a reply to nearly all.
    const operations = result.history.filter(({ type }) => type === "invoke").length;
    assert(clients.sendCount > operations + 3 && clients.sendCount <= 2 * (operations + 3));
    assert(servers.sendCount > 0, "no message between nodes was seen");
    assertEquals([seen.send, seen.recv], [all.sendCount, all.recvCount]);
    assertEquals(result.plan().links, []);
  },
});

Deno.test({
  name: "over NATS: nodes that are cut off see nothing of each other, and all of it in the end",
  ignore: !hasServer,
  async fn() {
    const { results, history } = await run("broadcast", { timeLimitSeconds: 4, rate: 40 }, {
      script: (faults) => void faults.isolate("n0"),
    });
    assertEquals([results.findings, results.valid], [[], true]);
    assertEquals(results.faults.map(({ description }) => description), ["n0 | n1 n2"]);
    // A node loses messages from the moment on that it is told to.
    const elsewhere = history.filter(({ type, f, node, time }) =>
      type === "invoke" && f === "broadcast" && node !== "n0" && time > 15e8
    ).map(({ value }) => value);
    const seen = new Set(
      history.filter(({ type, f, node, final }) =>
        type === "ok" && f === "read" && node === "n0" && !final
      ).flatMap(({ value }) => value as number[]),
    );
    assert(elsewhere.length > 0 && seen.size > 0);
    assertEquals(elsewhere.filter((value) => seen.has(value as number)), []);
  },
});

Deno.test({
  name:
    "over NATS: what all nodes have kept outlives them, and else acknowledged elements are lost",
  ignore: !hasServer,
  async fn() {
    const [kept, lost] = await Promise.all([
      run("g-set", {}, { script: killAll }, ["--data", "data"]),
      run("g-set", {}, { script: killAll }),
    ]);
    assertEquals([kept.results.broke, kept.results.findings], [undefined, []]);
    assertEquals(kept.results.valid, true);
    assertEquals([lost.results.broke, lost.results.valid], [undefined, false]);
    assertEquals(lost.results.findings[0]?.anomaly, "lost");
  },
});

Deno.test({
  name: "over NATS: a register is valid with kills and partitions that are drawn, and data kept",
  ignore: !hasServer,
  async fn() {
    const settings = { nemesis: ["kill", "partition"], nemesisIntervalSeconds: 2 } as const;
    const data = ["--data", "data"];
    const result = await run("lin-kv", { ...settings, timeLimitSeconds: 5 }, {}, data);
    assertEquals(wrongWith(result), []);
    assert(result.results.faults.some(({ fault }) => fault === "kill"));
  },
});

Deno.test({
  name: "over NATS: nodes that stand still, lose and double messages converge",
  ignore: !hasServer,
  async fn() {
    const { results } = await run("g-set", { availability: 0 }, {
      script(faults, clock) {
        faults.loss(0.3);
        faults.duplicate(0.3);
        faults.pause("n1");
        clock.schedule(1500, () => faults.resume("n1"));
      },
    });
    assertEquals([results.broke, results.findings, results.valid], [undefined, [], true]);
    const kinds = results.faults.map(({ fault }) => fault).toSorted();
    assertEquals(kinds, ["duplicate", "loss", "pause"]);
  },
});

Deno.test("over NATS: what cannot be had there is refused before anything is started", async () => {
  const refused: [args: string[], why: string][] = [
    [
      ["--nemesis", "slow"],
      "Cannot use --nemesis slow over NATS: messages between nodes do not go",
    ],
    [["--nemesis", "kill,clock"], "Cannot use --nemesis clock over NATS: processes go by"],
    [["--nemesis", "disk-torn"], "Cannot use --nemesis disk-torn over NATS: processes have"],
    [["--nemesis", "swarm"], "Cannot use --nemesis swarm over NATS: it draws faults"],
    [["--latency", "10"], "Cannot use --latency over NATS: messages between nodes do not go"],
    [["--compute", "1"], "Cannot use --compute over NATS: nodes run in real time"],
    [["--disk"], "Cannot use --disk over NATS: nodes have the machine's disk"],
    [["--bin", "echo.py"], "Cannot use --bin echo.py over NATS: only Eddy's own node runs there"],
    [
      ["--nodes", "a.b,c"],
      'Cannot use the node name "a.b" over NATS: expected 1 to 64 letters, digits',
    ],
    [["--", "--frob"], "Options of the node for lin-kv: Unknown option --frob"],
    [["--", "--help"], "Cannot run nodes with --help: they would print a text and end"],
    [[], "Cannot connect: --nats names no server"],
  ];
  for (const [args, why] of refused) {
    await assertRejects(() => testOverNats(["-w", "lin-kv", ...args]), UsageError, why);
  }
});

Deno.test({
  name: "over NATS: a server that is away for a moment is a warning, and no violation",
  ignore: !hasServer,
  async fn() {
    const first = await NatsServer.start();
    const { url, port } = first;
    const connection = await connectTo({ nats: url }, "test");
    let second: Promise<NatsServer> | undefined;
    try {
      const options = defaultOptions("g-set", {
        ...{ nodeCount: 3, timeLimitSeconds: 4, rate: 50, seed: 1 },
      });
      const nats = { connection, server: { nats: url }, args: [] };
      const { results } = await runOnServer(nats, options, {
        script: (_faults, clock) =>
          void clock.schedule(1000, () => {
            second = first.stop("SIGKILL").then(() => NatsServer.start({ port }));
          }),
      });
      assertEquals([results.broke, results.findings], [undefined, []]);
      assertEquals(
        results.warnings.filter((text) => text.includes("lost the NATS server")).length,
        1,
      );
    } finally {
      await connection.close();
      await (await second)?.[Symbol.asyncDispose]();
      await first[Symbol.asyncDispose]();
    }
  },
});
