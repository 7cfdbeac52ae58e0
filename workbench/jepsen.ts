/**
 * Histories and results as Jepsen writes them, for the tools that read its store: `history.edn`,
 * `history.txt` and `results.edn`.
 *
 * @module
 */

import { type Json, parseJson } from "@eddy/maelstrom";
import { ednKeyword, indentEdn, writeEdn } from "./edn.ts";
import { errorCodes, type Op, type OpError } from "./history.ts";

/** An operation in both of Jepsen's notations, without the line's end. */
export interface JepsenLines {
  /** A map, as in `history.edn`; {@linkcode parseHistory} reads the operation back. */
  readonly edn: string;
  /** As `jepsen.util/print-history` prints it: process, type, `f`, value and error, after tabs. */
  readonly txt: string;
}

/** The operations whose values are lists of micro-operations, which begin with a keyword. */
const TRANSACTIONS: ReadonlySet<string> = new Set(["txn", "send", "poll"]);

/**
 * Writes an operation.
 *
 * @example
 * ```ts
 * import { writeJepsenOp } from "./jepsen.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const op = { index: 0, time: 5, type: "invoke", process: 0, f: "read", value: null } as const;
 * assertEquals(writeJepsenOp(op), {
 *   edn: "{:index 0, :time 5, :type :invoke, :process 0, :f :read, :value nil}",
 *   txt: "0\t:invoke\t:read\tnil",
 * });
 * ```
 */
export function writeJepsenOp(op: Op): JepsenLines {
  const { index, time, type, final, node, error } = op;
  const process = op.process === "nemesis" ? ":nemesis" : String(op.process);
  const f = ednKeyword(op.f);
  const value = TRANSACTIONS.has(op.f) ? writeTransaction(op.value) : writeEdn(op.value);
  const why = error === undefined ? undefined : writeError(error);
  const others = [
    ...why === undefined ? [] : [`, :error ${why}`],
    ...final === undefined ? [] : [`, :final? ${final}`],
    ...node === undefined ? [] : [`, :node ${writeEdn(node)}`],
  ];
  return {
    edn: `{:index ${index}, :time ${time}, :type :${type}, :process ${process}, :f ${f}, ` +
      `:value ${value}${others.join("")}}`,
    txt: [process, `:${type}`, f, value, ...why === undefined ? [] : [why]].join("\t"),
  };
}

/** `[[:append 1 2] [:r 1 nil]]`. */
function writeTransaction(value: Json): string {
  if (!Array.isArray(value)) return writeEdn(value);
  const parts = value.map((part) => {
    if (!Array.isArray(part)) return writeEdn(part);
    const [f, ...rest] = part;
    if (typeof f !== "string") return writeEdn(part);
    return `[${[ednKeyword(f), ...rest.map(writeEdn)].join(" ")}]`;
  });
  return `[${parts.join(" ")}]`;
}

/** The names of errors by their codes; of two names the first, which Jepsen gives. */
const errorNames = new Map([...errorCodes].reverse().map(([name, code]) => [code, name]));

/** `[:key-does-not-exist "text"]`. */
function writeError({ code, text }: OpError): string {
  if (code !== undefined) return `[${ednKeywordOf(code)} ${writeEdn(text)}]`;
  // A text that is the name of a code would be read as one.
  return errorCodes.has(text) ? `{:cause ${writeEdn(text)}}` : writeEdn(text);
}

function ednKeywordOf(code: number): string {
  const name = errorNames.get(code);
  return name === undefined ? String(code) : ednKeyword(name);
}

/**
 * Writes results as `results.edn`: what `results.json` has, with keywords.
 *
 * @param json the text of `results.json`
 */
export function writeResultsEdn(json: string): string {
  return indentEdn(parseJson(json)).replaceAll(':valid? "unknown"', ":valid? :unknown") + "\n";
}
