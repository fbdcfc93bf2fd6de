/** Lets one job at a time write an output, also when an earlier one was killed. */
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import { lockFile } from "../files/file-lock.ts";

// Public API

/** A lock that this job holds. */
export interface OutputLock extends AsyncDisposable {
  /** @throws RuntimeFailure when another job has taken the lock */
  check(): Promise<void>;
}

/**
 * Takes the lock of an output, or takes it over from a job that has ended.
 *
 * @param silentMs  how long a job on another machine may leave the lock untouched
 * @throws RuntimeFailure that names the process of the other job; InputError when the folder cannot be written
 */
export async function lockOutput(
  output: string,
  { signal, silentMs }: { readonly signal?: AbortSignal | undefined; readonly silentMs?: number | undefined } = {},
): Promise<OutputLock> {
  const path = `${output}.lock`;
  const refusal = (holder: { readonly pid: number; readonly host: string } | undefined) => {
    const job = holder === undefined ? "an unknown process" : `process ${holder.pid} on ${holder.host}`;
    return new RuntimeFailure(
      "JOB_LOCKED",
      `${output} is being written by another job, ${job}; wait for it, or give this one another output`,
      { output, holder },
    );
  };
  const lock = await lockFile(path, { refusal, silentMs, signal }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.syscall === undefined) throw cause;
    throw new InputError(
      "JOB_OUTPUT",
      `the output ${output} cannot be locked: ${cause.message}; its folder has to exist and to be writable`,
      { output },
      { cause },
    );
  });
  return {
    check: async () => {
      if (await lock.isHeld()) return;
      throw new RuntimeFailure("JOB_LOCKED", `another job has taken the lock ${path}`, { path });
    },
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  };
}
