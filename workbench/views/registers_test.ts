import { assertEquals } from "@std/assert";
import { check } from "../report.ts";
import { handmade, type Row } from "../testing.ts";
import { registersView } from "./registers.ts";

function viewOf(...rows: readonly Row[]) {
  const history = handmade(...rows);
  const report = check(history, { workload: "lin-kv", consistencyModels: [] });
  return registersView({ history, report });
}

Deno.test("a key without an order is shown first, with its longest order and where it ends", () => {
  const view = viewOf(
    [0, "invoke", "write", [1, 5]],
    [0, "ok", "write", [1, 5]],
    [1, "invoke", "read", [1, null]],
    [1, "ok", "read", [1, 5]],
    [0, "invoke", "write", [2, 1]],
    [0, "ok", "write", [2, 1]],
    [1, "invoke", "read", [2, null]],
    [1, "ok", "read", [2, 3]],
    [0, "invoke", "write", [2, 4]],
    [0, "ok", "write", [2, 4]],
  );
  assertEquals(view?.keyCount, 2);
  assertEquals(view?.keys, [
    {
      key: "2",
      valid: false,
      order: [4],
      left: [6, 8],
      stuck: {
        at: 6,
        why: view?.keys[0]?.stuck?.why ?? "",
      },
      before: 0,
      after: 0,
      unneeded: 0,
    },
    { key: "1", valid: true, order: [0, 2], left: [], before: 0, after: 0, unneeded: 0 },
  ]);
  assertEquals(view?.keys[0]?.stuck?.why.endsWith("but no operation had written 3"), true);
});

Deno.test("an operation of unknown outcome is in the order where it explains something", () => {
  const view = viewOf(
    [0, "invoke", "write", [1, 5]],
    [0, "info", "write", [1, 5]],
    [1, "invoke", "write", [1, 6]],
    [1, "info", "write", [1, 6]],
    [2, "invoke", "read", [1, null]],
    [2, "ok", "read", [1, 6]],
  );
  assertEquals(view?.keys, [
    { key: "1", valid: true, order: [2, 4], left: [], before: 0, after: 0, unneeded: 1 },
  ]);
});

Deno.test("of many operations those around the end of the order are shown", () => {
  const writes = Array.from({ length: 300 }, (_, i): Row[] => [
    [0, "invoke", "write", [1, i]],
    [0, "ok", "write", [1, i]],
  ]).flat();
  const wrong: Row[] = [[1, "invoke", "read", [1, null]], [1, "ok", "read", [1, -1]]];
  const [key] = viewOf(...writes, ...wrong, ...writes)?.keys ?? [];
  assertEquals([key?.order.length, key?.order[0], key?.before], [200, 200, 100]);
  assertEquals([key?.left.length, key?.left[0], key?.after], [11, 600, 290]);
  const [valid] = viewOf(...writes)?.keys ?? [];
  assertEquals([valid?.order.length, valid?.order[0], valid?.after], [200, 0, 100]);
});

Deno.test("a run without reads and writes has no registers to show", () => {
  assertEquals(viewOf(), undefined);
});
