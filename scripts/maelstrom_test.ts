import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UsageError } from "@eddy/maelstrom/flags";
import { readRequest } from "./maelstrom.ts";
import { projectPath } from "./support.ts";

async function runScript(args: string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", projectPath("scripts/maelstrom.ts"), ...args],
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("our options are taken out of the command line, all others are Maelstrom's", () => {
  const request = readRequest(
    [
      "-w",
      "echo",
      "--rate",
      "10",
      "--maelstrom=/opt/m",
      "--nemesis",
      "partition",
      "--",
      "--x",
      "1",
    ],
  );
  assertEquals(request, {
    wantsHelp: false,
    maelstrom: "/opt/m",
    workload: "echo",
    data: undefined,
    resetsData: false,
    options: ["--rate", "10", "--nemesis", "partition"],
    nodeOptions: ["--x", "1"],
  });
  const { data, resetsData, options } = readRequest(["--data", "d", "--rate", "1", "--data-reset"]);
  assertEquals([data, resetsData, options], ["d", true, ["--rate", "1"]]);
  assertThrows(() => readRequest(["--data-reset"]), UsageError, "without --data DIR");
  assertThrows(() => readRequest(["--data"]), UsageError, "Missing value of --data");
  assertThrows(() => readRequest(["-w"]), UsageError, "Missing value of -w");
  assertThrows(() => readRequest(["-w", "--", "echo"]), UsageError, "Missing value of -w");
});

Deno.test("Maelstrom is started on the bundle, and its exit code is passed on", async () => {
  const folder = await Deno.makeTempDir({ prefix: "eddy-test-" });
  try {
    const fake = `${folder}/maelstrom`;
    await Deno.writeTextFile(fake, '#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n', { mode: 0o755 });
    const { code, stdout } = await runScript(
      ["-w", "echo", "--node-count", "1", "--", "--extra"],
      { MAELSTROM: fake },
    );
    assertEquals(code, 7);
    const lines = stdout.trimEnd().split("\n");
    const bin = lines[4] ?? "";
    assertEquals(
      lines,
      ["test", "-w", "echo", "--bin", bin, "--node-count", "1", "--", "echo", "--extra"],
    );
    assert(bin.startsWith("/") && bin.endsWith("/dist/eddy.js"));
    assert((((await Deno.stat(bin)).mode ?? 0) & 0o100) !== 0, "the bundle is not executable");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Starts the node that it is given as Maelstrom does, twice, with the words after `--`. */
const fakeMaelstrom = `\
#!/bin/sh
bin="$5"
while [ "$1" != "--" ]; do shift; done
shift
for start in 1 2; do
  echo '{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}' |
    "$bin" "$@" || exit $?
done
`;

Deno.test("with --data Maelstrom is given a script, under which nodes keep one run's data", async () => {
  const folder = await Deno.makeTempDir({ prefix: "eddy-test-" });
  try {
    const fake = `${folder}/maelstrom`;
    await Deno.writeTextFile(fake, fakeMaelstrom, { mode: 0o755 });
    const data = `${folder}/it's data`;
    const start = (...args: string[]) =>
      runScript(["-w", "echo", "--data", data, ...args], { MAELSTROM: fake });
    const first = await start();
    assertEquals([first.code, first.stderr], [0, ""]);
    assertEquals(first.stdout.trimEnd().split("\n").length, 2, "both starts answered");
    const names = ["eddy.sh", "n1", "n1.lock", "n1.run"];
    assertEquals([...Deno.readDirSync(data)].map(({ name }) => name).sort(), names);
    const second = await start();
    assertEquals([second.code, second.stdout], [3, ""]);
    assertStringIncludes(second.stderr, "it is the data of run");
    assertEquals((await start("--data-reset")).code, 0);
    const comma = await runScript(["-w", "echo", "--data", `${folder}/a,b`], { MAELSTROM: fake });
    assertEquals(comma.code, 1);
    assertStringIncludes(comma.stderr, "deno takes a comma for two paths");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("without Maelstrom, or without a workload, one sentence says what to do", async () => {
  const nowhere = { MAELSTROM: "/nowhere/maelstrom" };
  const missing = await runScript(["-w", "echo"], nowhere);
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertStringIncludes(missing.stderr, "github.com/jepsen-io/maelstrom/releases");
  assertStringIncludes(missing.stderr, "nothing is at /nowhere/maelstrom");

  const unknown = await runScript(["-w", "chat"], nowhere);
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, 'Unknown workload "chat": accepted are broadcast, echo');
  assertEquals((await runScript([], nowhere)).code, 2);
});
