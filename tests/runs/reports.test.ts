import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { lostByFile, lostByName } from "./left.ts";
import { lineOf, readJest, readPytest, sumOf, type TestResult, totalsOf } from "./reports.ts";
import { slowestTable } from "./slowest.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tsxla-reports-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const assertions = (...all: readonly (readonly [status: string, fullName: string])[]) =>
  all.map(([status, fullName]) => ({ status, fullName }));

describe("jest's report", () => {
  const jest = () =>
    write(
      "jest.json",
      JSON.stringify({
        testResults: [
          {
            name: "/home/you/tsxla/a.test.ts",
            status: "failed",
            startTime: 1000,
            endTime: 3500,
            assertionResults: assertions(
              ["passed", "adds up"],
              ["failed", "takes away"],
              ["pending", "adds up in bf16 [exhaustive]"],
              ["pending", "compiles [skipped: there is no libtpu]"],
              ["todo", "divides"],
            ),
          },
          { name: "/home/you/tsxla/b.test.ts", status: "failed", startTime: 0, endTime: 0, assertionResults: [] },
        ],
      }),
    );

  test("tells what passed, failed, was skipped, and what its name leaves to the other run", () => {
    const [first] = readJest(jest(), "/home/you/tsxla", "every");
    expect(first).toMatchObject({ file: "a.test.ts", seconds: 2.5 });
    expect(first?.tests.map(({ outcome }) => outcome)).toEqual(["passed", "failed", "left", "skipped", "skipped"]);
    const [exhaustive] = readJest(jest(), "/home/you/tsxla", "exhaustive");
    expect(exhaustive?.tests.map(({ outcome }) => outcome)).toEqual(["passed", "failed", "skipped", "left", "left"]);
  });

  test("counts a file that could not be loaded as one failure, and what is left to the other run not at all", () => {
    const totals = totalsOf(readJest(jest(), "/home/you/tsxla", "every"));
    expect(totals).toEqual({ passed: 1, failed: 2, skipped: 2 });
    expect(lineOf(sumOf([totals, { passed: 9, failed: 0, skipped: 1 }]))).toBe("10 passed, 2 failed, 3 skipped");
  });

  test("that was not written counts nothing", () => {
    expect(readJest(join(folder, "absent.json"), "/", "every")).toEqual([]);
    expect(readPytest(join(folder, "absent.xml"), "")).toEqual([]);
  });
});

describe("pytest's report", () => {
  test("tells each file's tests, their outcomes and their seconds together", () => {
    const xml = write(
      "pytest.xml",
      `<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="4">` +
        `<testcase classname="tests.test_a" name="test_sum[&quot;a&quot; &lt; b]" file="tests/test_a.py" line="1" time="0.5" />` +
        `<testcase classname="tests.test_a" name="test_fails" file="tests/test_a.py" time="1.5"><failure message="x">y</failure></testcase>` +
        `<testcase classname="tests.test_a" name="test_waits" file="tests/test_a.py" time="0"><skipped message="no chip">y</skipped></testcase>` +
        `<testcase classname="tests.test_b" name="test_setup" file="tests/test_b.py" time="2"><error message="x">y</error></testcase>` +
        `</testsuite></testsuites>`,
    );
    const files = readPytest(xml, "python-worker");
    expect(files.map(({ file, seconds, tests }) => [file, seconds, ...tests.map(({ outcome }) => outcome)])).toEqual([
      ["python-worker/tests/test_a.py", 2, "passed", "failed", "skipped"],
      ["python-worker/tests/test_b.py", 2, "failed"],
    ]);
    expect(files[0]?.tests[0]?.name).toBe('test_sum["a" < b]');
    expect(totalsOf(files)).toEqual({ passed: 1, failed: 2, skipped: 1 });
  });
});

describe("tests that npm test leaves out", () => {
  const file = (name: string, ...tests: readonly (readonly [string, TestResult["outcome"]])[]) => ({
    file: name,
    seconds: 1,
    broken: false,
    tests: tests.map(([test, outcome]) => ({ file: name, name: test, outcome })),
  });
  const every = [file("a.test.ts", ["one", "passed"], ["two [exhaustive]", "left"])];

  test("are lost when the exhaustive run does not open their file", () => {
    expect(lostByFile(every, ["a.test.ts"])).toEqual([]);
    expect(lostByFile(every, ["b.test.ts"])).toEqual([
      'a.test.ts: no run runs "two [exhaustive]": import tests/support/exhaustive.ts for its mark',
    ]);
  });

  test("are lost when the exhaustive run did not run them", () => {
    expect(lostByName(every, [file("a.test.ts", ["one", "left"], ["two [exhaustive]", "passed"])])).toEqual([]);
    expect(lostByName(every, [file("a.test.ts", ["one", "left"])])).toEqual([
      'a.test.ts: the exhaustive run did not run "two [exhaustive]", which npm test left to it',
    ]);
  });

  test("are not counted among a file's tests in the table of the slowest", () => {
    const slow = { ...file("b.test.ts", ["one", "passed"], ["two", "failed"]), seconds: 61.25 };
    expect(slowestTable([...every, slow, file("c.test.ts", ["two", "left"])])).toBe(
      [
        "slowest of 2 test files, 62 s in all:",
        " seconds  tests  file",
        "    61.3      2  b.test.ts",
        "     1.0      1  a.test.ts",
        "",
      ].join("\n"),
    );
  });
});
