/** One answer, on a text of its own. */
import { explainLogits } from "../debugging/explain-logits.ts";
import { generationPlans } from "../debugging/nan-bundle.ts";
import type { LoadedModel } from "../programs/loaded-model.ts";
import { answerCapacity, openAnswerText } from "../steps/open-text.ts";
import type { TextUnderWay } from "../steps/prompt-cache.ts";
import type { NextLogits } from "../steps/step-call.ts";
import type { Answer, Piece } from "./answer.ts";
import { beginAnswer } from "./begin-answer.ts";
import { GenerationLoop } from "./generation-loop.ts";
import type { GenerateOneOptions, Prompt } from "./prompt.ts";
import { RunningAnswer } from "./running-answer.ts";
import type { Summary } from "./summary.ts";
import { onlyRow, TextSteps } from "./text-steps.ts";

// Public API

/** What `Model.generate` does. */
export async function* generate(
  model: LoadedModel,
  prompt: Prompt,
  { cache, ...options }: GenerateOneOptions,
): AsyncGenerator<Piece, Summary> {
  const { signal } = options;
  const answer = beginAnswer(model, prompt, options);
  const room = { prompt: answer.prompt, total: answer.prompt.length + answer.room };
  try {
    const open = (outputs: "last" | "chosen") => openAnswerText(model, { ...room, outputs }, { cache, signal });
    return yield* runAnswer(answer, open, signal);
  } catch (error) {
    const plans = generationPlans(answer.prompt, answer.tokens);
    throw await explainLogits(model, error, { plans, capacity: answerCapacity(room), signal });
  }
}

/**
 * Runs an answer to its end, piece by piece; the generator's return value is its summary. Leaving it early, by `break` or
 * by an error, frees everything.
 *
 * @param openText  opens the text, which may hold the beginning of the prompt; `outputs` of the steps that will come
 * @throws RuntimeFailure when logits are NaN or infinite
 */
export async function* runAnswer(
  answer: Answer,
  openText: (outputs: "last" | "chosen") => Promise<TextUnderWay>,
  signal?: AbortSignal,
): AsyncGenerator<Piece, Summary> {
  const running = new RunningAnswer(answer);
  await using text = await openText(answer.deviceChoice === undefined ? "last" : "chosen");
  running.reused = text.length;
  running.beginPrefill();
  const first = await text.prefill(answer.prompt.slice(running.reused), answer.wanted, signal);
  running.endPrefill();
  if (!running.wantsMore) return running.summarize();
  await using loop = new GenerationLoop<RunningAnswer>(new TextSteps(text), answer.stepsPerCall);
  signal?.throwIfAborted();
  let piece = await running.take(first);
  while (running.wantsMore) {
    // The next steps run while the caller looks at this piece.
    const call = loop.send(new Map([[onlyRow, running]]), { signal });
    yield piece;
    for await (const step of call) {
      piece = await running.take(step.get(running) as NextLogits);
      if (!call.isOver) yield piece;
    }
  }
  yield piece;
  return running.summarize();
}
