/**
 * Runs long campaigns: `deno task campaign --help`.
 *
 * @module
 */

import { type Flags, type FlagValues, integer, UsageError } from "@eddy/maelstrom/flags";
import { table } from "@eddy/workbench/cli/wrap.ts";
import type { Campaign } from "./campaign/campaign.ts";
import { campaigns } from "./campaign/campaigns.ts";
import { sectionOf, withSection } from "./campaign/record.ts";
import { projectPath, runCommand, runDeno, say, warn } from "../scripts/support.ts";

const PAGE = "docs/campaigns.md";

const flags = {
  seeds: {
    help: "At most so many seeds for each thing that is tried (default: as many as make it full)",
    value: "N",
    ...integer(1, 1_000_000),
  },
  write: { help: `Put the results into ${PAGE}` },
} satisfies Flags;

const usage = `Usage: deno task campaign [NAME...] [options]

Runs campaigns, all unless some are named, and prints a table of each; what did not hold is listed
with the line that shows it again, and the exit code is then 1. On two cores each takes some seconds to
half an hour (${PAGE}), and all about an hour and a half.

Campaigns:
${
  campaigns.map(({ name, description, seeds }) => `  ${name}, ${seeds} seeds: ${description}.`)
    .join("\n")
}`;

/**
 * The campaigns of some names; all without any.
 *
 * @throws {UsageError} naming those there are.
 */
export function chosen(names: readonly string[]): readonly Campaign[] {
  if (names.length === 0) return campaigns;
  return names.map((name) => {
    const campaign = campaigns.find((each) => each.name === name);
    if (campaign !== undefined) return campaign;
    const known = campaigns.map((each) => each.name).join(", ");
    throw new UsageError(`Unknown campaign ${JSON.stringify(name)}: accepted are ${known}`);
  });
}

async function main(
  given: FlagValues<typeof flags>,
  words: readonly string[],
): Promise<number> {
  let code = 0;
  for (const campaign of chosen(words)) {
    const began = performance.now();
    const result = await campaign.run(given.seeds ?? campaign.seeds, warn);
    const seconds = (performance.now() - began) / 1000;
    say(`\n${campaign.name}: ${campaign.description}.\n\n${table(result.rows)}`);
    for (const failure of result.failures) say(failure);
    say(`${result.failures.length === 0 ? "Holds" : "Does not hold"}, ${seconds.toFixed(0)} s`);
    if (result.failures.length > 0) code = 1;
    if (!given.write) continue;
    const few = given.seeds === undefined ? "" : ` --seeds ${given.seeds}`;
    const command = `deno task campaign ${campaign.name}${few} --write`;
    const date = new Date().toISOString().slice(0, 10);
    await write(campaign.name, sectionOf(campaign, result, { command, date, seconds }));
  }
  return code;
}

async function write(name: string, section: string): Promise<void> {
  const path = projectPath(PAGE);
  Deno.writeTextFileSync(path, withSection(read(path), name, section));
  await runDeno(["fmt", "--quiet", path]);
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

if (import.meta.main) await runCommand(usage, flags, main, { takesWords: true });
