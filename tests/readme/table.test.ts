import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { type Capability, capabilities } from "./capabilities.ts";
import type { Report } from "./evidence.ts";
import { capabilityTable, splitReadme, tableProblems } from "./table.ts";

const rows: readonly Capability[] = [
  { what: "sums", compiles: "cpu", runs: "CPU", shownBy: [{ file: "dsl/sum.test.ts", words: "adds up" }] },
  { what: "TPUs", compiles: "tpu", runs: "", shownBy: [{ file: "tests/tpu.test.ts", words: "compiles" }] },
];
const ran: Report = {
  run: "every",
  tests: [
    { file: "dsl/sum.test.ts", name: "adds up", outcome: "passed" },
    { file: "tests/tpu.test.ts", name: "compiles", outcome: "passed" },
  ],
};
const skipped: Report = {
  run: "every",
  tests: [
    ran.tests[0]!,
    { file: "tests/tpu.test.ts", name: "compiles [skipped: there is no libtpu]", outcome: "skipped" },
  ],
};

describe("the table of what works", () => {
  test("links what shows a row, and says instead why a row was not shown", () => {
    expect(capabilityTable(rows, skipped).split("\n").slice(2)).toEqual([
      "| sums | cpu | CPU | [sum.test.ts](dsl/sum.test.ts) |",
      "| TPUs | tpu |  | not shown on the last run: there is no libtpu ([tpu.test.ts](tests/tpu.test.ts)) |",
    ]);
  });

  test("passes when the run showed what it claims, or more", () => {
    expect(tableProblems(capabilityTable(rows), rows, ran)).toEqual([]);
    expect(tableProblems(capabilityTable(rows, skipped), rows, skipped)).toEqual([]);
    expect(tableProblems(capabilityTable(rows, skipped), rows, ran)).toEqual([]);
  });

  test("fails when it claims a row whose test was skipped, failed or does not exist", () => {
    const with_ = (tests: Report["tests"]) => tableProblems(capabilityTable(rows), rows, { run: "every", tests });
    expect(with_(skipped.tests)).toEqual([
      '"TPUs" was not shown: there is no libtpu. Repair the test, or let the table say it: `npm run readme:update` writes the table from the last run',
    ]);
    expect(with_([ran.tests[0]!, { ...ran.tests[1]!, outcome: "failed" }])).toHaveLength(1);
    expect(with_([ran.tests[0]!, { ...ran.tests[1]!, name: "another" }])).toHaveLength(1);
    expect(with_([])).toHaveLength(2);
  });

  test("fails when its words are not those of the capabilities", () => {
    const changed = capabilityTable(rows).replace("sums", "products");
    expect(tableProblems(changed, rows, ran)).toEqual([expect.stringContaining('the row "sums" reads otherwise')]);
    expect(tableProblems(changed.split("\n").slice(0, -1).join("\n"), rows, ran)).toEqual([
      expect.stringContaining("the table has 1 rows"),
    ]);
  });

  test("in the README has the words of the capabilities", () => {
    const [, table] = splitReadme(readFileSync(new URL("../../README.md", import.meta.url), "utf8"));
    const problems = tableProblems(table, capabilities(), { run: "every", tests: [] });
    expect(problems.filter((each) => !each.includes("was not shown"))).toEqual([]);
  });
});
