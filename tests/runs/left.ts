/** That no test lies outside of both runs: what `npm test` leaves out is run by the exhaustive run. */
import type { FileResult, TestResult } from "./reports.ts";

/** Tests that `npm test` left to the exhaustive run though that does not open their file, as sentences. */
export function lostByFile(every: readonly FileResult[], exhaustiveFiles: readonly string[]): string[] {
  return leftIn(every)
    .filter(({ file }) => !exhaustiveFiles.includes(file))
    .map(({ file, name }) => `${file}: no run runs "${name}": import tests/support/exhaustive.ts for its mark`);
}

/** Tests that `npm test` left to the exhaustive run and that did not run there, as sentences. */
export function lostByName(every: readonly FileResult[], exhaustive: readonly FileResult[]): string[] {
  const ran = new Set(
    exhaustive.flatMap(({ tests }) => tests.flatMap((each) => (each.outcome === "left" ? [] : [keyOf(each)]))),
  );
  return leftIn(every)
    .filter((each) => !ran.has(keyOf(each)))
    .map(({ file, name }) => `${file}: the exhaustive run did not run "${name}", which npm test left to it`);
}

const leftIn = (files: readonly FileResult[]): TestResult[] =>
  files.flatMap(({ tests }) => tests.filter(({ outcome }) => outcome === "left"));

const keyOf = ({ file, name }: TestResult): string => `${file}\n${name}`;
