/**
 * The answers of all hosts to one request, as they come in.
 */

import { WorkerError, WorkerLost } from "../errors.ts";
import type { CallOptions } from "../link/call-options.ts";

// Public API

/** How the hosts' answers are to be taken. */
export interface GatherRules<R> {
  /** Whether a host that does otherwise than the others has left their step for good: what was run stays run. */
  readonly inStep: boolean;
  /** Told when a host has failed and others have not answered yet. */
  readonly onFailure?: (() => void) | undefined;
  /** Given the answers that nobody waits for any more, or that are of no use since other hosts failed. */
  readonly onUnused?: ((answers: readonly R[]) => void) | undefined;
}

/** Whoever decides what becomes of a group. */
export interface GatherJudge {
  /** Rejects, for a group that is lost; called back at most once. @returns what ends the listening */
  whenLost(lose: (error: WorkerLost) => void): () => void;
  /** A host was found lost. */
  onLost(index: number, error: WorkerLost): void;
  /** A host does not do what the others do. */
  onDiverged(index: number, how: string): void;
  /** Names a host in an error of its own. */
  describe(index: number): string;
}

/**
 * How long a host may take longer than the others with what they do in step, or to fail as they did: ten seconds, or once
 * more as long as it took the others, since hosts may differ in speed.
 *
 * @param since  when the work began, in `performance.now()`
 */
export const patienceMs = (since: number): number => Math.max(10_000, performance.now() - since);

/**
 * Waits for all hosts.
 *
 * @throws what they failed with, when all failed alike; of one that failed alone its error, with its name
 */
export function gather<R>(
  started: readonly Promise<R>[],
  judge: GatherJudge,
  { inStep, onFailure, onUnused }: GatherRules<R>,
  { signal, deadlineMs }: CallOptions = {},
): Promise<readonly R[]> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const outcomes = started.map((): Outcome<R> | undefined => undefined);
    let straggling: NodeJS.Timeout | undefined;
    let deadline: NodeJS.Timeout | undefined;
    let left = false;
    /** The caller goes on; the hosts do what was sent, all of them, and stay in step. */
    const leave = (error: unknown): void => {
      left = true;
      settle();
      reject(error);
    };
    const abort = (): void => leave(signal?.reason);
    const settle = (): void => {
      clearTimeout(deadline);
      signal?.removeEventListener("abort", abort);
    };
    const stopListening = judge.whenLost((error) => {
      clearTimeout(straggling);
      settle();
      reject(error);
    });
    signal?.addEventListener("abort", abort, { once: true });
    if (deadlineMs !== undefined && Number.isFinite(deadlineMs)) {
      deadline = setTimeout(() => leave(lateError(deadlineMs)), deadlineMs);
    }

    const arrived = (index: number, outcome: Outcome<R>): void => {
      outcomes[index] = outcome;
      if ("error" in outcome && outcome.error instanceof WorkerLost) {
        judge.onLost(index, outcome.error);
        return;
      }
      const missing = outcomes.indexOf(undefined);
      if (missing >= 0) {
        if ("error" in outcome) onFailure?.();
        if (inStep || outcomes.some(isFailure)) straggling ??= setTimeout(late, patienceMs(began));
        return;
      }
      clearTimeout(straggling);
      const failed = outcomes.findIndex(isFailure);
      if (inStep && failed >= 0 && !outcomes.every(isFailure)) {
        judge.onDiverged(failed, aloneText(outcomes[failed] as Failure));
        return;
      }
      stopListening();
      settle();
      conclude();
    };

    const late = (): void => {
      const failed = outcomes.findIndex(isFailure);
      if (failed >= 0) judge.onDiverged(failed, aloneText(outcomes[failed] as Failure));
      else judge.onDiverged(outcomes.indexOf(undefined), lateText);
    };

    const conclude = (): void => {
      const answers = outcomes.flatMap((outcome) => (outcome && "answer" in outcome ? [outcome.answer] : []));
      const failed = outcomes.flatMap((outcome, index) =>
        isFailure(outcome) ? [{ index, error: outcome.error }] : [],
      );
      if (failed.length === 0 && !left) {
        resolve(answers);
        return;
      }
      onUnused?.(answers);
      // A host that was told to stop, since another had failed, has nothing to tell.
      const [first] = failed.toSorted((a, b) => Number(isCancelled(a.error)) - Number(isCancelled(b.error)));
      if (first === undefined) return;
      const alike = answers.length === 0 && failed.every(({ error }) => reasonOf(error) === reasonOf(first.error));
      reject(alike ? first.error : named(first.error, judge.describe(first.index)));
    };

    for (const [index, answer] of started.entries()) {
      answer.then(
        (answer) => arrived(index, { answer }),
        (error: unknown) => arrived(index, { error }),
      );
    }
  });
}

/** An error of one host, with its name. */
export function named(error: unknown, host: string): unknown {
  if (!(error instanceof WorkerError)) return error;
  const { status, reason, metadata } = error;
  return new WorkerError({ status, reason, message: `${host}: ${error.message}`, metadata: { ...metadata, host } });
}

/** What is said of a host that fails where the others don't. */
export const aloneText = ({ error }: { readonly error: unknown }): string =>
  `it failed where the others did not, and is out of step: ${error instanceof Error ? error.message : String(error)}`;

/** What is said of a host that the others wait for. */
export const lateText = "it has not answered long after the others did";

// Implementation

interface Failure {
  readonly error: unknown;
}

type Outcome<R> = { readonly answer: R } | Failure;

const isFailure = <R>(outcome: Outcome<R> | undefined): outcome is Failure =>
  outcome !== undefined && "error" in outcome;

const reasonOf = (error: unknown): string => (error instanceof WorkerError ? error.reason : String(error));

const isCancelled = (error: unknown): boolean =>
  !(error instanceof WorkerError) || error.reason === "CANCELLED" || error.status === "CANCELLED";

const lateError = (deadlineMs: number): WorkerError =>
  new WorkerError({
    status: "DEADLINE_EXCEEDED",
    reason: "DEADLINE_EXCEEDED",
    message: `the group did not answer within ${deadlineMs / 1000} s`,
  });
