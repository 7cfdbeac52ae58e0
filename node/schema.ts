/**
 * Validation by any Standard Schema library (valibot, zod, arktype, ...).
 *
 * @module
 */

import { RpcError } from "./errors.ts";

/** What is wrong with one place of a value. */
export interface SchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** The keys that lead to it, the outermost first. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A value that fits, as the schema's library gives it back, or what is wrong with it. */
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/**
 * The part of the Standard Schema interface (version 1, standardschema.dev) that is used here.
 *
 * A schema only checks: the value it was given is used unchanged, with the keys that it does not
 * know. A schema whose output is of another type than its input is refused by the compiler, and a
 * default that a schema would fill in may be missing.
 */
export interface Schema<T> {
  /** The library's side of the interface. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: T; readonly output: T } | undefined;
  };
}

/** The two sides of a call: request and reply. */
export interface RpcSchema<Request, Reply> {
  /** What a request looks like. */
  readonly request: Schema<Request>;
  /** What a reply looks like. */
  readonly reply: Schema<Reply>;
}

/**
 * Checks a value against a schema, synchronously.
 *
 * @throws {TypeError} if the schema validates asynchronously, which a message cannot wait for.
 */
export function validate<T>(schema: Schema<T>, value: unknown): SchemaResult<T> {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    throw new TypeError("Cannot use a schema that validates asynchronously");
  }
  return result;
}

/**
 * Refuses a value that does not fit its schema, if it has one.
 *
 * @param what names the value in the error's text: a function where the name takes making, called
 * only for a value that does not fit
 * @throws {RpcError} with `code`, naming the field of the first issue:
 * `Malformed add: delta: Invalid type: Expected number ...`.
 */
export function checkFits(
  schema: Schema<unknown> | undefined,
  value: unknown,
  code: number,
  what: string | (() => string),
): void {
  if (schema === undefined) return;
  const { issues } = validate(schema, value);
  if (issues === undefined) return;
  const name = typeof what === "string" ? what : what();
  throw new RpcError(code, `Malformed ${name}: ${firstIssue(issues)}`);
}

function firstIssue([first]: readonly SchemaIssue[]): string {
  if (first === undefined) return "does not fit its schema";
  const path = (first.path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  return path.length === 0 ? first.message : `${path.join(".")}: ${first.message}`;
}
