import { assertEquals } from "@std/assert";
import { StatusLine } from "./terminal.ts";

Deno.test("lines are printed above the status, which is written again below them", () => {
  let text = "";
  const status = new StatusLine((part) => {
    text += part;
  });
  status.print("before");
  status.show("1 s");
  status.print("n0: hello");
  status.show("");
  status.print("after");
  assertEquals(text, "before\n\r\x1b[K1 s\r\x1b[Kn0: hello\n1 s\r\x1b[Kafter\n");
});
