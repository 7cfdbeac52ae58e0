/**
 * Tests that take long: continuous integration runs all of them, and so does whoever sets
 * `CI=true`; without it the tests of the project stay under four minutes on two cores.
 *
 * @module
 */

/** Whether what takes long runs, too. */
export const isCi = Deno.env.get("CI") === "true";

/** A test that runs in continuous integration only. */
export function longTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: isCi ? name : `${name} (only with CI=true)`, ignore: !isCi, fn });
}
