/** What jest itself does with the mark: each case runs in one of the two runs, and hooks of blocks without cases do not. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { root } from "../support/cli.ts";
import { namePattern, type Run } from "./names.ts";
import { readJest } from "./reports.ts";

const folder = join(root, ".cache/marked", String(process.pid));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = `
import { beforeAll, describe, expect, test } from "@jest/globals";
import { describeCases, exhaustive, testCases, testTable } from "../../../tests/support/exhaustive.ts";

test("plain", () => {});
test(exhaustive("marked"), () => {});
testCases("case %s", ["a", "b"], ["a"], (name) => expect(["a", "b"]).toContain(name));
testTable("row %s of %d", [["x", 1, true], ["y", 2, false]], ([name]) => name === "x", (_, n, isOdd) => expect(n % 2 === 1).toBe(isOdd));
describeCases(["one", "two"], ["two"], (name) => {
  beforeAll(() => console.log("prepares " + name));
  test("works", () => {});
});
`;

/** The names that a run chooses, and what the blocks prepared. */
function runOf(run: Run): { readonly ran: readonly string[]; readonly left: number; readonly prepared: string } {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "marked.test.ts"), source);
  const config = {
    rootDir: folder,
    extensionsToTreatAsEsm: [".ts"],
    transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" } }, module: { type: "es6" } }] },
  };
  const report = join(folder, `${run}.json`);
  const jest = ["--experimental-vm-modules", "--no-warnings", join(root, "node_modules/jest/bin/jest.js")];
  const words = ["--config", JSON.stringify(config), "--json", `--outputFile=${report}`, "--silent=false", "-i"];
  const { stderr, stdout } = spawnSync(process.execPath, [...jest, ...words, `--testNamePattern=${namePattern(run)}`], {
    cwd: root,
    encoding: "utf8",
  });
  const [file] = readJest(report, root, run);
  expect({ stderr, broken: file?.broken }).toMatchObject({ broken: false });
  const tests = file?.tests ?? [];
  return {
    ran: tests.filter(({ outcome }) => outcome === "passed").map(({ name }) => name),
    left: tests.filter(({ outcome }) => outcome === "left").length,
    prepared: (stdout + stderr).match(/prepares \w+/g)?.join() ?? "",
  };
}

test("npm test and the exhaustive run divide the cases between them, and prepare only blocks that they run", () => {
  expect(runOf("every")).toEqual({
    ran: ["plain", "case a", "row x of 1", "two works"],
    left: 4,
    prepared: "prepares two",
  });
  expect(runOf("exhaustive")).toEqual({
    ran: ["marked [exhaustive]", "case b [exhaustive]", "row y of 2 [exhaustive]", "one [exhaustive] works"],
    left: 4,
    prepared: "prepares one",
  });
});
