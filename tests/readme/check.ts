/** Holds the README's table of what works to the reports of a run. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "../runs/names.ts";
import { coverageOf, readRun } from "../runs/read-run.ts";
import { capabilities } from "./capabilities.ts";
import type { Report } from "./evidence.ts";
import { splitReadme, tableProblems } from "./table.ts";

/** What a run left behind. */
export function readReport(root: string, run: Run): Report {
  const tests = readRun(root, run).flatMap((file) => file.tests);
  const coverage = coverageOf(root);
  if (!existsSync(coverage)) return { run, tests };
  return { run, tests, ops: (JSON.parse(readFileSync(coverage, "utf8")) as { ops: NonNullable<Report["ops"]> }).ops };
}

/** What the table claims beyond the run, as sentences. */
export function evidenceProblems(root: string, run: Run): string[] {
  const [, table] = splitReadme(readFileSync(join(root, "README.md"), "utf8"));
  return tableProblems(table, capabilities(), readReport(root, run));
}
