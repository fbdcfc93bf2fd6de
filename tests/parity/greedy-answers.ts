/** What transformers' greedy answers are with SmolLM2, as make_fixtures.py wrote them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fixtures } from "./digest.ts";

/** A prompt, and how transformers goes on. */
export interface GreedyCase {
  readonly prompt_ids: readonly number[];
  /** With the token that ended it, where one did. */
  readonly answer_ids: readonly number[];
  readonly text: string;
  readonly stop: "eos" | "length";
}

interface GreedyAnswers {
  readonly chats: {
    readonly max_tokens: number;
    readonly cases: Readonly<Record<string, GreedyCase & { message: string }>>;
  };
  readonly buckets: {
    readonly max_tokens: number;
    readonly cases: readonly (GreedyCase & { tokens: number; prompt: string })[];
  };
}

export const greedy = JSON.parse(readFileSync(join(fixtures, "smollm2-greedy.json"), "utf8")) as GreedyAnswers;
