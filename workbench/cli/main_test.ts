/**
 * The command line as its users meet it: as a process, with exit codes and files.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { join } from "@std/path/join";
import { ErrorCode } from "@eddy/maelstrom";
import { allMutants, binOf } from "@eddy/mutants";
import { parseFlags } from "@eddy/maelstrom/flags";
import config from "../deno.json" with { type: "json" };
import { parseHistory } from "../history.ts";
import { NEMESES } from "../nemesis.ts";
import { simulate } from "../simulate.ts";
import { WORKLOADS } from "../workloads/mod.ts";
import { ended } from "../testing.ts";
import { demoJobs } from "./demo.ts";
import { replayLine, testFlags } from "./test.ts";
import {
  command,
  inTempDir,
  lineOf,
  main,
  MAX_CHILD_MS,
  plainEnv,
  type Ran,
  short,
  workbench,
  workbenchInTurn,
  worldly,
} from "./testing.ts";

Deno.test("test: a valid run exits 0 and leaves its results behind", async () => {
  await inTempDir(async (dir) => {
    const { code, stdout } = await workbench(["test", "-w", "g-set", ...short], dir);
    assertEquals(code, 0, stdout);
    assertMatch(
      stdout,
      /^Virtual time, Eddy's own node\ng-set, 3 nodes, no faults, seed 4: valid\n/,
    );
    const latest = join(dir, "store", "latest");
    const files = [...Deno.readDirSync(latest)].map(({ name }) => name).sort();
    assertEquals(files, [
      "history.edn",
      "history.jsonl",
      "history.txt",
      "latency-quantiles.svg",
      "latency-raw.svg",
      "messages.jsonl",
      "messages.svg",
      "node-logs",
      "plan.json",
      "rate.svg",
      "report.html",
      "results.edn",
      "results.json",
      "run.json",
      "run.log",
    ]);
    const runLog = await Deno.readTextFile(join(latest, "run.log"));
    const printed = stdout.split("\n").slice(1).join("\n");
    assert(runLog.startsWith("Virtual time, Eddy's own node\nstart 0 s: 0 operations"), runLog);
    assert(runLog.endsWith(printed), runLog);
    const [fromEdn, fromLines] = await Promise.all(["edn", "jsonl"].map(async (format) => {
      return parseHistory(await Deno.readTextFile(join(latest, `history.${format}`)));
    }));
    assertEquals(fromEdn, fromLines);
    const results = JSON.parse(await Deno.readTextFile(join(latest, "results.json")));
    assertEquals([results["valid?"], results.seed, results.workload["lost-count"]], [true, 4, 0]);
    assertEquals(typeof results.net.servers["msgs-per-op"], "number");
    const lines = (await Deno.readTextFile(join(latest, "messages.jsonl"))).trimEnd().split("\n");
    const sends = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === "send");
    assertEquals(sends.length, results.net.all["send-count"]);

    const checked = await workbench(["check", "-w", "g-set", join(latest, "history.jsonl")], dir);
    assertEquals([checked.code, checked.stdout.includes("valid")], [0, true]);
  });
});

Deno.test("test: a run that is not good enough exits 1 with a line that replays it", async () => {
  await inTempDir(async (dir) => {
    const args = ["test", "-w", "lin-kv", ...short, "--availability", "total"];
    const first = await workbench(args, dir);
    assertEquals(first.code, 1, first.stdout);
    const replay = /Replay with: .*?\b(test .*)/.exec(first.stdout)?.[1] ?? "";
    assertStringIncludes(replay, "--availability total");
    const second = await workbench(replay.split(" "), dir);
    const withoutPath = (text: string) => text.replace(/(Results in|Report:) .*/g, "");
    assertEquals(withoutPath(second.stdout), withoutPath(first.stdout));
  });
});

Deno.test("colours: where no terminal is, only if they are asked for; the results' path is last", async () => {
  await inTempDir(async (dir) => {
    const run = ["-w", "lin-kv", ...short, "--availability", "total"];
    const colored = async (...args: string[]) => {
      const { stdout } = await workbench(args, dir, { NO_COLOR: "" });
      return stdout.includes("\x1b[31mINVALID\x1b[0m");
    };
    assertEquals(await colored("test", ...run), false);
    assertEquals(await colored("test", ...run, "--color", "never"), false);
    assertEquals(await colored("test", ...run, "--color", "always"), true);
    assertEquals(await colored("sweep", ...run, "--seeds", "1", "--color=always"), true);
    const history = join(dir, "store", "latest", "history.jsonl");
    const check = ["check", "-w", "lin-kv", history, "--availability", "total"];
    assertEquals(await colored(...check), false);
    assertEquals(await colored(...check, "--color", "always"), true);
    const { stdout } = await workbench(["test", ...run, "--color", "always"], dir);
    assertMatch(stdout, /\nReplay with: (?!.*--color).*\nResults in store.*\nReport: .*html\n$/);
    const wrong = await workbench(["test", ...run, "--color", "yes"], dir);
    assertEquals(
      wrong.stderr,
      'Cannot use "yes" for --color: expected one of auto, always, never\n',
    );
  });
});

