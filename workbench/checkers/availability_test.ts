import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkAvailability } from "./availability.ts";
import { handmade } from "./handmade_testing.ts";

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
  assertEquals(checkAvailability(history), { "valid?": true, "ok-fraction": 0.75 });
  assertEquals(checkAvailability([]), { "valid?": true, "ok-fraction": 1 });
});

Deno.test("checkAvailability() asks for all, or for a share", () => {
  assertEquals(checkAvailability(history, "total")["valid?"], false);
  assertEquals(checkAvailability(history.slice(0, 7), "total")["valid?"], true);
  assertEquals(checkAvailability(history, 0.75)["valid?"], true);
  assertEquals(checkAvailability(history, 0.76)["valid?"], false);
  assertEquals(checkAvailability([], "total")["valid?"], true);
});

Deno.test("checkAvailability() counts what is still open as not succeeded, and tells of it", () => {
  const cut = history.slice(0, 8);
  const result = checkAvailability(cut, 0.999);
  assertEquals(result["ok-fraction"], 0.75);
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
