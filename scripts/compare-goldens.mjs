/**
 * Compares the golden files with those of another commit: `node scripts/compare-goldens.mjs REVISION`.
 *
 * Every `.mlir` has to be the same bytes. A map may differ in the places of its TypeScript lines, path and line, because
 * moving code moves them. Ends with 1 where anything else differs, and names the file.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

// Public API

/**
 * What differs between the two sets of files, a sentence a file.
 *
 * @param before  a path to the file's text, for every golden and map
 * @param after   the same
 */
export function compareGoldens(before, after) {
  const problems = [];
  let moved = 0;
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === undefined || now === undefined) problems.push(`${path} is ${old === undefined ? "new" : "gone"}`);
    else if (old === now) continue;
    else if (!path.endsWith(".map")) problems.push(`${path} has other bytes`);
    else if (withoutPlaces(old) === withoutPlaces(now)) moved += 1;
    else problems.push(`${path} differs in more than places: ${firstDifference(old, now)}`);
  }
  return { problems, moved };
}

// Implementation

/** A map's text with `PATH:LINE:COLUMN` left out of its operations. */
const withoutPlaces = (text) => text.replaceAll(/"[\w./@-]+\.ts:\d+:\d+"/g, '""');

function firstDifference(old, now) {
  const lines = [old, now].map((text) => withoutPlaces(text).split("\n"));
  const at = lines[0].findIndex((line, n) => line !== lines[1][n]);
  return `line ${at + 1} was ${lines[0][at]?.trim()}, and is ${lines[1][at]?.trim()}`;
}

function git(...args) {
  return execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 });
}

const isGolden = (path) => /\.mlir(\.map)?$/.test(path);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const revision = process.argv[2];
  if (revision === undefined) {
    console.error("usage: node scripts/compare-goldens.mjs REVISION");
    process.exit(2);
  }
  const old = git("ls-tree", "-r", "--name-only", revision).split("\n").filter(isGolden);
  const now = git("ls-files", "--cached", "--others", "--exclude-standard")
    .split("\n")
    .filter((path) => isGolden(path) && existsSync(join(root, path)));
  const { problems, moved } = compareGoldens(
    new Map(old.map((path) => [path, git("show", `${revision}:${path}`)])),
    new Map(now.map((path) => [path, readFileSync(join(root, path), "utf8")])),
  );
  for (const problem of problems) console.log(problem);
  const texts = now.filter((path) => path.endsWith(".mlir")).length;
  console.log(
    `${texts} goldens compared with ${revision}: ${problems.length} differ; ${moved} maps differ in places only`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