Deno.test("test: node options follow --, results can be JSON", async () => {
  await inTempDir(async (dir) => {
    const args = ["test", "-w", "broadcast", ...short, "--json", "--", "--max-latency", "0"];
    const { code, stdout } = await workbench(args, dir);
    assertEquals(code, 0);
    assertEquals(JSON.parse(stdout).options.nodeIds, ["n0", "n1", "n2"]);
    const wrong = await workbench([...args.slice(0, -1), "-5"], dir);
    assertEquals(wrong.code, 254);
    assertStringIncludes(wrong.stderr, "--max-latency");
  });
});

Deno.test("wrong arguments exit 254 with one sentence", async () => {
  await inTempDir(async (dir) => {
    const cases: [string[], string][] = [
      [
        ["tset"],
        'Unknown command "tset" (did you mean test?): accepted are test, sweep, merge, worker, call, shrink, diff',
      ],
      [["test", "-w", "nope"], 'Cannot use "nope" for --workload: expected one of broadcast, '],
      [["test", "--nemesis", "partition,flood"], 'Cannot use "partition,flood" for --nemesis'],
      [["test", "-w", "lin-kv", "--concurrency", "5"], "concurrency 5"],
      [["test", "-w", "txn-list-append", "--consistency-models", "a,b"], "consistency"],
      [["test", "word"], 'Unexpected argument "word"'],
      [["check", "-w", "echo", "nowhere.jsonl"], "there is no such file"],
      [["check", "x.jsonl"], "--workload"],
      [["check", "-w", "echo", ""], "Cannot check without a history"],
      [["check", "-w", "echo", "."], "Cannot read .: it is a folder"],
      [["sweep", "--vary", "latency"], 'Cannot use "latency" for --vary'],
      [["sweep", "-w", "echo", "--vary", "ratee=1"], "Cannot vary ratee, which is no flag of the"],
      [
        ["test", "-w", "unique-ids", "--bin", "mutant:draws-ids-from-too-few", "--", "x"],
        'Cannot use "x" for mutant:draws-ids-from-too-few: it takes no arguments',
      ],
      [["test", "--compute", "1,2,3"], 'Cannot use "1,2,3" for --compute'],
      [["test", "--compute", "-1"], 'Cannot use "-1" for --compute'],
      [["test", "--bin", "x", "--compute", "1"], "Cannot use --compute for x: it runs in real"],
      [["test", "--bin", "x", "--disk"], "Cannot use --disk for x: processes have the machine's"],
      [["sweep", "--bin", "x", "--nemesis", "disk-eio"], "Cannot use --nemesis disk-eio for x"],
      [
        ["test", "--bin", "x", "--nemesis", "clock"],
        "Cannot use --nemesis clock for x: processes go",
      ],
      [["test", "--bin", "x.ts", "--disk", "--real-time"], "Cannot use --disk for x.ts: processes"],
      [["test", "--disk", "--no-disk"], "Cannot use --no-disk beside --disk, which needs disks"],
      [["test", "--no-disk", "--nemesis", "disk-full"], "Cannot use --no-disk beside --nemesis"],
      [
        ["test", "--bin", "x.wasm", "--real-time"],
        "Cannot use --real-time for x.wasm: WebAssembly",
      ],
      [["test", "--real-time"], "Cannot use --real-time for Eddy's own node"],
      [
        ["sweep", "-w", "echo", "--bin", "mutant:echoes-what-was-said-before", "--real-time"],
        "Cannot use --real-time for mutant:echoes-what-was-said-before: it runs in virtual time",
      ],
      [["sweep", "--vary", "seed=1,2"], "Cannot vary seed: --seeds says how many"],
      [["test", "--nodes", "n1,c2"], "Cannot run with node names"],
      [["test", "--nodes", "n1,,n2"], "Cannot run with node names"],
      [["test", "-n", "lin-kv"], "Cannot run with node names"],
      [["test", "--nodes-file", "nowhere"], "Cannot read --nodes-file nowhere"],
      [["sweep", "--seeds", "100000000000"], 'Cannot use "100000000000" for --seeds: expected an'],
      [["sweep", "--seeds", "90000", "--vary", "rate=1,2"], "180000 runs: at most 100000"],
      [["test", "--test-count", "100000000000"], "for --test-count: expected an integer from 1 to"],
      [["test", "--max-writes-per-key", "100000000000"], "for --max-writes-per-key: expected an"],
      [
        ["test", "--concurrency", "999999n"],
        "concurrency 4999995: it must be an integer from 1 to",
      ],
      [["test", "--rate", "100000000000"], "for --rate: expected a number from 0 to"],
      [
        ["test", "--time-limit", "100000000000"],
        "for --time-limit: expected a number from 0.001 to",
      ],
      [["test", "--latency", "100000000000"], "for --latency: expected a number from 0 to"],
      [
        ["test", "--seed", "9999999999999999"],
        "for --seed: expected an integer from 0 to 999999999999999",
      ],
      [
        ["sweep", "--seed", "999999999999999", "--seeds", "2"],
        "Cannot do 2 runs from seed 999999999999999: the last seed would be 1000000000000000, " +
        "and the largest is 999999999999999",
      ],
      [
        ["test", "--seed", "999999999999999", "--test-count", "2"],
        "Cannot do 2 runs from seed 999999999999999",
      ],
      [["demo", "--seed", "9999999999999999"], "for --seed: expected an integer from 0 to"],
      [["sweep", "--vary", "rate=1", "--vary", "latency=1"], "Cannot vary two flags"],
      [["sweep", "--vary", "rate=1,1"], 'Cannot vary rate: "1" is given twice'],
      [
        ["sweep", "--node-count", "3", "--vary", "nodes=a"],
        "Cannot vary nodes beside --node-count: a",
      ],
      [
        ["sweep", "--nodes", "a", "--vary", "node-count=3"],
        "Cannot vary node-count beside --nodes: a",
      ],
      [
        ["test", "--nodes-file", "/dev/null"],
        "Cannot use --nodes-file /dev/null: it names no node",
      ],
    ];
    const all = await workbenchInTurn(cases.map(([args]) => args), dir);
    for (const [i, { code, stdout, stderr }] of all.entries()) {
      const [args = [], text = ""] = cases[i] ?? [];
      assertEquals([code, stdout], [254, ""], args.join(" "));
      assertStringIncludes(stderr, text);
      assertEquals(stderr.trimEnd().split("\n").length, 1);
    }
  });
});

