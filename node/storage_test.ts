import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { parseJson } from "./json.ts";
import { Node } from "./node.ts";
import { MemoryStorage, StorageError } from "./storage.ts";
import { settle, testNode } from "./testing.ts";

/** A storage whose syncs end when the test says. */
class SlowStorage extends MemoryStorage {
  override readonly isDurable = true;
  syncs: { resolve(): void; reject(error: unknown): void }[] = [];
  #writes = 0;
  #durable = 0;

  override get isDirty(): boolean {
    return this.#durable < this.#writes;
  }

  override write(...args: Parameters<MemoryStorage["write"]>): void {
    this.#writes++;
    super.write(...args);
  }

  override sync(): Promise<void> {
    const covered = this.#writes;
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#durable = covered;
        resolve();
      };
      this.syncs.push({ resolve: done, reject });
    });
  }
}

/** A node that counts in a slow storage, whose first sync, of nothing, is over. */
async function countingNode() {
  const storage = new SlowStorage();
  const test = await testNode({ storage: () => storage });
  const { node } = test;
  node.on("add", ({ body }) => {
    const total = Number(node.storage.get("total") ?? 0) + Number(body.delta);
    node.storage.set("total", total);
    return { total };
  });
  node.on("read", () => ({ total: node.storage.get("total") ?? 0 }));
  const totals = () => test.sent.map(({ body }) => body.total);
  // The client that sent init is no longer one that was answered lately.
  await test.clock.advance(200);
  return { ...test, storage, totals };
}

Deno.test("what is sent after a write waits until the write is durable, in order", async () => {
  const { clock, receive, storage, totals } = await countingNode();
  receive("c1", { type: "read", msg_id: 1 });
  await clock.advance(0);
  assertEquals(totals(), [0], "nothing was written");
  receive("c1", { type: "add", msg_id: 2, delta: 1 });
  receive("c1", { type: "add", msg_id: 3, delta: 1 });
  receive("c1", { type: "read", msg_id: 4 });
  await clock.advance(0);
  assertEquals([totals(), storage.syncs.length], [[0], 1]);
  receive("c1", { type: "read", msg_id: 5 });
  await clock.advance(0);
  assertEquals(totals(), [0], "what was read is not durable yet");
  storage.syncs[0]?.resolve();
  await settle();
  assertEquals([totals(), storage.syncs.length], [[0, 1, 2, 2, 2], 1], "one sync for both");
});

Deno.test("an output is told whom each line is for, held back or not", async () => {
  for (const storage of [new MemoryStorage(), new SlowStorage()]) {
    const sent: [line: string, dest: string][] = [];
    const output = { write: (line: string, dest: string) => void sent.push([line, dest]) };
    const { node, clock, receive } = await testNode({ output, storage: () => storage });
    node.on("add", () => {
      node.storage.set("total", 1);
      node.broadcast({ type: "added" });
      return {};
    });
    receive("c1", { type: "read", msg_id: 1 });
    receive("c2", { type: "add", msg_id: 2 });
    await clock.advance(0);
    if (storage instanceof SlowStorage) storage.syncs.forEach(({ resolve }) => resolve());
    await settle();
    assertEquals(sent.map(([, dest]) => dest), ["c0", "c1", "n2", "n3", "c2"]);
    for (const [line, dest] of sent) assertEquals(JSON.parse(line).dest, dest);
  }
});

Deno.test("what is written during a sync is covered by the next", async () => {
  const { clock, receive, storage, totals } = await countingNode();
  receive("c1", { type: "add", msg_id: 1, delta: 1 });
  await clock.advance(0);
  receive("c1", { type: "add", msg_id: 2, delta: 1 });
  await clock.advance(0);
  storage.syncs[0]?.resolve();
  await settle();
  assertEquals([totals(), storage.syncs.length], [[1], 2]);
  storage.syncs[1]?.resolve();
  await settle();
  assertEquals(totals(), [1, 2]);
});

