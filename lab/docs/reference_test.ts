/** That the pages of the reference are as the code is. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Faults } from "@eddy/workbench/faults.ts";
import { projectPath } from "../../scripts/support.ts";
import { commands } from "@eddy/workbench/cli/commands.ts";
import { outdatedLine, referencePage, WRITE_COMMAND } from "./reference.ts";

Deno.test("docs/cli.md is as the commands and their flags are", async () => {
  const outdated = await outdatedLine();
  assertEquals(outdated, undefined, `${outdated} is out of date: run ${WRITE_COMMAND}`);
});

Deno.test("the page of the command line has every command, with its flags and no path", async () => {
  const page = await referencePage();
  for (const [name, { load }] of Object.entries(commands)) {
    const { flags } = await load();
    assertStringIncludes(page, `\n## eddy ${name}\n`);
    for (const flag of Object.keys(flags)) assertStringIncludes(page, `--${flag}`);
  }
  assertEquals(page.match(/.*(\balias\b|deno task workbench|file:|\/home|\/tmp).*/), null);
});

Deno.test("docs/faults.md has every verb of a script", async () => {
  const page = await Deno.readTextFile(projectPath("docs/faults.md"));
  // What looks at faults is no verb.
  const others = ["constructor", "windows", "startTime", "toNs", "isKilled"];
  const verbs = Object.getOwnPropertyNames(Faults.prototype).filter((name) =>
    !others.includes(name)
  );
  assertEquals(verbs.length > 10, true);
  assertEquals(verbs.filter((name) => !page.includes(`\`${name}(`)), []);
});
