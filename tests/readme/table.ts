/** "What works" as the README's Markdown table, and what that table claims beyond what a run has shown. */
import type { Capability } from "./capabilities.ts";
import { type Report, whyNotShown } from "./evidence.ts";

// Public API

/** The table, as a run showed the rows; without a run, as if it had shown all of them. */
export function capabilityTable(rows: readonly Capability[], report?: Report): string {
  const lines = rows.map((row) => `${wordsOf(row)} ${shownCell(row, report && whyNotShown(row.shownBy, report))} |`);
  return [...head, ...lines].join("\n");
}

/**
 * Rows that say something else than the capabilities, or claim what the run did not show, as sentences.
 *
 * A row may claim less than the run shows: the machine that wrote it lacked something.
 */
export function tableProblems(table: string, rows: readonly Capability[], report: Report): string[] {
  const lines = table.trimEnd().split("\n").slice(head.length);
  if (lines.length !== rows.length)
    return [`the table has ${lines.length} rows, and tests/readme/capabilities.ts has ${rows.length}; ${update}`];
  return rows.flatMap((row, n) => {
    const line = lines[n] as string;
    const claim = line.slice(wordsOf(row).length).trim();
    const why = whyNotShown(row.shownBy, report);
    if (!line.startsWith(wordsOf(row)) || !(claim.startsWith(notShown) || claim === `${shownCell(row)} |`))
      return [`the row "${row.what}" reads otherwise than tests/readme/capabilities.ts; ${update}`];
    return why === undefined || claim.startsWith(notShown)
      ? []
      : [`"${row.what}" was not shown: ${why}. Repair the test, or let the table say it: ${update}`];
  });
}

/** The README's parts: before the table, the table, after it. */
export function splitReadme(readme: string): readonly [before: string, table: string, after: string] {
  const [before, rest] = readme.split(begin);
  const [table, after] = rest?.split(end) ?? [];
  if (before === undefined || table === undefined || after === undefined)
    throw new Error(`README.md has no table between ${begin.trim()} and ${end}`);
  return [`${before}${begin}`, table, `${end}${after}`];
}

// Implementation

const begin = "<!-- what works: made by `npm run readme:update` from tests/readme/capabilities.ts -->\n";
const end = "<!-- end -->";
const head = ["| what | compiles | runs, on what | shown by |", "| --- | --- | --- | --- |"];
const notShown = "not shown on the last run: ";
const update = "`npm run readme:update` writes the table from the last run";

const wordsOf = ({ what, compiles, runs }: Capability): string => `| ${what} | ${compiles || "–"} | ${runs} |`;

function shownCell({ shownBy }: Capability, why?: string): string {
  const paths = [...new Set(shownBy.map((each) => ("file" in each ? each.file : each.everyOpIn)))];
  const links = paths.map((path) => `[${path.split("/").at(-1)}](${path})`).join(", ");
  return why === undefined ? links : `${notShown}${why.replaceAll("|", "\\|")} (${links})`;
}