Deno.test("--help and -h work everywhere, with examples, and help comes without a command", async () => {
  await inTempDir(async (dir) => {
    const commands = [[], ["test"], ["demo"], ["sweep"], ["mutants"], ["check"], ["init"]];
    const flags = ["--help", "-h"];
    const all = await workbenchInTurn(commands.flatMap((c) => flags.map((f) => [...c, f])), dir);
    for (let i = 0; i < all.length; i += 2) {
      const [long, short] = [all[i], all[i + 1]];
      assertEquals(long?.code, 0);
      assertEquals(short, long);
      assertMatch(long?.stdout ?? "", /^Usage: deno task workbench[^]*\nExamples:\n {2}deno task/);
    }
    const { code, stdout } = await workbench([], dir);
    assertEquals(code, 0);
    for (const name of [...WORKLOADS, ...NEMESES]) assertStringIncludes(stdout, name);
  });
});

Deno.test("--version says which version this is", async () => {
  await inTempDir(async (dir) => {
    const { code, stdout } = await workbench(["--version"], dir);
    assertEquals([code, stdout], [0, `${config.version}\n`]);
  });
});

Deno.test("--help and --version for Eddy's own node are refused with the list of its options", async () => {
  await inTempDir(async (dir) => {
    const commands = [["test"], ["sweep", "--seeds", "2"], ["sweep", "--vary", "rate=1,2"]];
    const lines = commands.flatMap((command) =>
      ["--help", "-h", "--version"].map((
        flag,
      ) => [...command, "-w", "broadcast", ...short, "--", flag])
    );
    for (const { code, stdout, stderr } of await workbenchInTurn(lines, dir)) {
      assertEquals([code, stdout], [254, ""], stderr);
      assertMatch(stderr, /^Cannot run .*: the options of Eddy's own node for broadcast are\n/);
      assertMatch(stderr, /^ {2}--max-latency MS /m);
    }
    const { stderr } = await workbench(["test", "-w", "echo", "--", "--help"], dir);
    assertEquals(stderr, "Cannot run with --help: Eddy's own node has no options for echo\n");
  });
});

Deno.test("test: what Maelstrom takes is taken: names of nodes, exponents, and ssh to no effect", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "nodes"), "d\n\ne\n");
    const { code, stdout, stderr } = await workbench([
      ..."test -w echo --rate 1e1 --time-limit 1e0 --seed 4 --availability 1".split(" "),
      ..."--nodes a,b --node c --nodes-file nodes --no-ssh --username root".split(" "),
    ], dir);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^echo, 5 nodes,/m);
    assertEquals(stderr, "Ignored --no-ssh, --username: there is no ssh here\n");
    const results = JSON.parse(
      await Deno.readTextFile(join(dir, "store", "latest", "results.json")),
    );
    assertEquals(results.options.nodeIds, ["a", "b", "c", "d", "e"]);
  });
});

Deno.test("test: a number of nodes takes precedence over names, and that is said once", async () => {
  await inTempDir(async (dir) => {
    const names = ["--nodes", "a,b", "-n", "c", "--no-ssh"];
    const args = ["test", "-w", "echo", ...short, ...names, "--test-count", "2"];
    const { code, stdout, stderr } = await workbench(args, dir);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^echo, 3 nodes,/m);
    assertEquals(
      stderr,
      "Ignored --no-ssh: there is no ssh here\n" +
        "Ignored --nodes, --node: --node-count takes precedence\n",
    );
  });
});

Deno.test("a line that replays a run names its nodes", () => {
  const { flags } = parseFlags(testFlags, [
    ..."-w echo --compute 1,0.5 --nodes a,b -n c -n d --disk".split(" "),
  ]);
  const line = replayLine(flags, [], { seed: 3 });
  assertEquals(
    line,
    "deno task workbench test --workload echo --nodes a,b --node c --node d --compute 1,0.5 --disk --seed 3",
  );
});

