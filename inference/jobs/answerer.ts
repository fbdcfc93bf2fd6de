/** What answers prompts on one worker. */
import type { Piece } from "../answer.ts";
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

/** Opens a model's engine. @param batch  its rows; without, as many as an engine has */
export async function openAnswerer(model: Model, batch: number | undefined): Promise<Answerer> {
  const engine = await model.serve(batch === undefined ? {} : { rows: batch });
  return {
    rows: engine.load.rows,
    generate: (prompt, options) => engine.generate(prompt, options),
    close: () => engine.close(),
  };
}
