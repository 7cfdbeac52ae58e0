import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { MemoryStorage } from "@eddy/maelstrom";
import { Membership } from "./gossip/membership.ts";
import { ArchiveReader, type Gossip } from "./gossip/message.ts";
import { KeyLog, LogStore } from "./kafka_log.ts";

Deno.test("entries inserted in any order are read by offset, up to the visible one", () => {
  const offsets = fc.array(fc.nat(50), { maxLength: 40 });
  fc.assert(
    fc.property(offsets, fc.nat(50), fc.nat(50), fc.nat(10), (arrivals, visible, from, limit) => {
      const log = new KeyLog();
      for (const offset of arrivals) log.insert(["k", offset, offset]);
      log.visible = visible;
      const expected = [...new Set(arrivals)].filter((x) => x >= from && x <= visible)
        .sort((a, b) => a - b).slice(0, limit).map((offset) => [offset, offset]);
      assertEquals(log.from(from, limit), expected as [number, number][]);
      assertEquals(log.last, Math.max(-1, ...arrivals));
    }),
    { numRuns: 500 },
  );
});

Deno.test("an offset is taken once", () => {
  const log = new KeyLog();
  assertEquals(log.insert(["k", 3, "a"]), true);
  assertEquals(log.insert(["k", 3, "b"]), false);
  log.visible = 3;
  assertEquals(log.from(0, 9), [[3, "a"]]);
});

Deno.test("a peer's commit of what is no offset is not taken", () => {
  const store = new LogStore();
  const commits = [{ a: 1.5, b: -5, c: "evil", d: 2 ** 53 }, { e: 3 }];
  store.receive(1, { from: 0, to: 2, events: commits });
  assertEquals([..."abcde"].map((key) => store.committed(key)), [...Array(4), 3]);
});

Deno.test("a later process goes on above all that an earlier one has held, and keeps commits", () => {
  const storage = new MemoryStorage();
  const start = () => {
    const store = new LogStore();
    store.resume(storage, 0);
    store.begin(0, 0, 2);
    return store;
  };
  const first = start();
  assertEquals(first.send("k", "own"), 0);
  first.receive(1, { from: 0, to: 1, events: [["k", 101, "other's"]] });
  first.settle([1, 1]);
  assert(first.commit("k", 101));

  const second = start();
  assertEquals([second.have, second.committed("k")], [[1], 101], "others' entries come again");
  assert(second.send("k", "higher") > 101);
  assertEquals(second.since(0, 0, 9)?.events[0], ["k", 0, "own"]);
  assert(second.commit("k", 102), "an earlier process may have shown it");
  const third = start();
  assertEquals([third.committed("k"), third.since(0, 0, 9)?.to], [102, 2]);
});

/** A store that keeps what it must, with one entry, which all hold. */
function keptEntry() {
  const storage = new MemoryStorage();
  const store = new LogStore();
  store.resume(storage, 0);
  store.begin(0, 0, 1);
  store.send("k", "a");
  store.settle([1]);
  return { storage, store };
}

Deno.test("a commit is kept here, though another node's clients have committed as much", () => {
  const { storage, store } = keptEntry();
  store.receive(1, { from: 0, to: 1, events: [{ k: 0 }] });
  assertEquals(store.commit("k", 0), false, "nothing is to be sent");
  const next = new LogStore();
  next.resume(storage, 0);
  assertEquals(next.committed("k"), 0);
});

Deno.test("an event that a message has carried is kept under its number", () => {
  const { storage, store } = keptEntry();
  store.commit("k", 0);
  assertEquals(store.since(0, 1, 9), { from: 1, to: 2, events: [{ k: 0 }] });
  store.send("k", "b");
  const next = new LogStore();
  next.resume(storage, 0);
  assertEquals(next.since(0, 0, 9)?.events, [["k", 0, "a"], { k: 0 }, ["k", 1, "b"]]);
});

Deno.test("what is held besides an archive is not shown with it", () => {
  const store = new LogStore();
  store.begin(0, 0, 2);
  store.send("k", "own, not yet everywhere");
  store.restore({ from: 0, events: [["k", 1, "other's"]], total: 2 }, [0, 1]);
  store.settle([0, 1]);
  assertEquals(store.poll("k", 0, 9), []);
  store.settle([1, 1]);
  assertEquals(store.poll("k", 0, 9).map(([offset]) => offset), [0, 1]);
});

Deno.test("a node that reads an archive twice gets what has come in between", () => {
  const store = new LogStore();
  store.begin(0, 0, 1);
  const copy = new LogStore();
  const reader = new ArchiveReader(copy);
  const { peers: [peer] } = new Membership("n0", ["n0", "n1"]);
  peer?.restart("t", 0);
  const read = () => {
    for (let more = peer !== undefined; more;) {
      const archive = store.archive(peer === undefined ? 0 : reader.want(peer, 0), 2);
      const gossip = { tag: "t", archive, have: store.have } as unknown as Gossip;
      more = reader.take(gossip) === true;
    }
  };
  store.send("k", "a");
  read();
  for (const msg of ["b", "c", "d"]) store.send("k", msg);
  store.settle([4]);
  store.commit("k", 3);
  read();
  copy.settle([5]);
  assertEquals(copy.poll("k", 0, 9).map(([, msg]) => msg), ["a", "b", "c", "d"]);
  assertEquals(copy.committed("k"), 3);
});
