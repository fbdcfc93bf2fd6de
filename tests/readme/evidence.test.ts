import { describe, expect, test } from "@jest/globals";
import type { Outcome, TestResult } from "../runs/reports.ts";
import { type Report, whyNotShown } from "./evidence.ts";

const results = (...tests: readonly (readonly [name: string, outcome: Outcome])[]): TestResult[] =>
  tests.map(([name, outcome]) => ({ file: "a.test.ts", name, outcome }));
const report = (tests: readonly TestResult[], more: Partial<Report> = {}): Report => ({ run: "every", tests, ...more });
const row = [{ file: "a.test.ts", words: "gives the logits" }] as const;

describe("a row that rests on tests", () => {
  test("was shown when every test that its words name passed", () => {
    const tests = results(
      ["gives the logits of a", "passed"],
      ["gives the logits of b", "passed"],
      ["other", "failed"],
    );
    expect(whyNotShown(row, report(tests))).toBeUndefined();
  });

  test("was not shown when no test of that file has the words", () => {
    const elsewhere = { file: "b.test.ts", name: "gives the logits", outcome: "passed" } as const;
    expect(whyNotShown(row, report([elsewhere]))).toBe('a.test.ts ran no test named "gives the logits"');
  });

  test("was not shown when one of the tests failed", () => {
    const tests = results(["gives the logits of a", "passed"], ["gives the logits of b", "failed"]);
    expect(whyNotShown(row, report(tests))).toBe('"gives the logits of b" in a.test.ts failed');
  });

  test("was not shown when one of the tests was skipped, and tells the reason in the test's name", () => {
    expect(whyNotShown(row, report(results(["gives the logits [skipped: there is no libtpu]", "skipped"])))).toBe(
      "there is no libtpu",
    );
    expect(whyNotShown(row, report(results(["gives the logits", "skipped"])))).toBe(
      '"gives the logits" in a.test.ts was skipped',
    );
  });

  test("was shown by npm test when its other cases are left to the exhaustive run", () => {
    const tests = results(["gives the logits of a", "passed"], ["gives the logits of b [exhaustive]", "left"]);
    expect(whyNotShown(row, report(tests))).toBeUndefined();
  });

  test("was not shown by the exhaustive run when one of the cases left to it failed or was skipped", () => {
    const run = "exhaustive";
    const name = "gives the logits of b [exhaustive]";
    expect(whyNotShown(row, report(results([name, "passed"]), { run }))).toBeUndefined();
    expect(whyNotShown(row, report(results([name, "failed"]), { run }))).toContain("failed");
    expect(whyNotShown(row, report(results([name, "skipped"]), { run }))).toContain("was skipped");
  });
});

describe("a row that rests on the count of ops", () => {
  const row = [{ everyOpIn: "dsl/ops" }] as const;

  test("was shown when a test ran each op", () => {
    expect(whyNotShown(row, report([], { ops: { covered: ["add", "dot"], total: ["add", "dot"] } }))).toBeUndefined();
  });

  test("was not shown when an op was not run, or nothing was counted", () => {
    expect(whyNotShown(row, report([], { ops: { covered: ["add"], total: ["add", "dot"] } }))).toBe("no test ran dot");
    expect(whyNotShown(row, report([]))).toBe("the run did not count the ops");
  });
});
