/**
 * Observations of programs: lines on standard error, in a realm and in a process.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path/join";
import { inTempDir, workbench } from "./testing.ts";

const library = new URL("../../node/mod.ts", import.meta.url).href;

const onLibrary = `#!/usr/bin/env -S deno run --allow-env=EDDY_OBSERVE
import { Node, serve } from "${library}";
const node = new Node();
node.on("echo", ({ body }) => {
  node.observe({ last: String(body.echo) });
  node.sometimes("echoes");
  node.sometimes("sleeps", false);
  node.log("an ordinary line");
  return { echo: body.echo };
});
await serve(node);
`;

const args = [
  "-w",
  "echo",
  "--node-count",
  "1",
  "--rate",
  "10",
  "--time-limit",
  "1",
  "--seed",
  "1",
];

for (const realTime of [false, true]) {
  const how = realTime ? "as processes" : "under virtual time";
  Deno.test(`a program on the library is observed ${how}`, async () => {
    await inTempDir(async (dir) => {
      const bin = join(dir, "node.ts");
      await Deno.writeTextFile(bin, onLibrary, { mode: 0o755 });
      const config = decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname);
      await Deno.copyFile(config, join(dir, "deno.json"));
      await Deno.writeTextFile(
        join(dir, "deno.json"),
        JSON.stringify({ imports: JSON.parse(await Deno.readTextFile(config)).imports }),
      );
      const flags = realTime ? ["--real-time"] : [];
      const { code, stdout, stderr } = await workbench(
        ["test", ...args, "--bin", bin, ...flags],
        dir,
      );
      assertEquals([code, stderr], [0, ""], stdout);
      assertMatch(stdout, /^ {2}sometimes {2}echoes\n {2}not yet {4}sleeps$/m);
      const latest = join(dir, "store", "latest");
      const lines = (await Deno.readTextFile(join(latest, "observations.jsonl"))).trimEnd().split(
        "\n",
      );
      const [first, second] = lines.map((line) => JSON.parse(line));
      assertEquals([first.node, Object.keys(first)], ["n0", ["time", "node", "observe"]]);
      assertEquals([second.sometimes, second.reached], ["echoes", true]);
      const log = await Deno.readTextFile(join(latest, "node-logs", "n0.log"));
      assert(log.startsWith("an ordinary line\nan ordinary line\n"), log);
      assert(!log.includes("eddy:"), "observations are not in the log");
    });
  });
}

/** An echo node for Node.js that writes what its argument says, for each message. */
const foreign = `
import { createInterface } from "node:readline";
const [text, times] = process.argv.slice(2);
createInterface({ input: process.stdin }).on("line", (line) => {
  const { src, dest, body } = JSON.parse(line);
  for (let i = 0; i < Number(times); i++) process.stderr.write(text.replaceAll("#", i) + "\\n");
  const reply = { ...body, type: body.type + "_ok", in_reply_to: body.msg_id };
  console.log(JSON.stringify({ src: dest, dest: src, body: reply }));
});
`;

Deno.test("a foreign program may say what must hold; a flood of lines is bounded", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "node.mjs"), foreign);
    const run = (text: string, times: number) =>
      workbench(["test", ...args, "--bin", "node.mjs", "--", text, String(times)], dir);
    const broken = await run('eddy: {"always":false,"name":"no \\u001b[2J"}', 1);
    assertEquals(broken.code, 1);
    assertMatch(
      broken.stdout,
      /^always: n0 said at -?0\.\d\d s that "no \\u001b\[2J" does not hold, /m,
    );
    assert(!broken.stdout.includes("\x1b"));
    const flood = await run('eddy: {"observe":{"i":#}}', 20_000);
    assertEquals(flood.code, 0, flood.stdout);
    assertMatch(flood.stdout, /^ {2}observed {3}too much: \d+ observations are left out$/m);
    const almost = await run(`eddy: {"observe":{"i":"${"x".repeat(5000)}"}}`, 1);
    assertEquals(almost.code, 0);
    const log = await Deno.readTextFile(join(dir, "store", "latest", "node-logs", "n0.log"));
    assertStringIncludes(log, 'eddy: {"observe":{"i":"xxx');
  });
});

Deno.test("sweep: counts the runs that reached a name, and names that none reached", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "node.mjs"), foreign);
    const line = 'eddy: {"sometimes":"name #"}\neddy: {"sometimes":"never","reached":false}';
    const { code, stdout } = await workbench(
      ["sweep", ...args, "--seeds", "3", "--bin", "node.mjs", "--", line, "1"],
      dir,
    );
    assertEquals(code, 0, stdout);
    assertMatch(
      stdout,
      /^sometimes: never: reached in no run\nsometimes: name 0: reached in 3 of 3 runs$/m,
    );
  });
});
