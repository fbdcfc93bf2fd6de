/** Answers one request on one worker. */
import { setMaxListeners } from "node:events";
import type { Answered, Ask } from "../openai/job-types.ts";
import type { ReadyWorker } from "./job-worker.ts";

// Public API

/** The answers to all that a request asks, as many at the same time as there are rows. */
export async function answerAll(
  asks: readonly Ask[],
  { answerer }: ReadyWorker,
  { signal, rows, onToken }: { readonly signal: AbortSignal; readonly rows: number; readonly onToken: () => void },
): Promise<readonly Answered[]> {
  // Not `AbortSignal.any`, of which something would stay with the worker's signal for each request.
  const own = new AbortController();
  const abort = () => own.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  setMaxListeners(0, own.signal);
  const answers: Answered[] = [];
  const left = [...asks.entries()];
  const line = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, { prompt, options }] = next;
      const run = answerer.generate(prompt, { ...options, signal: own.signal });
      const pieces: Answered["pieces"][number][] = [];
      for (;;) {
        const event = await run.next();
        if (event.done === true) {
          answers[index] = { pieces, summary: event.value };
          break;
        }
        pieces.push(event.value);
        onToken();
      }
    }
  };
  const lines = Array.from({ length: Math.min(rows, asks.length) }, line);
  try {
    await Promise.all(lines);
  } catch (error) {
    own.abort(error);
    await Promise.allSettled(lines);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return answers;
}

/**
 * The result of `work`, or a rejection with the signal's reason.
 *
 * Not `Promise.race`: a race against a promise that lives as long as the worker would keep every answer in memory.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
