/**
 * A run's page: one HTML file with its code, its style and its data, which loads nothing.
 *
 * @module
 */

import { plural } from "./checkers/checker.ts";
import { describeBreak, indented, printableLine, verdict } from "./explain.ts";
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
  const { valid, findings, explanations = [], broke } = report;
  const found = explanations.length > 0 ? explanations : findings.map(({ what }) => [what]);
  const texts = broke === undefined ? found : [[broke.text], ...found];
  const items = texts.map((lines) =>
    `<li><pre>${
      lines.flatMap((line) => indented(line).split("\n")).map(escapeHtml).join("\n")
    }</pre></li>`
  );
  const why = broke === undefined ? plural(findings.length, "finding") : describeBreak(broke);
  return `<h1>${workload}: ${verdict(valid)}</h1>\n<p>${why}</p>\n<ul>${items.join("")}</ul>\n` +
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

/** Unpacks the code and runs it; `readPart` in `page/dom.ts` unpacks the other texts with it. */
const LOADER = `globalThis.unpackText = async (text) => {
  const bytes = new Uint8Array(Math.floor(text.length * 4 / 5));
  for (let i = 0, at = 0; i < text.length; i += 5, at += 4) {
    let word = 0;
    for (let j = i; j < i + 5; j++) {
      const code = j < text.length ? text.charCodeAt(j) : 120;
      word = word * 85 + code - (code > 60 ? 36 : 35);
    }
    for (let j = at + 3; j >= at; j--, word = Math.floor(word / 256)) bytes[j] = word % 256;
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return await new Response(stream).text();
};
unpackText(document.getElementById("part-code").textContent).then((text) => {
  const script = document.createElement("script");
  script.type = "module";
  script.textContent = text;
  document.head.append(script);
});`;

/** A source for a policy that allows a text as script or style. */
async function hash(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${new Uint8Array(bytes).toBase64()}'`;
}

/** A text compressed (`deflate-raw`), as characters. */
async function compress(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return toBase85(new Uint8Array(await new Response(stream).arrayBuffer()));
}

/** The digits of base 85: all from `#` to `x` but `<`, which alone could end a script. */
const DIGITS = Array.from({ length: 85 }, (_, digit) => digit + (digit < 25 ? 35 : 36));

/**
 * Bytes in base 85, which takes a fourth more room than they do, where base 64 takes a third.
 *
 * As in Ascii85 four bytes are five digits, and the one to three that are left one digit more.
 */
function toBase85(bytes: Uint8Array): string {
  const count = bytes.length;
  const codes = new Uint8Array(Math.ceil(count / 4) * 5);
  for (let i = 0, at = 0; i < count; i += 4, at += 5) {
    let word = 0;
    for (let j = i; j < i + 4; j++) word = word * 256 + (bytes[j] ?? 0);
    for (let j = at + 4; j >= at; j--, word = Math.floor(word / 85)) {
      codes[j] = DIGITS[word % 85] ?? 0;
    }
  }
  return new TextDecoder().decode(codes.subarray(0, Math.ceil(count * 5 / 4)));
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
