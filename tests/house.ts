/**
 * How large folders and files may become, and which names are refused.
 *
 * The limits keep every folder readable from its list of names, and every file readable in one sitting.
 */

// Public API

/** The most source files that may stand directly in a folder. */
export const filesAtMost = 25;

/** The most lines that a source file may have. */
export const linesAtMost = 400;

/** Files that may be longer, each with the reason. */
export const longFiles: Readonly<Record<string, string>> = {
  "proto/tsxla/worker/v1/worker.proto": "one service is one contract, and every message of it is read beside its calls",
  "tests/parity/gpt_oss_mutations.py": "a list of fifty mistakes, a class of a few lines each",
};

/**
 * Names that readers could not place in one guess when they were asked, and what such a file is called instead.
 *
 * A name is refused for a file of any folder, whatever its ending.
 */
export const unplaceable: Readonly<Record<string, string>> = {
  said: "the content of an answer",
  grid: "what is arranged in a grid, such as chunks",
  settle: "barrier",
  storage: "what is stored, such as weights",
  "bundle-numbers": "NaN and the bundle that reproduces it",
  "call-size": "steps per call",
  "steps-ahead": "the next logits",
  "kept-whole": "replicated",
  places: "which paths",
  agreement: "who agrees on what",
  lock: "what is locked",
  selection: "what is selected",
  trips: "loop trip counts",
  spread: "what is spread over what",
};

/** A file's path from the root, and its lines. */
export type Files = ReadonlyMap<string, number>;

/**
 * Every broken limit as a sentence that names the folder or the file.
 *
 * @param exceptions  files that may be longer, each with the reason
 */
export function findOversized(files: Files, exceptions: Readonly<Record<string, string>> = longFiles): string[] {
  const sources = [...files].filter(([path]) => isSource(path));
  const folders = new Map<string, number>();
  for (const [path] of sources) folders.set(folderOf(path), (folders.get(folderOf(path)) ?? 0) + 1);
  const full = [...folders].filter(([, count]) => count > filesAtMost);
  const long = sources.filter(([path, lines]) => lines > linesAtMost && !(path in exceptions));
  const stale = Object.keys(exceptions).filter((path) => (files.get(path) ?? 0) <= linesAtMost);
  const odd = sources.filter(([path]) => baseName(path) in unplaceable);
  return [
    ...full.map(([folder, count]) => `${folder}/ holds ${count} source files; at most ${filesAtMost}`),
    ...long.map(([path, lines]) => `${path} has ${lines} lines; at most ${linesAtMost}`),
    ...stale.map((path) => `${path} needs no exception: it has at most ${linesAtMost} lines, or is gone`),
    ...odd.map(([path]) => `${path} has a name that readers could not place; say ${unplaceable[baseName(path)]}`),
  ];
}

// Implementation

const folderOf = (path: string): string => path.split("/").slice(0, -1).join("/");
const baseName = (path: string): string =>
  (path.split("/").at(-1) as string).replace(/\.\w+$/, "").replaceAll("_", "-");

/** Code that people read and change. Tests are lists of cases, and fixtures are data. */
const isSource = (path: string): boolean =>
  /\.(ts|mjs|py|proto|cc|h)$/.test(path) &&
  !/\.test(-d)?\.ts$|\.golden\.ts$|(^|\/)(test_\w+|conftest)\.py$|(^|\/)(fixtures|expectations)\//.test(path);
