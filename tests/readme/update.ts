/** Writes the README's table of what works from the reports of the last `npm test`: `npm run readme:update`. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { capabilities } from "./capabilities.ts";
import { readReport } from "./check.ts";
import { capabilityTable, splitReadme } from "./table.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const report = readReport(root, "every");
if (report.tests.length === 0) {
  process.stderr.write("There is no report of a run to make the table from: run `npm test` first.\n");
  process.exit(1);
}
const [before, , after] = splitReadme(readFileSync(`${root}README.md`, "utf8"));
writeFileSync(`${root}README.md`, `${before}${capabilityTable(capabilities(), report)}\n${after}`);
