/** What answers prompts on one worker. */
import type { Piece } from "../answer.ts";
import type { EngineOptions } from "../batching/engine-options.ts";
import type { Summary } from "../generate.ts";
import type { ChatOptions, Model, Prompt } from "../model.ts";

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
