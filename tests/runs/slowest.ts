/** The table of the slowest test files, which ends a run. */
import type { FileResult } from "./reports.ts";

/** The slowest files, slowest first: seconds, tests, file. Files that ran no test are left out. */
export function slowestTable(files: readonly FileResult[], count = 12): string {
  const rows = files
    .map(({ file, seconds, tests }) => ({
      file,
      seconds,
      ran: tests.filter(({ outcome }) => outcome !== "left").length,
    }))
    .filter(({ ran }) => ran > 0)
    .sort((a, b) => b.seconds - a.seconds);
  const total = rows.reduce((sum, { seconds }) => sum + seconds, 0);
  const lines = rows
    .slice(0, count)
    .map(({ file, seconds, ran }) => `${seconds.toFixed(1).padStart(8)} ${String(ran).padStart(6)}  ${file}`);
  return [
    `slowest of ${rows.length} test files, ${total.toFixed(0)} s in all:`,
    ` seconds  tests  file`,
    ...lines,
    "",
  ].join("\n");
}
