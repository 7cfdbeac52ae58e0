// Types for the functions used of @std, which the npm republication ships without.

declare module "@std/streams/text-line-stream" {
  /** Splits a stream of text into lines, at `\n` or `\r\n`. */
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }
}

declare module "@std/text/levenshtein-distance" {
  /** How many characters to change, add or remove to make one text the other. */
  export function levenshteinDistance(a: string, b: string): number;
}

declare module "@std/async/delay" {
  /** Resolves after `ms` milliseconds. */
  export function delay(ms: number, options?: { signal?: AbortSignal }): Promise<void>;
}

declare module "@std/assert" {
  export class AssertionError extends Error {}
  export function assert(condition: unknown, message?: string): asserts condition;
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): void;
  export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T>;
  export function assertMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertStringIncludes(actual: string, expected: string, message?: string): void;
  export function assertGreater<T>(actual: T, expected: T, message?: string): void;
  export function assertLess<T>(actual: T, expected: T, message?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void;
  export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void;
  export function assertInstanceOf<T extends abstract new (...args: never[]) => unknown>(
    actual: unknown,
    expected: T,
    message?: string,
  ): asserts actual is InstanceType<T>;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    errorClass?: abstract new (...args: never[]) => E,
    messageIncludes?: string,
    message?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass?: abstract new (...args: never[]) => E,
    messageIncludes?: string,
    message?: string,
  ): Promise<E>;
  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    message?: string,
  ): void;
  export function fail(message?: string): never;
  export function unreachable(message?: string): never;
}

declare module "@std/cli/parse-args" {
  /** Reads a command line into words (`_`), what follows `--`, and flags by name. */
  export function parseArgs(args: string[], options: {
    string?: string[];
    boolean?: string[];
    collect?: string[];
    alias?: Record<string, string>;
    "--"?: boolean;
    unknown?: (arg: string, key?: string) => unknown;
  }): { _: (string | number)[]; "--"?: string[]; [flag: string]: unknown };
}

declare module "@std/path/join" {
  /** Joins parts of a path. */
  export function join(...parts: string[]): string;
}
