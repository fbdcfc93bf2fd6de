/**
 * A golden file: `NAME.mlir`, a text without locations as MLIR prints it, and beside it `NAME.mlir.map`.
 *
 * The map holds what the text has no place for: axes, names, TypeScript lines. It only explains. It is written when the
 * text is, so a line that moves changes neither.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { InputError } from "../dsl/index.ts";
import { compareModules } from "./difference/compare.ts";
import { type Report, reportDifference } from "./difference/report.ts";
import type { Lowered } from "./lowerable.ts";
import { readModule } from "./mlir/read-module.ts";
import { mapOf, readMap, writeMap } from "./text-map.ts";

// Public API

/** How a text compares with its golden file. */
export type Comparison =
  | { readonly status: "same" }
  | { readonly status: "missing" }
  | { readonly status: "different"; readonly report: Report };

/** What the file beside a golden file is called. */
export const mapPath = (path: string): string => `${path}.map`;

/**
 * Compares a text with the file that it should be.
 *
 * @throws InputError when the file cannot be read
 */
export function compareGolden(path: string, lowered: Lowered): Comparison {
  const golden = readText(path);
  if (golden === undefined) return { status: "missing" };
  // A checkout may turn line breaks into those of its system.
  const wanted = golden.replaceAll("\r\n", "\n");
  if (wanted === lowered.plainText) return { status: "same" };
  return { status: "different", report: explain(path, wanted, lowered) };
}

/** Writes a golden file and its map. */
export function writeGolden(path: string, lowered: Lowered): void {
  const map = mapOf(lowered, readModule(lowered.text, basename(path)));
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, lowered.plainText);
  replaceFile(mapPath(path), writeMap(map, digestOf(lowered.plainText)));
}

/** Whether a golden file has the map of its text. */
export function hasMap(path: string, text: string): boolean {
  return readMap(readText(mapPath(path)) ?? "", digestOf(text)) !== undefined;
}

// Implementation

function explain(path: string, golden: string, lowered: Lowered): Report {
  const after = readModule(lowered.text, `the text of ${basename(path)}`);
  const side = { module: after, map: mapOf(lowered, after) };
  try {
    const before = readModule(golden, path);
    const map = readMap(readText(mapPath(path)) ?? "", digestOf(golden));
    const report = reportDifference(compareModules({ module: before, map }, side));
    return report.text === "" ? { ...report, text: firstLine(golden, lowered.plainText) } : report;
  } catch (error) {
    // A golden file that cannot be read is a difference too, told as far as it can be.
    if (!(error instanceof InputError)) throw error;
    const counts = { changed: 0, added: 0, removed: 0, moved: 0, following: 0, arguments: 0, other: 1 };
    return { summary: "the file cannot be read", text: `  ${error.message.replaceAll("\n", "\n  ")}`, counts };
  }
}

/** What is left to say when operations tell nothing apart: spaces, comments. */
function firstLine(golden: string, text: string): string {
  const [own, other] = [golden.split("\n"), text.split("\n")];
  const at = own.findIndex((line, n) => line !== other[n]);
  const line = at < 0 ? own.length : at;
  return `  line ${line + 1} differs in its writing alone\n    - ${own[line] ?? ""}\n    + ${other[line] ?? ""}`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new InputError("INPUT", `${path} cannot be read: ${(cause as Error).message}`, { path }, { cause });
  }
}

/** Written aside and renamed: a run that is interrupted leaves the old file or the new one. */
function replaceFile(path: string, text: string): void {
  try {
    writeFileSync(`${path}.${process.pid}`, text);
    renameSync(`${path}.${process.pid}`, path);
  } catch (cause) {
    throw new InputError("OUTPUT", `${path} cannot be written: ${(cause as Error).message}`, { path }, { cause });
  }
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);
