/**
 * Not there yet.
 *
 * @module
 */

/** Not there yet. */
export function testOverNats(_args: readonly string[]): Promise<number> {
  throw new Error("Cannot do this yet");
}