Deno.test("a program that cannot be started breaks the run: 255", async () => {
  await inTempDir(async (dir) => {
    const { code, stderr } = await workbench(
      ["test", "-w", "echo", ...short, "--bin", "./no"],
      dir,
    );
    assertEquals(code, 255);
    assertEquals([...Deno.readDirSync(dir)], [], "no results of what never was");
    assertStringIncludes(stderr, "./no");
  });
});

Deno.test("sweep: a table over the values of a flag, of the run's or of the node's", async () => {
  await inTempDir(async (dir) => {
    const base = ["sweep", "-w", "g-set", ...short, "--seeds", "2"];
    for (const vary of ["latency=0,20", "max-latency=0,500"]) {
      const { code, stdout } = await workbench([...base, "--vary", vary], dir);
      assertEquals(code, 0, stdout);
      const [name, values = ""] = vary.split("=");
      const lines = stdout.split("\n").slice(1);
      assertStringIncludes(lines[0] ?? "", name ?? "");
      for (const [i, value] of values.split(",").entries()) {
        assertMatch(lines[2 + i] ?? "", new RegExp(`^ *${value} +2 +2 +0 +0 `));
      }
    }
  });
});

Deno.test("sweep: lists every seed that fails, and exits with the worst", async () => {
  await inTempDir(async (dir) => {
    const args = ["sweep", "-w", "lin-kv", ...short, "--seeds", "3", "--availability", "total"];
    const { code, stdout } = await workbench(args, dir);
    assertEquals(code, 1);
    for (const seed of [4, 5, 6]) {
      assert(stdout.includes(`--seed ${seed}`), stdout);
    }
  });
});

/**
 * A node that starts a process of its own, writes both ids and its folder to a file when it is sent
 * `init`, by when whatever guards it has started, and never answers.
 */
const deaf = '#!/bin/sh\nsleep 60 &\nread -r init\necho > data\necho $$ $! "$PWD" > "$1"\nwait\n';

/** Waits until a folder is gone; fails after ten seconds. */
async function removed(folder: string): Promise<void> {
  for (let looks = 0; await Deno.stat(folder).catch(() => undefined) !== undefined; looks++) {
    assert(looks < 1000, `${folder} is still there`);
    await delay(10);
  }
}

/** Runs deaf nodes until they have started, and then `stop`. */
async function withDeafNode(
  stop: (child: Deno.ChildProcess, dir: string) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    const bin = join(dir, "deaf.sh");
    await Deno.writeTextFile(bin, deaf, { mode: 0o755 });
    const pidFile = join(dir, "pid");
    const args = ["test", "-w", "echo", "--bin", bin, "--node-count", "1", "--", pidFile];
    await using child = command(args, dir).spawn();
    const [pid = "", other = "", folder = ""] = (await lineOf(pidFile, child)).split(" ");
    assert(Deno.statSync(join(folder, "data")).isFile);
    await stop(child, dir);
    await ended(pid);
    await ended(other);
    await removed(folder);
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`test: ${signal} ends the nodes, and leaves the results so far behind`, async () => {
    await withDeafNode(async (child, dir) => {
      child.kill(signal);
      const { code, stdout } = await child.output();
      assertEquals(code, 255);
      const text = new TextDecoder().decode(stdout);
      assertStringIncludes(text, `The run was interrupted by ${signal}`);
      const results = await Deno.readTextFile(join(dir, "store", "latest", "results.json"));
      assertEquals(JSON.parse(results)["valid?"], "unknown");
    });
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`test: ${signal} under virtual time leaves the results so far behind`, async () => {
    await inTempDir(async (dir) => {
      const long = ["--node-count", "1", "--rate", "1000", "--time-limit", "1000000"];
      await using child = command(["test", "-w", "echo", ...long], dir).spawn();
      await lineOf(join(dir, "store", "latest", "messages.jsonl"), child);
      child.kill(signal);
      const { code, stdout } = await child.output();
      assertEquals(code, 255);
      const text = new TextDecoder().decode(stdout);
      assertStringIncludes(text, `The run was interrupted by ${signal}`);
      const latest = join(dir, "store", "latest");
      const results = JSON.parse(await Deno.readTextFile(join(latest, "results.json")));
      assertEquals(results["valid?"], "unknown");
      const history = await Deno.readTextFile(join(latest, "history.jsonl"));
      assert(history.split("\n").length > results.stats["ok-count"]);
    });
  });
}

Deno.test("sweep: SIGINT leaves what its runs so far came to", async () => {
  await inTempDir(async (dir) => {
    const args = ["sweep", "-w", "echo", "--time-limit", "1", "--seeds", "1000", "--json"];
    await using child = command(args, dir).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGINT");
    reader.releaseLock();
    const { code, stderr } = await child.output();
    assertEquals(code, 255);
    const text = new TextDecoder().decode(stderr);
    assertMatch(text, /^The sweep was interrupted by SIGINT: \d+ of 1000 runs were done\n$/);
  });
});

