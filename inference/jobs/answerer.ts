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

/** @param batch  how many prompts at the same time; without, one */
export async function openAnswerer(model: Model, batch: number | undefined): Promise<Answerer> {
  return {
    rows: batch ?? 1,
    generate: (prompt, options) => model.generate(prompt, options),
    close: async () => {},
  };
}
