/**
 * `expect(fn).toLowerTo("attention.mlir")`, for Jest and for what gives matchers the same `this`, as Vitest does.
 *
 * Behaves as Jest's snapshots do: a file that is missing is written, but not with `--ci`; `-u` writes what differs.
 */
import { basename, dirname, resolve } from "node:path";
import { InputError } from "../dsl/index.ts";
import { compareGolden, hasMap, writeGolden } from "./golden-file.ts";
import { type Lowerable, type LowerToOptions, lowerIt } from "./lowerable.ts";
import { nameSourcesFrom } from "./source-root.ts";

// Public API

/** What of a matcher's `this` is used. */
export interface MatcherContext {
  readonly isNot?: boolean;
  readonly testPath?: string | undefined;
  readonly utils?: { matcherHint(name: string, received?: string, expected?: string, options?: object): string };
  /** Jest's own, which it does not declare: how to treat files, and what it counts. */
  readonly snapshotState?: SnapshotState;
}

/** A matcher's answer. */
export interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

/**
 * Holds what lowers to a golden file.
 *
 * @param file  relative to the test's file; the module is called as the file when a function is given
 * @throws InputError when nothing was given that lowers, and ShapeError when tracing it refuses
 */
export function toLowerTo(
  this: MatcherContext,
  received: Lowerable,
  file: string,
  options: LowerToOptions = {},
): MatcherResult {
  if (typeof file !== "string" || file === "") {
    throw new InputError("OPTION_VALUE", 'toLowerTo takes the name of a golden file, such as "attention.mlir"', {
      file,
    });
  }
  const folder = this.testPath === undefined ? process.cwd() : dirname(this.testPath);
  nameSourcesFrom(folder);
  const path = resolve(folder, file);
  const lowered = lowerIt(received, basename(file).replace(/\.mlir$/, ""), options);
  const comparison = compareGolden(path, lowered);
  const { snapshotState: state, isNot = false } = this;
  const mode = state?._updateSnapshot ?? (process.env.CI ? "none" : "new");
  const hint = this.utils?.matcherHint("toLowerTo", "lowerable", JSON.stringify(file), { isNot }) ?? "toLowerTo";
  const answer = (pass: boolean, text: () => string): MatcherResult => ({
    pass,
    message: () => `${hint}\n\n${text()}`,
  });
  if (comparison.status === "same") {
    if (mode === "all" && !isNot && !hasMap(path, lowered.plainText)) writeGolden(path, lowered);
    count(state, "matched");
    return answer(true, () => `${file} is what this lowers to, and should not be`);
  }
  if (comparison.status === "missing") {
    if (isNot || mode === "none") {
      return answer(isNot, () => `${file} does not exist, and with --ci none is written: ${path}`);
    }
    writeGolden(path, lowered);
    count(state, "added");
    return answer(true, () => "");
  }
  if (mode === "all" && !isNot) {
    writeGolden(path, lowered);
    count(state, "updated");
    return answer(true, () => "");
  }
  if (!isNot) count(state, "unmatched");
  const { report } = comparison;
  return answer(
    false,
    () =>
      `${file} is not what this lowers to: ${report.summary}\n\n${report.text}\n\n` +
      `  - ${path}\n  + now\n  If this is meant, run the tests with -u, and read the file's difference.`,
  );
}

// Implementation

interface SnapshotState {
  readonly _updateSnapshot?: "all" | "new" | "none";
  matched?: number;
  added?: number;
  updated?: number;
  unmatched?: number;
}

/** So that Jest's last lines say how many files were written. */
function count(state: SnapshotState | undefined, what: "matched" | "added" | "updated" | "unmatched"): void {
  if (state !== undefined && typeof state[what] === "number") state[what] += 1;
}
