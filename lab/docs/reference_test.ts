/** That the pages of the reference are as the code is. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { commands } from "@eddy/workbench/cli/commands.ts";
import { outdatedLine, referencePage, WRITE_COMMAND } from "./reference.ts";

Deno.test("docs/cli.md is as the commands and their flags are", async () => {
  const outdated = await outdatedLine();
  assertEquals(outdated, undefined, `${outdated} is out of date: run ${WRITE_COMMAND}`);
});

Deno.test("the page of the command line has every command, with its flags and no path", async () => {
  const page = await referencePage();
  for (const [name, { flags }] of Object.entries(commands)) {
    assertStringIncludes(page, `\n## eddy ${name}\n`);
    for (const flag of Object.keys(flags)) assertStringIncludes(page, `--${flag}`);
  }
  assertEquals(page.match(/.*(\balias\b|deno task workbench|file:|\/home|\/tmp).*/), null);
});
