import { join } from "@std/path/join";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { readRun } from "../stored_run.ts";
import { inTempDir, workbench, workbenchInTurn } from "./testing.ts";

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

Deno.test("a page is replaced whole by report, check and playground", async () => {
  await inTempDir(async (dir) => {
    const options = ["-w", "echo", "--node-count", "1", "--time-limit", "1", "--seed", "4"];
    await workbench(["test", ...options], dir);
    const run = join("store", await Deno.readLink(join(dir, "store/latest")));
    const history = join(run, "history.jsonl");
    const commands: readonly (readonly [page: string, args: string[]])[] = [
      [join(run, "report.html"), ["report", run]],
      ["check.html", ["check", "-w", "echo", history, "--html", "check.html"]],
      ["playground.html", ["playground", "-o", "playground.html"]],
    ];
    for (const [page] of commands) {
      await Deno.writeTextFile(join(dir, page), "old");
      await Deno.link(join(dir, page), join(dir, `${page}.old`));
    }
    await workbenchInTurn(commands.map(([, args]) => args), dir);
    for (const [page] of commands) {
      const [now, old] = [page, `${page}.old`].map((each) =>
        Deno.readTextFileSync(join(dir, each))
      );
      assertEquals([now?.slice(0, 15), old], ["<!doctype html>", "old"], page);
    }
    const page = join(run, "report.html");
    await Deno.remove(join(dir, page));
    await Deno.mkdir(join(dir, page));
    const { code, stderr } = await workbench(["report", run], dir);
    assertEquals([code, stderr.startsWith(`Cannot write ${page}: `)], [255, true], stderr);
    assertEquals([...Deno.readDirSync(join(dir, run))].filter(({ name }) => /tmp/.test(name)), []);
  });
});