/**
 * Waits until a process runs jobs in workers, which start after it listens for signals. That it has
 * a handler for SIGINT says nothing: Deno has one of its own, which ends the process.
 */
async function hasWorkers(pid: number): Promise<void> {
  for (;;) {
    for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
      const comm = await Deno.readTextFile(`/proc/${pid}/task/${name}/comm`).catch(() => "");
      if (comm.startsWith("worker-")) return;
    }
    await delay(1);
  }
}

Deno.test({
  name: "demo: SIGINT leaves what its runs so far came to",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await inTempDir(async (dir) => {
      await using child = command(["demo"], dir).spawn();
      await hasWorkers(child.pid);
      child.kill("SIGINT");
      const { code, stderr } = await child.output();
      assertEquals(code, 255);
      const text = new TextDecoder().decode(stderr);
      assertMatch(text, /^The demo was interrupted by SIGINT: \d+ of 10 runs were done\n$/);
    });
  },
});

/** Runs the workbench where no file can grow beyond a kilobyte. */
async function onFullDisk(args: string[], dir: string): Promise<Ran> {
  const limit = 'trap "" XFSZ; ulimit -f 1; exec "$@"';
  const words = [Deno.execPath(), "run", "--quiet", "--allow-all", main, ...args];
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", limit, "sh", ...words],
    env: plainEnv,
    cwd: dir,
    signal: AbortSignal.timeout(MAX_CHILD_MS),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("test: a full disk takes the files, but not the verdict", async () => {
  await inTempDir(async (dir) => {
    const args = ["test", "-w", "lin-kv", ...short, "--availability", "total"];
    const { code, stdout, stderr } = await onFullDisk(args, dir);
    assertEquals(code, 1, stderr);
    assertMatch(stdout, /: INVALID\n/);
    assertStringIncludes(stdout, "Replay with: ");
    for (
      const name of ["messages.jsonl", "history.jsonl", "history.edn", "results.json", "rate.svg"]
    ) {
      assertMatch(stderr, new RegExp(`Cannot write .*${name}: File too large`), stderr);
    }
    const whole = await onFullDisk([...args, "--json"], dir);
    assertEquals([whole.code, JSON.parse(whole.stdout)["valid?"]], [1, false]);
  });
});

/** Runs the workbench with some of its output going nowhere: `2>/dev/full`. */
async function redirected(args: string[], redirect: string, dir: string): Promise<Ran> {
  const words = [Deno.execPath(), "run", "--quiet", "--allow-all", main, ...args];
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", `exec "$@" ${redirect}`, "sh", ...words],
    env: plainEnv,
    cwd: dir,
    signal: AbortSignal.timeout(MAX_CHILD_MS),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const hasFull = Deno.build.os === "linux";

Deno.test({
  name: "a standard error that cannot be written to loses text, and nothing else",
  ignore: !hasFull,
  async fn() {
    await inTempDir(async (dir) => {
      const bin = join(dir, "talks.sh");
      const code = "#!/bin/sh\nread line\necho one >&2\nsleep 0.2\necho two >&2\nsleep 1\nexit 3\n";
      await Deno.writeTextFile(bin, code, { mode: 0o755 });
      const all = ["--log-stderr", "--log-net-send", "--log-net-recv"];
      const cases: [string[], number, RegExp][] = [
        [["test", "-w", "g-set", ...short, "--no-ssh", ...all], 0, /: valid\n/],
        [["test", "-w", "echo", ...short, "--bin", bin, ...all], 1, /: INVALID\n/],
        [["nonsense"], 254, /^$/],
        [["check", "-w", "echo", "nowhere"], 254, /^$/],
        [["test", "-w", "echo", "--bin", "./no"], 255, /^$/],
      ];
      for (const [args, status, text] of cases) {
        const { code, stdout } = await redirected(args, "2>/dev/full", dir);
        assertEquals(code, status, `${args.join(" ")}: ${stdout}`);
        assertMatch(stdout, text);
      }
      const log = join(dir, "store", "latest", "node-logs", "n0.log");
      assertEquals(await Deno.readTextFile(log), "one\ntwo\n");
    });
  },
});

Deno.test({
  name: "a standard output that cannot be written to is said: 255",
  ignore: !hasFull,
  async fn() {
    await inTempDir(async (dir) => {
      const history = join(dir, "history.jsonl");
      await Deno.writeTextFile(history, "");
      const sweep = ["sweep", "-w", "echo", ...short, "--seeds", "2"];
      const cases = [
        ["--help"],
        ["test", "-w", "echo", ...short],
        ["test", "-w", "echo", ...short, "--json"],
        sweep,
        [...sweep, "--json"],
        ["check", "-w", "echo", history],
      ];
      for (const args of cases) {
        const { code, stderr } = await redirected(args, ">/dev/full", dir);
        assertEquals([code, stderr], [
          255,
          "Cannot write to standard output: No space left on device\n",
        ]);
      }
    });
  },
});

Deno.test("test: without a folder for the results there is a verdict all the same", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "store"), "");
    const { code, stdout, stderr } = await workbench(["test", "-w", "g-set", ...short], dir);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /: valid\n/);
    assertMatch(stderr, /^Cannot create store.g-set.*: /);
  });
});

