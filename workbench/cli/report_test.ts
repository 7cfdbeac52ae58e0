import { join } from "@std/path/join";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { readRun } from "../stored_run.ts";
import { inTempDir, workbench } from "./testing.ts";

Deno.test("report writes the page of the run that a link leads to, with its own command", async () => {
  await inTempDir(async (dir) => {
    const options = ["-w", "echo", "--node-count", "1", "--time-limit", "1", "--seed", "4"];
    await workbench(["test", ...options], dir);
    const folder = await Deno.readLink(join(dir, "store/latest"));
    const page = join(dir, "store", folder, "report.html");
    const commandOf = (text: string) => /Run again: <code>(.*?)<\/code>/.exec(text)?.[1];
    const before = commandOf(await Deno.readTextFile(page));
    assertStringIncludes(before ?? "", "--seed 4");
    await Deno.remove(page);

    const { stdout } = await workbench(["report", "store/latest/"], dir);
    assertEquals(stdout, `Report: ${join("store", folder, "report.html")}\n`);
    assertEquals(commandOf(await Deno.readTextFile(page)), before);
    assertEquals(readRun(join(dir, "store", folder)).run.engine, "Virtual time, Eddy's own node");

    // As a version that did not keep the command left it.
    await Deno.remove(join(dir, "store", folder, "run.json"));
    await workbench(["report", "store/latest"], dir);
    const plan = `test --plan ${join("store", folder, "plan.json")}`;
    assertStringIncludes(commandOf(await Deno.readTextFile(page)) ?? "", plan);
  });
});
