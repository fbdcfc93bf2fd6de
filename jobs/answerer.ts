/** What answers prompts on one worker. */
import type { Piece } from "../inference/answers/answer.ts";
import type { ChatOptions, Prompt } from "../inference/answers/prompt.ts";
import type { Summary } from "../inference/answers/summary.ts";
import type { EngineOptions } from "../inference/batching/engine-options.ts";
import type { Model } from "../inference/model.ts";

// Public API

/** Anything that generates as a model does, several prompts at the same time. */
export interface Answerer {
  /** How many prompts it answers at the same time. */
  readonly rows: number;
  generate(prompt: Prompt, options?: ChatOptions): AsyncGenerator<Piece, Summary>;
  close(): Promise<void>;
}

/** Opens a model's engine. */
export async function openAnswerer(model: Model, options: EngineOptions): Promise<Answerer> {
  const engine = await model.serve(options);
  return {
    rows: engine.load.rows,
    generate: (prompt, options) => engine.generate(prompt, options),
    close: () => engine.close(),
  };
}
