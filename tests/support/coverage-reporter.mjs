/**
 * Adds up what coverage.ts noted, in one line: `ops covered 88/88, goldens 40, programs 210`.
 *
 * After a run of everything it also writes `.cache/coverage.json`, and fails the run when an op was never run.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../.cache/", import.meta.url));

export default class CoverageReporter {
  #everything;
  #missing = [];

  constructor({ nonFlagArgs = [], testNamePattern, onlyChanged, findRelatedTests, runTestsByPath, shard }) {
    // `npm test` names the tests that it runs (../runs/names.ts): all of them but the exhaustive cases.
    const isEveryTest = !testNamePattern || process.env.TSXLA_TEST_RUN === "every";
    this.#everything =
      nonFlagArgs.length === 0 && isEveryTest && !onlyChanged && !findRelatedTests && !runTestsByPath && !shard;
  }

  onRunComplete() {
    const { covered, total, goldens, programs } = addUp(process.env.TSXLA_TEST_COVERAGE);
    if (total.length === 0) return;
    this.#missing = total.filter((name) => !covered.includes(name));
    process.stderr.write(
      `ops covered ${covered.length}/${total.length}, goldens ${goldens}, programs ${programs}${this.#everything && this.#missing.length > 0 ? `; not covered: ${this.#missing.join(", ")}` : ""}\n`,
    );
    if (!this.#everything) return;
    mkdirSync(cache, { recursive: true });
    writeFileSync(
      join(cache, "coverage.json"),
      `${JSON.stringify({ ops: { covered, total }, goldens, programs }, null, 2)}\n`,
    );
  }

  getLastError() {
    if (!this.#everything || this.#missing.length === 0) return undefined;
    return new Error(`no test runs ${this.#missing.join(", ")}: write one beside the op (dsl/README.md)`);
  }
}

function addUp(folder) {
  const covered = new Set();
  const total = new Set();
  let [goldens, programs] = [0, 0];
  const names = folder === undefined ? [] : readdirSync(folder);
  for (const line of names.flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))) {
    const entry = JSON.parse(line);
    for (const name of entry.covered ?? []) covered.add(name);
    for (const name of entry.total) total.add(name);
    goldens += entry.goldens ?? 0;
    programs += entry.programs ?? 0;
  }
  return { covered: [...covered].sort(), total: [...total].sort(), goldens, programs };
}
