import { assertEquals, assertStringIncludes } from "@std/assert";
import { handmade, type Row } from "../testing.ts";
import { checkAvailability, checkExceptions, checkStats } from "./stats.ts";

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
    valid: true,
    count: 4,
    okCount: 2,
    failCount: 1,
    infoCount: 1,
    byF: {
      read: { valid: true, count: 2, okCount: 1, failCount: 1, infoCount: 0 },
      write: { valid: true, count: 2, okCount: 1, failCount: 0, infoCount: 1 },
    },
  });
  assertEquals(Object.keys(result.byF), ["read", "write"]);
});

Deno.test("checkStats() is valid where nothing happened", () => {
  assertEquals(checkStats([]).valid, true);
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
  assertEquals(result.valid, false);
  assertEquals(result.findings, [{
    anomaly: "never-ok",
    what: "Not one cas succeeded: of 2 operations, 1 failed and 1 ended with an unknown outcome",
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
  assertEquals(result.valid, true);
  assertEquals(result.okCount, 0);
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

Deno.test("checkStats() asks for a longer run where only a few operations failed", () => {
  const sentence = (times: number) => {
    const pairs = Array.from({ length: times }, (): Row[] => [
      [0, "invoke", "cas", [1, 2]],
      [0, "fail", "cas", [1, 2]],
    ]);
    return checkStats(handmade(...pairs.flat())).findings?.[0]?.what;
  };
  assertEquals(
    sentence(2),
    "Not one cas succeeded: of 2 operations, 2 failed; a longer run gives it more chances",
  );
  assertEquals(sentence(20), "Not one cas succeeded: of 20 operations, 20 failed");
});

const history = handmade(
  ["nemesis", "info", "start-partition"],
  [0, "invoke", "read"],
  [0, "ok", "read"],
  [0, "invoke", "read"],
  [0, "ok", "read"],
  [0, "invoke", "read"],
  [0, "ok", "read"],
  [0, "invoke", "read"],
  [0, "info", "read"],
);

Deno.test("checkAvailability() tells the share that succeeded and asks for nothing", () => {
  assertEquals(checkAvailability(history), { valid: true, okFraction: 0.75 });
  assertEquals(checkAvailability([]), { valid: true, okFraction: 1 });
});

Deno.test("checkAvailability() asks for all, or for a share", () => {
  assertEquals(checkAvailability(history, "total").valid, false);
  assertEquals(checkAvailability(history.slice(0, 7), "total").valid, true);
  assertEquals(checkAvailability(history, 0.75).valid, true);
  assertEquals(checkAvailability(history, 0.76).valid, false);
  assertEquals(checkAvailability([], "total").valid, true);
});

Deno.test("checkAvailability() counts what is still open as not succeeded, and tells of it", () => {
  const cut = history.slice(0, 8);
  const result = checkAvailability(cut, 0.999);
  assertEquals(result.okFraction, 0.75);
  assertEquals(result.findings, [{
    anomaly: "unavailable",
    what: "1 of 4 operations did not succeed: 75 % did, and 99.9 % had to",
    ops: cut.slice(7),
  }]);
});

Deno.test("checkAvailability() says that crashes on purpose count", () => {
  const { findings = [] } = checkAvailability(
    handmade([0, "invoke", "crash"], [0, "info", "crash"]),
    "total",
  );
  assertStringIncludes(findings[0]?.what ?? "", "; kafka's clients crash on purpose");
});

Deno.test("checkExceptions() has nothing to say of timeouts, errors and the nemesis", () => {
  const result = checkExceptions(handmade(
    ["nemesis", "info", "start", null, { error: { text: "no such node" } }],
    [0, "invoke", "read"],
    [0, "info", "read", null, { error: { code: 0, text: "timed out" } }],
    [1, "invoke", "crash"],
    [1, "info", "crash"],
    [2, "invoke", "read"],
    [2, "fail", "read", null, { error: { code: 11, text: "not now" } }],
  ));
  assertEquals(result, { valid: true });
});

Deno.test("checkExceptions() lists malformed replies, most frequent first, and warns of them", () => {
  const error = { text: "missing key value" };
  const history = handmade(
    [0, "invoke", "add"],
    [0, "info", "add", null, { error: { text: "extra key ok" } }],
    [1, "invoke", "read"],
    [1, "info", "read", null, { error }],
    [2, "invoke", "read"],
    [2, "info", "read", null, { error }],
  );
  assertEquals<unknown>(checkExceptions(history), {
    valid: true,
    exceptions: [
      { count: 2, class: "malformed-rpc-response", example: history[3] },
      { count: 1, class: "malformed-rpc-response", example: history[1] },
    ],
    warnings: [
      "Malformed replies to read, taken as unknown (2 in all): to process 1 on n1 at 0.003 s, " +
      "missing key value",
      "Malformed replies to add, taken as unknown (1 in all): to process 0 on n0 at 0.001 s, " +
      "extra key ok",
    ],
  });
});
