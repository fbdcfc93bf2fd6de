/**
 * Writes the README's table of what works from the reports of the last `npm test`: `npm run readme:update`.
 *
 * Without a report every row is a claim; the next `npm test` holds it to its tests.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { capabilities } from "./capabilities.ts";
import { readReport } from "./check.ts";
import { capabilityTable, splitReadme } from "./table.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const report = readReport(root, "every");
const hasRun = report.tests.length > 0;
if (!hasRun) process.stderr.write("No report of `npm test` is there: the rows are claims until it has run.\n");
const [before, , after] = splitReadme(readFileSync(`${root}README.md`, "utf8"));
const table = capabilityTable(capabilities(), hasRun ? report : undefined);
writeFileSync(`${root}README.md`, `${before}${table}\n${after}`);
