/**
 * Functions by where they stand, which cross to a worker as functions themselves cannot.
 *
 * @module
 */

/** Where a function stands. */
export interface ModuleExport {
  /** The module's URL. */
  readonly module: string;
  /** The name under which the module exports it. */
  readonly name: string;
}

/**
 * Fetches a function.
 *
 * @throws {TypeError} if the module exports none of that name.
 */
export async function load(
  { module, name }: ModuleExport,
): Promise<(input: unknown) => unknown> {
  const { [name]: found }: Readonly<Record<string, unknown>> = await import(module);
  if (typeof found !== "function") {
    throw new TypeError(`Cannot run ${name} of ${module}: it exports no such function`);
  }
  return (input) => found(input);
}
