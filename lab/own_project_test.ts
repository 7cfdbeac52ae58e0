/**
 * A project of one's own, which has this one's files and dependencies but not its configuration.
 */

import { assertEquals } from "@std/assert";
import { join } from "@std/path/join";
import config from "../deno.json" with { type: "json" };
import { projectPath } from "../scripts/support.ts";
import { longTest } from "./long.ts";

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

/** Every request of every workload, with the type of each key: `is` takes a value of no other. */
const bodies = `\
import { type Json, Node } from "@eddy/maelstrom";
import {
  type AppendTxn, broadcastSchema, counterSchema, echoSchema, gSetSchema, kafkaSchema, linKvSchema,
  type RegisterTxn, txnListAppendSchema, txnRwRegisterSchema, uniqueIdsSchema, type WorkloadName,
} from "@eddy/handlers";

type Same<A, B> = [A, B] extends [B, A] ? A : never;
function is<Expected>() {
  return <Given>(_: Given & Same<Given, Expected>) => {};
}
const node = new Node();
const names: WorkloadName[] = ["broadcast", "echo", "kafka", "lin-kv"];
node.on("echo", ({ body }) => (is<Json>()(body.echo), { echo: body.echo }), { schema: echoSchema.echo });
node.on("generate", () => ({ id: names.length }), { schema: uniqueIdsSchema.generate });
node.on("topology", ({ body }) => {
  is<Record<string, string[]>>()(body.topology);
  return {};
}, { schema: broadcastSchema.topology });
node.on("broadcast", ({ body }) => (is<Json>()(body.message), {}), {
  schema: broadcastSchema.broadcast,
});
node.on("read", () => ({ messages: [1, "a"] }), { schema: broadcastSchema.read });
const set = new Node();
set.on("add", ({ body }) => (is<Json>()(body.element), {}), { schema: gSetSchema.add });
set.on("read", () => ({ value: [1] }), { schema: gSetSchema.read });
const counter = new Node();
counter.on("add", ({ body }) => (is<number>()(body.delta), {}), { schema: counterSchema.add });
counter.on("read", () => ({ value: 1 }), { schema: counterSchema.read });
const log = new Node();
log.on("send", ({ body }) => {
  is<string>()(body.key);
  is<Json>()(body.msg);
  return { offset: 1 };
}, { schema: kafkaSchema.send });
log.on("poll", ({ body }) => {
  is<Record<string, number>>()(body.offsets);
  return { msgs: { a: [[1, "x"]] } };
}, { schema: kafkaSchema.poll });
log.on("commit_offsets", ({ body }) => (is<Record<string, number>>()(body.offsets), {}), {
  schema: kafkaSchema.commit_offsets,
});
log.on("list_committed_offsets", ({ body }) => (is<string[]>()(body.keys), { offsets: { a: 1 } }), {
  schema: kafkaSchema.list_committed_offsets,
});
const store = new Node();
store.on("read", ({ body }) => (is<Json>()(body.key), { value: 1 }), { schema: linKvSchema.read });
store.on("write", ({ body }) => {
  is<Json>()(body.key);
  is<Json>()(body.value);
  return {};
}, { schema: linKvSchema.write });
store.on("cas", ({ body }) => {
  is<Json>()(body.key);
  is<Json>()(body.from);
  is<Json>()(body.to);
  return {};
}, { schema: linKvSchema.cas });
const lists = new Node();
lists.on("txn", ({ body }) => (is<AppendTxn>()(body.txn), { txn: [["r", 1, [2]]] }), {
  schema: txnListAppendSchema.txn,
});
const registers = new Node();
registers.on("txn", ({ body }) => (is<RegisterTxn>()(body.txn), { txn: [["w", 1, 2]] }), {
  schema: txnRwRegisterSchema.txn,
});
`;

/** The same with a type that is another, and a key that is none. */
const wrongBodies = [
  bodies.replace("is<number>()(body.delta)", "is<string>()(body.delta)"),
  bodies.replace("is<Json>()(body.message)", "is<Json>()(body.massage)"),
  bodies.replace('"lin-kv"]', '"link-v"]'),
  bodies.replace("({ value: [1] })", "({ values: [1] })"),
];

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

async function check(folder: string, file: string): Promise<[stderr: string, code: number]> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", file],
    cwd: folder,
    env: { NO_COLOR: "1" },
  });
  const { code, stderr } = await command.output();
  return [new TextDecoder().decode(stderr), code];
}

longTest(
  "a project with none of our configuration type-checks, the requests of all workloads too",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "eddy-project-" });
    const loose = { imports: await importMap() };
    const strict = {
      ...loose,
      compilerOptions: { ...config.compilerOptions, types: [] },
    };
    try {
      await Deno.writeTextFile(join(folder, "node.ts"), node);
      await Deno.writeTextFile(join(folder, "node_test.ts"), test);
      await Deno.writeTextFile(join(folder, "bodies.ts"), bodies);
      for (const settings of [loose, strict]) {
        await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(settings));
        assertEquals(await check(folder, "."), ["", 0]);
      }
      const files = wrongBodies.map((_, i) => `wrong_${i}.ts`);
      for (const [i, text] of wrongBodies.entries()) {
        await Deno.writeTextFile(join(folder, files[i] ?? ""), text);
      }
      const [said, code] = await check(folder, ".");
      // Each in its own place; other places are what a message refers to.
      const places = [...said.matchAll(/^ +at .*?(wrong_\d\.ts):\d+:\d+/gm)].map(([, file]) =>
        file
      );
      assertEquals([places.toSorted(), code], [files, 1], said);
      assertEquals(said.match(/^TS\d+ \[ERROR\]/gm)?.length, files.length);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
