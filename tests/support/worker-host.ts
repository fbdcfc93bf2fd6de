/** Holds the one worker of a test run: says where it is in one line, and ends it when standard input ends. */
import { launch } from "../../runtime-bridge/launch.ts";

try {
  const worker = await launch({ cacheDir: null });
  process.stdout.write(`${JSON.stringify({ address: worker.address, token: worker.token })}\n`);
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.on("end", resolve).on("error", resolve));
  await worker.close();
  process.exit(0);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: (error as Error).message })}\n`);
  process.exit(1);
}
