import fc from "fast-check";
import { assertEquals } from "@std/assert";
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
