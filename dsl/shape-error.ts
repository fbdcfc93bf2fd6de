/** Trace errors: what is wrong, each operand with its axes and its line, and a hint. */
import { formatAxes } from "./axes.ts";
import { type ErrorFields, ShapeError } from "./errors.ts";
import { describeOrigin, type Value } from "./graph.ts";

// Public API

/** An operand as an error shows it. */
export type Operand = readonly [role: string, value: Value | number | string];

/**
 * A trace error: what is wrong, each operand with its axes and line, and a hint.
 *
 * @param hint  something to paste or to do; left out when there is nothing better than the sentence
 */
export function shapeError(
  code: string,
  sentence: string,
  operands: readonly Operand[],
  hint?: string,
  fields: ErrorFields = {},
): ShapeError {
  const rows = operands.map(([role, value]) => {
    if (typeof value !== "object") return [role, String(value), "", ""];
    const { what, where } = describeOrigin(value);
    return [role, what, `${value.dtype} ${formatAxes(value.axes)}`, where];
  });
  const width = (column: number) => Math.max(0, ...rows.map((row) => (row[column] as string).length));
  const lines = rows.map(
    (row) =>
      `  ${row
        .map((cell, column) => cell.padEnd(width(column)))
        .join("  ")
        .trimEnd()}`,
  );
  if (hint !== undefined) lines.push(`  hint  ${hint}`);
  return new ShapeError(code, [sentence, ...lines].join("\n"), {
    ...fields,
    operands: operands.map(([role, value]) =>
      typeof value !== "object" ? { role, value } : { role, axes: value.axes, ...describeOrigin(value) },
    ),
  });
}
