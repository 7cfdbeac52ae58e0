import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import {
  covers,
  EventLog,
  merge,
  raise,
  streamName,
  streamOwner,
  Streams,
  type Vector,
} from "./event_log.ts";

Deno.test("batches in any order, repeated and overlapping, give each event once and in order", () => {
  const cuts = fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 30 });
  fc.assert(
    fc.property(cuts, (ranges) => {
      const log = new EventLog();
      const got: unknown[] = [];
      const events = Array.from({ length: 20 }, (_, i) => i + 1);
      for (const [a, b] of [...ranges, [0, 20] as const]) {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        got.push(...log.receive(0, { from, to, events: events.slice(from, to) }));
      }
      assertEquals(got, events);
      assertEquals(log.have, [20]);
    }),
    { numRuns: 300 },
  );
});

Deno.test("a gap is left open", () => {
  const log = new EventLog();
  assertEquals(log.receive(1, { from: 1, to: 2, events: ["b"] }), []);
  assertEquals(log.receive(1, { from: 0, to: 1, events: ["a"] }), ["a"]);
  assertEquals(log.have, [0, 1]);
});

Deno.test("what every node has is dropped, and can no longer be read", () => {
  const log = new EventLog();
  for (let i = 1; i <= 1000; i++) log.append(0, i);
  log.prune([990]);
  assertEquals(log.kept, 10);
  assertEquals(log.since(0, 989, 5), undefined);
  assertEquals(log.since(0, 990, 3), { from: 990, to: 993, events: [991, 992, 993] });
  assertEquals(log.between(0, 985, 992), [991, 992]);
  assertEquals(log.between(0, 999, 2 ** 53 - 1), [1000]);
});

Deno.test("events are kept up to a bound, the newest of each stream", () => {
  const log = new EventLog(100);
  for (let i = 1; i <= 1000; i++) log.append(i % 2, i);
  assertEquals(log.kept <= 100, true);
  assertEquals(log.between(0, 499, 500), [1000]);
  assertEquals(log.since(0, 0, 1), undefined);
});

Deno.test("a prefix that an archive brought is held, without its events", () => {
  const log = new EventLog();
  log.append(0, "a");
  log.skipTo([5, 2]);
  assertEquals(log.have, [5, 2]);
  assertEquals(log.kept, 0);
  assertEquals(log.since(0, 0, 9), undefined);
  assertEquals(log.receive(0, { from: 5, to: 6, events: ["f"] }), ["f"]);
});

const vectors = fc.array(fc.nat(5), { maxLength: 5 });

Deno.test("a merge is the least vector that covers both", () => {
  fc.assert(
    fc.property(vectors, vectors, vectors, (a, b, c) => {
      const both: Vector = [...a];
      const changed = merge(both, b);
      assertEquals(changed, !covers(a, b));
      assert(covers(both, a) && covers(both, b));
      if (covers(c, a) && covers(c, b)) assert(covers(c, both));
    }),
    { numRuns: 500 },
  );
});

Deno.test("a missing entry of a vector is 0", () => {
  assert(covers([], [0, 0]));
  assert(!covers([], [0, 1]));
  const vector: Vector = [];
  raise(vector, 2, 7);
  raise(vector, 2, 5);
  assertEquals(vector, [0, 0, 7]);
});

Deno.test("a stream keeps its number, and is sent by its name", () => {
  const streams = new Streams((name) => name !== "c1");
  const name = streamName("n:1", "x3");
  assertEquals(streamOwner(name), "n:1");
  assertEquals(streams.number(name), 0);
  assertEquals(streams.number(streamName("n2", "y")), 1);
  assertEquals(streams.number(name), 0);
  assertEquals(streams.list, "n:1:x3 n2:y");
  assertEquals(streams.read("n3:z c1:q n:1:x3"), [2, -1, 0]);
});

Deno.test("lists of streams are remembered, up to a length in all", () => {
  const streams = new Streams(() => false);
  const list = (fill: string) => fill.repeat(600_000);
  const first = streams.read(list("a"));
  assert(streams.read(list("a")) === first);
  streams.read(list("b"));
  assert(streams.read(list("a")) !== first, "the first list was given up for the second");
  assert(streams.read(list("ab")) !== streams.read(list("ab")), "a longer list is not kept");
});
