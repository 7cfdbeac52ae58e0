import { assertEquals } from "@std/assert";
import type { Json } from "@eddy/maelstrom";
import { checkEcho } from "./echo.ts";
import { handmade } from "../testing.ts";

Deno.test("checkEcho() accepts replies that say the same, as body or as what was echoed", () => {
  const result = checkEcho(handmade(
    [0, "invoke", "echo", "Please echo 1"],
    [0, "ok", "echo", { type: "echo_ok", echo: "Please echo 1", in_reply_to: 1 }],
    [0, "invoke", "echo", "Please echo 2"],
    [0, "ok", "echo", "Please echo 2"],
    [0, "invoke", "echo", { say: [1] }],
    [0, "ok", "echo", { say: [1] }],
  ));
  assertEquals(result, { valid: true, errors: [] });
});

Deno.test("checkEcho() tells of a reply that says something else", () => {
  const history = handmade(
    [0, "invoke", "echo", "Please echo 1"],
    [0, "ok", "echo", { type: "echo_ok", echo: "Please echo 2", in_reply_to: 1 }],
  );
  const result = checkEcho(history);
  assertEquals(result.valid, false);
  assertEquals(result.errors, [
    ["Expected a message with :echo", "Please echo 1", "But received", history[1]?.value ?? null],
  ]);
  assertEquals(result.findings, [{
    anomaly: "wrong-echo",
    what: 'The echo of "Please echo 1" by process 0 on n0 at 0.000 s got "Please echo 2" back',
    ops: history,
  }]);
});

Deno.test("checkEcho() takes a definite error for a wrong echo, and passes over timeouts", () => {
  const error = { code: 11, text: "not now" };
  const failed = checkEcho(handmade(
    [0, "invoke", "echo", "a"],
    [0, "fail", "echo", "a", { error }],
  ));
  assertEquals(failed.valid, false);
  assertEquals(
    failed.findings?.[0]?.what,
    'The echo of "a" by process 0 on n0 at 0.000 s got an error (not now)',
  );
  const timedOut = checkEcho(handmade(
    [0, "invoke", "echo", "a"],
    [0, "info", "echo", "a", { error: { code: 0, text: "timed out" } }],
    [1, "invoke", "echo", "b"],
  ));
  assertEquals(timedOut.valid, true);
});

Deno.test("checkEcho() takes a failed echo of an object for wrong, too", () => {
  const failed = checkEcho(handmade(
    [0, "invoke", "echo", { a: 1 }],
    [0, "fail", "echo", { a: 1 }],
  ));
  assertEquals(failed.valid, false);
});

Deno.test("checkEcho() wants null back for null", () => {
  const check = (value: Json) =>
    checkEcho(handmade([0, "invoke", "echo", null], [0, "ok", "echo", value])).valid;
  assertEquals([check(null), check({ echo: null }), check("x"), check({ echo: 1 })], [
    true,
    true,
    false,
    false,
  ]);
});
