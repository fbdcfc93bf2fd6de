/** A request of a job, and how often it has failed so far. */
import type { JobRequest } from "../openai/job-types.ts";

// Public API

/** A request under way. */
export interface JobItem {
  readonly number: number;
  readonly key: string;
  readonly request: JobRequest;
}

/** How many deaths of workers a request may be part of. */
export const deathsAtMost = 3;
/** How often a request may fail on workers that live. */
export const failuresAtMost = 5;

/** A request on its way to an answer. */
export interface Attempt {
  readonly item: JobItem;
  /** Workers that died while it ran there. */
  deaths: number;
  /** Failures on workers that live. */
  failures: number;
  notBefore: number;
  failedOn: string | undefined;
}

/** Whether it may be what killed the workers, so that its next try has to be alone. */
export const isSuspect = ({ deaths }: Attempt): boolean => deaths >= deathsAtMost - 1;
