/**
 * A project of one's own, which has this one's files and dependencies but not its configuration.
 */

import { assertEquals } from "@std/assert";
import { join } from "@std/path/join";
import config from "../deno.json" with { type: "json" };
import { projectPath } from "../scripts/support.ts";

const node = `\
import { describeError, KV, Mailbox, Node, type RpcSchema, serve } from "@eddy/maelstrom";
import { type Flags, integer, parseFlags } from "@eddy/maelstrom/flags";
import { kafkaSchema, serveBroadcast } from "@eddy/handlers";
import * as v from "valibot";

const flags = { count: { help: "How many", value: "N", ...integer(1), default: 1 } } satisfies Flags;
const { count } = parseFlags(flags, Deno.args).flags;
const schema: RpcSchema<{ by: number }, { count: number }> = {
  request: v.object({ by: v.number() }),
  reply: v.object({ count: v.number() }),
};
const node = new Node({ log: (text) => console.error(describeError(text)) });
const kv = new KV<string, number>(node, "lin-kv");
const mailbox = new Mailbox();
node.on("add", async ({ body: { by } }) => ({
  count: await mailbox.run(() => kv.update("count", (value) => value + by * count)),
}), { schema });
node.on("ids", () => ({ ids: node.nodeIds }));
node.on("send", () => ({ offset: 1 }), { schema: kafkaSchema.send });
serveBroadcast(node);
await serve(node);
`;

const test = `\
import { simulate } from "@eddy/workbench";
import { testNode } from "@eddy/maelstrom/testing";

Deno.test("echo", async () => {
  const { node } = await testNode();
  const { results } = await simulate({
    workload: "echo",
    nodeCount: 3,
    install: (node) => node.on("echo", ({ body }) => ({ echo: body.echo })),
  });
  if (results.valid !== true) throw new Error(node.id);
});
`;

/** Our packages' entries by their names, and the dependencies. */
async function importMap(): Promise<Record<string, string>> {
  const imports: Record<string, string> = { ...config.imports };
  for (const folder of config.workspace) {
    const path = projectPath(folder);
    const { name, exports } = JSON.parse(await Deno.readTextFile(join(path, "deno.json")));
    for (const [entry, file] of Object.entries<string>(exports)) {
      imports[join(name, entry)] = join(path, file);
    }
  }
  return imports;
}

Deno.test("a project with none of our configuration type-checks", async () => {
  const folder = await Deno.makeTempDir({ prefix: "eddy-project-" });
  const loose = { imports: await importMap() };
  const strict = {
    ...loose,
    compilerOptions: { ...config.compilerOptions, types: [] },
  };
  try {
    await Deno.writeTextFile(join(folder, "node.ts"), node);
    await Deno.writeTextFile(join(folder, "node_test.ts"), test);
    for (const settings of [loose, strict]) {
      await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(settings));
      const command = new Deno.Command(Deno.execPath(), {
        args: ["check", "--quiet", "."],
        cwd: folder,
        env: { NO_COLOR: "1" },
      });
      const { code, stderr } = await command.output();
      assertEquals([new TextDecoder().decode(stderr), code], ["", 0]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
