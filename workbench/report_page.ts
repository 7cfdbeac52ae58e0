/**
 * A run's page: one HTML file with its code, its style and its data, which loads nothing.
 *
 * @module
 */

import { plural } from "./checkers/checker.ts";
import { printableLine, verdict } from "./explain.ts";
import { STYLE } from "./page/style.ts";
import { pagePart } from "./page_parts.ts";
import { pageSimulator } from "./page_program.ts";
import { type Plan, writePlan } from "./plan.ts";
import type { LoadedProgram } from "./program.ts";
import { packReport, type ReportData } from "./report_data.ts";

/** What a page is made of. */
export interface PageParts {
  readonly title: string;
  /** HTML that stands in the page until its code has run, and where it cannot. */
  readonly body: string;
  /** The code that runs when the page is opened: a module without imports. */
  readonly code: string;
  /** Texts that the code asks for by their names. */
  readonly texts?: Readonly<Record<string, string>>;
  /** What the code may do beyond running, as sources of the policy's directives. */
  readonly allows?: {
    readonly scripts?: readonly string[];
    readonly workers?: readonly string[];
    readonly connects?: readonly string[];
    readonly frames?: readonly string[];
  };
}

/** What the page of a run may have to run it again. */
export interface Rerun {
  /** What the run was given. */
  readonly plan: Plan;
  /** What ran, where that was a program in this process. */
  readonly program?: LoadedProgram | undefined;
}

/**
 * The page of a run.
 *
 * @param rerun what the page is to run again, if anything
 * @throws {Error} if the page's code cannot be bundled.
 */
export async function reportPage(data: ReportData, rerun?: Rerun): Promise<string> {
  const { workload, report } = data;
  const simulator = rerun && await pageSimulator(rerun.plan, rerun.program);
  return await writePage({
    title: `${workload}: ${verdict(report.valid)}`,
    body: plainReport(data),
    code: await pagePart("report"),
    texts: {
      data: packReport(data),
      ...(typeof simulator === "string" && { reason: simulator }),
      ...(rerun !== undefined && typeof simulator === "object" && {
        plan: writePlan(rerun.plan),
        simulator: simulator.code,
      }),
    },
    ...(typeof simulator === "object" && { allows: simulator.allows }),
  });
}

/** The verdict and the findings without any code. */
function plainReport({ workload, report, command }: ReportData): string {
  const { valid, findings, explanations = [] } = report;
  const texts = explanations.length > 0 ? explanations : findings.map(({ what }) => [what]);
  const items = texts.map((lines) => `<li><pre>${lines.map(escapeHtml).join("\n")}</pre></li>`);
  const found = plural(findings.length, "finding");
  return `<h1>${workload}: ${verdict(valid)}</h1>\n<p>${found}</p>\n<ul>${items.join("")}</ul>\n` +
    (command === undefined ? "" : `<p>Run again: <code>${escapeHtml(command)}</code></p>\n`) +
    "<noscript><p>The messages, the figures and the plots need JavaScript.</p></noscript>";
}

/**
 * Puts a page together. Its policy lets it load nothing, and run only the code that it was given.
 */
export async function writePage(
  { title, body, code, texts = {}, allows = {} }: PageParts,
): Promise<string> {
  const policy = [
    "default-src 'none'",
    `script-src ${[await hash(LOADER), await hash(code), ...allows.scripts ?? []].join(" ")}`,
    `style-src ${await hash(STYLE)}`,
    ...directive("worker-src", allows.workers),
    ...directive("connect-src", allows.connects),
    ...directive("frame-src", allows.frames),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const parts = Object.entries({ ...texts, code }).map(async ([name, text]) => {
    return `<script type="text/plain" id="part-${name}">${await compress(text)}</script>\n`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main id="page">
${body}
</main>
${(await Promise.all(parts)).join("")}<script>${LOADER}</script>
</body>
</html>
`;
}

function directive(name: string, sources: readonly string[] = []): string[] {
  return sources.length === 0 ? [] : [`${name} ${sources.join(" ")}`];
}

/** Unpacks the code and runs it; `readPart` in `page/dom.ts` reads the other texts. */
const LOADER = `(async () => {
  const packed = document.getElementById("part-code").textContent;
  const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const script = document.createElement("script");
  script.type = "module";
  script.textContent = await new Response(stream).text();
  document.head.append(script);
})();`;

/** A source for a policy that allows a text as script or style. */
async function hash(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${new Uint8Array(bytes).toBase64()}'`;
}

/** A text compressed (`deflate-raw`) and in base64. */
async function compress(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer()).toBase64();
}

/** Text for HTML; what a terminal must not have is spelled out, as there. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return printableLine(text).replace(/[&<>"]/g, (char) => entities[char] ?? char);
}
