/**
 * What a reply to a client says: a result, an error, or nothing that makes sense.
 *
 * @module
 */

import {
  type Json,
  type JsonObject,
  RpcError,
  type Schema,
  type SchemaIssue,
} from "@eddy/maelstrom";
import { validate } from "@eddy/maelstrom/schema";

/** A node answered with an error. */
export class ErrorReply extends Error {
  override readonly name = "ErrorReply";
  /** The error's code; absent if the node gave none that is an integer. */
  readonly code: number | undefined;
  /** Whether the operation certainly did not happen. */
  readonly definite: boolean;

  constructor({ code, text }: JsonObject) {
    const known = typeof code === "number" && Number.isSafeInteger(code);
    const said = typeof text === "string" ? text : text === undefined ? undefined : quote(text);
    super(
      known
        ? said ?? `Error ${code}`
        : `Error without an integer code: code is ${quote(code)}${said ? `, ${said}` : ""}`,
    );
    this.code = known ? code : undefined;
    this.definite = known && code >= 0 && new RpcError(code, "").definite;
  }
}

/** A node answered with something that is neither an error nor what its request asks for. */
export class MalformedReply extends Error {
  override readonly name = "MalformedReply";
}

/** How much of a value is quoted. */
const QUOTE_CHARS = 80;

/** How many fields a diff names. */
const MAX_FIELDS = 8;

/**
 * Reads a reply's body.
 *
 * @param from the request's type and the node, to name them in errors.
 * @throws {ErrorReply} if it is an error.
 * @throws {MalformedReply} if it does not fit the schema, with every field that is extra, missing
 * or of the wrong type.
 */
export function readReply<Reply>(
  body: JsonObject,
  schema: Schema<Reply>,
  from: { readonly type: string; readonly node: string },
): Reply {
  if (body.type === "error") throw new ErrorReply(body);
  const result = validate(schema, body);
  if (result.issues === undefined) return result.value;
  const fields = diff(body, schema, result.issues);
  const shown = fields.length > MAX_FIELDS
    ? [...fields.slice(0, MAX_FIELDS), `and ${fields.length - MAX_FIELDS} more`]
    : fields;
  throw new MalformedReply(
    `Malformed reply to ${from.type} from ${from.node}: ${shown.join("; ")}; it was ${quote(body)}`,
  );
}

/** One phrase a field: what is extra, then what is missing, then what is of the wrong type. */
function diff(body: JsonObject, schema: Schema<unknown>, first: readonly SchemaIssue[]): string[] {
  const extra: string[] = [];
  const rest: JsonObject = { ...body };
  let issues = first;
  // A schema may stop at the first key it does not know, so take that away and look again.
  for (;;) {
    const key = issues.map(extraKey).find((each) => each !== undefined);
    if (key === undefined || !(key in rest)) break;
    extra.push(`extra field ${key} (${quote(rest[key])})`);
    delete rest[key];
    issues = validate(schema, rest).issues ?? [];
  }
  const missing = issues.filter((issue) => isMissing(issue, rest));
  const wrong = issues.filter((issue) => !isMissing(issue, rest));
  return [
    ...extra,
    ...missing.map((issue) => `missing field ${keys(issue).join(".")}`),
    ...wrong.map((issue) => wrongField(issue, rest)),
  ];
}

/** The key that an issue calls unknown: schema libraries expect "never" there. */
function extraKey(issue: SchemaIssue): string | undefined {
  const never = "expected" in issue && issue.expected === "never";
  const path = keys(issue);
  return never && path.length === 1 ? path[0] : undefined;
}

function isMissing(issue: SchemaIssue, body: JsonObject): boolean {
  const [key, ...deeper] = keys(issue);
  return key !== undefined && deeper.length === 0 && !Object.hasOwn(body, key);
}

function wrongField(issue: SchemaIssue, body: JsonObject): string {
  const path = keys(issue);
  const why = issue.message.replace(/^Invalid type: /, "").replace(/ but received .*$/s, "");
  return `wrong type at ${path.join(".")}: ${lowerFirst(why)}, got ${quote(valueAt(body, path))}`;
}

function keys(issue: SchemaIssue): string[] {
  return (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
}

function valueAt(body: JsonObject, path: readonly string[]): Json | undefined {
  let value: unknown = body;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value as Json | undefined;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

/** A value as JSON, cut where it gets long. */
export function quote(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > QUOTE_CHARS ? `${text.slice(0, QUOTE_CHARS)}...` : text;
}
