/**
 * Tables whose rows are measured one after the other.
 *
 * @module
 */

import { table } from "@eddy/workbench/cli/wrap.ts";
import { say, ScriptError, warn, whenInterrupted } from "../../scripts/support.ts";

/** What has a row in the table. */
export interface MeasuredRow {
  readonly name: string;
  /** Measures it; the cells after its name. */
  readonly measure: () => Promise<readonly string[]>;
}

/**
 * Measures rows and prints the table; what has been measured is printed when it is interrupted, too,
 * and a row that fails is marked, with the reason on standard error.
 *
 * @param heads the heads of the columns after that of names
 * @returns the exit code: 1 if a row failed.
 */
export async function measureRows(
  heads: readonly string[],
  measured: readonly MeasuredRow[],
): Promise<number> {
  const rows: string[][] = [["", ...heads]];
  let code = 0;
  const withdraw = whenInterrupted(() => {
    if (rows.length > 1) say(`${table(rows)}\nInterrupted: ${measured[rows.length - 1]?.name}`);
  });
  for (const { name, measure } of measured) {
    warn(name);
    try {
      rows.push([name, ...await measure()]);
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      warn(error.message);
      rows.push([name, "failed"]);
      code = 1;
    }
  }
  withdraw();
  say(table(rows));
  return code;
}
