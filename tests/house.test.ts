import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { type Files, filesAtMost, findOversized, linesAtMost } from "./house.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The files that git tracks or would track, with their lines. */
function ownFiles(): Files {
  const list = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
  });
  const paths = list.split("\0").filter((path) => path !== "" && existsSync(join(root, path)));
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), "latin1").split("\n").length - 1]));
}

test("no folder holds too many source files, no file is too long, and every name can be placed", () => {
  const files = ownFiles();
  expect(files.size).toBeGreaterThan(500);
  expect(findOversized(files)).toEqual([]);
});

test("a full folder, a long file and a name that nobody can place are reported, and tests are exempt", () => {
  const many = Array.from({ length: filesAtMost + 1 }, (_, n): [string, number] => [`dsl/op-${n}.ts`, 10]);
  const files = new Map([
    ...many,
    ["cli/long.ts", linesAtMost + 1],
    ["cli/long.test.ts", linesAtMost + 1],
    ["jobs/lock.py", 1],
    ["proto/one.proto", 900],
    ["proto/two.proto", 100],
  ]);
  const exceptions = { "proto/one.proto": "one contract", "proto/two.proto": "another" };
  expect(findOversized(files, exceptions)).toEqual([
    "dsl/ holds 26 source files; at most 25",
    "cli/long.ts has 401 lines; at most 400",
    "proto/two.proto needs no exception: it has at most 400 lines, or is gone",
    "jobs/lock.py has a name that readers could not place; say what is locked",
  ]);
});
