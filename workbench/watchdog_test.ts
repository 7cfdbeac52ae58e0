import { assertEquals, assertMatch } from "@std/assert";
import { SharedActivity } from "./watchdog.ts";

const module = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

/** Runs an echo node of which `code` is a handler's body, watched for a second, in a process. */
async function standardErrorOf(code: string): Promise<string> {
  const program = `
    const { simulate } = await import(${module("./simulate.ts")});
    const { startWatchdog } = await import(${module("./threads.ts")});
    const stop = startWatchdog(1);
    const install = (node) => node.on("echo", ({ body }) => { ${code} });
    await simulate({ workload: "echo", nodeCount: 2, timeLimitSeconds: 1, seed: 7, install });
    console.error("done");
    stop();`;
  const config = decodeURIComponent(new URL("../deno.json", import.meta.url).pathname);
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--config", config, program],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(60_000),
  }).output();
  return new TextDecoder().decode(stderr);
}

Deno.test("a handler that does not return ends the process, with the node and the message", async () => {
  const [message, later, timer, fine] = await Promise.all([
    standardErrorOf("for (;;);"),
    standardErrorOf("return Promise.resolve().then(() => { for (;;); });"),
    standardErrorOf("node.clock.schedule(5, () => { for (;;); }); return {};"),
    standardErrorOf("return { echo: body.echo };"),
  ]);
  const from = (what: string) =>
    new RegExp(`^Node n[01] has not returned from ${what} for 1 s, and .* \\(seed 7\\): [^\n]*\n$`);
  assertMatch(message, from('the message {"type":"echo","echo":.*'));
  assertMatch(later, from('the message {"type":"echo","echo":.*'));
  assertMatch(timer, from("a timer"));
  assertEquals(fine, "done\n");
});

Deno.test("another thread reads what was marked, the beginning of a long message alone", () => {
  const here = new SharedActivity();
  const there = new SharedActivity(here.buffer);
  assertEquals(there.read(), { beats: 0, seed: undefined, node: "", message: "" });
  here.begin(-0.5);
  here.mark("né", "x".repeat(1000));
  here.mark("n2", "y".repeat(121));
  assertEquals(there.read(), { beats: 3, seed: -0.5, node: "n2", message: "y".repeat(40) });
  here.end();
  assertEquals(there.read().seed, undefined);
});
