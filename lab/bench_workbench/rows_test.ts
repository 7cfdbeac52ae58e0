import { assertEquals, assertStringIncludes } from "@std/assert";
import { ScriptError } from "../../scripts/support.ts";
import { measureRows } from "./rows.ts";

/** What is printed while something is done. */
async function printed(act: () => Promise<unknown>): Promise<string> {
  const { log, error } = console;
  let text = "";
  const keep = (line: string) => void (text += `${line}\n`);
  Object.assign(console, { log: keep, error: keep });
  try {
    await act();
  } finally {
    Object.assign(console, { log, error });
  }
  return text;
}

Deno.test("a row that fails is marked, and those after it are measured", async () => {
  let code = 0;
  const text = await printed(async () => {
    code = await measureRows(["size"], [
      { name: "one", measure: () => Promise.resolve(["7 MiB"]) },
      { name: "two", measure: () => Promise.reject(new ScriptError("Cannot measure two: odd")) },
      { name: "three", measure: () => Promise.resolve(["8 MiB"]) },
    ]);
  });
  assertEquals(code, 1);
  assertStringIncludes(text, "Cannot measure two: odd\n");
  assertStringIncludes(text, "one    7 MiB\ntwo    failed\nthree  8 MiB\n");
});