Deno.test("test: what a node writes to standard error is stored up to a bound", async () => {
  await inTempDir(async (dir) => {
    const bin = join(dir, "loud.sh");
    const line = "x".repeat(99);
    const code = `#!/bin/sh\nread line\necho first >&2\nyes ${line} | head -n 180000 >&2\n` +
      "echo last >&2\nexit 3\n";
    await Deno.writeTextFile(bin, code, { mode: 0o755 });
    const args = ["test", "-w", "echo", "--bin", bin, "--node-count", "1"];
    const { code: status, stdout, stderr } = await workbench(args, dir);
    assertEquals(status, 1, stderr);
    assertStringIncludes(stdout, "Results in");
    assertMatch(stderr, /n0\.log has not all that n0 wrote: \d+ lines are left out/);
    const log = await Deno.readTextFile(join(dir, "store", "latest", "node-logs", "n0.log"));
    assert(log.length < 17 << 20, `${log.length}`);
    assertMatch(log, /^first\nx{99}\n/);
    assertMatch(log, /x{99}\n\(\d+ lines are left out here\)\nx{99}\n/);
    assertMatch(log, /x{99}\nlast\n$/);
  });
});

/** What would move a cursor, change colours, or turn the direction of text. */
const RAW = /[^\P{Cc}\n]|\p{Bidi_Control}/u;

Deno.test("test: what nodes write reaches the terminal quoted", async () => {
  await inTempDir(async (dir) => {
    const bin = join(dir, "rude.sh");
    const rude = "\\033[2J\\007\\r\\302\\233\\342\\200\\256fine é";
    const init = '{"src":"n0","dest":"c0","body":{"type":"init_ok","in_reply_to":1}}';
    const code = `#!/bin/sh\nread line\nprintf '${rude}\\n' >&2\necho '${init}'\nread line\n` +
      `printf '{"src":"n0","dest":"n0","body":{"type":"x\\302\\233"}}\\n${rude}\\n'\nread line\n`;
    await Deno.writeTextFile(bin, code, { mode: 0o755 });
    const base = ["test", "-w", "echo", "--bin", bin, "--node-count", "1"];
    const logs = ["--log-stderr", "--log-net-send", "--log-net-recv"];
    for (const args of [[...base, ...logs], [...base, "--json"]]) {
      const { code, stdout, stderr } = await workbench(args, dir);
      assertEquals(code, 1, stderr);
      assertEquals([RAW.exec(stdout), RAW.exec(stderr)], [null, null], stdout + stderr);
      assertStringIncludes(stdout, "fine é");
      if (args.includes("--json")) assertStringIncludes(JSON.parse(stdout).broke.text, "\u009b");
      else assertStringIncludes(stderr, "n0: \\u001b[2J\\u0007\\r\\u009b\\u202efine é");
    }
    const svg = await Deno.readTextFile(join(dir, "store", "latest", "messages.svg"));
    const runLog = await Deno.readTextFile(join(dir, "store", "latest", "run.log"));
    assertEquals([RAW.exec(svg), RAW.exec(runLog)], [null, null]);
    assertStringIncludes(runLog, "fine é");
  });
});

Deno.test("check: what a history has in it reaches the terminal quoted, each line as one", async () => {
  await inTempDir(async (dir) => {
    const file = join(dir, "\x1b[31mhistory.jsonl");
    const rude = "\x1b[2J\n\u202egood";
    const ops = [
      { index: 0, time: 0, type: "invoke", process: 0, f: "add", value: rude },
      { index: 1, time: 1, type: "ok", process: 0, f: "add", value: rude, node: rude },
      { index: 2, time: 2, type: "ok", process: 1, f: rude, value: [rude] },
      { index: 3, time: 3, type: "invoke", process: 1, f: "read", value: null, node: rude },
      { index: 4, time: 4, type: "ok", process: 1, f: "read", value: [], node: rude },
    ];
    await Deno.writeTextFile(file, ops.map((op) => JSON.stringify(op)).join("\n"));
    for (const args of [["-w", "g-set"], ["-w", "broadcast", "--json"], ["-w", "\x1b[2J"]]) {
      const { stdout, stderr } = await workbench(["check", ...args, file], dir);
      assertEquals([RAW.exec(stdout), RAW.exec(stderr)], [null, null], stdout + stderr);
      assertEquals(/^\P{ASCII}?good/mu.test(stdout), false, stdout);
    }
    const missing = await workbench(["check", "-w", "g-set", "\x1b[2J"], dir);
    assertEquals([RAW.exec(missing.stderr), missing.code], [null, 254]);
  });
});

Deno.test("test: no node, nor its folder, outlives a workbench that is killed", async () => {
  await withDeafNode(async (child) => {
    child.kill("SIGKILL");
    await child.output();
  });
});

