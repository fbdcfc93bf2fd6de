/**
 * `npm run verify:real -- gpt-oss-20b`: real weights under test, on a machine that has them or can fetch them.
 *
 * Sets up first when needed, then runs ./verify-real/main.ts. Paths are relative to the folder that npm was called from.
 * What it does and how to record what is expected: docs/real-weights.md.
 */
import { runScript, setup } from "./setup.mjs";

await runScript(async () => {
  await setup();
  await import("../bin/typescript-loader.mjs");
  if (process.env.INIT_CWD !== undefined) process.chdir(process.env.INIT_CWD);
  const { main } = await import("./verify-real/main.ts");
  await main(process.argv.slice(2));
});
