import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { projectPath } from "../scripts/support.ts";

function command(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", projectPath("lab/bench.ts"), ...args],
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function bench(...args: string[]) {
  const { code, stdout, stderr } = await command(args).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const ignore = Deno.build.os !== "linux"; // It reads /proc.

Deno.test({
  name: "the benchmark measures every target in turn, each as often as asked",
  ignore,
  async fn() {
    const { code, stdout, stderr } = await bench(
      ...["--only", "echo,start", "--requests", "1000", "--rounds", "2", "--json"],
      ...["--vs", "other=cat", "--no-peers"],
    );
    // A `cat` that is not known to mirror answers nothing, which must not pass for speed.
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "Cannot measure other: wrong reply to init");

    const right = await bench(
      ...["--only", "echo,start", "--requests", "1000", "--rounds", "2", "--json"],
    );
    assertEquals(right.code, 0);
    const { machine, series } = JSON.parse(right.stdout);
    assert(machine.cores > 0);
    const found = series.map((one: { target: string; figure: { label: string } }) =>
      `${one.target} ${one.figure.label}`
    );
    for (const target of ["cat", "eddy", "naive"]) assert(found.includes(`${target} echo`));
    assert(found.includes("bundled start to init_ok") && !found.includes("bundled echo"));
    for (const { values } of series) assertEquals(values.length, 2);
  },
});

Deno.test({
  name: "the node and the floor answer the requests of every workload",
  ignore,
  async fn() {
    const names = ["unique-ids", "broadcast", "pn-counter", "kafka", "txn-list-append", "lin-kv"];
    const { code, stdout, stderr } = await bench(
      ...["--only", names.join(","), "--requests", "1000", "--rounds", "1", "--json"],
    );
    assertEquals([code, stderr.includes("Wrong reply")], [0, false]);
    const { series } = JSON.parse(stdout);
    for (const name of names) {
      const found = series.filter(({ measurement }: { measurement: string }) =>
        measurement === name
      );
      const targets = new Set(found.map(({ target }: { target: string }) => target));
      assertEquals([...targets], ["eddy", "floor"]);
      for (const { values } of found) assert(values[0] >= 0);
    }
  },
});

/** A node that answers `init` and as many requests as its argument says, and then ends. */
const BRIEF_NODE = `
import { createInterface } from "node:readline";
import process from "node:process";
let left = Number(Deno.args[0]);
for await (const line of createInterface({ input: process.stdin })) {
  const { src, dest, body } = JSON.parse(line);
  if (body.type !== "init" && left-- === 0) Deno.exit(3);
  const reply = { ...body, type: body.type + "_ok", in_reply_to: body.msg_id };
  console.log(JSON.stringify({ src: dest, dest: src, body: reply }));
}
`;

Deno.test({
  name: "what a node fails at is said at the end, beside all other figures",
  ignore,
  async fn() {
    const file = await Deno.makeTempFile({ suffix: ".mjs" });
    await Deno.writeTextFile(file, BRIEF_NODE);
    const { code, stdout, stderr } = await bench(
      ...["--only", "echo,start", "--requests", "1000", "--rounds", "2", "--no-peers", "--json"],
      ...["--vs", `brief=deno run --quiet --no-config ${file} 10`],
    );
    await Deno.remove(file);
    assertEquals(code, 1, stderr);
    const { series, failures } = JSON.parse(stdout);
    const rounds = series.map((one: { target: string; measurement: string; values: number[] }) =>
      `${one.measurement} ${one.target} ${one.values.length}`
    );
    const found = [
      "echo eddy 2",
      "echo brief 0",
      "start eddy 2",
      "start bundled 2",
      "start brief 2",
    ];
    assertEquals([...new Set(rounds)], found);
    const why = "it ended with exit code 3 (see --stderr)";
    assertEquals(failures, [{ measurement: "echo", round: 1, target: "brief", why }]);
  },
});

/** A node that starts another, and after some requests reads nothing and writes one endless line. */
const LOUD_NODE = `
const own = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
const child = new Deno.Command("sleep", { args: ["1000"], stdin: "null" }).spawn();
Deno.writeTextFileSync(Deno.args[0], child.pid + "\\n", { append: true });
let [pending, left] = ["", 5];
for await (const chunk of own) {
  const lines = (pending + chunk).split("\\n");
  pending = lines.pop();
  for (const line of lines) {
    const { src, dest, body } = JSON.parse(line);
    while (left === 0) Deno.stdout.writeSync(new Uint8Array(1 << 16).fill(120));
    left--;
    const reply = { ...body, type: body.type + "_ok", in_reply_to: body.msg_id };
    console.log(JSON.stringify({ src: dest, dest: src, body: reply }));
  }
}
`;

Deno.test({
  name: "a node that writes without an end is ended at once, with what it started",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const file = `${folder}/loud.mjs`;
    await Deno.writeTextFile(file, LOUD_NODE);
    const { code, stdout, stderr } = await bench(
      ...["--only", "echo", "--requests", "5000", "--rounds", "1", "--no-peers", "--json"],
      ...["--vs", `loud=deno run --quiet --no-config --allow-all ${file} ${folder}/pids`],
    );
    const pids = (await Deno.readTextFile(`${folder}/pids`)).trim().split("\n").map(Number);
    await Deno.remove(folder, { recursive: true });
    assertEquals(code, 1, stderr);
    const { failures: [{ why }] } = JSON.parse(stdout);
    // Not "it did not finish in 120 s", which is when both wait for the other.
    assertStringIncludes(why, "reply without a newline: xxx");
    assertEquals(pids.length, 2);
    for (const pid of pids) assert(!isRunning(pid), `${pid} runs on`);
  },
});

/** Whether there is such a process, and it has not ended. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test({
    name: `${signal} prints what was measured, and leaves no folder`,
    ignore,
    async fn() {
      const folder = await Deno.makeTempDir();
      const args = ["--only", "echo,ping-1", "--requests", "1000", "--ping-seconds", "30"];
      const child = command([...args, "--no-peers"], { TMPDIR: folder }).spawn();
      const stdout = new Response(child.stdout).text();
      let said = "";
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
        said += text;
        if (said.includes("ping-1, round 1")) child.kill(signal);
      }
      assertEquals((await child.status).code, code);
      const left = await Array.fromAsync(Deno.readDir(folder));
      await Deno.remove(folder, { recursive: true });
      assertEquals(left, []);
      assertMatch(await stdout, /Interrupted: [^]*\n {2}eddy +\d[^]*\nping at [^]*\n {2}eddy +-/);
    },
  });
}

Deno.test("the benchmark refuses what it cannot measure", async () => {
  for (
    const [args, message] of [
      [["--vs", "go"], 'Cannot use "go" for --vs: expected a name and a command'],
      [["--only", "speed"], "expected names of echo, unique-ids"],
      [["--rounds", "0"], "expected an integer from 1 to 1000"],
      [["--vs", "floor=cat"], 'Cannot use "floor" for --vs: expected a name other than eddy, bun'],
      [["--vs", "a=true", "--vs", "a=cat"], 'Cannot use "a" for --vs'],
    ] as const
  ) {
    const { code, stderr } = await bench(...args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("the benchmark says what it does, and refuses what it does not know", async () => {
  const [helped, refused] = [await bench("--help"), await bench("--frobnicate")];
  assertEquals([helped.code, refused.code], [0, 2]);
  assertStringIncludes(helped.stdout, "Usage: deno task bench");
  assertStringIncludes(refused.stderr, "Unknown option --frobnicate: accepted are --");
});
