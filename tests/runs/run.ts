/**
 * The three runs of tests, each a list of checks with one count at its end. scripts/test.mjs sets the clone up first.
 *
 * A later check runs also when an earlier one failed, so that one run shows all there is to repair.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { evidenceProblems } from "../readme/check.ts";
import { exhaustiveFiles, hasExhaustivePytest, quickFiles } from "./choose.ts";
import { lostByFile, lostByName } from "./left.ts";
import { namePattern, type Run } from "./names.ts";
import { pytestFolders, readRun, resultsOf } from "./read-run.ts";
import { lineOf, totalsOf } from "./reports.ts";
import { slowestTable } from "./slowest.ts";

// Public API

/** Runs everything that belongs to a run; resolves to the exit code. */
export async function runTests(root: string, run: Run): Promise<number> {
  rmSync(resultsOf(root, run), { recursive: true, force: true });
  mkdirSync(resultsOf(root, run), { recursive: true });
  const failures: string[] = [];
  for (const check of checksOf(root, run)) {
    const begun = performance.now();
    process.stdout.write(`\n── ${check.name}\n`);
    const good = "command" in check ? (await execute(root, run, check.command)) === 0 : say(check.problems());
    if (!good) failures.push(check.name);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stdout.write(`── ${check.name}: ${good ? "good" : "failed"} after ${seconds} s\n`);
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

function checksOf(root: string, run: Run): readonly Check[] {
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
      ...[python, "-m", "pytest", folder, "-m", run === "exhaustive" ? "exhaustive" : "not exhaustive"],
      ...["-o", "junit_family=xunit1", `--junitxml=${join(results, `pytest-${name}.xml`)}`],
    ],
  });
  const types = { name: "types", command: [program("tsc")] };
  const style = { name: "style", command: [program("biome"), "check", "."] };
  const evidence = { name: "what works", problems: () => evidenceProblems(root, run) };
  if (run === "quick") return [types, style, jest(quickFiles(root))];
  if (run === "exhaustive") {
    const lost = () => lostByName(readRun(root, "every"), readRun(root, "exhaustive"));
    return [
      jest(exhaustiveFiles(root)),
      ...pytestFolders.filter(({ tests }) => hasExhaustivePytest(root, tests)).map(pytest),
      { name: "nothing left out", problems: lost },
      evidence,
    ];
  }
  return [
    types,
    style,
    jest([]),
    ...pytestFolders.map(pytest),
    { name: "Python style", command: [python, "-m", "ruff", "check", ...pythonFolders] },
    { name: "Python format", command: [python, "-m", "ruff", "format", "--check", ...pythonFolders] },
    { name: "Python types", command: [program("pyright"), "-p", "python-worker", "--pythonpath", python] },
    { name: "contract", command: [program("buf"), "lint", "proto"] },
    { name: "nothing left out", problems: () => lostByFile(readRun(root, run), exhaustiveFiles(root)) },
    evidence,
  ];
}

/** Runs a command with its output shown; resolves to its exit code. */
function execute(root: string, run: Run, [command, ...args]: readonly string[]): Promise<number> {
  const env = {
    ...process.env,
    TSXLA_TEST_RUN: run,
    // What needs Python in a quick run fails: there is none.
    ...(run === "quick" ? { TSXLA_VENV: join(root, ".cache/no-python-in-a-quick-run") } : {}),
  };
  return new Promise((resolve) => {
    const child = spawn(command as string, args, { cwd: root, env, stdio: "inherit" });
    child.on("error", (error) => {
      process.stderr.write(`${error.message}\n`);
      resolve(1);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/** Shows problems; whether there are none. */
function say(problems: readonly string[]): boolean {
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  return problems.length === 0;
}

/** What jest's reporter counted (../support/coverage-reporter.mjs). */
function covered(root: string): string {
  const path = join(root, ".cache/coverage.json");
  if (!existsSync(path)) return "";
  const { ops, goldens } = JSON.parse(readFileSync(path, "utf8")) as {
    ops: { covered: string[]; total: string[] };
    goldens: number;
  };
  return `${goldens} goldens, ${ops.covered.length} of ${ops.total.length} ops covered\n`;
}
