import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path/join";
import { inTempDir, short, workbench, workbenchInTurn, worldly } from "./testing.ts";

Deno.test("test: a stored plan is run again, and has all that other flags say", async () => {
  await inTempDir(async (dir) => {
    const args = ["test", "-w", "g-set", ...short, "--nemesis", "loss,slow", "--latency", "9"];
    const first = await workbench(args, dir);
    await Deno.rename(join(dir, "store"), join(dir, "first"));
    const plan = "first/latest/plan.json";
    const again = await workbench(["test", "--plan", plan], dir);
    assertEquals([first.code, again.code], [0, 0], again.stderr);
    for (const file of ["history.jsonl", "messages.jsonl", "results.json", "plan.json"]) {
      const [a, b] = await Promise.all(
        ["first", "store"].map((store) => Deno.readTextFile(join(dir, store, "latest", file))),
      );
      assertEquals(a, b);
    }
    const wrong = await workbench(
      ["test", "--plan", plan, "--bin", "mutant:forgets-elements"],
      dir,
    );
    assertEquals(wrong.code, 254, wrong.stdout);
    const refused = await workbenchInTurn([
      ["test", "--plan", plan, "--rate", "5"],
      ["test", "-w", "g-set", "--plan", plan],
      ["test", "--plan", "nowhere"],
      ["test", "--plan", "first/latest/results.json"],
    ], dir);
    assertEquals(refused.map(({ code }) => code), [254, 254, 254, 254]);
    const errors = refused.map(({ stderr }) => stderr).join("");
    assertMatch(
      errors,
      /--rate beside --plan.*\n.*-w beside.*\nCannot read --plan nowhere.*\n.*: version/,
    );
  });
});

Deno.test("test: a plan is run as it was, and another program is said to be one", async () => {
  await inTempDir(async (dir) => {
    const script = `#!/usr/bin/env -S deno run --quiet --no-config\n${worldly}`;
    await Deno.writeTextFile(join(dir, "node.ts"), script, { mode: 0o755 });
    const args = ["--node-count", "1", "--time-limit", "1", "--rate", "20"];
    const program = ["-w", "unique-ids", "--bin", "./node.ts", ...args];
    const [processes, own] = await workbenchInTurn([
      ["test", ...program, "--real-time", "--store", "a"],
      ["test", "-w", "unique-ids", ...args, "--store", "b"],
    ], dir);
    assertEquals([processes?.code, own?.code], [0, 0], processes?.stderr);
    const [plan, ownPlan] = ["a/latest/plan.json", "b/latest/plan.json"];
    const [again, same, other] = await workbenchInTurn([
      ["test", "--plan", plan],
      ["test", "--plan", ownPlan],
      ["test", "--plan", ownPlan, "--bin", "./node.ts"],
    ], dir);
    assertMatch(again?.stdout ?? "", /^Real time/);
    assertEquals([again?.stderr, same?.stderr], ["", ""]);
    assertMatch(other?.stdout ?? "", /^Virtual time/);
    assertMatch(other?.stderr ?? "", /node.ts is not what the plan was made with/);
  });
});
