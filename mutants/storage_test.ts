import { assertEquals } from "@std/assert";
import { MemoryStorage, type Storage } from "@eddy/maelstrom";
import { testNode } from "@eddy/maelstrom/testing";
import { type Forward, late, never, onWrongStorage } from "./storage.ts";

/** A disk that needs no sync. */
class Disk extends MemoryStorage {
  override readonly isDurable = true;
}

/** A node on a wrong storage, from init on. */
async function wrongNode(forward: Forward, disk: Storage) {
  const { node, clock, receive } = await testNode({ storage: () => disk }, { init: false });
  onWrongStorage(forward, () => {})(node);
  receive("c0", { type: "init", msg_id: 1, node_id: "n1", node_ids: ["n1"] });
  await clock.advance(0);
  return { storage: node.storage, clock };
}

Deno.test("a node sees what never reaches its disk, and what was there before", async () => {
  const disk = new Disk();
  disk.log("l").append(["a"]);
  const { storage } = await wrongNode(never((target) => target === "log l"), disk);
  storage.log("l").append(["b"]);
  storage.set("k", 1);
  assertEquals(storage.log("l").entries(), ["a", "b"]);
  assertEquals([disk.log("l").entries(), disk.get("k")], [["a"], 1]);
});

Deno.test("what is late reaches the disk in its order", async () => {
  const disk = new Disk();
  const { storage, clock } = await wrongNode(late(() => true, 100), disk);
  const log = storage.log("l");
  log.append(["a", "b", "c"]);
  log.truncate(3);
  log.replace(1, ["s"]);
  assertEquals([log.base, log.last, log.entries()], [1, 2, ["b"]]);
  assertEquals(disk.log("l").last, 0);
  await clock.advance(100);
  const kept = disk.log("l");
  assertEquals([kept.base, kept.snapshot(), kept.entries()], [1, ["s"], ["b"]]);
});
