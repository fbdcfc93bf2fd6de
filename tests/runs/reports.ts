/**
 * What the tests of a run did, read from jest's JSON and pytest's JUnit XML.
 *
 * Each run writes its reports into a folder of its own below `.cache/test-results/`; ./run.ts empties it first.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isLeftOut, type Run } from "./names.ts";

// Public API

/** `left` is a test that another run runs (./names.ts); `skipped` is one that no run ran. */
export type Outcome = "passed" | "failed" | "skipped" | "left";

/** One test. */
export interface TestResult {
  /** From the root. */
  readonly file: string;
  /** The names of the blocks around it and its own, with blanks between. */
  readonly name: string;
  readonly outcome: Outcome;
}

/** One file with tests. */
export interface FileResult {
  readonly file: string;
  readonly seconds: number;
  readonly tests: readonly TestResult[];
  /** The file could not be loaded, or failed outside of its tests. */
  readonly broken: boolean;
}

/** Counts for the last line of a run. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The files of jest's report; none when there is no report. */
export function readJest(path: string, root: string, run: Run): readonly FileResult[] {
  return existsSync(path) ? fromJest(JSON.parse(readFileSync(path, "utf8")) as JestReport, root, run) : [];
}

/** The files of pytest's report; none when there is no report. @param folder  what the paths in it are relative to */
export function readPytest(path: string, folder: string): readonly FileResult[] {
  return existsSync(path) ? fromPytest(readFileSync(path, "utf8"), folder) : [];
}

/** A broken file counts as one failure when none of its tests failed. */
export function totalsOf(files: readonly FileResult[]): Totals {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const { tests, broken } of files) {
    for (const { outcome } of tests) if (outcome !== "left") totals[outcome] += 1;
    if (broken && tests.every(({ outcome }) => outcome !== "failed")) totals.failed += 1;
  }
  return totals;
}

/** Adds counts up. */
export function sumOf(all: readonly Totals[]): Totals {
  return all.reduce(
    (sum, each) => ({
      passed: sum.passed + each.passed,
      failed: sum.failed + each.failed,
      skipped: sum.skipped + each.skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

/** The last line of a run. */
export const lineOf = ({ passed, failed, skipped }: Totals): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

// Implementation

interface JestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

function fromJest({ testResults }: JestReport, root: string, run: Run): FileResult[] {
  return testResults.map(({ name, status, startTime, endTime, assertionResults }) => {
    const file = relative(root, name);
    const tests = assertionResults.map((each) => ({
      file,
      name: each.fullName,
      outcome: jestOutcome(each.status, each.fullName, run),
    }));
    return { file, seconds: (endTime - startTime) / 1000, tests, broken: status === "failed" };
  });
}

function jestOutcome(status: string, name: string, run: Run): Outcome {
  if (status === "passed" || status === "failed") return status;
  return isLeftOut(run, name) ? "left" : "skipped";
}

/** JUnit XML of the family `xunit1`, which names each test's file. */
function fromPytest(xml: string, folder: string): FileResult[] {
  const files = new Map<string, { seconds: number; tests: TestResult[]; broken: boolean }>();
  for (const [, head = "", body = ""] of xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const attribute = (name: string) => plainText(new RegExp(`\\b${name}="([^"]*)"`).exec(head)?.[1] ?? "");
    const file = join(folder, attribute("file"));
    const found = files.get(file) ?? { seconds: 0, tests: [], broken: false };
    const outcome = /<(failure|error)\b/.test(body) ? "failed" : /<skipped\b/.test(body) ? "skipped" : "passed";
    found.tests.push({ file, name: attribute("name"), outcome });
    found.seconds += Number(attribute("time"));
    files.set(file, found);
  }
  return [...files].map(([file, found]) => ({ file, ...found }));
}

const plainText = (text: string): string =>
  text
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll(/&#(x?)([0-9a-fA-F]+);/g, (_, hex: string, code: string) =>
      String.fromCodePoint(Number.parseInt(code, hex === "x" ? 16 : 10)),
    )
    .replaceAll("&amp;", "&");
