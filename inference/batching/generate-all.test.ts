/** Answers to a list, on a lane that makes its logits up. */
import { expect, test } from "@jest/globals";
import { Answer } from "../answers/answer.ts";
import type { SentSteps } from "../answers/generation-loop.ts";
import { seedOf } from "../sampling/random.ts";
import type { NextLogits } from "../steps/step-call.ts";
import { type AnswerList, answerList, type BatchEvent, type OpenedList } from "./answer-list.ts";
import type { LaneModel } from "./engine-loop.ts";
import type { Lane } from "./lane.ts";

const positions = 256;

/** After token `n` comes `n + 1`, of ten. */
function counting(rows: number, calls: string[], spoil?: number): () => Promise<OpenedList> {
  const after = (token: number): NextLogits => {
    const logits = Float32Array.from({ length: 10 }, (_, id) => (id === token + 1 ? 1 : 0));
    return { kind: "candidates", ids: [...logits.keys()], values: logits, logSumExp: token === spoil ? Number.NaN : 1 };
  };
  const lane: Lane = {
    spare: positions,
    begin: async () => {},
    chunk: async (tokens) => after(tokens.at(-1) as number),
    keep: async () => {},
    adopt: async (row) => void calls.push(`fill ${row}`),
    send: async (tokens) => {
      calls.push(`step ${[...tokens.keys()].join(" ")}`);
      return onlyStep(new Map(Array.from(tokens, ([row, { token }]) => [row, after(token)])));
    },
    free: (row) => void calls.push(`free ${row}`),
    clear: async () => {},
    close: async () => void calls.push("close"),
  };
  const model: LaneModel = {
    rowFor: () => ({ capacity: positions, largest: positions, family: "" }),
    planLane: () => ({ rows, bytes: 1, places: 0 }),
    openLane: async () => lane,
    explain: async (error) => error,
  };
  return async () => ({ model, size: { rows, positions, bytes: 1 } });
}

/** A call of one step. */
function onlyStep(value: ReadonlyMap<number, NextLogits>): SentSteps {
  let taken = 0;
  return {
    count: 1,
    times: undefined,
    get taken() {
      return taken;
    },
    next: async () => (taken++ === 0 ? { done: false, value } : { done: true, value: undefined }),
    return: async () => ({ done: true, value: undefined }),
  };
}

function listOf(prompts: readonly (readonly number[])[], options: { readonly maxTokens?: number } = {}): AnswerList {
  const inputs = { stopIds: new Set([9]), context: 100, tokenizer: undefined };
  const answers = prompts.map((prompt) => new Answer(inputs, prompt, { stepsPerCall: 1, ...options }));
  return { answers: new Map(answers.entries()), refused: new Map(), seed: 1n };
}

test("a row that is done goes to the next prompt while the others go on", async () => {
  const calls: string[] = [];
  const events: BatchEvent[] = [];
  const prompts = [[6], [1], [7]];
  for await (const event of answerList(listOf(prompts, { maxTokens: 4 }), counting(2, calls), { stepsPerCall: 1 })) {
    events.push(event);
  }
  expect(calls).toEqual([
    ...["fill 0", "fill 1", "step 0 1", "step 0 1", "free 0", "fill 0", "step 0 1"],
    ...["free 0", "free 1", "close"],
  ]);
  const tokens = prompts.map((_, n) =>
    events.flatMap((event) => (event.kind === "piece" && event.index === n ? [event.piece.token] : [])),
  );
  expect(tokens).toEqual([
    [7, 8, 9],
    [2, 3, 4, 5],
    [8, 9],
  ]);
  const reasons = events.flatMap((event) => (event.kind === "done" ? [[event.index, event.summary.finishReason]] : []));
  expect(reasons).toEqual([
    [0, "stop"],
    [2, "stop"],
    [1, "length"],
  ]);
});

test("logits that are not numbers are an error that names the prompt, and everything is freed", async () => {
  const calls: string[] = [];
  const run = async () => {
    for await (const _ of answerList(listOf([[1], [4]]), counting(2, calls, 6), { stepsPerCall: 1 }));
  };
  await expect(run()).rejects.toMatchObject({
    message: "prompts[1]: log-sum-exp of the logits at position 3 is NaN",
    fields: { prompt: 1, position: 3 },
  });
  expect(calls.at(-1)).toBe("close");
});

test("each prompt's seed is made of the batch's and its index", async () => {
  expect([seedOf(7n, 0), seedOf(7n, 1)]).toEqual([7191089600892374487n, 309689372594955804n]);
});
