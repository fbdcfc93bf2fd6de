/** Holds the one worker of a test run: says where it is in one line, and ends it when standard input ends. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "../../runtime-bridge/launch/launch.ts";

try {
  const folder = mkdtempSync(join(tmpdir(), "tsxla-test-key-"));
  // Not the key beside the compiled programs: those are shared with the workers that tests launch, the key is not.
  const executableKey = join(folder, "key");
  writeFileSync(executableKey, "k".repeat(64), { mode: 0o600 });
  const worker = await launch({ executableKey });
  rmSync(folder, { recursive: true });
  process.stdout.write(`${JSON.stringify({ address: worker.address, token: worker.token })}\n`);
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.on("end", resolve).on("error", resolve));
  await worker.close();
  process.exit(0);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: (error as Error).message })}\n`);
  process.exit(1);
}
