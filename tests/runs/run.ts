/**
 * The three runs of tests, each a list of checks with one count at its end. scripts/test.mjs sets the clone up first.
 *
 * A later check runs also when an earlier one failed, so that one run shows all there is to repair.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { evidenceProblems } from "../readme/check.ts";
import { exhaustiveFiles, quickFiles } from "./choose.ts";
import { lostByFile, lostByName } from "./left.ts";
import { namePattern, type Run } from "./names.ts";
import { coverageOf, pytestFolders, readRun, resultsOf } from "./read-run.ts";
import { lineOf, totalsOf } from "./reports.ts";
import { slowestTable } from "./slowest.ts";

// Public API

/** Runs everything that belongs to a run; resolves to the exit code. */
export async function runTests(root: string, run: Run): Promise<number> {
  rmSync(resultsOf(root, run), { recursive: true, force: true });
  mkdirSync(resultsOf(root, run), { recursive: true });
  if (run === "every") rmSync(coverageOf(root), { force: true });
  const failures: string[] = [];
  for (const step of stepsOf(root, run)) {
    const failed = await Promise.all(step.map((lane) => runLane(root, run, lane, step.length > 1)));
    failures.push(...failed.flat());
  }
  const files = readRun(root, run);
  const counted = totalsOf(files);
  // Something failed that is no test: it counts as one.
  const totals = failures.length > 0 && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
  writeFileSync(join(resultsOf(root, run), "totals.json"), JSON.stringify(totals));
  process.stdout.write(`\n${slowestTable(files)}\n${run === "every" ? covered(root) : ""}`);
  if (failures.length > 0) process.stdout.write(`failed: ${failures.join(", ")}\n`);
  process.stdout.write(`${lineOf(totals)}\n`);
  return totals.failed > 0 ? 1 : 0;
}

// Implementation

type Check =
  | { readonly name: string; readonly command: readonly string[] }
  /** Looks at reports; what is wrong, as sentences. */
  | { readonly name: string; readonly problems: () => readonly string[] };

/** Python that ruff looks at. */
const pythonFolders = ["python-worker", "runtime-bridge", "scripts", "tests", "bench", "deploy"];

/** Checks that run one after the other. */
type Lane = readonly Check[];

/** Steps that run one after the other; the lanes of a step run side by side. */
function stepsOf(root: string, run: Run): readonly (readonly Lane[])[] {
  const python = join(root, ".venv/bin/python");
  const program = (name: string) => join(root, "node_modules/.bin", name);
  const results = resultsOf(root, run);
  const jest = (files: readonly string[]): Check => ({
    name: "jest",
    command: [
      ...[process.execPath, "--experimental-vm-modules", "--no-warnings", join(root, "node_modules/jest/bin/jest.js")],
      ...["--ci", "--json", `--outputFile=${join(results, "jest.json")}`, `--testNamePattern=${namePattern(run)}`],
      ...(files.length > 0 ? ["--runTestsByPath", ...files] : []),
    ],
  });
  const pytest = ({ name, folder }: (typeof pytestFolders)[number]): Check => ({
    name: `pytest, ${name}`,
    command: [
      ...[python, "-m", "pytest", folder, "-o", "junit_family=xunit1"],
      `--junitxml=${join(results, `pytest-${name}.xml`)}`,
    ],
  });
  const types = { name: "types", command: [program("tsc")] };
  const style = { name: "style", command: [program("biome"), "check", "."] };
  const evidence = { name: "what works", problems: () => evidenceProblems(root, run) };
  if (run === "quick") return alone(types, style, jest(quickFiles(root)));
  if (run === "exhaustive") {
    const lost = () => lostByName(readRun(root, "every"), readRun(root, "exhaustive"));
    return alone(jest(exhaustiveFiles(root)), { name: "nothing left out", problems: lost }, evidence);
  }
  const [worker, scripts] = pytestFolders.map(pytest) as [Check, Check];
  return [
    ...alone(types, style, jest([])),
    // Pytest waits for processes most of its time, so what needs one core runs beside it.
    [
      [worker],
      [
        scripts,
        { name: "Python types", command: [program("pyright"), "-p", "python-worker", "--pythonpath", python] },
        { name: "Python style", command: [python, "-m", "ruff", "check", ...pythonFolders] },
        { name: "Python format", command: [python, "-m", "ruff", "format", "--check", ...pythonFolders] },
        { name: "contract", command: [program("buf"), "lint", "proto"] },
      ],
    ],
    ...alone(
      { name: "nothing left out", problems: () => lostByFile(readRun(root, run), exhaustiveFiles(root)) },
      evidence,
    ),
  ];
}

const alone = (...checks: readonly Check[]): Lane[][] => checks.map((check) => [[check]]);

/** Runs a lane; the names of what failed. Beside another lane, what a check writes is shown when it ends. */
async function runLane(root: string, run: Run, lane: Lane, isBesideOthers: boolean): Promise<string[]> {
  const failures: string[] = [];
  for (const check of lane) {
    const begun = performance.now();
    const title = `\n── ${check.name}\n`;
    if (!isBesideOthers) process.stdout.write(title);
    const { good, output } =
      "command" in check ? await execute(root, run, check.command, isBesideOthers) : told(check.problems());
    if (!good) failures.push(check.name);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stdout.write(
      `${isBesideOthers ? title : ""}${output}── ${check.name}: ${good ? "good" : "failed"} after ${seconds} s\n`,
    );
  }
  return failures;
}

const told = (problems: readonly string[]) => ({
  good: problems.length === 0,
  output: problems.map((problem) => `${problem}\n`).join(""),
});

/** Runs a command to its end: with its output shown, or kept. */
function execute(
  root: string,
  run: Run,
  [command, ...args]: readonly string[],
  isKept: boolean,
): Promise<{ readonly good: boolean; readonly output: string }> {
  const env = {
    ...process.env,
    TSXLA_TEST_RUN: run,
    // What needs Python in a quick run fails: there is none.
    ...(run === "quick" ? { TSXLA_VENV: join(root, ".cache/no-python-in-a-quick-run") } : {}),
  };
  return new Promise((resolve) => {
    const stdio = isKept ? "pipe" : "inherit";
    const child = spawn(command as string, args, { cwd: root, env, stdio: ["inherit", stdio, stdio] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", ({ message }) => resolve({ good: false, output: `${output}${message}\n` }));
    child.on("close", (code) => resolve({ good: code === 0, output }));
  });
}

/** What jest's reporter counted (../support/coverage-reporter.mjs). */
function covered(root: string): string {
  const path = coverageOf(root);
  if (!existsSync(path)) return "";
  const { ops, goldens } = JSON.parse(readFileSync(path, "utf8")) as {
    ops: { covered: string[]; total: string[] };
    goldens: number;
  };
  return `${goldens} goldens, ${ops.covered.length} of ${ops.total.length} ops covered\n`;
}
