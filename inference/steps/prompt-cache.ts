/**
 * The cache of one text, kept between answers: a prompt that begins as the last one is prefilled from where it differs.
 *
 * A chat gives its whole history with each question, and all of it but the end is what it was.
 */
import { InputError } from "../../dsl/index.ts";
import { chunksOf } from "../programs/buckets.ts";
import type { StepsUnderWay, TextStepsOptions } from "./choosing-steps.ts";
import type { Sequence } from "./sequence.ts";
import type { NextLogits, Wanted } from "./step-call.ts";

// Public API

/** What a text under way can do: a `Sequence`, or one that is kept. */
export interface TextUnderWay extends AsyncDisposable {
  /** How many positions are held already. */
  readonly length: number;
  prefill(tokens: readonly number[], wanted: Wanted, signal?: AbortSignal): Promise<NextLogits>;
  step(token: number, wanted: Wanted, signal?: AbortSignal): Promise<NextLogits>;
  /** As of `Sequence`. */
  steps(token: number, options: TextStepsOptions): Promise<StepsUnderWay<NextLogits>>;
}

/** Keeps the cache of the last text. One answer at a time; of one model. Close it to free the memory. */
export class PromptCache implements AsyncDisposable {
  #kept: Kept | undefined;
  #lent = false;

  /**
   * The text to go on from, holding as much of `prompt` as can be reused.
   *
   * @param owner  what the cache belongs to
   * @param room  positions in all
   * @param open  opens an empty text
   */
  async lend(
    { owner, prompt, room }: { readonly owner: object; readonly prompt: readonly number[]; readonly room: number },
    open: () => Promise<{ readonly sequence: Sequence; readonly capacity: number }>,
  ): Promise<TextUnderWay> {
    if (this.#lent)
      throw new InputError("CACHE_IN_USE", "the prompt cache serves another answer; it serves one at a time");
    if (this.#kept !== undefined && this.#kept.owner !== owner) {
      throw new InputError("CACHE_OF_ANOTHER", "the prompt cache belongs to another model; make one for each");
    }
    this.#lent = true;
    try {
      const kept = this.#kept;
      if (kept !== undefined && fits(kept, prompt, room)) return this.#lendKept(kept);
      await this.#drop();
      const { sequence, capacity } = await open();
      this.#kept = { owner, sequence, capacity, tokens: [] };
      return this.#lendKept(this.#kept);
    } catch (error) {
      this.#lent = false;
      throw error;
    }
  }

  /** Frees what is kept. */
  async close(): Promise<void> {
    await this.#drop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Implementation

  #lendKept(kept: Kept): TextUnderWay {
    const { sequence, tokens } = kept;
    tokens.length = sequence.length;
    let running: Promise<unknown> = Promise.resolve();
    let failed = false;
    const run = (given: readonly number[], work: Promise<NextLogits>, signal: AbortSignal | undefined) => {
      const noted = work.then(
        (next) => {
          tokens.push(...given);
          return next;
        },
        (error: unknown) => {
          // Who stops waiting leaves the text as it is; anything else may have broken it.
          failed ||= signal?.aborted !== true;
          tokens.push(...given.slice(0, sequence.length - tokens.length));
          throw error;
        },
      );
      running = noted.catch(() => {});
      return noted;
    };
    return {
      get length() {
        return sequence.length;
      },
      prefill: (given, wanted, signal) => run(given, sequence.prefill(given, wanted, signal), signal),
      step: (token, wanted, signal) => run([token], sequence.step(token, wanted, signal), signal),
      steps: (token, options) => {
        const onFailure = () => void (failed ||= options.signal?.aborted !== true);
        const sent = sequence.steps(token, options);
        const noted = sent.then((steps) => {
          let fed = token;
          return steps.map((next) => {
            tokens.push(fed);
            fed = next.chosen as number;
            // What is no number stays in the cache beyond the text's end, and times nothing is no number either.
            failed ||= next.kind === "candidates" && Number.isNaN(next.logSumExp);
            return next;
          }, onFailure);
        });
        // What was sent runs in its order, read or not.
        running = noted.catch(onFailure);
        return noted;
      },
      [Symbol.asyncDispose]: async () => {
        await running;
        if (failed) await this.#drop();
        this.#lent = false;
      },
    };
  }

  async #drop(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    await kept?.sequence.close();
  }
}

// Implementation

interface Kept {
  readonly owner: object;
  readonly sequence: Sequence;
  readonly capacity: number;
  /** What the positions hold. */
  readonly tokens: number[];
}

/** Whether the text can go on as `prompt`; it is brought back to where the two part. */
function fits({ sequence, capacity, tokens }: Kept, prompt: readonly number[], room: number): boolean {
  const differs = prompt.findIndex((token, at) => at >= tokens.length || token !== tokens[at]);
  // The last token is fed again where all is held, since its logits are wanted.
  const held = Math.min(differs < 0 ? prompt.length : differs, prompt.length - 1);
  if (held === 0) return false;
  const last = chunksOf(prompt.length - held).at(-1)!;
  const written = held + last.start + last.bucket;
  return Math.max(written, room) <= capacity && sequence.rewind(held);
}