Deno.test("check: what several checkers warn of is printed once", async () => {
  await inTempDir(async (dir) => {
    const file = join(dir, "history.jsonl");
    const op = { index: 0, time: 5, type: "ok", process: 0, f: "read", value: [] };
    await Deno.writeTextFile(file, JSON.stringify(op));
    const { code, stdout } = await workbench(["check", "-w", "g-set", file], dir);
    assertEquals([code, stdout.split("Completion without an invocation").length], [2, 2]);
  });
});

Deno.test("check: a file's content tells its format, and whether it is packed", async () => {
  await inTempDir(async (dir) => {
    const log =
      "INFO  jepsen.util - 0\t:invoke\t:write\t3\nINFO  jepsen.util - 0\t:ok\t:write\t3\n" +
      "INFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 1\t:ok\t:read\t4\n";
    const packed = new Blob([log]).stream().pipeThrough(new CompressionStream("gzip"));
    await Deno.writeFile(join(dir, "etcd.jsonl"), packed);
    await Deno.writeTextFile(join(dir, "history"), log.replace("read\t4", "read\t3"));
    await Deno.writeTextFile(join(dir, "broken.edn"), '[{"type":"ok"}]');
    const run = (file: string) => workbench(["check", "-w", "lin-kv", "--only", file], dir);
    const [wrong, right, broken] = [
      await run("etcd.jsonl"),
      await run("history"),
      await run("broken.edn"),
    ];
    assertEquals([wrong.code, right.code, broken.code], [1, 0, 254]);
    assertStringIncludes(wrong.stdout, 'read 4 from key "register"');
    assertMatch(broken.stderr, /^Cannot read broken.edn: Cannot parse operation 1: its process is/);
  });
});

Deno.test("check: what is no history is said in plain words, with what is accepted", async () => {
  await inTempDir(async (dir) => {
    const line = '{"type":"invoke","process":0,"f":"echo","value":"hi"}\n';
    const whole = new Blob([line]).stream().pipeThrough(new CompressionStream("gzip"));
    const packed = await new Response(whole).bytes();
    const accepted = "accepted are JSON lines, a JSON array, EDN and a Jepsen log";
    const cases: [name: string, content: string | Uint8Array, why: string][] = [
      ["junk.txt", "junk\nand more\n", `Cannot parse the text: it is no history: ${accepted}`],
      ["junk.json", '{"name": 1}\n', `Cannot parse the text: it is no history: ${accepted}`],
      [
        "junk.bin",
        Uint8Array.of(0x89, 0x50, 0, 255),
        `Cannot parse the text: it is no history: ${accepted}`,
      ],
      ["late.jsonl", `${line}{"name": 1}\n`, "Cannot parse line 2: its type is none of invoke, "],
      ["cut.gz", packed.slice(0, -12), "it is packed with gzip, but damaged, not complete or in "],
      ["bad.gz", packed.map((byte, i) => i > 12 ? 255 : byte), "it is packed with gzip, but dama"],
    ];
    for (const [name, content] of cases) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(join(dir, name), bytes);
    }
    const all = await workbenchInTurn(cases.map(([name]) => ["check", "-w", "echo", name]), dir);
    for (const [i, { code, stderr }] of all.entries()) {
      const [name, , why] = cases[i] ?? [];
      assertEquals([code, stderr.startsWith(`Cannot read ${name}: ${why}`)], [254, true], stderr);
      assertEquals(stderr.split("\n").length, 2, stderr);
    }
    const { stdout } = await workbench(["check", "-h"], dir);
    for (const format of ["JSON lines", "a JSON array", "EDN", "a Jepsen log", "gzip"]) {
      assertStringIncludes(stdout.replace(/\s+/g, " "), format);
    }
  });
});

Deno.test("test: with --fail-on-warning, too, each warning is printed once", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(
      join(dir, "node.ts"),
      worldly.replace("reply(src, dest", "reply(src, 'n1'"),
    );
    const args = ["test", "-w", "unique-ids", "--bin", "node.ts", ...short];
    for (
      const [flags, status, text] of [[[], 0, "Warning: "], [
        ["--fail-on-warning"],
        1,
        "warning: ",
      ]] as const
    ) {
      const { code, stdout } = await workbench([...args, ...flags], dir);
      assertEquals(code, status, stdout);
      assertEquals(stdout.split("with another's name as src").length, 3, stdout);
      assertEquals(stdout.split(text).length, 3, stdout);
    }
  });
});

Deno.test("check: --fail-on-warning turns a warning into a failure, and says so", async () => {
  await inTempDir(async (dir) => {
    const file = join(dir, "history.jsonl");
    const lines = ["invoke", "ok", "ok"].map((type, time) =>
      JSON.stringify({ time, type, process: 0, f: "generate", value: type === "ok" ? 1 : null })
    );
    await Deno.writeTextFile(file, lines.join("\n"));
    const args = ["check", "-w", "unique-ids", file];
    assertEquals((await workbench(args, dir)).code, 0);
    const { code, stdout } = await workbench([...args, "--fail-on-warning"], dir);
    assertEquals(code, 1);
    assertMatch(stdout, /: INVALID\nwarning: Completion without an invocation/);
    assertEquals(stdout.split("Completion without an invocation").length, 2, "it is said once");
  });
});

