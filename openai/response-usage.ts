/** What a response's answers have in common: how many tokens they took, and where they were nearly others. */
import type { NearTie } from "../inference/answers/answer.ts";
import type { Answered } from "./job-types.ts";

// Public API

/**
 * `usage`. A prompt of several answers counts once.
 *
 * @param n  answers for each prompt
 */
export function usageOf(answers: readonly Answered[], n: number, reasoningTokens: number): object {
  const prompts = answers.filter((_, at) => at % n === 0).map(({ summary }) => summary);
  const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);
  const prompt = sum(prompts.map(({ promptTokens }) => promptTokens));
  const completion = sum(answers.map(({ summary }) => summary.answerTokens));
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: sum(prompts.map(({ reusedTokens }) => reusedTokens)) },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

/** The near ties of a request's answers, each with the answer that has it. */
export function tiesOf(answers: readonly Answered[]): readonly (NearTie & { readonly choice: number })[] {
  return answers.flatMap(({ summary }, choice) =>
    summary.nearTies.map(({ index, margin }) => ({ choice, index, margin })),
  );
}

/** A field of tsxla's own: tokens of greedy answers that rounding may decide. Nothing where there are none. */
export function nearTies(answers: readonly Answered[]): object {
  const found = tiesOf(answers);
  return found.length === 0 ? {} : { tsxla: { near_ties: found } };
}
