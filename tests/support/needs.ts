/** Tests that need what a machine may lack: skipped there, with the reason in the name, so that reports can tell it. */
import { describe, test } from "@jest/globals";

/** `describe`, or `describe.skip` with the reason in the name when something is missing. */
export function describeNeeding(missing: string | undefined, name: string, body: () => void): void {
  if (missing === undefined) describe(name, body);
  else describe.skip(skipped(name, missing), body);
}

/** `test`, or `test.skip` with the reason in the name when something is missing. */
export function testNeeding(
  missing: string | undefined,
  name: string,
  body: () => Promise<void> | void,
  timeoutMs?: number,
): void {
  if (missing === undefined) test(name, body, timeoutMs);
  else test.skip(skipped(name, missing), body, timeoutMs);
}

/** One line: the first of the reason's. */
const skipped = (name: string, missing: string): string => `${name} [skipped: ${missing.split("\n")[0]}]`;
