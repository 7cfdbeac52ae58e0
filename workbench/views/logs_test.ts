import { assertEquals } from "@std/assert";
import { handmade, type Row } from "../testing.ts";
import { logsView } from "./logs.ts";

/** Sends of values 0 and up to a key, each to its own offset. */
function sends(key: string, count: number): Row[] {
  return Array.from({ length: count }, (_, i): Row[] => [
    [0, "invoke", "send", [["send", key, i]]],
    [0, "ok", "send", [["send", key, [i, i]]]],
  ]).flat();
}

function poll(process: number, key: string, offsets: readonly number[]): Row[] {
  const read = { [key]: offsets.map((offset) => [offset, offset]) };
  return [
    [process, "invoke", "poll", [["poll"]]],
    [process, "ok", "poll", [["poll", read]]],
  ];
}

Deno.test("a log has its offsets, and each reader what it polled and passed over", () => {
  const view = logsView({
    history: handmade(
      ...sends("a", 4),
      ...poll(1, "a", [1, 3]),
      ...poll(2, "a", [0, 1]),
      ...poll(2, "a", [1]),
    ),
  });
  assertEquals(view?.keyCount, 1);
  const [log] = view?.keys ?? [];
  assertEquals([log?.key, log?.offsets, log?.values], [
    "a",
    ["0", "1", "2", "3"],
    ["0", "1", "2", "3"],
  ]);
  assertEquals(log?.senders, [1, 3, 5, 7]);
  assertEquals(log?.readers, [
    { process: 1, node: "n1", reads: ".1-1" },
    { process: 2, node: "n2", reads: "12.." },
  ]);
});

Deno.test("findings are marked at the offsets and the polls that they are about", () => {
  const { keys = [] } = logsView({
    history: handmade(...sends("b", 9), ...sends("a", 4), ...poll(1, "a", [0, 1, 3])),
  }) ?? {};
  // What findings are about comes first, however short it is.
  const marks = keys.map(({ key, marks }) =>
    [key, marks.map(({ anomaly, at, process }) => [anomaly, at, process])] as const
  );
  assertEquals(marks, [
    ["a", [["lost-write", [2], undefined], ["int-poll-skip", [2], 1]]],
    ["b", [0, 1, 2].map((at) => ["unseen", [at], undefined])],
  ]);
});

Deno.test("of a long log the part around the first finding is shown", () => {
  const before = Array.from({ length: 200 }, (_, i) => i);
  const after = Array.from({ length: 99 }, (_, i) => 201 + i);
  const [log] = logsView({
    history: handmade(...sends("a", 300), ...poll(1, "a", [...before, ...after])),
  })?.keys ?? [];
  assertEquals([log?.offsets.length, log?.before, log?.after], [120, 170, 10]);
  assertEquals(log?.marks[0]?.at, [30]);
  assertEquals(log?.readers[0]?.reads, `${"1".repeat(30)}-${"1".repeat(89)}`);
});

Deno.test("a history without logs has none to show", () => {
  assertEquals(logsView({ history: [] }), undefined);
});