Deno.test("what is not ok in the demo's runs is what its footnote says", async () => {
  const { timeout, temporarilyUnavailable, keyDoesNotExist, preconditionFailed } = ErrorCode;
  const cutOff = [timeout, temporarilyUnavailable];
  const expected: Record<string, (string | number)[]> = {
    kafka: ["crash"],
    "lin-kv": [...cutOff, keyDoesNotExist, preconditionFailed],
    "txn-list-append": cutOff,
    "txn-rw-register": cutOff,
  };
  for (const { options } of demoJobs(1)) {
    const { history } = await simulate(options);
    const reasons = history
      .filter(({ type, process }) => process !== "nemesis" && (type === "fail" || type === "info"))
      .map(({ f, error }) => error?.code ?? f);
    const found = [...new Set(reasons)].sort((a, b) => Number(a) - Number(b));
    assertEquals(found, expected[options.workload] ?? [], options.workload);
  }
});

Deno.test("test: a program's run is the same in another time zone, language and folder", async () => {
  const files = async (env: Record<string, string>) => {
    let text = "";
    await inTempDir(async (dir) => {
      await Deno.writeTextFile(join(dir, "node.ts"), worldly);
      const args = ["test", "-w", "unique-ids", "--bin", "node.ts", ...short];
      const { code, stdout, stderr } = await workbench(args, dir, env);
      assertEquals(code, 0, stdout + stderr);
      assertMatch(stdout, /^Virtual time, node\.ts in this process\n/);
      for (const file of ["history.jsonl", "messages.jsonl"]) {
        text += await Deno.readTextFile(join(dir, "store", "latest", file));
      }
    });
    return text;
  };
  const [first, second] = await Promise.all([
    files({ TZ: "America/New_York", LANG: "de_DE.UTF-8", LC_ALL: "de_DE.UTF-8" }),
    files({ TZ: "Asia/Tokyo", LANG: "C", LC_ALL: "C" }),
  ]);
  assertStringIncludes(first ?? "", "Mon Jun 01 2020 00:00:00 GMT+0000");
  assertEquals(second, first);
});

Deno.test("sweep: a program runs under virtual time on all cores", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "right.ts"), worldly);
    await Deno.writeTextFile(
      join(dir, "wrong.mjs"),
      worldly
        .replace("crypto.randomUUID(), Date.now()", "1")
        .replace(/: (string|object)/g, ""),
    );
    const args = ["sweep", "-w", "unique-ids", "--vary", "bin=right.ts,wrong.mjs", "--seeds", "3"];
    const { code, stdout } = await workbench([...args, "--time-limit", "2"], dir);
    assertEquals(code, 1);
    assertMatch(stdout, /^Virtual time, programs on all cores\n/);
    assertMatch(stdout, /^right\.ts +3 +3 +0 +0 /m);
    assertMatch(stdout, /^wrong\.mjs +3 +0 +3 +0 /m);
    assertStringIncludes(stdout, "--workload unique-ids --bin wrong.mjs --time-limit 2 --seed 2");
  });
});

Deno.test("under deno task files are those of the folder that it was called from", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "node.ts"), worldly);
    const config = decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["task", "--quiet", "--config", config, "workbench"],
        ..."test -w unique-ids --bin ./node.ts --time-limit 1 --seed 1".split(" "),
      ],
      cwd: dir,
      // Set already where these tests run under a task themselves.
      env: { ...plainEnv, INIT_CWD: dir },
      signal: AbortSignal.timeout(MAX_CHILD_MS),
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    assert((await Deno.stat(join(dir, "store", "latest", "results.json"))).isFile);
  });
});

Deno.test("mutants: every one is found out as its line says, for most seeds", async () => {
  await inTempDir(async (dir) => {
    const all = await workbench(["mutants"], dir);
    assertEquals(all.code, 0);
    assertEquals(all.stdout.trimEnd().split("\n").length, allMutants.length + 2);
    const { stdout } = await workbench(["mutants", "-w", "unique-ids"], dir);
    const command = /\n {2}.*?\b(test .*mutant:draws-ids-from-too-few .*)/.exec(
      stdout,
    );
    const words = command?.[1]?.split(" ") ?? [];
    const test = await workbench([...words, "--seed", "3"], dir);
    assertEquals(test.code, 1);
    assertMatch(test.stdout, /^Virtual time, mutant:draws-ids-from-too-few in this process\n/);
    assertStringIncludes(test.stdout, "duplicated: ");
    const sweep = await workbench(["sweep", ...words.slice(1), "--seeds", "4"], dir);
    assertEquals(sweep.code, 1);
    assertMatch(sweep.stdout, /^all 4 .*[34] INVALID /m);
    const none = await workbench(["test", "-w", "echo", "--bin", "mutant:x"], dir);
    assertEquals(none.code, 254);
    assertMatch(none.stderr, /^Unknown mutant "mutant:x" of echo: accepted are mutant:/);
  });
});

Deno.test("the names of mutants are different as --bin, too", () => {
  const names = allMutants.map((mutant) => `${mutant.workload} ${binOf(mutant)}`);
  assertEquals(new Set(names).size, names.length);
});
