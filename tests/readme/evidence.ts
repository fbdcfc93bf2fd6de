/**
 * Whether the rows of "what works" were shown: by tests that ran and passed, as the reports of a run say.
 *
 * A test that was skipped, left out or not found shows nothing.
 */
import { isLeftOut, type Run, skipReason } from "../runs/names.ts";
import type { TestResult } from "../runs/reports.ts";

// Public API

/** What a row rests on. */
export type Evidence =
  /** Every test of a file whose name contains the words. */
  | { readonly file: string; readonly words: string }
  /** Each op of the language was run by a test, most by those of this folder (../support/coverage-reporter.mjs). */
  | { readonly everyOpIn: string };

/** What a run left behind. */
export interface Report {
  readonly run: Run;
  readonly tests: readonly TestResult[];
  /** Absent when the run did not count ops. */
  readonly ops?: { readonly covered: readonly string[]; readonly total: readonly string[] };
}

/** Why a row was not shown by a run; undefined when it was, or when the other run has to show it. */
export function whyNotShown(shownBy: readonly Evidence[], report: Report): string | undefined {
  for (const each of shownBy) {
    const why = "file" in each ? whyNotPassed(each.file, each.words, report) : whyNotCovered(report);
    if (why !== undefined) return why;
  }
  return undefined;
}

// Implementation

function whyNotPassed(file: string, words: string, { run, tests }: Report): string | undefined {
  const named = tests.filter((each) => each.file === file && each.name.includes(words));
  const here = named.filter(({ name }) => !isLeftOut(run, name));
  // In the exhaustive run a row rests on nothing more than the cases that were left to it.
  if (here.length === 0 && (named.length > 0 || run === "exhaustive")) return undefined;
  if (here.length === 0) return `${file} ran no test named "${words}"`;
  const failed = here.find(({ outcome }) => outcome === "failed");
  if (failed !== undefined) return `"${failed.name}" in ${file} failed`;
  const skipped = here.find(({ outcome }) => outcome !== "passed");
  if (skipped === undefined) return undefined;
  return skipReason(skipped.name) ?? `"${skipped.name}" in ${file} was skipped`;
}

function whyNotCovered({ run, ops }: Report): string | undefined {
  if (run === "exhaustive") return undefined;
  if (ops === undefined || ops.total.length === 0) return "the run did not count the ops";
  const missing = ops.total.filter((name) => !ops.covered.includes(name));
  return missing.length === 0 ? undefined : `no test ran ${missing.join(", ")}`;
}
