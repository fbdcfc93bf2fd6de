/** Where the reports of a run are, and all that they say. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "./names.ts";
import { type FileResult, readJest, readPytest, sumOf, type Totals } from "./reports.ts";

/** Python's tests: each folder by itself, since each has its own settings. */
export const pytestFolders = [
  { name: "worker", folder: "python-worker", tests: "python-worker/tests", rootdir: "python-worker" },
  { name: "scripts", folder: "tests/scripts", tests: "tests/scripts", rootdir: "" },
] as const;

/** The folder of the reports that a run leaves. */
export const resultsOf = (root: string, run: Run): string => join(root, ".cache/test-results", run);

/** What jest's reporter counted in the last `npm test` (../support/coverage-reporter.mjs). */
export const coverageOf = (root: string): string => join(root, ".cache/coverage.json");

/** What the reports of a run's last time say. */
export function readRun(root: string, run: Run): readonly FileResult[] {
  const at = (name: string) => join(resultsOf(root, run), name);
  return [
    ...readJest(at("jest.json"), root, run),
    ...pytestFolders.flatMap(({ name, rootdir }) => readPytest(at(`pytest-${name}.xml`), rootdir)),
  ];
}

/** The counts of `npm test` and of the exhaustive run together; a run without counts is one failure. */
export function totalsOfBoth(root: string): Totals {
  return sumOf(
    (["every", "exhaustive"] as const).map((run) => {
      const path = join(resultsOf(root, run), "totals.json");
      return existsSync(path)
        ? (JSON.parse(readFileSync(path, "utf8")) as Totals)
        : { passed: 0, failed: 1, skipped: 0 };
    }),
  );
}
