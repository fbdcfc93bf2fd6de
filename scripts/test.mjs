/**
 * All that must hold, in one command: types, style, jest, pytest, Python's style and types, the contract's style.
 *
 *     npm test                    everything, set-up included
 *     npm test -- dsl/ -t name    jest alone, with these arguments
 *
 * Ends with one line, `N passed, N failed`, and exits with 1 when anything failed. A later check runs also when an
 * earlier one failed, so that one run shows all there is to repair.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, runScript, setup, venvPython } from "./setup.mjs";

const bin = (name) => join(root, "node_modules/.bin", name);
const results = join(root, ".cache/test-results");
const jestResult = join(results, "jest.json");
const coverage = join(root, ".cache/coverage.json");
const jest = [
  process.execPath,
  "--experimental-vm-modules",
  "--no-warnings",
  join(root, "node_modules/jest/bin/jest.js"),
];

await runScript(async () => {
  await setup();
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const jestOnly = process.argv.slice(2);
  process.exitCode = jestOnly.length > 0 ? await run([...jest, ...jestOnly]) : await everything();
});

async function everything() {
  rmSync(coverage, { force: true });
  const checks = [
    { name: "types", command: [bin("tsc")] },
    { name: "style", command: [bin("biome"), "check", "."] },
    { name: "jest", command: [...jest, "--ci", "--json", `--outputFile=${jestResult}`], count: countJest },
    pytest("worker", "python-worker"),
    pytest("scripts", "tests/scripts"),
    {
      name: "Python style",
      command: [venvPython, "-m", "ruff", "check", "python-worker", "runtime-bridge", "scripts", "tests", "bench"],
    },
    {
      name: "Python format",
      command: [
        venvPython,
        "-m",
        "ruff",
        "format",
        "--check",
        "python-worker",
        "runtime-bridge",
        "scripts",
        "tests",
        "bench",
      ],
    },
    { name: "Python types", command: [bin("pyright"), "-p", "python-worker", "--pythonpath", venvPython] },
    { name: "contract", command: [bin("buf"), "lint", "proto"] },
  ];
  const failures = [];
  const total = { passed: 0, failed: 0 };
  for (const { name, command, count } of checks) {
    const begun = performance.now();
    process.stdout.write(`\n── ${name}\n`);
    const code = await run(command);
    const counted = count?.(code) ?? { passed: 0, failed: 0 };
    total.passed += counted.passed;
    total.failed += counted.failed;
    if (code !== 0) failures.push(name);
    process.stdout.write(
      `── ${name}: ${code === 0 ? "good" : "failed"} after ${((performance.now() - begun) / 1000).toFixed(1)} s\n`,
    );
  }
  process.stdout.write(`\n${covered()}`);
  if (failures.length > 0) process.stdout.write(`failed: ${failures.join(", ")}\n`);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return failures.length > 0 || total.failed > 0 ? 1 : 0;
}

/** Each folder by itself, since each has its own settings. */
function pytest(name, folder) {
  const report = join(results, `pytest-${name}.xml`);
  return {
    name: `pytest, ${name}`,
    command: [venvPython, "-m", "pytest", folder, `--junitxml=${report}`],
    count: (code) => countPytest(report, code),
  };
}

/** Runs a command with its output shown; resolves to its exit code. */
function run([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit" });
    child.on("error", (error) => {
      process.stderr.write(`${error.message}\n`);
      resolve(1);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/** A file that could not be loaded ran no test, yet counts as one that failed. */
function countJest(code) {
  if (!existsSync(jestResult)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(jestResult, "utf8"));
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  return { passed: numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed };
}

function countPytest(report, code) {
  const suite = existsSync(report) && readFileSync(report, "utf8").match(/<testsuite [^>]*>/)?.[0];
  if (!suite) return { passed: 0, failed: 1 };
  const number = (name) => Number(suite.match(new RegExp(` ${name}="(\\d+)"`))?.[1] ?? 0);
  const failed = number("failures") + number("errors");
  return { passed: number("tests") - failed - number("skipped"), failed: code !== 0 && failed === 0 ? 1 : failed };
}

/** The goldens' own count, which their tests leave behind. */
function covered() {
  if (!existsSync(coverage)) return "";
  const { ops, goldens } = JSON.parse(readFileSync(coverage, "utf8"));
  return `${goldens} goldens, ${ops.covered.length} of ${ops.total.length} ops covered\n`;
}
