/** Opens texts. Memory and programs are ready before the first token, so that an answer does not stop in its middle. */
import { capacityFor, chunksOf } from "../programs/buckets.ts";
import { chooseCacheSize, type LoadedModel } from "../programs/loaded-model.ts";
import type { PromptCache, TextUnderWay } from "./prompt-cache.ts";
import { Sequence } from "./sequence.ts";

// Public API

/** What a text has to hold for one answer. */
export interface AnswerRoom {
  readonly prompt: readonly number[];
  /** Positions of the prompt and the answer together. */
  readonly total: number;
  /** Of the steps that the answer takes. */
  readonly outputs: "last" | "chosen";
}

/** Opens an empty text with room for `positions`. */
export async function openText(
  model: LoadedModel,
  positions: number,
  signal: AbortSignal | undefined,
): Promise<Sequence> {
  await chooseCacheSize(model, 1, positions);
  return await Sequence.open(model.programs, positions, { signal });
}

/** Opens the text of one answer. With `cache` it may hold the beginning of the prompt already. */
export async function openAnswerText(
  model: LoadedModel,
  room: AnswerRoom,
  { cache, signal }: { readonly cache: PromptCache | undefined; readonly signal: AbortSignal | undefined },
): Promise<TextUnderWay> {
  const { prompt, total } = room;
  const capacity = answerCapacity(room);
  const open = async () => {
    // The cache first: a lack of memory shows at once.
    const sequence = await openText(model, capacity, signal);
    try {
      await compileSteps(model, room, signal);
    } catch (error) {
      await sequence.close();
      throw error;
    }
    return { sequence, capacity };
  };
  if (cache === undefined) return (await open()).sequence;
  return await cache.lend({ owner: model, prompt, room: total }, open);
}

/** How many positions the text of an answer has. */
export function answerCapacity({ prompt, total }: Pick<AnswerRoom, "prompt" | "total">): number {
  return capacityFor(prompt.length, total);
}

// Implementation

async function compileSteps(
  { programs }: LoadedModel,
  room: AnswerRoom,
  signal: AbortSignal | undefined,
): Promise<void> {
  const capacity = answerCapacity(room);
  for (const pos of new Set(chunksOf(room.prompt.length).map(({ bucket }) => bucket))) {
    signal?.throwIfAborted();
    await programs.step({ pos, capacity, outputs: "last" });
  }
  signal?.throwIfAborted();
  await programs.step({ pos: 1, capacity, outputs: room.outputs });
}
