import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { command, inTempDir, workbench, workbenchInTurn } from "./testing.ts";

const config = decodeURIComponent(new URL("../deno.json", import.meta.url).pathname);

/** A run of a mutant that shows its fault only while nodes are cut off. */
const failing =
  "-w lin-kv --bin mutant:takes-over-from-a-node-it-cannot-reach --node-count 3 --rate 50 " +
  "--time-limit 4 --latency 4 --latency-dist exponential --nemesis partition --nemesis-interval 1";

const sizes = /^ {2}after {3}(\d+) operations? of (\d+) clients?, (\d+) nodes?, (\d+) faults?, /m;

/** A run of a mutant that shows its fault when it is killed. */
const forgetting = "-w broadcast --bin mutant:answers-before-its-write-is-on-disk --node-count 3 " +
  "--rate 100 --time-limit 5 --latency 4 --nemesis kill --nemesis-interval 1";

/** Runs a file of tests as its user does. */
async function runTests(file: string, dir: string, ...flags: string[]) {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--quiet", "--allow-all", "--config", config, ...flags, file],
    env: { NO_COLOR: "1" },
    cwd: dir,
  }).output();
  return { code, text: new TextDecoder().decode(stdout) };
}

Deno.test("shrink: a run becomes small, is kept, replays, and is a test that fails", async () => {
  await inTempDir(async (dir) => {
    const [run, small] = await workbenchInTurn([
      ["test", ...forgetting.split(" "), "--seed", "1"],
      ["shrink", "store/latest", "--as-test", "small_test.ts"],
    ], dir);
    assertEquals([run?.code, small?.code, small?.stderr], [1, 1, ""]);
    const { stdout = "" } = small ?? {};
    assertMatch(stdout, /^Shrunk, with the finding lost, in \d+ runs and /);
    const [, operations, , nodes, faults] = sizes.exec(stdout) ?? [];
    assertEquals([operations, nodes, faults], ["1", "1", "1"]);
    assertMatch(stdout, /\nTest: small_test.ts; run it with deno test -A small_test.ts\n$/);
    const [, plan = ""] = /^Replay with: .* test --plan (\S+)$/m.exec(stdout) ?? [];
    const replayed = await workbench(["test", "--plan", plan], dir);
    assertEquals(replayed.code, 1);
    assertMatch(replayed.stdout, /^lost: /m);
    const test = await Deno.readTextFile(join(dir, "small_test.ts"));
    assertLess(test.split("\n").length, 60);
    const { code, text } = await runTests("small_test.ts", dir);
    assertEquals(code, 1, text);
    assertMatch(text, /broadcast: lost[^]*INVALID[^]*lost: /);
  });
});

/** A node that keeps its first two values only. */
const forgetful = `
const send = (dest: string, body: object) => console.log(JSON.stringify({ src: name, dest, body }));
const values: number[] = [];
let [name, rest] = ["", ""];
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + chunk).split("\\n");
  rest = lines.pop() ?? "";
  for (const { src, body } of lines.map((line) => JSON.parse(line))) {
    if (body.type === "init") name = body.node_id;
    if (body.type === "add" && body.element < 2) values.push(body.element);
    const read = body.type === "read" ? { value: values } : {};
    send(src, { type: body.type + "_ok", in_reply_to: body.msg_id, ...read });
  }
}`;

Deno.test("shrink: a program's run, with a test that loads it", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "node.ts"), forgetful);
    await Deno.mkdir(join(dir, "tests"));
    const args =
      "-w g-set --bin ./node.ts --node-count 1 --rate 20 --time-limit 5 --nemesis pause " +
      "--nemesis-interval 1";
    const [run, small] = await workbenchInTurn([
      ["test", ...args.split(" "), "--seed", "1"],
      ["shrink", "store/latest", "--as-test", "tests/a_test.ts", "--json", "--store", "other"],
    ], dir);
    assertEquals([run?.code, small?.code], [1, 1], `${run?.stderr}${small?.stderr}`);
    const { anomaly, before, after, isDone, path } = JSON.parse(small?.stdout ?? "");
    assertEquals([anomaly, isDone, after.operations, after.faults], ["lost", true, 1, 0]);
    assert(before.operations > 20 && before.faults > 0);
    assertMatch(path, /^other\/g-set\/[^/]+-small$/);
    assert(Deno.statSync(join(dir, path, "report.html")).isFile);
    const { code, text } = await runTests("a_test.ts", join(dir, "tests"), "--no-check");
    assertEquals(code, 1, text);
    await Deno.writeTextFile(join(dir, "node.ts"), forgetful.replace("&& body.element < 2", ""));
    assertEquals((await runTests("a_test.ts", join(dir, "tests"), "--no-check")).code, 0);
  });
});

