/** The text of an error that a program deserves, for a snapshot. */
import { type Inputs, TsxlaError, trace } from "../../dsl/index.ts";
import "./plain-snapshots.ts";

/**
 * Traces `body`, which must be refused, and returns the error as people read it: class, code, text.
 *
 * Lines of the test itself are counted from the one that calls this, `+1`, so that tests may move;
 * other files are named without a line.
 */
export function refusal(body: (given: Inputs) => unknown): string {
  const base = lineOfCaller();
  return relativeTo(
    base,
    refused(() => trace("test", body)),
  );
}

/** The same for what needs no trace. */
export function refusalOf(body: () => unknown): string {
  const base = lineOfCaller();
  return relativeTo(base, refused(body));
}

function refused(body: () => unknown): TsxlaError {
  try {
    body();
  } catch (error) {
    if (error instanceof TsxlaError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

function relativeTo(base: number, error: TsxlaError): string {
  const text = error.message.replace(/[\w/.-]*\/([\w-]+)((?:\.test)?\.ts):(\d+):\d+/g, (_, name, suffix, line) =>
    suffix === ".ts" ? `${name}.ts` : `${name}${suffix}:${signed(Number(line) - base)}`,
  );
  return `${error.name} ${error.code}\n${text}`;
}

const signed = (lines: number): string => (lines < 0 ? String(lines) : `+${lines}`);

function lineOfCaller(): number {
  const frame = new Error().stack?.split("\n")[3] ?? "";
  return Number(/:(\d+):\d+\)?$/.exec(frame)?.[1]);
}
