/** `generateAll`: an engine with one lane, whose rows are as long as the longest answer of a list needs. */
import { InputError, RuntimeFailure } from "../../dsl/index.ts";
import type { Answer } from "../answers/answer.ts";
import { checkOptions } from "../answers/answer-options.ts";
import { answerInputs, beginAnswer } from "../answers/begin-answer.ts";
import type { ChatOptions, Prompt } from "../answers/prompt.ts";
import { requireReasoning } from "../answers/prompt-tokens.ts";
import { explainLogits } from "../debugging/explain-logits.ts";
import { generationPlans } from "../debugging/nan-bundle.ts";
import { capacityFor, chunksOf } from "../programs/buckets.ts";
import type { CacheSize } from "../programs/cache-size.ts";
import { chooseCacheSize, type LoadedModel } from "../programs/loaded-model.ts";
import { seedOf } from "../sampling/random.ts";
import { type AnswerList, answerList, type BatchEvent, type BatchSummary } from "./answer-list.ts";
import type { LaneModel } from "./engine-loop.ts";
import type { LanePlan } from "./engine-options.ts";
import { type Lane, openLane } from "./lane.ts";
import type { RowNeeds } from "./request.ts";

// Public API

/** What `Model.generateAll` does. */
export async function* generateAll(
  model: LoadedModel,
  prompts: readonly Prompt[],
  options: ChatOptions,
): AsyncGenerator<BatchEvent, BatchSummary> {
  const list = beginList(model, prompts, options);
  const { signal, stepsPerCall } = options;
  let capacity = 0;
  const open = async (answers: readonly Answer[]) => {
    capacity = answers.map(capacityOf).reduce((most, each) => Math.max(most, each));
    const size = await chooseCacheSize(model, answers.length, capacity);
    return { size, model: new ListModel(model, answers, size) };
  };
  try {
    return yield* answerList(list, open, { signal, stepsPerCall });
  } catch (error) {
    const failed = error instanceof RuntimeFailure ? list.answers.get(error.fields.prompt as number) : undefined;
    if (failed === undefined) throw error;
    // The text that failed runs again, without its neighbours.
    const plans = generationPlans(failed.prompt, failed.tokens);
    throw await explainLogits(model, error, { plans, capacity, signal });
  }
}

// Implementation

/** @throws InputError for an option out of range; a prompt that the model refuses is part of the list */
function beginList(model: LoadedModel, prompts: readonly Prompt[], options: ChatOptions): AnswerList {
  const { reasoning, ...others } = options;
  // What is wrong with the options is no prompt's fault.
  requireReasoning(model.files, reasoning, true);
  const { seed } = checkOptions(others, answerInputs(model));
  const answers = new Map<number, Answer>();
  const refused = new Map<number, InputError>();
  for (const [index, prompt] of prompts.entries()) {
    try {
      answers.set(index, beginAnswer(model, prompt, { ...options, seed: seedOf(seed, index) }));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refused.set(index, error);
    }
  }
  return { answers, refused, seed };
}

const capacityOf = ({ prompt, room }: Answer): number => capacityFor(prompt.length, prompt.length + room);

/** One lane for all answers of a list. */
class ListModel implements LaneModel {
  readonly #model: LoadedModel;
  readonly #size: CacheSize;
  readonly #chunkSizes: readonly number[];

  constructor(model: LoadedModel, answers: readonly Answer[], size: CacheSize) {
    this.#model = model;
    this.#size = size;
    const chunks = answers.flatMap(({ prompt }) => chunksOf(prompt.length));
    this.#chunkSizes = [...new Set(chunks.map(({ bucket }) => bucket))];
  }

  rowFor(): RowNeeds {
    const { positions } = this.#size;
    return { capacity: positions, largest: positions, family: "" };
  }

  planLane(): LanePlan {
    const { rows, bytes } = this.#size;
    return { rows, bytes, places: 0 };
  }

  async openLane(capacity: number, { rows, places }: LanePlan, signal: AbortSignal): Promise<Lane> {
    return await openLane(this.#model.programs, { rows, capacity, places, chunkSizes: this.#chunkSizes, signal });
  }

  /** Nothing yet: the whole list ends with this error, and is explained when its memory is free. */
  async explain(error: unknown): Promise<unknown> {
    return error;
  }
}
