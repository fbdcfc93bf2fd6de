/** `tsxla golden`: holds a folder's golden files to what its case modules lower to, or writes them. */
import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Command } from "commander";
import { InputError, TsxlaError } from "../dsl/index.ts";
import { readSafetensors } from "../runtime-bridge/index.ts";
import { type CaseResult, checkCase, openGoldens, shownPath, updateCase } from "../testing/folder.ts";
import { compareNumbers, type NumbersResult } from "../testing/numbers.ts";
import { openWorker, type WorkerOptions, wholeFromZero, withWorker } from "./options.ts";
import { Progress } from "./progress.ts";

// Public API

export function goldenCommand(command: Command, signal: AbortSignal): Command {
  command.usage("[options] [command]");
  const check = withWorker(new Command("check"))
    .description("Says which files differ, operation by operation; ends with 1 if any does.")
    .argument("<dir>", "the folder")
    .option("--execute", "also run every golden on a worker, and compare numbers")
    .option("--seed <s>", "of the inputs that --execute makes (0)", wholeFromZero)
    .option("--json", "print one JSON object")
    .action((dir: string, options: CheckOptions) => check_(dir, options, signal));
  const update = new Command("update")
    .description("Writes the files that differ or are missing, and says what changed.")
    .argument("<dir>", "the folder")
    .option("--prune", "also remove golden files that no case names")
    .option("--json", "print one JSON object")
    .action((dir: string, options: UpdateOptions) => update_(dir, options));
  for (const each of [check, update]) command.addCommand(each.exitOverride().showHelpAfterError("(--help says more)"));
  return command;
}

// Implementation

interface CheckOptions extends WorkerOptions {
  readonly execute?: true;
  readonly seed?: number;
  readonly json?: true;
}

interface UpdateOptions {
  readonly prune?: true;
  readonly json?: true;
}

async function check_(dir: string, options: CheckOptions, signal: AbortSignal): Promise<void> {
  if (options.worker !== undefined && options.execute === undefined) {
    throw new InputError("OPTION_CONFLICT", "--worker names who runs goldens, and without --execute none is run", {});
  }
  const { cases, orphans } = await openGoldens(dir);
  const results = cases.map(checkCase);
  const numbers = options.execute ? await execute(results, options, signal) : new Map<CaseResult, Executed>();
  const bad = results.filter((result) => result.status !== "same" || isWrong(numbers.get(result)));
  if (options.json) {
    printJson({
      dir,
      checked: results.length,
      failed: bad.length,
      cases: results.map((each) => toJson(each, numbers.get(each))),
      orphans: orphans.map(shownPath),
    });
  } else {
    for (const result of results) printResult(result, numbers.get(result));
    for (const path of orphans)
      say(`orphaned  ${shownPath(path)}  no case names it (tsxla golden update --prune removes it)`);
    const verdict = bad.length + orphans.length === 0 ? "all as they should be" : `${bad.length} differ`;
    const lost = orphans.length === 0 ? "" : `, ${orphans.length} orphaned`;
    say(`${results.length === 1 ? "1 golden" : `${results.length} goldens`} in ${dir}: ${verdict}${lost}`);
  }
  if (bad.length + orphans.length > 0) process.exitCode = 1;
}

async function update_(dir: string, options: UpdateOptions): Promise<void> {
  const { cases, orphans } = await openGoldens(dir);
  const results = cases.map(updateCase);
  const failed = results.filter(({ status }) => status === "failed");
  const removed = options.prune ? orphans : [];
  for (const path of removed) await rm(path);
  if (options.json) {
    printJson({
      dir,
      failed: failed.length,
      cases: results.map((each) => toJson(each, undefined)),
      orphans: orphans.map(shownPath),
      removed: removed.map(shownPath),
    });
  } else {
    for (const result of results) printResult(result, undefined);
    for (const path of orphans) say(`${options.prune ? "removed" : "orphaned"}   ${shownPath(path)}  no case names it`);
    const count = (status: CaseResult["status"]) => results.filter((each) => each.status === status).length;
    say(
      `${count("written")} written, ${count("updated")} updated, ${count("same")} as they were, ${failed.length} failed`,
    );
  }
  if (failed.length > 0) process.exitCode = 1;
}

/** What running a case gave. */
type Executed = NumbersResult | { readonly error: Error };

const isWrong = (executed: Executed | undefined): boolean =>
  executed !== undefined && ("error" in executed || executed.differences.length > 0);

/** Runs each case: a text that is as it should be against numbers, one that differs against its golden file. */
async function execute(
  results: readonly CaseResult[],
  options: CheckOptions,
  signal: AbortSignal,
): Promise<Map<CaseResult, Executed>> {
  await using worker = await openWorker(options, new Progress(), signal);
  const executed = new Map<CaseResult, Executed>();
  for (const result of results) {
    if (result.status === "failed" || result.status === "missing") continue;
    const { lowered } = result;
    const { arguments: given, results: made } = lowered.signature;
    const program = {
      text: lowered.text,
      arguments: given.map(({ name }) => name),
      results: made.map(({ name }) => name),
    };
    try {
      const { path } = result.case;
      const numbers = join(dirname(path), "expected", basename(path).replace(/\.mlir$/, ".safetensors"));
      executed.set(
        result,
        await compareNumbers(worker, program, {
          signal,
          seed: options.seed,
          given: existsSync(numbers) ? await readSafetensors(numbers) : undefined,
          other: result.status === "different" ? readFileSync(path, "utf8") : undefined,
        }),
      );
    } catch (error) {
      // What one golden does wrong is told of it; a worker that is lost ends the command.
      if (!(error instanceof TsxlaError) || error.exitCode === 1) throw error;
      executed.set(result, { error });
    }
  }
  return executed;
}

function printResult(result: CaseResult, executed: Executed | undefined): void {
  const path = shownPath(result.case.path);
  const words = {
    same: "same",
    missing: "missing",
    different: "different",
    written: "written",
    updated: "updated",
    failed: "failed",
  };
  const word = words[result.status].padEnd(9);
  if (result.status === "failed") say(`${word} ${path}\n  ${messageOf(result.error).replaceAll("\n", "\n  ")}`);
  else if (result.status === "missing") say(`${word} ${path}  (tsxla golden update writes it)`);
  else if (result.status === "different" || result.status === "updated")
    say(`${word} ${path}  ${result.report.summary}\n${result.report.text}`);
  else if (result.status === "written" || executed === undefined) {
    if (result.status === "written") say(`${word} ${path}`);
  }
  if (executed === undefined) return;
  if ("error" in executed) say(`numbers   ${path}\n  ${messageOf(executed.error).replaceAll("\n", "\n  ")}`);
  else if (executed.differences.length > 0)
    say(`numbers   ${path}  not those of ${executed.against}\n  ${executed.differences.join("\n  ")}`);
  else say(`numbers   ${path}  those of ${executed.against}`);
}

function toJson(result: CaseResult, executed: Executed | undefined): object {
  const { case: each, status } = result;
  const common = { name: each.name, file: shownPath(each.path), module: shownPath(each.module), status };
  const numbers = executed && ("error" in executed ? { error: messageOf(executed.error) } : executed);
  if (status === "failed") return { ...common, error: messageOf(result.error) };
  if (status === "different" || status === "updated") {
    const { summary, text, counts } = result.report;
    return { ...common, summary, counts, difference: text, numbers };
  }
  return { ...common, numbers };
}

const messageOf = (error: Error): string =>
  error instanceof TsxlaError ? error.message : (error.stack ?? error.message);
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const printJson = (value: object): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);
