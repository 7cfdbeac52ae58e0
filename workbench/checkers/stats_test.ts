import { assertEquals } from "@std/assert";
import { handmade, type Row } from "./handmade_testing.ts";
import { checkStats } from "./stats.ts";

Deno.test("checkStats() counts completions by what was done", () => {
  const result = checkStats(handmade(
    ["nemesis", "info", "start-partition"],
    [0, "invoke", "write", 1],
    [0, "ok", "write", 1],
    [0, "invoke", "read"],
    [1, "invoke", "read"],
    [0, "fail", "read"],
    [1, "ok", "read", 1],
    [1, "invoke", "write", 2],
    [1, "info", "write", 2],
    [2, "invoke", "cas"],
  ));
  assertEquals(result, {
    "valid?": true,
    count: 4,
    "ok-count": 2,
    "fail-count": 1,
    "info-count": 1,
    "by-f": {
      read: { "valid?": true, count: 2, "ok-count": 1, "fail-count": 1, "info-count": 0 },
      write: { "valid?": true, count: 2, "ok-count": 1, "fail-count": 0, "info-count": 1 },
    },
  });
  assertEquals(Object.keys(result["by-f"] as object), ["read", "write"]);
});

Deno.test("checkStats() is valid where nothing happened", () => {
  assertEquals(checkStats([])["valid?"], true);
});

Deno.test("checkStats() tells of an operation that never succeeded", () => {
  const history = handmade(
    [0, "invoke", "write", 1],
    [0, "ok", "write", 1],
    [0, "invoke", "cas", [1, 2]],
    [0, "fail", "cas", [1, 2]],
    [0, "invoke", "cas", [1, 2]],
    [0, "info", "cas", [1, 2]],
  );
  const result = checkStats(history);
  assertEquals(result["valid?"], false);
  assertEquals(result.findings, [{
    anomaly: "never-ok",
    what: "Not one cas succeeded: of 2 operations, 1 failed and nobody knows how 1 ended",
    ops: history.slice(2),
  }]);
});

Deno.test("checkStats() lets kafka's crashes and debugging be", () => {
  const result = checkStats(handmade(
    [0, "invoke", "crash"],
    [0, "info", "crash"],
    [1, "invoke", "debug-topic-partitions"],
    [1, "fail", "debug-topic-partitions"],
  ));
  assertEquals(result["valid?"], true);
  assertEquals(result["ok-count"], 0);
});

Deno.test("checkStats() warns of a history out of joint", () => {
  const result = checkStats(handmade(
    [0, "ok", "read"],
    [1, "invoke", "read"],
    [1, "invoke", "read"],
    [1, "ok", "read"],
    [1, "ok", "read"],
  ));
  assertEquals(result.warnings, [
    "Completion without an invocation: read by process 0 on n0 at 0.000 s, and 1 more",
    "Invocation while another is open: read by process 1 on n1 at 0.002 s",
  ]);
});

Deno.test("checkStats() gives hope where a few operations failed", () => {
  const told = (times: number) => {
    const pairs = Array.from({ length: times }, (): Row[] => [
      [0, "invoke", "cas", [1, 2]],
      [0, "fail", "cas", [1, 2]],
    ]);
    return checkStats(handmade(...pairs.flat())).findings?.[0]?.what;
  };
  assertEquals(
    told(2),
    "Not one cas succeeded: of 2 operations, 2 failed; a longer run gives it more chances",
  );
  assertEquals(told(20), "Not one cas succeeded: of 20 operations, 20 failed");
});
