/**
 * Short texts for messages and operations: `gossip 8`, `cas 1→2`.
 *
 * @module
 */

import { isJsonObject, type Json, type JsonObject } from "@eddy/maelstrom";
import { plural } from "../../checkers/checker.ts";
import { printableLine } from "../../explain.ts";
import { routedBody, typeOfBody } from "../../report_messages.ts";
import type { WorkloadName } from "../../workloads/mod.ts";

/** How long a label is at most, in characters. */
const MAX_LABEL_CHARS = 26;
/** How much of a body is read for its label; longer ones have their type alone. */
const MAX_BODY_CHARS = 20_000;
/** How many items of a list are written out. */
const MAX_ITEMS = 4;
/** Fields that belong to the protocol, not to what a message says. */
const PROTOCOL: ReadonlySet<string> = new Set(["type", "msg_id", "in_reply_to"]);

/** A message's body; empty where it is no object. */
export function readBody(body: string): JsonObject {
  try {
    const value: Json = JSON.parse(body);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** Fields that say best what a message with several is about. */
const TELLING: ReadonlySet<string> = new Set([
  "value",
  "element",
  "message",
  "messages",
  "values",
  "delta",
  "msg",
  "offset",
  "id",
  "echo",
  "code",
]);

/** A message in a few words: its type, and the values that are small. */
export function messageLabel(body: string): string {
  const type = typeOfBody(body);
  if (body.length > MAX_BODY_CHARS) return cut(type);
  const read = readBody(body);
  const inner = routedBody(read);
  return inner === undefined
    ? labelOf(type, read)
    : cut(`${type} ${labelOf(String(inner.type), inner)}`);
}

function labelOf(type: string, body: JsonObject): string {
  const fields = Object.entries(body).filter(([name]) => !PROTOCOL.has(name));
  const named = new Map(fields);
  const parts: string[] = [];
  const key = small(named.get("key"));
  const [from, to] = [small(named.get("from")), small(named.get("to"))];
  if (from !== undefined && to !== undefined) parts.push(`${from}→${to}`);
  if (Array.isArray(named.get("txn"))) parts.push(transaction(named.get("txn")));
  const rest = fields.flatMap(([name, value]) => {
    const text = ["key", "from", "to", "txn"].includes(name) ? undefined : small(value);
    return text === undefined ? [] : [[name, text] as const];
  });
  const telling = rest.find(([name]) => TELLING.has(name)) ??
    (rest.length === 1 ? rest[0] : rest.find(([name]) => name === "term"));
  if (telling !== undefined) {
    const [name, text] = telling;
    const isNamed = name === "term" || typeof named.get(name) === "boolean";
    parts.push(isNamed ? `${name} ${text}` : text);
  }
  if (key !== undefined) parts.unshift(parts.length > 0 ? `${key}:` : key);
  return joined(type, parts);
}

/** An operation in a few words: what was done, with what it gave. */
export function operationLabel(workload: WorkloadName, f: string, value: Json): string {
  if (workload === "lin-kv" && Array.isArray(value) && value.length === 2) {
    const [key, inner] = value;
    return joined(f, [`${small(key) ?? "?"}:`, plain(f, inner)]);
  }
  if (f === "txn" || isMicro(value)) return joined("", [transaction(value)]);
  return joined(f, [plain(f, value)]);
}

/** Whether a value is a list of operations, as those of transactions and of kafka are. */
function isMicro(value: Json): boolean {
  return Array.isArray(value) && value.length > 0 &&
    value.every((each) => Array.isArray(each) && typeof each[0] === "string");
}

function plain(f: string, value: Json | undefined): string {
  if (value === null || value === undefined) return f === "read" ? "nil" : "";
  if (f === "cas" && Array.isArray(value) && value.length === 2) {
    return `${small(value[0]) ?? "?"}→${small(value[1]) ?? "?"}`;
  }
  return small(value) ?? "";
}

/** Micro-operations, as `append 9 1, r 9`. */
function transaction(value: Json | undefined): string {
  if (!Array.isArray(value)) return "";
  return value.map((each) => {
    if (!Array.isArray(each)) return "?";
    const [f = null, key = null, what = null] = each;
    const keys = isJsonObject(key) ? Object.keys(key).join(" ") : small(key);
    const parts = [small(f), keys, what === null ? "" : small(what)];
    return parts.filter((part) => part !== undefined && part !== "").join(" ");
  }).join(", ");
}

/** A value where it is small: numbers, short texts, how many items a list has. */
function small(value: Json | undefined): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return value.length <= MAX_LABEL_CHARS ? value : undefined;
  if (!Array.isArray(value)) return undefined;
  const texts = value.length > MAX_ITEMS ? [] : value.map(small);
  const all = texts.every((text) => text !== undefined && text.length < 6);
  return texts.length === value.length && all
    ? `[${texts.join(" ")}]`
    : `[${plural(value.length, "item")}]`;
}

function joined(first: string, parts: readonly string[]): string {
  return cut([first, ...parts].filter((part) => part !== "").join(" "));
}

function cut(text: string): string {
  const all = printableLine(text);
  return all.length > MAX_LABEL_CHARS ? `${all.slice(0, MAX_LABEL_CHARS - 1)}…` : all;
}
