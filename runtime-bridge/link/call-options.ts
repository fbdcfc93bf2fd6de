/** What every call takes. */
export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long the call may take. Each method says its default. */
  readonly deadlineMs?: number | undefined;
}

/** The same options, with a deadline where the caller gave none. */
export const withDeadline = (defaultMs: number, options: CallOptions): CallOptions => ({
  ...options,
  deadlineMs: options.deadlineMs ?? defaultMs,
});
