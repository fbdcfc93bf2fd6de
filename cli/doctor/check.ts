/** What a check says. */

// Public API

/** `fail` keeps tsxla from working, `warn` may. */
export type Status = "ok" | "warn" | "fail";

/** One line of `tsxla doctor`. */
export interface Check {
  /** Such as `python packages`. */
  readonly name: string;
  readonly status: Status;
  /** What was found. */
  readonly found: string;
  /** What to do, where something is to be done. */
  readonly hint?: string;
}

export const ok = (name: string, found: string): Check => ({ name, status: "ok", found });
export const warn = (name: string, found: string, hint: string): Check => ({ name, status: "warn", found, hint });
export const fail = (name: string, found: string, hint: string): Check => ({ name, status: "fail", found, hint });

/** What a check makes of an error: whatever else is wrong is still told. */
export async function guarded(name: string, check: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await check();
  } catch (error) {
    return [fail(name, (error as Error).message, "this check itself failed: please report it with what stands here")];
  }
}
