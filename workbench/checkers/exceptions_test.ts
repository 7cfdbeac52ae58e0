import { assertEquals } from "@std/assert";
import { checkExceptions } from "./exceptions.ts";
import { handmade } from "./handmade_testing.ts";

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
  assertEquals(result, { "valid?": true });
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
  assertEquals(checkExceptions(history), {
    "valid?": true,
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
