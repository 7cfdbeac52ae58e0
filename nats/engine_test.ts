/**
 * Runs over NATS: what is valid, what is found, what each fault does, and what is refused.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "@eddy/maelstrom/flags";
import { defaultOptions, type Op, type RunHooks, type RunSettings } from "@eddy/workbench";
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

/** Kills all nodes for a moment. */
const killAll: RunHooks["script"] = (faults, clock) => {
  const nodes = ["n0", "n1", "n2"];
  clock.schedule(1000, () => void faults.crash(nodes));
  clock.schedule(1300, () => void faults.restart(nodes));
};

Deno.test({
  name: "over NATS: a register is valid, its messages are counted, and no process stays",
  ignore: !hasServer,
  async fn() {
    const seen = { send: 0, recv: 0, drop: 0 };
    const { results, history, plan } = await run("lin-kv", { rate: 100 }, {
      onMessage: ({ type }) => void seen[type]++,
    });
    assertEquals([results.broke, results.findings, results.valid], [undefined, [], true]);
    const { all, clients, servers } = results.net;
    // A request and a reply for each operation and each init, and what leader and followers send.
    const operations = history.filter(({ type }) => type === "invoke").length;
    assertEquals(clients.sendCount, 2 * (operations + 3));
    assert(servers.sendCount > operations, `only ${servers.sendCount} messages between nodes`);
    assertEquals([seen.send, seen.recv], [all.sendCount, all.recvCount]);
    assertEquals(plan().links, []);
  },
});

Deno.test({
  name: "over NATS: nodes that are cut off see nothing of each other, and all of it in the end",
  ignore: !hasServer,
  async fn() {
    const { results, history } = await run("broadcast", { timeLimitSeconds: 3, rate: 40 }, {
      script: (faults) => void faults.isolate("n0"),
    });
    assertEquals([results.findings, results.valid], [[], true]);
    assertEquals(results.faults.map(({ description }) => description), ["n0 | n1 n2"]);
    // A node loses messages from the moment on that it is told to.
    const elsewhere = history.filter(({ type, f, node, time }) =>
      type === "invoke" && f === "broadcast" && node !== "n0" && time > 5e8
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
  name: "over NATS: what all nodes have kept outlives them, and else acknowledged writes are lost",
  ignore: !hasServer,
  async fn() {
    // Each request to a node that is down keeps a client waiting, to the end of the run.
    const settings = { keyCount: 2, maxWritesPerKey: 1000, concurrency: "30n" } as const;
    const kept = await run("txn-list-append", settings, { script: killAll }, ["--data", "data"]);
    assertEquals([kept.results.broke, kept.results.findings], [undefined, []]);
    assertEquals(kept.results.valid, true);
    assert(lastOk(kept.history).time > 1.3e9, "nothing was done after the kill");
    const lost = await run("txn-list-append", settings, { script: killAll });
    assertEquals([lost.results.broke, lost.results.valid], [undefined, false]);
  },
});

function lastOk(history: readonly Op[]): Op {
  const last = history.findLast(({ type, process }) => type === "ok" && process !== "nemesis");
  assert(last !== undefined, "no operation succeeded");
  return last;
}

Deno.test({
  name: "over NATS: a register is valid with kills and partitions that are drawn, and data kept",
  ignore: !hasServer,
  async fn() {
    const settings = { nemesis: ["kill", "partition"], nemesisIntervalSeconds: 2 } as const;
    const { results } = await run("lin-kv", { ...settings, timeLimitSeconds: 5 }, {}, [
      "--data",
      "data",
    ]);
    // Chance may leave no time in which an operation could succeed, which is not what is asked here.
    const wrong = results.findings.filter(({ anomaly }) => anomaly !== "never-ok");
    assertEquals([results.broke, wrong], [undefined, []]);
    assert(results.faults.some(({ fault }) => fault === "kill"));
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
    [["--nodes", "a.b,c"], 'Cannot use the node name "a.b" over NATS: expected letters, digits'],
    [["--", "--frob"], "Options of the node for lin-kv: Unknown option --frob"],
    [["--", "--help"], "Cannot run nodes with --help: they would print a text and end"],
    [[], "Cannot connect: --nats names no server"],
  ];
  for (const [args, why] of refused) {
    await assertRejects(() => testOverNats(["-w", "lin-kv", ...args]), UsageError, why);
  }
});
