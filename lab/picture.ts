/**
 * Draws docs/report.png: the page of the failing run whose command the README shows.
 *
 * Run with `deno task picture`.
 *
 * @module
 */

import { closeBrowser, openPage } from "./browser.ts";
import { projectPath, say, ScriptError } from "../scripts/support.ts";

/** The README's command, from `test` on. */
export function pictureCommand(readme: string): string[] {
  const [, args] = /^deno task workbench (test [^#]*?)\n# the picture/m.exec(readme) ?? [];
  if (args === undefined) throw new ScriptError("Cannot find the command of the README's picture");
  return args.split(/[\s\\]+/);
}

async function main(): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const readme = await Deno.readTextFile(projectPath("README.md"));
    await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--allow-all", projectPath("workbench/cli/main.ts")],
        ...pictureCommand(readme),
      ],
      // As the README has it, not with the path of this machine.
      env: { NO_COLOR: "1" },
      cwd: folder,
      stdout: "null",
    }).output();
    const { page } = await openPage(`${folder}/store/latest/report.html`, { height: 980 });
    await page.waitForSelector("[data-ready]");
    // The command that repeats it names the checkout's path.
    await page.evaluate("document.querySelector('.command').remove()");
    const path = projectPath("docs/report.png");
    await page.screenshot({ path });
    say(`Drew ${path}`);
  } finally {
    await closeBrowser();
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await main();
