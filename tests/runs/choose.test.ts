import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "@jest/globals";
import { exhaustiveFiles, quickFiles, testFiles } from "./choose.ts";
import { exhaustiveMark, isLeftOut, namePattern } from "./names.ts";
import { pytestFolders } from "./read-run.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const made: string[] = [];

afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

/** A checkout with these files. */
function checkout(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tsxla-runs-"));
  made.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test("a name is chosen by npm test or by the exhaustive run, and by one of them alone", () => {
  const names = [
    "adds up",
    `adds up ${exhaustiveMark}`,
    `adds\nup ${exhaustiveMark}`,
    "[exhaust] adds up",
    "exhaustive",
  ];
  const chosenBy = (name: string) =>
    (["every", "exhaustive"] as const).filter((run) => new RegExp(namePattern(run), "i").test(name));
  expect(names.map(chosenBy)).toEqual([["every"], ["exhaustive"], ["exhaustive"], ["every"], ["every"]]);
  for (const name of names)
    expect(chosenBy(name)).toEqual((["every", "exhaustive"] as const).filter((run) => !isLeftOut(run, name)));
});

describe("the exhaustive run", () => {
  test("opens the files that import the mark, and no others", () => {
    const folder = checkout({
      "tests/support/exhaustive.ts": "",
      "a/one.test.ts": 'import { testCases } from "../tests/support/exhaustive.ts";\n',
      "a/two.test.ts": 'import { expect } from "@jest/globals";\n// tests/support/exhaustive.ts\n',
      "node_modules/b/three.test.ts": 'import { testCases } from "../../tests/support/exhaustive.ts";\n',
    });
    expect(testFiles(folder)).toEqual(["a/one.test.ts", "a/two.test.ts"]);
    expect(exhaustiveFiles(folder)).toEqual(["a/one.test.ts"]);
  });
});

describe("the quick run", () => {
  test("opens the files whose imports do not lead to Python", () => {
    const folder = checkout({
      "tests/support/needs-python.ts": "",
      "tests/support/worker.ts": 'import "./needs-python.ts";\nimport { text } from "node:stream";\n',
      "tests/support/check.ts": 'import {\n  type Worker,\n  testWorker,\n} from "./worker.ts";\nimport "./loop.ts";\n',
      "tests/support/loop.ts": 'import "./check.ts";\n',
      "a/far.test.ts": 'import { check } from "../tests/support/check.ts";\n',
      "a/loop.test.ts": 'import "../tests/support/loop.ts";\n',
      "a/own.test.ts": 'import "../tests/support/needs-python.ts";\n',
      "a/late.test.ts": 'const worker = await import("../tests/support/worker.ts");\n',
      "a/types.test.ts": 'import type { testWorker } from "../tests/support/worker.ts";\n',
      "a/pure.test.ts": 'import { join } from "node:path";\nimport { sum } from "./sum.ts";\n',
      "a/sum.ts": "export const sum = 1;\n",
    });
    expect(quickFiles(folder)).toEqual(["a/pure.test.ts", "a/types.test.ts"]);
  });
});

describe("the files of the repository", () => {
  test("with tests in Python are in the folders that pytest is given", () => {
    const inFolders = pytestFolders.flatMap(({ tests }) =>
      readdirSync(join(root, tests)).map((name) => join(tests, name)),
    );
    const visit = (folder: string): string[] =>
      readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return /^\.|^node_modules$|^dist$/.test(entry.name) ? [] : visit(path);
        return /^test_.*\.py$|_test\.py$/.test(entry.name) ? [path] : [];
      });
    expect(visit("").filter((path) => !inFolders.includes(path))).toEqual([]);
  });

  test("with tests in TypeScript are those that jest's configuration matches", () => {
    const visit = (folder: string): string[] =>
      readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return /^\.|^node_modules$|^dist$|^project$/.test(entry.name) ? [] : visit(path);
        const isTest =
          /\.(ts|mts|js|mjs)$/.test(path) && /from "@jest\/globals"/.test(readFileSync(join(root, path), "utf8"));
        return isTest && /^(?:test|describe)\b/m.test(readFileSync(join(root, path), "utf8")) ? [path] : [];
      });
    expect(visit("").filter((path) => !testFiles(root).includes(path))).toEqual([]);
  });
});
