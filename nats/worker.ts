/**
 * Not there yet.
 *
 * @module
 */

/** Not there yet. */
export function workerCommand(_args: readonly string[]): Promise<number> {
  throw new Error("Cannot do this yet");
}