Deno.test("several clients share a sync, and neither one alone nor a node waits for company", async () => {
  const { node, clock, receive, storage } = await countingNode();
  node.on("tell", ({ body }) => {
    node.storage.set("told", body.msg_id ?? null);
    node.send("n2", { type: "told" });
  });
  let asked = 1;
  const begun = async (src: string, type = "add") => {
    receive(src, { type, msg_id: ++asked, delta: 1 });
    await clock.advance(0);
    return storage.syncs.length;
  };
  const end = async () => {
    for (const { resolve } of storage.syncs.splice(0)) resolve();
    await clock.advance(1);
  };
  for (let i = 0; i < 3; i++) {
    assertEquals(await begun("c1"), 1, "it is alone");
    await end();
  }
  assertEquals(await begun("c2"), 0, "c1 was answered lately");
  assertEquals(await begun("c1"), 0);
  await clock.advance(1);
  assertEquals(storage.syncs.length, 1, "all wait that were answered lately");
  await end();
  assertEquals(await begun("c2"), 0);
  await clock.advance(10);
  assertEquals(storage.syncs.length, 1, "c1 does not come");
  await end();
  assertEquals(await begun("c2", "tell"), 1, "another node may wait for it");
  await end();
});

Deno.test("a sync that fails ends the node, and nothing is sent any more", async () => {
  const { node, clock, receive, storage, sent } = await countingNode();
  receive("c1", { type: "add", msg_id: 1, delta: 1 });
  await clock.advance(0);
  const error = new StorageError("Cannot write");
  storage.syncs[0]?.reject(error);
  await settle();
  receive("c1", { type: "read", msg_id: 2 });
  await clock.advance(0);
  assertEquals(sent, []);
  assertStrictEquals(node.failed.reason, error);
  assertStrictEquals(await assertRejects(() => node.drain()), error);
});

Deno.test("a storage that cannot be opened ends the node without an answer", async () => {
  const refusal = new StorageError("Data of another run", { exitCode: 3 });
  const { node, lines } = await testNode({ storage: () => Promise.reject(refusal) });
  await settle();
  assertEquals(lines, []);
  assertStrictEquals(node.failed.reason, refusal);
});

Deno.test("at the end of the input a node waits for what it holds back", async () => {
  const { node, clock, receive, storage, totals } = await countingNode();
  receive("c1", { type: "add", msg_id: 1, delta: 1 });
  await settle();
  const drained = node.drain();
  await clock.advance(0);
  assertEquals(totals(), []);
  storage.syncs[0]?.resolve();
  await drained;
  assertEquals(totals(), [1]);
});

Deno.test("the storage is the node's of the name in init", async () => {
  const opened: string[] = [];
  const options = {
    storage: (id: string) => {
      opened.push(id);
      return new MemoryStorage();
    },
  };
  const { node, receive } = await testNode(options, { init: false });
  assertThrows(() => node.storage, Error, "before init");
  receive("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1"] });
  await settle();
  assertEquals([opened, node.storage.isDurable], [["n1"], false]);
  assertEquals(new Node().storage.isDurable, false);
});

Deno.test("a memory storage returns copies of what was written, exact numbers too", () => {
  const storage = new MemoryStorage();
  const value = { list: [1] };
  storage.set("value", value);
  value.list.push(2);
  assertEquals(storage.get("value"), { list: [1] });
  storage.set("value", undefined);
  assertEquals(storage.get("value"), undefined);
  storage.set("number", parseJson("9007199254740993"));
  assertEquals(JSON.stringify(storage.get("number")), "9007199254740993");
});

Deno.test("a log: entries from 1 up, suffixes that go, and a snapshot for what is old", () => {
  const storage = new MemoryStorage();
  const log = storage.log("log");
  assertEquals([log.base, log.last, log.entries(), log.snapshot()], [0, 0, [], []]);
  log.append(["a", "b", "c", "d"]);
  log.truncate(4);
  log.append(["D"]);
  assertEquals([log.base, log.last, log.entries()], [0, 4, ["a", "b", "c", "D"]]);
  log.replace(2, ["ab"]);
  assertEquals([log.base, log.last, log.entries(), log.snapshot()], [2, 4, ["c", "D"], ["ab"]]);
  log.replace(1, ["a"]);
  assertEquals(log.snapshot(), ["ab"], "an older snapshot is left out");
  log.replace(9, ["a to i"], { dropRest: true });
  assertEquals([log.base, log.last, log.entries()], [9, 9, []]);
  log.append(["j"]);
  assertEquals(storage.log("log").entries(), ["j"]);
});
