/**
 * All that must hold, in one command, set-up included.
 *
 *     npm test                     types, style, jest, pytest, Python's style and types, the contract's style
 *     npm run test:exhaustive      the cases that `npm test` leaves out
 *     npm run test:quick           types, style, and the tests that need no worker
 *     npm test -- dsl/ -t name     jest alone, with these arguments
 *     node scripts/test.mjs --totals   the counts of the last `npm test` and the last exhaustive run together
 *
 * Ends with one line, `N passed, N failed, N skipped`, and exits with 1 when anything failed. What a run consists of is
 * in tests/runs/run.ts.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, runScript, setup } from "./setup.mjs";

const runs = { "--exhaustive": "exhaustive", "--quick": "quick" };

await runScript(async () => {
  await setup();
  const [first, ...rest] = process.argv.slice(2);
  if (first === "--totals") {
    await import("../bin/typescript-loader.mjs");
    const [{ totalsOfBoth }, { lineOf }] = await Promise.all([
      import("../tests/runs/read-run.ts"),
      import("../tests/runs/reports.ts"),
    ]);
    process.stdout.write(`${lineOf(totalsOfBoth(root))}\n`);
    return;
  }
  if (first === undefined || (first in runs && rest.length === 0)) {
    await import("../bin/typescript-loader.mjs");
    const { runTests } = await import("../tests/runs/run.ts");
    process.exitCode = await runTests(root, runs[first] ?? "every");
    return;
  }
  const jest = ["--experimental-vm-modules", "--no-warnings", join(root, "node_modules/jest/bin/jest.js")];
  process.exitCode =
    spawnSync(process.execPath, [...jest, first, ...rest], { cwd: root, stdio: "inherit" }).status ?? 1;
});
