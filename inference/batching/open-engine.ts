/** A loaded model behind an engine: what becomes of a request's prompt, which row it needs, and how its lane is opened. */
import type { Answer } from "../answers/answer.ts";
import { beginAnswer } from "../answers/begin-answer.ts";
import type { ChatOptions, Prompt } from "../answers/prompt.ts";
import { explainLogits } from "../debugging/explain-logits.ts";
import { generationPlans } from "../debugging/nan-bundle.ts";
import { capacityFor } from "../programs/buckets.ts";
import { freeBytes } from "../programs/cache-size.ts";
import { type LoadedModel, rowBytes } from "../programs/loaded-model.ts";
import { gridBuckets, rowCapacity } from "./chunk-grid.ts";
import { Engine, type ServedModel } from "./engine.ts";
import {
  type EngineOptions,
  type EngineSettings,
  type LanePlan,
  planLane,
  resolveEngineOptions,
} from "./engine-options.ts";
import { type Lane, openLane } from "./lane.ts";
import type { Request, RowNeeds } from "./request.ts";

// Public API

/** What `Model.serve` does. */
export async function openEngine(model: LoadedModel, options: EngineOptions): Promise<Engine> {
  const free = await freeBytes(model.programs.worker);
  const settings = resolveEngineOptions(options, { platform: model.target.platform, free });
  return new Engine(new EngineModel(model, settings), settings);
}

// Implementation

class EngineModel implements ServedModel {
  readonly #model: LoadedModel;
  readonly #settings: EngineSettings;

  constructor(model: LoadedModel, settings: EngineSettings) {
    this.#model = model;
    this.#settings = settings;
  }

  beginAnswer(prompt: Prompt, options: ChatOptions): Answer {
    return beginAnswer(this.#model, prompt, options);
  }

  rowFor(answer: Answer): RowNeeds {
    const { length } = answer.prompt;
    const total = length + answer.room;
    // Prompts with the same rotary frequencies are computed alike. An answer that would change them stays in one row: its
    // tokens so far would have to be prefilled with frequencies other than those they were made with.
    const family = this.#frequencies(length);
    const isFixed = family !== this.#frequencies(total);
    return { capacity: rowCapacity(answer, isFixed), largest: capacityFor(length, total), family };
  }

  planLane(capacity: number): LanePlan {
    return planLane(capacity, rowBytes(this.#model, capacity), this.#settings);
  }

  async openLane(capacity: number, { rows, places, bytes }: LanePlan, signal: AbortSignal): Promise<Lane> {
    const { programs, onCache } = this.#model;
    onCache?.({ rows, positions: capacity, bytes });
    const chunkSizes = gridBuckets(this.#settings.grid);
    return await openLane(programs, { rows, capacity, chunkSizes, places, signal });
  }

  explain(error: unknown, { answer, capacity }: Pick<Request, "answer" | "capacity">): Promise<unknown> {
    return explainLogits(this.#model, error, { plans: generationPlans(answer.prompt, answer.tokens), capacity });
  }

  // Implementation

  #frequencies(length: number): string {
    return this.#model.programs.frequencies(length).join();
  }
}
