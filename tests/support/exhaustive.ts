/**
 * Cases that `npm test` leaves to `npm run test:exhaustive`.
 *
 * A mark at the end of a test's name, or of a block's around it, decides. `npm test` runs the names without it, the
 * exhaustive run those with it, so each test belongs to exactly one of the two; `npm run jest -- FILE` runs both. The
 * exhaustive run only opens files that import this one (../runs/choose.ts).
 */
import { format } from "node:util";
import { describe, test } from "@jest/globals";
import { exhaustiveMark } from "../runs/names.ts";

// Public API

/** A name with the mark: `test(exhaustive("gives … in bf16"), …)`. */
export const exhaustive = (name: string): string => `${name} ${exhaustiveMark}`;

/**
 * One test for each case; those that `few` does not name are left to the exhaustive run.
 *
 * @param title  the test's name, with `%s` for the case
 */
export function testCases(
  title: string,
  cases: readonly string[],
  few: readonly string[],
  body: (name: string) => Promise<void> | void,
  timeoutMs?: number,
): void {
  check(title, cases, few);
  for (const each of cases) {
    const name = title.replace("%s", each);
    test(few.includes(each) ? name : exhaustive(name), () => body(each), timeoutMs);
  }
}

/** One block of tests for each case; those that `few` does not name are left to the exhaustive run. */
export function describeCases(cases: readonly string[], few: readonly string[], body: (name: string) => void): void {
  check("describe", cases, few);
  for (const each of cases) describe(few.includes(each) ? each : exhaustive(each), () => body(each));
}

/**
 * One test for each row of a table; those that `isOneOfFew` rejects are left to the exhaustive run.
 *
 * @param title  the test's name, with `%s`, `%d` or `%j` for the first entries of a row
 */
export function testTable<Row extends unknown[]>(
  title: string,
  rows: readonly (readonly [...Row])[],
  isOneOfFew: (row: NoInfer<Row>) => boolean,
  body: (...row: NoInfer<Row>) => Promise<void> | void,
  timeoutMs?: number,
): void {
  if (!rows.some((row) => isOneOfFew([...row] as Row))) throw new Error(`"${title}": npm test needs at least one row`);
  for (const row of rows) {
    const name = format(title, ...row.slice(0, title.match(/%[sdij]/g)?.length ?? 0));
    test(isOneOfFew([...row] as Row) ? name : exhaustive(name), () => body(...row), timeoutMs);
  }
}

// Implementation

function check(title: string, cases: readonly string[], few: readonly string[]): void {
  if (few.length > 0 && few.every((each) => cases.includes(each))) return;
  throw new Error(`"${title}": npm test needs cases that exist; found [${few.join(", ")}] of [${cases.join(", ")}]`);
}
