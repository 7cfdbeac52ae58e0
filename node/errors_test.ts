import { assert, assertEquals, assertThrows } from "@std/assert";
import { describeError, ErrorCode, errorText, RpcError } from "./errors.ts";
import { oddThrown } from "./testing.ts";

Deno.test("RpcError knows which of Maelstrom's codes are definite", () => {
  const definite = Object.values(ErrorCode).filter((code) => new RpcError(code, "").definite);
  assertEquals(definite, [1, 10, 11, 12, 14, 20, 21, 22, 30]);
});

Deno.test("RpcError takes custom codes as indefinite unless told otherwise", () => {
  assert(!new RpcError(1000, "").definite);
  assert(new RpcError(1000, "", { definite: true }).definite);
  assert(!new RpcError(77, "").definite);
});

Deno.test("RpcError refuses codes that cannot travel", () => {
  for (const code of [-1, 1.5, NaN]) assertThrows(() => new RpcError(code, ""), RangeError);
});

Deno.test("whatever was thrown has a text, and getting it throws nothing", () => {
  for (const [what, thrown] of Object.entries(oddThrown())) {
    for (const text of [errorText(thrown), describeError(thrown)]) {
      assertEquals(typeof text, "string", what);
    }
  }
  const error = new Error("plain");
  assertEquals([errorText(error), describeError(error)], ["plain", error.stack]);
});

Deno.test("an answer is the same error without its stack", () => {
  const made = new RpcError(ErrorCode.preconditionFailed, "Expected 1");
  const error = RpcError.answer(ErrorCode.preconditionFailed, "Expected 1");
  assertEquals(error.stack, undefined);
  assert(error instanceof RpcError);
  const { name, code, message, definite } = made;
  assertEquals({ ...error }, { name, code, message, definite });
  assertEquals([String(error), describeError(error)], [String(made), "Expected 1"]);
});
