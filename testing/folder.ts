/**
 * A folder of golden files and the case modules that they are held to, outside of any test runner.
 *
 * A case module is `NAME.golden.ts` (or .mts, .js, .mjs); its default export names the golden files beside it.
 */
import { readdir } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError, TsxlaError } from "../dsl/index.ts";
import type { Report } from "./difference/report.ts";
import { compareGolden, hasMap, mapPath, writeGolden } from "./golden-file.ts";
import { type Golden, partsOf } from "./goldens.ts";
import { type Lowered, lowerIt } from "./lowerable.ts";
import { nameSourcesFrom } from "./source-root.ts";

// Public API

/** A golden file that a case module names. */
export interface GoldenCase {
  readonly name: string;
  /** The golden file. */
  readonly path: string;
  /** The case module. */
  readonly module: string;
  readonly golden: Golden;
}

/** What a folder holds. */
export interface GoldenFolder {
  readonly folder: string;
  readonly cases: readonly GoldenCase[];
  /** Golden files beside a case module that no module names. */
  readonly orphans: readonly string[];
}

/** How a case stands. */
export type CaseResult = { readonly case: GoldenCase } & (
  | { readonly status: "same" | "missing" | "written"; readonly lowered: Lowered }
  | { readonly status: "different" | "updated"; readonly lowered: Lowered; readonly report: Report }
  | { readonly status: "failed"; readonly error: Error }
);

/**
 * Finds the case modules below a folder and runs them.
 *
 * @throws InputError when there is none, or one has no default export that names goldens
 */
export async function openGoldens(folder: string): Promise<GoldenFolder> {
  const root = resolve(folder);
  nameSourcesFrom(root);
  const files = await listFiles(root);
  const modules = files.filter((path) => /\.golden\.[mc]?[jt]s$/.test(path));
  if (modules.length === 0) {
    throw new InputError(
      "GOLDENS",
      `${folder} has no case module: a file such as layers.golden.ts, whose default export is defineGoldens({ … })`,
      { folder },
    );
  }
  const cases = (await Promise.all(modules.map(importCases))).flat();
  const named = new Map<string, GoldenCase>();
  for (const each of cases) {
    const other = named.get(each.path);
    if (other !== undefined) {
      throw new InputError(
        "GOLDENS",
        `${each.path} is named twice: by ${basename(other.module)} and ${basename(each.module)}`,
        { path: each.path },
      );
    }
    named.set(each.path, each);
  }
  const watched = new Set(modules.map((path) => dirname(path)));
  const orphans = files.filter(
    (path) => /\.mlir(\.map)?$/.test(path) && watched.has(dirname(path)) && !named.has(path.replace(/\.map$/, "")),
  );
  return { folder: root, cases, orphans };
}

/** Compares a case with its file. Whatever it throws while it is traced is its result. */
export function checkCase(each: GoldenCase): CaseResult {
  try {
    const lowered = lower(each);
    const comparison = compareGolden(each.path, lowered);
    return { case: each, lowered, ...comparison };
  } catch (error) {
    return failed(each, error);
  }
}

/** Writes a case's file, if it is not what it should be. */
export function updateCase(each: GoldenCase): CaseResult {
  try {
    const lowered = lower(each);
    const comparison = compareGolden(each.path, lowered);
    if (comparison.status === "same" && hasMap(each.path, lowered.plainText))
      return { case: each, lowered, status: "same" };
    writeGolden(each.path, lowered);
    if (comparison.status === "different") return { case: each, lowered, status: "updated", report: comparison.report };
    return { case: each, lowered, status: comparison.status === "missing" ? "written" : "same" };
  } catch (error) {
    return failed(each, error);
  }
}

/** A path as it is told: from where the command runs. */
export function shownPath(path: string): string {
  const from = relative(process.cwd(), path);
  return from.startsWith("..") ? path : from;
}

export { mapPath };

// Implementation

function lower({ golden, path }: GoldenCase): Lowered {
  const { lower: what, options } = partsOf(golden);
  return lowerIt(what, basename(path).replace(/\.mlir$/, ""), options);
}

function failed(each: GoldenCase, error: unknown): CaseResult {
  if (error instanceof TsxlaError || error instanceof Error) return { case: each, status: "failed", error };
  return { case: each, status: "failed", error: new Error(String(error)) };
}

async function importCases(path: string): Promise<GoldenCase[]> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InputError("GOLDENS", `${shownPath(path)} cannot be loaded: ${why}`, { path }, { cause });
  }
  const goldens = module.default;
  if (typeof goldens !== "object" || goldens === null) {
    throw new InputError(
      "GOLDENS",
      `${shownPath(path)} has no default export that names goldens: export default defineGoldens({ NAME: … })`,
      { path },
    );
  }
  return Object.entries(goldens as Readonly<Record<string, Golden>>).map(([name, golden]) => ({
    name,
    path: join(dirname(path), `${name}.mlir`),
    module: path,
    golden,
  }));
}

/** Files below a folder, but not those of packages and hidden folders, in the order of their names. */
async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: Error) => {
    throw new InputError("INPUT", `${folder} cannot be read: ${cause.message}`, { folder }, { cause });
  });
  const below = await Promise.all(
    entries
      .filter(({ name }) => name !== "node_modules" && !name.startsWith("."))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((entry) =>
        entry.isDirectory() ? listFiles(join(folder, entry.name)) : Promise.resolve([join(folder, entry.name)]),
      ),
  );
  return below.flat();
}
