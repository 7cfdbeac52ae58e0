/**
 * Histories as they lie on disk: ours, one JSON object a line, and Jepsen's `history.edn`.
 *
 * @module
 */

import { isJsonObject, type Json, parseJson } from "@eddy/maelstrom";
import type { Op } from "../history.ts";
import { readEdn } from "./edn.ts";
import { jepsen } from "./history_file_jepsen.ts";
import { type Notation, readOp } from "./history_file_op.ts";

/** `jsonl` is ours, `edn` the real Maelstrom's. */
export type HistoryFormat = "jsonl" | "edn";

/**
 * An operation as one line of `history.jsonl`, without the line's end.
 *
 * Keys come in the order of {@linkcode Op}, so equal histories are equal files; numbers keep their
 * text.
 *
 * @example
 * ```ts
 * import { writeHistoryLine } from "./history_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { index: 0, time: 5, type: "invoke", process: 0, f: "read", value: null } as const;
 * assertEquals(
 *   writeHistoryLine(op),
 *   '{"index":0,"time":5,"type":"invoke","process":0,"f":"read","value":null}',
 * );
 * ```
 */
export function writeHistoryLine(op: Op): string {
  const { index, time, type, process, f, value, error, final, node } = op;
  return JSON.stringify({ index, time, type, process, f, value, error, final, node });
}

/**
 * Reads a whole history.
 *
 * @param text what `history.jsonl` or `history.edn` holds; the latter line by line or as one vector
 * @param format by default told from how the text begins: JSON's keys are strings, EDN's keywords
 * @throws {SyntaxError} if the text is no history, naming the line.
 *
 * @example
 * ```ts
 * import { parseHistory } from "./history_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = "{:index 0, :time 5, :type :invoke, :process 0, :f :read, :value nil}";
 * assertEquals(parseHistory(text), [
 *   { index: 0, time: 5, type: "invoke", process: 0, f: "read", value: null },
 * ]);
 * ```
 */
export function parseHistory(text: string, format: HistoryFormat = formatOf(text)): Op[] {
  const ops: Op[] = [];
  const [forms, notation] = format === "edn"
    ? [readEdn(text), jepsen] as const
    : [readJsonLines(text), ours] as const;
  for (const { line, value } of forms) {
    try {
      ops.push(readOp(value, ops.length, notation));
    } catch (error) {
      throw cannotParse(line, error);
    }
  }
  return ops;
}

function formatOf(text: string): HistoryFormat {
  return /^\s*(?:$|\{\s*")/.test(text) ? "jsonl" : "edn";
}

/** One line at a time, so that never more than a line is held twice. */
function* readJsonLines(text: string): Generator<{ line: number; value: Json }> {
  let line = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const content = text.slice(start, end).trim();
    line++;
    start = end + 1;
    if (content === "") continue;
    let value: Json;
    try {
      value = parseJson(content);
    } catch (error) {
      throw cannotParse(line, error);
    }
    yield { line, value };
  }
}

const ours: Notation = {
  finalKey: "final",
  errorOf({ error }) {
    if (error === undefined) return undefined;
    if (!isJsonObject(error) || typeof error.text !== "string") {
      throw new Error("its error has no text");
    }
    const { code, text } = error;
    return typeof code === "number" ? { code, text } : { text };
  },
};

function cannotParse(line: number, error: unknown): SyntaxError {
  const why = error instanceof Error ? error.message : String(error);
  return new SyntaxError(`Cannot parse line ${line}: ${why}`);
}
