/**
 * Tables on a terminal.
 *
 * @module
 */

/** Aligns rows in columns, the first row being the heads; numbers go to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const [heads = []] = rows;
  const widths = heads.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const isNumeric = heads.map((_, i) =>
    rows.slice(1).every((row) => /^[-\d.x%]*$/.test(row[i] ?? ""))
  );
  const lines = rows.map((row) =>
    row.map((cell, i) => {
      const width = widths[i] ?? 0;
      return isNumeric[i] ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd()
  );
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}
