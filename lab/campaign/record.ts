/**
 * The page that holds each campaign's last full result.
 *
 * @module
 */

import type { Campaign, CampaignResult } from "./campaign.ts";

/** How a result came about. */
export interface Circumstances {
  /** The command line that did it. */
  readonly command: string;
  /** The day, as in 2026-11-23. */
  readonly date: string;
  readonly seconds: number;
}

const HEAD = `# Campaigns

This page is for readers who want to know what was found in long series of runs, and when.

The last result of each long campaign, written by \`deno task campaign NAME --write\`; CI runs a
share of each. Two figures in a cell are the median and the worst of the runs. A run is starved if
some kind of operation never succeeded, or so few did that there was nothing to judge; that is no
violation. Seconds are those of two cores, which other work may have shared.
`;

/** A page with one campaign's section put in its place, or at the end if it had none. */
export function withSection(page: string, name: string, section: string): string {
  const [, ...old] = page.split(/^(?=## )/m);
  const sections = new Map(old.map((text) => [/^## (.*)$/m.exec(text)?.[1] ?? "", text.trimEnd()]));
  sections.set(name, section.trimEnd());
  return [HEAD.trimEnd(), ...sections.values()].join("\n\n") + "\n";
}

/** What a page says of one campaign. */
export function sectionOf(
  { name, description }: Campaign,
  { rows, failures }: CampaignResult,
  { command, date, seconds }: Circumstances,
): string {
  const verdict = failures.length === 0 ? "Holds." : `Does not hold ${failures.length} times:`;
  const list = failures.map((text) => `- ${text.replaceAll("\n", "\n  ")}`);
  return [
    `## ${name}`,
    `${description}.`,
    `${date}, \`${command}\`, ${Math.round(seconds)} s. ${verdict}`,
    ...(list.length > 0 ? [list.join("\n")] : []),
    markdownTable(rows),
  ].join("\n\n");
}

/** Rows as a table in Markdown, the first being its heads. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [heads = [], ...body] = rows;
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const isNumeric = heads.map((_, i) => body.every((row) => /^[-\d.,x%/ ]*$/.test(row[i] ?? "")));
  const rule = `|${isNumeric.map((numeric) => (numeric ? " --: " : " --- ")).join("|")}|`;
  return [line(heads), rule, ...body.map(line)].join("\n");
}
