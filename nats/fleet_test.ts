/**
 * What a sweep keeps on a server, and what a worker makes of what is there.
 */

import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { join } from "@std/path/join";
import { connectTo } from "./connect.ts";
import {
  digestOf,
  FleetStore,
  fleetVersion,
  MAX_PROGRAM_BYTES,
  pack,
  putSettings,
  readSettings,
  removeSettings,
  type SweepPart,
  type SweepSettings,
  unpack,
} from "./fleet.ts";
import { Slot } from "./worker.ts";
import { hasServer, NatsServer } from "./testing.ts";

const part: SweepPart = { sweep: "s1", name: "0-abc", runs: [[0], [1, 5, 6]] };
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Lends a store on a new server. */
async function withStore(
  use: (store: FleetStore, signal: AbortController) => Promise<void>,
): Promise<void> {
  await using server = await NatsServer.start();
  const connection = await connectTo({ nats: server.url }, "test");
  const controller = new AbortController();
  try {
    await use(await FleetStore.open(connection, controller.signal), controller);
  } finally {
    controller.abort();
    await connection.close();
  }
}

Deno.test("packed values come back, and no more of them than is bounded", () => {
  assertEquals(unpack(pack({ a: [1, "ä"] })), { a: [1, "ä"] });
  assertThrows(() => unpack(pack("x".repeat(1000)), 100));
});

Deno.test("a version is that of the sources", async () => {
  const { name, token } = await fleetVersion();
  assertMatch(name, /^\d+\.\d+\.\d+ \([0-9a-f]{16}, Deno \S+\)$/);
  const root = await Deno.makeTempDir();
  try {
    for (const folder of ["node", "handlers", "mutants", "workbench", "nats"]) {
      await Deno.mkdir(join(root, folder));
    }
    await Deno.writeTextFile(join(root, "nats/deno.json"), "{}");
    await Deno.writeTextFile(join(root, "node/a.ts"), "1");
    const url = new URL(`file://${root}/`);
    const one = await fleetVersion(url);
    await Deno.writeTextFile(join(root, "node/a_test.ts"), "a test changes no run");
    assertEquals(await fleetVersion(url), one);
    await Deno.writeTextFile(join(root, "node/a.ts"), "2");
    assertNotEquals((await fleetVersion(url)).token, one.token);
    assertNotEquals(one.token, token);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test({
  name: "a store: parts and results are there once, and files come back",
  ignore: !hasServer,
  async fn() {
    await withStore(async (store) => {
      await store.putPart("v1", part);
      await store.putPart("v1", part);
      assertEquals(await store.waiting("v1", "s1"), new Set(["0-abc"]));
      assertEquals(await store.waiting("v2", "s1"), new Set());
      assertEquals(await store.resultOf(part), undefined);
      await store.putResult(part, bytesOf("first"));
      await store.putResult(part, bytesOf("second"));
      assertEquals(new TextDecoder().decode(await store.resultOf(part)), "first");
      assertEquals(await store.finished("s1"), new Set(["0-abc"]));
      await store.withdraw("v1", "s1");
      await store.removeResults("s1");
      assertEquals(await store.waiting("v1", "s1"), new Set());
      assertEquals(await store.finished("s1"), new Set());

      const settings: SweepSettings = { args: ["-w", "echo"], programs: [] };
      assertEquals(await readSettings(store, "s1"), undefined);
      await putSettings(store, "s1", settings);
      assertEquals(await readSettings(store, "s1"), settings);
      await removeSettings(store, "s1");
      assertEquals(await readSettings(store, "s1"), undefined);
      // More than one message has room for.
      const big = crypto.getRandomValues(new Uint8Array(60_000));
      const bytes = new Uint8Array(3_000_000).map((_, i) => big[i % big.length] ?? 0);
      await store.putFile("big", bytes);
      assertEquals(digestOf(await store.file("big", MAX_PROGRAM_BYTES) ?? ""), digestOf(bytes));
    });
  },
});

Deno.test({
  name: "a worker answers what it will not run, and goes on",
  ignore: !hasServer,
  async fn() {
    await withStore(async (store, controller) => {
      const said: string[] = [];
      const refused: [args: string[], why: RegExp][] = [
        [["-w", "echo", "--bin", "/bin/cat"], /^Cannot run \/bin\/cat: it was not sent$/],
        [["-w", "echo", "--store", "/x"], /^Cannot use --store over NATS: it is not sent$/],
        [["-w", "echo", "--nodes-file", "/x"], /^Cannot use --nodes-file over NATS: /],
        [["-w", "echo", "--time-limit", "1", "--seeds", "1"], /^Cannot do run 1 of 1$/],
      ];
      for (const [i, [args]] of refused.entries()) {
        await putSettings(store, `s${i}`, { args, programs: [] });
        await store.putPart("v1", { sweep: `s${i}`, name: "p", runs: [[0], [1]] });
      }
      const slot = new Slot(store, controller.signal, (text) => said.push(text));
      const running = slot.run("v1");
      for (const [i, [, why]] of refused.entries()) {
        const asked = { sweep: `s${i}`, name: "p", runs: [] };
        let bytes = await store.resultOf(asked);
        for (; bytes === undefined; bytes = await store.resultOf(asked)) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assertMatch((unpack(bytes) as { error: string }).error, why);
      }
      controller.abort(new Error("over"));
      await running;
      assertEquals(said.length, refused.length);
      assert(said.every((text) => text.startsWith("Does runs of: sweep -w echo")));
    });
  },
});
