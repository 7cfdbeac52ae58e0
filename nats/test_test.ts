/**
 * `test --nats` as a command: what it prints and keeps, and how it ends.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { join } from "@std/path/join";
import { command, inTempDir, workbench } from "@eddy/workbench/cli/testing.ts";
import { hasServer, NatsServer } from "./testing.ts";

/** What the command prints with `--json`, as far as it is looked at. */
interface Printed {
  readonly engine: string;
  readonly "valid?": boolean;
  readonly options: { readonly seed: number };
}

Deno.test({
  name: "test --nats: prints and keeps what test does, with the engine's name and a line to replay",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    await inTempDir(async (dir) => {
      const flags = ["--node-count", "2", "--time-limit", "1", "--rate", "20", "--seed", "4"];
      const ran = await workbench(
        ["test", "-w", "echo", ...flags, "--nats", server.url, "--json", "--junit", "a.xml"],
        dir,
      );
      assertEquals([ran.code, ran.stderr], [0, ""]);
      const { engine, options, ...results } = JSON.parse(ran.stdout) as Printed;
      assertEquals(engine, "Real time, Eddy's own node as processes over NATS");
      assertEquals([results["valid?"], options.seed], [true, 4]);
      assertStringIncludes(await Deno.readTextFile(join(dir, "a.xml")), 'tests="1"');
      const log = await Deno.readTextFile(join(dir, "store/latest/run.log"));
      assertStringIncludes(log, engine);
      const plan = join(dir, "store/latest/plan.json");
      const again = await workbench(["test", "--plan", plan, "--nats", server.url], dir);
      assertMatch(
        again.stdout,
        /^Real time, .* over NATS\necho, 2 nodes, no faults, seed 4: valid/,
      );
    });
  },
});

Deno.test({
  name: "test --nats: a signal ends the run, keeps its results and leaves no process",
  ignore: !hasServer,
  async fn() {
    await using server = await NatsServer.start();
    await inTempDir(async (dir) => {
      const flags = ["--node-count", "2", "--time-limit", "60", "--log-stderr"];
      const child = command(["test", "-w", "echo", ...flags, "--nats", server.url], dir).spawn();
      // A node says that it is ready; the run is under way when both have.
      let printed = "";
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
        printed += text;
        if ((printed.match(/is ready/g) ?? []).length === 2) break;
      }
      await delay(500);
      child.kill("SIGTERM");
      const stdout = await new Response(child.stdout).text();
      const { code } = await child.status;
      assertEquals(code, 255);
      assertStringIncludes(stdout, "The run was interrupted by SIGTERM");
      assertStringIncludes(stdout, `--nats ${server.url}`);
      const results = await Deno.readTextFile(join(dir, "store/latest/results.edn"));
      assertStringIncludes(results, ":valid? :unknown");
    });
  },
});

Deno.test("test --nats: without a server it says so in a sentence, and keeps nothing", async () => {
  await inTempDir(async (dir) => {
    const ran = await workbench(["test", "-w", "echo", "--nats", "nats://127.0.0.1:1"], dir);
    assertEquals([ran.code, ran.stdout], [255, ""]);
    assertMatch(ran.stderr, /^Cannot connect to the NATS server nats:\/\/127\.0\.0\.1:1: .+\n$/);
    assert([...Deno.readDirSync(dir)].length === 0);
  });
});
