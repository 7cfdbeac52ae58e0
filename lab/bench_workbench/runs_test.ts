import { assert, assertEquals, assertRejects } from "@std/assert";
import { ScriptError } from "../../scripts/support.ts";
import { runCommand, runOne } from "./runs.ts";

const onLinux = { ignore: Deno.build.os !== "linux" };

Deno.test({
  name: "a whole run is timed, by the clock and by the processor",
  ...onLinux,
  async fn() {
    const { wallMs, cpuMs } = await runCommand("test -w echo --time-limit 1 --seed 1");
    assert(wallMs > 0 && cpuMs > 0);
  },
});

Deno.test({
  name: "a run in a process of its own counts what the seed decides",
  ...onLinux,
  async fn() {
    const order = { line: "-w broadcast --node-count 4 --rate 10 --time-limit 2", seed: 3 };
    const [own, flooding] = [await runOne(order), await runOne({ ...order, flooding: true })];
    assertEquals(own.operations, flooding.operations);
    assert(flooding.messages > own.messages);
  },
});

Deno.test({
  name: "what cannot be run is said to be so",
  ...onLinux,
  async fn() {
    await assertRejects(() => runCommand("test -w nothing"), ScriptError, "Cannot measure");
  },
});
