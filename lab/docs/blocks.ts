/**
 * The blocks of code in Markdown pages, and what the words after their language say: whether a test
 * runs them, and what it must find. CONTRIBUTING.md has the list for authors.
 *
 * @module
 */

/** A fenced block of code. */
export interface Block {
  /** The line of its opening fence, counted from 1. */
  readonly line: number;
  readonly language: string;
  /** The words after the language. */
  readonly marks: readonly string[];
  /** What is between the fences, with a line break at its end. */
  readonly text: string;
}

/** A picture in a page: `![text](pictures/name.png)`, which shows the report of the run before it. */
export interface Picture {
  readonly line: number;
  /** Relative to the page. */
  readonly path: string;
}

/** What is done with a shell block. */
export type Run =
  | { readonly skip: string }
  | {
    readonly skip?: undefined;
    /** Only in continuous integration. */
    readonly onlyCi: boolean;
    /** Its last command ends with exit code 1. */
    readonly fails: boolean;
    /** It runs in the project's checkout, not in the page's folder. */
    readonly inCheckout: boolean;
    /** The commands, or compilers by name, without which it cannot run. */
    readonly needs: readonly string[];
  };

const FENCE = /^(`{3,})(.*)$/;

/** What is taken from a page's text, in its order. */
export interface ParsedPage {
  readonly blocks: readonly Block[];
  readonly pictures: readonly Picture[];
}

/** The blocks and pictures of a page. */
export function parsePage(markdown: string): ParsedPage {
  const blocks: Block[] = [];
  let open: { line: number; fence: string; info: string; text: string } | undefined;
  // With the lines of blocks empty, for what stands between them.
  let prose = "";
  for (const [i, line] of markdown.split("\n").entries()) {
    const [, fence, info = ""] = FENCE.exec(line) ?? [];
    prose += open === undefined && fence === undefined ? `${line}\n` : "\n";
    if (open === undefined) {
      if (fence !== undefined) open = { line: i + 1, fence, info, text: "" };
    } else if (fence === open.fence && info === "") {
      const [language = "", ...marks] = open.info.trim().split(/\s+/);
      blocks.push({ line: open.line, language, marks, text: open.text });
      open = undefined;
    } else open.text += `${line}\n`;
  }
  return { blocks, pictures: picturesIn(prose) };
}

function picturesIn(prose: string): Picture[] {
  return [...prose.matchAll(/!\[[^\]]*\]\(([^)]+\.png)\)/g)].map(({ index, 1: path = "" }) => ({
    line: prose.slice(0, index).split("\n").length,
    path,
  }));
}

/** The pictures that show the report of a block's run: those before the next block. */
export function picturesOf(block: Block, { blocks, pictures }: ParsedPage): Picture[] {
  const next = blocks.find((each) => each.line > block.line && isShell(each))?.line ?? Infinity;
  return pictures.filter(({ line }) => line > block.line && line < next);
}

/** Languages that are a shell's, however they are written. */
const SHELL = /^(sh|bash|shell|zsh|console)$/;

/** Whether a block is to be typed into a shell. */
export function isShell({ language }: Block): boolean {
  return SHELL.test(language);
}

/** Whether a block is what the shell block before it prints. */
export function isOutput({ language, marks }: Block): boolean {
  return language === "text" && marks[0] === "output";
}

/** The file that a block is a listing of; undefined if it is none. */
export function fileOf({ marks }: Block): string | undefined {
  return marks.find((mark) => mark.startsWith("file="))?.slice("file=".length);
}

/**
 * What a shell block's marks say.
 *
 * @throws {Error} if they say nothing, or what is not known.
 */
export function runOf({ language, marks, line }: Block): Run {
  const where = `the shell block at line ${line}`;
  if (language !== "sh") throw new Error(`Cannot run ${where}: write sh instead of ${language}`);
  const [first, ...others] = marks;
  if (first === "skip:") {
    if (others.length === 0) throw new Error(`Cannot leave out ${where}: it gives no reason`);
    return { skip: others.join(" ") };
  }
  if (first !== "run" && first !== "ci") {
    throw new Error(`Cannot tell what to do with ${where}: mark it run, ci or "skip: reason"`);
  }
  let needs: string[] = [];
  for (const mark of others) {
    if (mark.startsWith("needs=")) needs = mark.slice("needs=".length).split(",");
    else if (mark !== "fails" && mark !== "checkout") {
      throw new Error(`Cannot understand ${JSON.stringify(mark)} of ${where}`);
    }
  }
  return {
    onlyCi: first === "ci",
    fails: others.includes("fails"),
    inCheckout: others.includes("checkout"),
    needs,
  };
}

/**
 * Compares what a block shows with what was printed: its lines, one after the other, where `...`
 * alone stands for any number of lines, and at the end of a line for the rest of it.
 *
 * @returns the first line that was not printed there; undefined if all were.
 */
export function missingLine(shown: string, printed: string): string | undefined {
  const lines = printed.split("\n").map((line) => line.trimEnd());
  // The first line may be anywhere.
  let mayLeaveOut = true;
  let at = 0;
  for (const line of shown.trimEnd().split("\n").map((each) => each.trimEnd())) {
    if (line === "...") {
      mayLeaveOut = true;
      continue;
    }
    const isShown = line.endsWith(" ...")
      ? (each: string) => each.startsWith(line.slice(0, -" ...".length))
      : (each: string) => each === line;
    const found = lines.findIndex((each, i) => i >= at && isShown(each));
    if (found < 0 || (!mayLeaveOut && found !== at)) return line;
    at = found + 1;
    mayLeaveOut = false;
  }
  return undefined;
}