Deno.test("shrink: what cannot be made small is refused in a sentence", async () => {
  await inTempDir(async (dir) => {
    const echo = ["-w", "echo", "--node-count", "1", "--time-limit", "1", "--seed", "1"];
    const real = { version: 1, args: [], ops: [], faults: [], links: [] };
    const ran = await workbenchInTurn([
      ["test", ...echo],
      ["shrink"],
      ["shrink", "nowhere"],
      ["shrink", "store/latest"],
      ["shrink", "store/latest", "--as-test", "in_turn.ts"],
      ["shrink", "store/latest", "--runs", "0"],
      ["shrink", "store/latest", "--as-test", "nowhere/a_test.ts"],
      ["shrink", "store/latest", "store/latest"],
    ], dir);
    assertEquals(ran.map(({ code }) => code), [0, ...Array(7).fill(254)]);
    const errors = ran.map(({ stderr }) => stderr.trim());
    assertStringIncludes(errors[1] ?? "", "name its folder, such as store/latest");
    assertStringIncludes(errors[2] ?? "", "Cannot read the plan nowhere: ");
    assertStringIncludes(errors[3] ?? "", "Cannot shrink the run: it is valid");
    assertStringIncludes(errors[4] ?? "", "--as-test in_turn.ts: it is there");
    assertStringIncludes(errors[5] ?? "", "--runs");
    assertStringIncludes(errors[6] ?? "", "nowhere/a_test.ts: there is no folder nowhere");
    assertStringIncludes(errors[7] ?? "", "Unexpected argument");
    const { options } = JSON.parse(
      await Deno.readTextFile(join(dir, "store", "latest", "plan.json")),
    );
    const program = { bin: "./node.sh" };
    await Deno.writeTextFile(join(dir, "real.json"), JSON.stringify({ ...real, options, program }));
    const { code, stderr } = await workbench(["shrink", "real.json"], dir);
    assertEquals(code, 254);
    assertStringIncludes(stderr, "Cannot shrink a run of ./node.sh: it ran as processes");
  });
});

Deno.test("shrink: a run that is small already is not kept again, however few runs it may take", async () => {
  await inTempDir(async (dir) => {
    const [, first, again] = await workbenchInTurn([
      ["test", ...failing.split(" "), "--seed", "1"],
      ["shrink", "store/latest"],
      ["shrink", "store/latest", "--runs", "1"],
    ], dir);
    assertMatch(first?.stdout ?? "", /^ {2}after .*, 0 faults, 2 lost messages, /m);
    assertEquals([first?.code, again?.code, again?.stderr], [1, 1, ""]);
    assertMatch(
      again?.stdout ?? "",
      /^Nothing was left out that keeps the finding nonlinearizable, /,
    );
    assertEquals([...Deno.readDirSync(join(dir, "store", "lin-kv"))].length, 2);
  });
});

Deno.test("sweep: the first invalid run is made small, unless it is told not to", async () => {
  await inTempDir(async (dir) => {
    const sweep = ["sweep", ...failing.split(" "), "--seeds", "2"];
    const [told, not, json] = await workbenchInTurn([
      sweep,
      [...sweep, "--no-shrink"],
      [...sweep, "--json"],
    ], dir);
    assertEquals([told?.code, not?.code, json?.code], [1, 1, 1]);
    assertMatch(told?.stdout ?? "", /\nShrunk, with the finding nonlinearizable, /);
    assertMatch(told?.stdout ?? "", /\nReport: \S+-small\/report.html\n$/);
    assert(!not?.stdout.includes("Shrunk"));
    const last = (json?.stdout ?? "").trim().split("\n").at(-1) ?? "";
    assertEquals(JSON.parse(last).small.anomaly, "nonlinearizable");
  });
});

Deno.test({
  name: "shrink: SIGINT leaves what was found so far",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await inTempDir(async (dir) => {
      const slow = failing.replace("--time-limit 4", "--time-limit 300");
      await workbench(["test", ...slow.split(" "), "--seed", "1"], dir);
      await using child = command(["shrink", "store/latest"], dir).spawn();
      // Workers start once the command listens for signals.
      const tasks = `/proc/${child.pid}/task`;
      for (let isRunning = false; !isRunning;) {
        for await (const { name } of Deno.readDir(tasks)) {
          const comm = await Deno.readTextFile(`${tasks}/${name}/comm`).catch(() => "");
          if (comm.startsWith("worker-")) isRunning = true;
        }
      }
      child.kill("SIGINT");
      const { code, stdout, stderr } = await child.output();
      const decoder = new TextDecoder();
      const [text, errors] = [stdout, stderr].map((bytes) => decoder.decode(bytes));
      // Either it had run once, or there is nothing to show.
      if (code === 1) assertStringIncludes(text ?? "", "Less may be enough");
      else assertEquals([code, errors], [255, "The shrinking was interrupted by SIGINT\n"]);
    });
  },
});
