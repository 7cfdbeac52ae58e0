/**
 * The blocks of code in Markdown pages, and what the words after their language say: whether a test
 * runs them, and what it must find. CONTRIBUTING.md has the list for authors.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import MarkdownIt from "markdown-it";

/** A block of code, wherever it stands: in a list or a quotation, too. */
export interface Block {
  /** The line of its opening fence, counted from 1. */
  readonly line: number;
  /** Empty if it names none, as blocks by indentation cannot. */
  readonly language: string;
  /** The words after the language. */
  readonly marks: readonly string[];
  /** What is between the fences, with a line break at its end. */
  readonly text: string;
  /** Whether it has a closing fence. */
  readonly isClosed: boolean;
}

/** A picture in a page that is a file beside it. */
export interface Picture {
  readonly line: number;
  /** Relative to the page. */
  readonly path: string;
  /** Whether it shows the report of the run before it, as every `.png` does. */
  readonly isReport: boolean;
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

/** What is taken from a page's text, in its order. */
export interface ParsedPage {
  readonly blocks: readonly Block[];
  readonly pictures: readonly Picture[];
}

const parser = new MarkdownIt({ html: true });

/** What a parser makes of a page, in its order. */
type Token = ReturnType<typeof parser.parse>[number];

/** The blocks and pictures of a page. */
export function parsePage(markdown: string): ParsedPage {
  const blocks: Block[] = [];
  const pictures: Picture[] = [];
  let line = 1;
  for (const token of parser.parse(markdown, {})) {
    // What stands in a cell of a table has the line of its row.
    if (token.map !== null) line = token.map[0] + 1;
    if (token.type === "fence" || token.type === "code_block") blocks.push(blockOf(token, line));
    pictures.push(...picturesIn(token.children ?? [], line));
  }
  return { blocks, pictures };
}

function blockOf({ type, info, content, map }: Token, line: number): Block {
  const [language = "", ...marks] = info.trim().split(/\s+/);
  const [first, end] = map ?? [0, 0];
  // Without a closing fence the opening one is the only line beside the text.
  const isClosed = type === "code_block" || end - first === content.split("\n").length + 1;
  return { line, language, marks, text: content, isClosed };
}

function picturesIn(tokens: readonly Token[], firstLine: number): Picture[] {
  let line = firstLine;
  return tokens.flatMap((token) => {
    if (/^(soft|hard)break$/.test(token.type)) line++;
    if (token.type !== "image") return [];
    const path = decoded(String(token.attrGet("src")));
    const isElsewhere = /^(\w+:|\/\/)/.test(path);
    return isElsewhere ? [] : [{ line, path, isReport: /\.png$/i.test(path) }];
  });
}

/** The path of a link, in which the parser has encoded what an address cannot have. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The pictures that show the report of a block's run: those before the next block. */
export function picturesOf(block: Block, { blocks, pictures }: ParsedPage): Picture[] {
  const next = blocks.find((each) => each.line > block.line && isShell(each))?.line ?? Infinity;
  return pictures.filter(({ line, isReport }) => isReport && line > block.line && line < next);
}

/** The languages of blocks; a shell has one name, by which it cannot be missed. */
const LANGUAGES = ["c", "go", "js", "json", "md", "python", "rust", "sh", "text", "ts", "yaml"];

/** Whether a block is to be typed into a shell. */
export function isShell({ language }: Block): boolean {
  return language === "sh";
}

/** Whether a block is what the shell block before it prints. */
export function isOutput({ language, marks }: Block): boolean {
  return language === "text" && marks.length === 1 && marks[0] === "output";
}

/** The file that a block is a listing of; undefined if it is none. */
export function fileOf({ marks }: Block): string | undefined {
  return marks.find((mark) => mark.startsWith("file="))?.slice("file=".length);
}

/** Whether a path is a name in the page's folder, or one below it. */
function isBelow(path: string): boolean {
  return path.split("/").every((name) => /^(?!\.\.?$)[\w.-]+$/.test(name));
}

/** A line that finds a node invalid, and says so: `eddy test ...   # invalid: lost`. */
export const INVALID = /^(.*\S) +# invalid: ([\w.-]+)$/;

/** A line that may be meant as one. */
const LIKE_INVALID = /#\s*invalid/i;

/** What is wrong with the blocks of a page, a sentence with its line each. */
export function wrongsOf({ blocks }: ParsedPage): string[] {
  let shell: Block | undefined;
  return blocks.flatMap((block) => {
    if (isShell(block)) shell = block;
    try {
      check(block, shell);
      return [];
    } catch (error) {
      return [errorText(error)];
    }
  });
}

/**
 * @param shell the last shell block up to here
 * @throws {Error} if a block is not marked as CONTRIBUTING.md says
 */
function check(block: Block, shell: Block | undefined): void {
  const { language, marks, text, line } = block;
  const where = `the block at line ${line}`;
  if (!block.isClosed) throw new Error(`Cannot find the end of ${where}`);
  if (!LANGUAGES.includes(language)) {
    const named = language === "" ? "it names no language" : `its language is ${language}`;
    throw new Error(`Cannot tell what ${where} is: ${named}, not one of ${LANGUAGES.join(", ")}`);
  }
  if (isShell(block)) checkShell(block);
  else if (isOutput(block)) {
    if (shell === undefined) throw new Error(`Cannot find what prints ${where}`);
    if (runOf(shell).skip !== undefined) {
      throw new Error(`Cannot compare ${where}: the one at line ${shell.line} is not run`);
    }
    if (text.replaceAll("...", "").trim() === "") throw new Error(`Cannot find a line in ${where}`);
  } else {
    for (const mark of marks) {
      const isFile = mark.startsWith("file=") && isBelow(mark.slice("file=".length));
      if (mark !== "ignore" && !isFile) {
        throw new Error(`Cannot understand ${JSON.stringify(mark)} of ${where}`);
      }
    }
  }
}

function checkShell(block: Block): void {
  runOf(block);
  const wrong = block.text.split("\n").find((line) =>
    LIKE_INVALID.test(line) && !INVALID.test(line)
  );
  if (wrong === undefined) return;
  const where = `the shell block at line ${block.line}`;
  throw new Error(`Cannot tell what ${where} finds: end with "# invalid: FINDING" in: ${wrong}`);
}

/** What a block may need: commands, and compilers that make WebAssembly. */
const NEEDS = ["clang", "go", "python3", "rustc"];

/**
 * What a shell block's marks say.
 *
 * @throws {Error} if they say nothing, or what is not known.
 */
export function runOf({ marks, line }: Block): Run {
  const where = `the shell block at line ${line}`;
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
  const unknown = needs.find((need) => !NEEDS.includes(need));
  if (unknown !== undefined) {
    const known = `not one of ${NEEDS.join(", ")}`;
    throw new Error(
      `Cannot look for ${JSON.stringify(unknown)}, which ${where} needs: ${known}`,
    );
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
  let from = 0;
  for (const part of shown.trimEnd().split(/^\.\.\.[ \t]*$/m)) {
    const wanted = part.trim() === "" ? [] : part.replaceAll(/^\n|\n$/g, "").split("\n");
    const { at, length } = longestMatch(wanted.map((line) => line.trimEnd()), lines, from);
    if (length < wanted.length) return wanted[length];
    from = at + length;
  }
  return undefined;
}

/** The first place from which the most of some lines were printed, and how many of them. */
function longestMatch(wanted: readonly string[], lines: readonly string[], from: number) {
  let longest = { at: from, length: 0 };
  for (let at = from; at < lines.length && longest.length < wanted.length; at++) {
    const differs = wanted.findIndex((line, i) => !isAsShown(lines[at + i], line));
    const length = differs === -1 ? wanted.length : differs;
    if (length > longest.length) longest = { at, length };
  }
  return longest;
}

function isAsShown(printed: string | undefined, shown: string): boolean {
  if (printed === undefined || !shown.endsWith(" ...")) return printed === shown;
  return printed.startsWith(shown.slice(0, -" ...".length));
}

/** Lines of a listing without the indentation that all of them have. */
export function dedented(lines: readonly string[]): string[] {
  const filled = lines.filter((line) => line.trim() !== "");
  const margin = Math.min(...filled.map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(margin).trimEnd());
}

/** Whether a block's lines are in a file, one after the other, however far all are indented. */
export function isExcerpt(text: string, file: string): boolean {
  const wanted = dedented(text.trimEnd().split("\n"));
  const lines = file.split("\n");
  return lines.some((_, at) => {
    const there = dedented(lines.slice(at, at + wanted.length));
    return there.length === wanted.length && there.every((line, i) => line === wanted[i]);
  });
}
