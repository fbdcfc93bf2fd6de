/**
 * Which test files a run opens, by what they import.
 *
 * A file that imports ../support/exhaustive.ts has cases for the exhaustive run. A file that reaches
 * ../support/needs-python.ts through its imports needs Python, and is not quick. Neither is taken on trust: a quick run
 * has no Python (./run.ts), and what a run leaves out must have been run by the other (./left.ts).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

// Public API

/** Every file that jest runs, from the root. */
export function testFiles(root: string): string[] {
  const visit = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return isSkipped(path, entry.name) ? [] : visit(path);
      return entry.name.endsWith(".test.ts") ? [path] : [];
    });
  return visit("").sort();
}

/** The files with cases for the exhaustive run. */
export function exhaustiveFiles(root: string): string[] {
  return testFiles(root).filter((path) => importsOf(root, path).includes("tests/support/exhaustive.ts"));
}

/** The files that need neither a worker nor Python. */
export function quickFiles(root: string): string[] {
  const known = new Map<string, boolean>();
  const needsPython = (path: string): boolean => {
    const before = known.get(path);
    if (before !== undefined) return before;
    // A circle: decided by the other files in it.
    known.set(path, false);
    const found = path === "tests/support/needs-python.ts" || importsOf(root, path).some(needsPython);
    known.set(path, found);
    return found;
  };
  // Only tests and their helpers may import helpers of tests (../arrows.ts).
  return testFiles(root).filter((path) => !needsPython(path));
}

// Implementation

function isSkipped(path: string, name: string): boolean {
  return name.startsWith(".") || ["node_modules", "dist"].includes(name) || path === "tests/packed/project";
}

/** The relative imports of a file's values, from the root. */
function importsOf(root: string, path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  const statements = text.matchAll(/^(?:import|export) (?!type )[^"'`;]*?"(\.[^"]+)";|\bimport\("(\.[^"]+)"\)/gm);
  return [...statements]
    .map(([, named, dynamic]) => normalize(join(dirname(path), (named ?? dynamic) as string)))
    .filter((target) => target.endsWith(".ts") && existsSync(join(root, target)));
}
