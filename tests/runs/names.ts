/** How a test's name decides in which run it takes part. No imports: jest's workers and the runner both read it. */

/** `every` is `npm test`, `exhaustive` what it leaves out, `quick` the part of it that needs no Python. */
export type Run = "every" | "exhaustive" | "quick";

/** Ends the name of a test that only the exhaustive run runs. */
export const exhaustiveMark = "[exhaustive]";

/** Whether a run leaves a test to the other run by its name. */
export const isLeftOut = (run: Run, name: string): boolean => name.includes(exhaustiveMark) !== (run === "exhaustive");

/** Jest's `--testNamePattern`, which is read without regard to case. */
export function namePattern(run: Run): string {
  const mark = exhaustiveMark.replaceAll(/[[\]]/g, "\\$&");
  return run === "exhaustive" ? mark : `^(?![^]*${mark})`;
}

/** Why a test was skipped, when its name says so (../support/needs.ts). */
export const skipReason = (name: string): string | undefined => /\[skipped: (.*)\]/.exec(name)?.[1];
