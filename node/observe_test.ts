import { assertEquals } from "@std/assert";
import { Node } from "./node.ts";
import { lineObserver, type Observation } from "./observe.ts";
import { stderrObserver } from "./stdio.ts";

const quiet = { write: () => {} };

Deno.test("a node tells its observer of states, of what it reached, and of what does not hold", () => {
  const seen: Observation[] = [];
  const node = new Node({ output: quiet, observer: (observation) => seen.push(observation) });
  node.observe({ role: "leader", term: 3 });
  node.sometimes("steps down");
  node.sometimes("is cut off", false);
  node.always(true, "one leader a term");
  node.always(false, "terms only grow");
  assertEquals(seen, [
    { observe: { role: "leader", term: 3 } },
    { sometimes: "steps down", reached: true },
    { sometimes: "is cut off", reached: false },
    { always: false, name: "terms only grow" },
  ]);
});

Deno.test("an observer that throws does not disturb the node", () => {
  const logged: string[] = [];
  const node = new Node({
    output: quiet,
    log: (text) => logged.push(text.split("\n")[0] ?? ""),
    observer: () => {
      throw new Error("no room");
    },
  });
  node.observe({ role: "leader" });
  assertEquals(logged, ["Cannot observe: Error: no room"]);
});

Deno.test("lines are written for what is new alone", () => {
  const lines: string[] = [];
  const observe = lineObserver((line) => lines.push(line));
  for (let i = 0; i < 3; i++) {
    observe({ observe: { role: "leader" } });
    observe({ sometimes: "x", reached: false });
    observe({ sometimes: "x", reached: true });
    observe({ always: false, name: "y" });
  }
  observe({ observe: { role: "follower" } });
  observe({ observe: { role: "leader" } });
  assertEquals(lines, [
    'eddy: {"observe":{"role":"leader"}}',
    'eddy: {"sometimes":"x","reached":false}',
    'eddy: {"sometimes":"x","reached":true}',
    'eddy: {"always":false,"name":"y"}',
    'eddy: {"observe":{"role":"follower"}}',
    'eddy: {"observe":{"role":"leader"}}',
  ]);
  for (let i = 0; i < 5000; i++) observe({ sometimes: `name ${i}` });
  assertEquals(lines.length < 1100, true, "names are bounded");
});

const program = (options: string) => `
  import { Node } from ${JSON.stringify(new URL("./node.ts", import.meta.url).href)};
  import { stderrObserver } from ${JSON.stringify(new URL("./stdio.ts", import.meta.url).href)};
  const observer = stderrObserver;
  const node = new Node(${options});
  node.observe({ role: "leader", term: 3 });
  node.sometimes("x");
  node.always(false, "y");
  Deno.exit(0);`;

async function standardErrorOf(
  options: string,
  permissions: readonly string[],
  EDDY_OBSERVE: string,
): Promise<string> {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/program.ts`;
    await Deno.writeTextFile(path, program(options));
    const config = decodeURIComponent(new URL("../deno.json", import.meta.url).pathname);
    const { stderr, stdout, code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--config", config, ...permissions, path],
      env: { NO_COLOR: "1", EDDY_OBSERVE },
      stdin: "null",
      signal: AbortSignal.timeout(60_000),
    }).output();
    assertEquals([code, stdout.length], [0, 0]);
    return new TextDecoder().decode(stderr);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const LINES = 'eddy: {"observe":{"role":"leader","term":3}}\n' +
  'eddy: {"sometimes":"x","reached":true}\neddy: {"always":false,"name":"y"}\n';

Deno.test("a node in production writes nothing, and one that is asked by EDDY_OBSERVE does", async () => {
  const allowed = ["--allow-env=EDDY_OBSERVE"];
  const [none, unasked, asked, silent] = await Promise.all([
    standardErrorOf("", [], "1"),
    standardErrorOf("", allowed, "0"),
    standardErrorOf("", allowed, "1"),
    standardErrorOf("{ observer: () => {} }", allowed, "1"),
  ]);
  assertEquals(none, "", "without a permission the variable is not read, nor asked for");
  assertEquals([unasked, silent], ["", ""]);
  assertEquals(asked, LINES);
});

Deno.test("stderrObserver needs no permission", async () => {
  assertEquals(await standardErrorOf("{ observer: stderrObserver }", [], "0"), LINES);
  assertEquals(typeof stderrObserver, "function");
});
