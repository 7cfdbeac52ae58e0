/**
 * Errors as they travel between nodes.
 *
 * @module
 */

/** Maelstrom's error codes by their names; 1000 and above are free for a node's own. */
export const ErrorCode = {
  timeout: 0,
  nodeNotFound: 1,
  notSupported: 10,
  temporarilyUnavailable: 11,
  malformedRequest: 12,
  crash: 13,
  abort: 14,
  keyDoesNotExist: 20,
  keyAlreadyExists: 21,
  preconditionFailed: 22,
  txnConflict: 30,
} as const;

/** The codes after which the operation may or may not have happened. */
const indefiniteCodes: readonly number[] = [ErrorCode.timeout, ErrorCode.crash];
const knownCodes: readonly number[] = Object.values(ErrorCode);

/** Settings of an {@linkcode RpcError}. */
export interface RpcErrorOptions {
  /**
   * Whether the operation certainly did not happen.
   *
   * @default what Maelstrom defines for the code; indefinite for codes it does not define
   */
  definite?: boolean | undefined;
  /** What caused this error. */
  cause?: unknown;
}

/**
 * An error that a request is answered with, or was answered with.
 *
 * Thrown in a handler it becomes the error reply; a rejected `rpc` carries the peer's.
 *
 * @example
 * ```ts
 * import { ErrorCode, RpcError } from "@eddy/maelstrom";
 * import { assert } from "@std/assert";
 *
 * assert(new RpcError(ErrorCode.preconditionFailed, "Expected 1, found 2").definite);
 * assert(!new RpcError(ErrorCode.timeout, "No reply from n2 in 1000 ms").definite);
 * ```
 */
export class RpcError extends Error {
  /** `RpcError`. */
  override readonly name = "RpcError";
  /** Maelstrom's code, or a node's own from 1000 up. */
  readonly code: number;
  /** Whether the operation certainly did not happen. */
  readonly definite: boolean;

  /**
   * Makes an error.
   *
   * @param code a non-negative integer; see {@linkcode ErrorCode}
   * @param text what happened
   * @throws {RangeError} if the code is no non-negative integer.
   */
  constructor(code: number, text: string, options: RpcErrorOptions = {}) {
    super(text, options.cause === undefined ? undefined : { cause: options.cause });
    if (!isErrorCode(code)) {
      throw new RangeError(`Cannot make an RpcError of code ${code}: not a non-negative integer`);
    }
    this.code = code;
    this.definite = options.definite ?? isDefinite(code);
  }

  /**
   * Makes an error to answer with, which has no stack: it takes a hundredth of the time. It is an
   * `RpcError` by its prototype alone: `Error.isError` denies it, and its fields are enumerable.
   *
   * @param code one of {@linkcode ErrorCode}; it is not checked
   */
  static answer(code: number, text: string): RpcError {
    const fields = { name: "RpcError", message: text, code, definite: isDefinite(code) } as const;
    return withoutStack(RpcError, fields);
  }
}

/**
 * What a request is answered with, whatever was thrown: the code and text of an
 * {@linkcode RpcError}, each read once, or code 13. Throws nothing.
 *
 * @returns also whether it was `meant` as an answer.
 */
export function errorReply(error: unknown): { code: number; text: string; meant: boolean } {
  try {
    if (error instanceof RpcError) {
      const { code, message } = error;
      if (isErrorCode(code) && typeof message === "string") {
        return { code, text: message, meant: true };
      }
    }
  } catch {
    // A proxy, or a getter that throws.
  }
  return { code: ErrorCode.crash, text: errorText(error), meant: false };
}

/**
 * Makes an error that is an answer, and never shown with its stack. Every constructor of an error
 * takes a stack, in Deno whatever `Error.stackTraceLimit` is, and that takes longer than all the rest
 * of a request; so this does not call it.
 *
 * @param type the class of the error
 * @param fields all that its constructor would set
 */
export function withoutStack<E extends Error>(
  type: { readonly prototype: E },
  fields: Omit<E, "stack" | "cause">,
): E {
  return Object.assign(Object.create(type.prototype), fields);
}

/** Whether an error of a code says that the operation certainly did not happen. */
export function isDefinite(code: number): boolean {
  return knownCodes.includes(code) && !indefiniteCodes.includes(code);
}

/** Whether a value can be an error's code. */
export function isErrorCode(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** The message of what was thrown; anything can be thrown, even a value without a text. */
export function errorText(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "Something was thrown that has no text";
  }
}

/** What was thrown, for a log: its stack where it has one, otherwise {@linkcode errorText}. */
export function describeError(error: unknown): string {
  try {
    if (error instanceof Error && typeof error.stack === "string") return error.stack;
  } catch {
    // A proxy, or a getter that throws.
  }
  return errorText(error);
}

/**
 * Refuses options that nothing would read, as of a misspelt name: no compiler checks a program that
 * is only run.
 *
 * @param accepted the names of those that are read
 * @throws {TypeError} naming the option and those accepted, or if the options are no object.
 */
export function refuseUnknown(options: object, accepted: Readonly<Record<string, true>>): void {
  if (typeof options !== "object" || options === null) {
    throw refusedValue("options", options, "an object");
  }
  for (const name in options) {
    if (Object.hasOwn(accepted, name)) continue;
    const names = Object.keys(accepted).join(", ");
    throw new TypeError(`Unknown option ${JSON.stringify(name)}: accepted are ${names}`);
  }
}

/**
 * Refuses a value of an option that is no number from `min` to `max`; where there is no `max`,
 * `Infinity` is one.
 *
 * @throws {TypeError | RangeError} naming the option, the value and what is accepted.
 */
export function refuseUnlessNumber(name: string, value: unknown, min: number, max?: number): void {
  if (typeof value === "number" && value >= min && value <= (max ?? Infinity)) return;
  const accepts = `a number ${max === undefined ? `of ${min} or more` : `from ${min} to ${max}`}`;
  throw refusedValue(name, value, accepts, typeof value === "number" ? RangeError : TypeError);
}

/** The error for a value of an option that is not accepted. */
export function refusedValue(
  name: string,
  value: unknown,
  accepts: string,
  kind: ErrorConstructor = TypeError,
): Error {
  return new kind(`Cannot use ${errorText(value)} for ${name}: expected ${accepts}`);
}
