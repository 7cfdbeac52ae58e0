/** That the workflows of docs/ci.md run what the page's shell blocks run, which is tested. */

import { assert, assertEquals } from "@std/assert";
import { projectPath } from "../../scripts/support.ts";
import { isShell, parsePage, runOf } from "./blocks.ts";

/** What a workflow does beside: it installs the packed workbench, as lab/pack_test.ts does. */
const SETUP = ["npm ci", 'echo "$PWD/node_modules/.bin" >> "$GITHUB_PATH"'];

Deno.test("every command of a workflow in docs/ci.md is run as the page is followed", async () => {
  const { blocks } = parsePage(await Deno.readTextFile(projectPath("docs/ci.md")));
  const tested = blocks.filter((block) => isShell(block) && runOf(block).skip === undefined)
    .flatMap(({ text }) => text.trim().split("\n").map((line) => line.trim()));
  const commands = blocks.filter(({ language }) => language === "yaml").flatMap(({ text }) =>
    [...text.matchAll(/^ +- (?:run: |npx (?=eddy ))(.+)$/gm)].map(([, command = ""]) =>
      command.replaceAll("${{ matrix.part }}", "$part")
    )
  );
  assert(commands.length > 8);
  const untested = commands.filter((command) =>
    !SETUP.includes(command) && !tested.includes(command)
  );
  assertEquals(untested, []);
});
