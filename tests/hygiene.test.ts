/** What must not get into the repository: traces of the machine that somebody works on. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Written with classes and escapes, so that this file does not hold what it looks for. */
const traces: readonly (readonly [string, RegExp])[] = [
  ["a home folder", /(?<![\w.])\/(?:home|Users)\/(?!you\b|user\b|USER\b)[a-z][\w-]*\/|(?<![\w.])\/[r]oot\/[\w.]/],
  ["a working folder", /(?<![\w.])\/work\/(?:main|shared)\b/],
  ["a package registry's address", /https?:\/\/[\w.-]*(?:registry|artifactory|nexus|devpi|pythonhosted)[\w.-]*/],
  ["a package index", /--(?:extra-)?index-url|(?:^|\n)\s*registry\s*=\s*[h]ttp|"resolved": "[h]ttp/],
];

const findTraces = (path: string, text: string): string[] =>
  traces.flatMap(([what, pattern]) => {
    const found = pattern.exec(text);
    return found ? [`${path} holds ${what}: ${found[0].trim()}`] : [];
  });

test("no tracked file names a home folder, a working folder or a package registry", () => {
  const paths = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
  expect(paths.length).toBeGreaterThan(10);
  const problems = paths.flatMap((path) => {
    try {
      return findTraces(path, readFileSync(join(root, path), "utf8"));
    } catch {
      // Removed, and not yet committed.
      return [];
    }
  });
  expect(problems).toEqual([]);
});

test("the traces are found where they are, and not in what only looks like them", () => {
  const slash = "/";
  expect(findTraces("a.ts", `const model = "${slash}home/ada/models"`)).toHaveLength(1);
  expect(findTraces("a.ts", `see ${slash}root/.cache`)).toHaveLength(1);
  expect(findTraces("a.ts", `cd ${slash}work/main`)).toHaveLength(1);
  expect(findTraces("lock", `https:${slash}/registry.example.org/x.tgz`)).toHaveLength(1);
  expect(findTraces("requirements", `--index${"-"}url https://mirror.example`)).toHaveLength(1);
  expect(
    findTraces(
      "a.md",
      `${slash}home/you/models is yours; src${slash}root/x and network${slash}work/mainly are not paths`,
    ),
  ).toEqual([]);
});
