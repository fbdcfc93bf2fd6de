/** A model without weights: its files are real, and it says the tokens that it is told to. */

import type { Target } from "../../compiler/index.ts";
import { Answer } from "../../inference/answers/answer.ts";
import { HarmonyReader } from "../../inference/answers/answer-reader.ts";
import { chatOf } from "../../inference/answers/chat-prompt.ts";
import type { Harmony, Tokenizer } from "../../inference/harmony/index.ts";
import { ChatTemplate, type Model as LoadedModel, Model, type Piece } from "../../inference/index.ts";
import type { ModelFiles } from "../../inference/programs/model-files.ts";
import type { ModelPrograms } from "../../inference/programs/model-programs.ts";
import type { NextLogits } from "../../inference/steps/step-call.ts";
import type { Answered, Ask, JobRequest } from "../../openai/job-types.ts";

// Public API

/** What the model is made of. */
export interface ScriptedFiles {
  readonly tokenizer: Tokenizer;
  /** Jinja. */
  readonly template?: string;
  readonly harmony?: Harmony;
  readonly context?: number;
}

/** A model that can be asked how it encodes. */
export function modelOf({ tokenizer, template, harmony, context = 1000 }: ScriptedFiles): LoadedModel {
  const files = {
    config: { vocab: tokenizer.vocabularySize },
    tokenizer,
    chatTemplate: template === undefined ? undefined : ChatTemplate.parse(template),
    harmony,
    stopIds: new Set(tokenizer.eosIds),
  } as unknown as ModelFiles;
  return new Model({
    files,
    context,
    programs: undefined as unknown as ModelPrograms,
    target: undefined as unknown as Target,
  });
}

/** Answers all that a request asks, each with the next of the texts. */
export async function answersOf(
  model: LoadedModel,
  request: JobRequest,
  said: readonly (readonly number[])[],
): Promise<Answered[]> {
  return await Promise.all(request.asks.map((ask, at) => answerOf(model, ask, said[at] ?? [])));
}

// Implementation

/** The answer to one question, made token by token as real ones are. */
async function answerOf(model: LoadedModel, { prompt, options }: Ask, said: readonly number[]): Promise<Answered> {
  const { tokenizer, harmony, context, config } = model;
  const { reasoning, ...rest } = options;
  const speaks = harmony !== undefined && chatOf(prompt) !== undefined ? harmony : undefined;
  const answer = new Answer(
    {
      context,
      vocabulary: config.vocab,
      tokenizer,
      stopIds: new Set(speaks === undefined ? tokenizer?.eosIds : speaks.stopTokens),
      ...(speaks === undefined ? {} : { reader: () => new HarmonyReader(speaks) }),
    },
    model.encode(prompt, { reasoning }),
    { ...rest, temperature: 0 },
  );
  const pieces: Piece[] = [];
  for (const token of said) if (answer.finished === undefined) pieces.push(await answer.take(logitsFor(token)));
  if (answer.finished === undefined) throw new Error("the script is over, and the answer is not");
  const summary = {
    finishReason: answer.finished,
    promptTokens: answer.prompt.length,
    reusedTokens: 0,
    answerTokens: answer.count,
    prefillSeconds: 0,
    decodeSeconds: 0,
    seed: answer.seed,
    nearTies: [],
    ...(answer.messages === undefined ? {} : { messages: answer.messages }),
  };
  return { pieces, summary };
}

/** Logits by which a token is the likeliest, and of the others the lower ids are: as many as anybody asks for. */
function logitsFor(token: number): NextLogits {
  const ids = [token, ...Array.from({ length: 20 }, (_, id) => id).filter((id) => id !== token)];
  const values = ids.map((_, at) => (at === 0 ? 20 : -at));
  const logSumExp = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
  return { kind: "candidates", ids, values, logSumExp };
}
