/** Figures as a benchmark prints them: medians with their range, in a table that can be pasted into docs/log.md. */

// Public API

/** Repetitions of one measurement. */
export type Samples = readonly number[];

export function median(of: Samples): number {
  const sorted = [...of].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** `12.3 (11.9–14.0)`: the median and the range. */
export function range(of: Samples, digits = 1): string {
  return `${median(of).toFixed(digits)} (${Math.min(...of).toFixed(digits)}–${Math.max(...of).toFixed(digits)})`;
}

/** The ratios of measurements that were taken in turn: noise that lasts longer than a pair cancels. */
export function ratios(of: Samples, to: Samples): number[] {
  return of.map((value, n) => value / to[n]!);
}

/** Prints rows under a heading, as Markdown. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  const width = heading.map((title, n) => Math.max(title.length, ...rows.map((row) => row[n]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, n) => cell.padEnd(width[n]!)).join(" | ")} |`;
  console.log([line(heading), line(width.map((size) => "-".repeat(size))), ...rows.map(line)].join("\n"));
}
