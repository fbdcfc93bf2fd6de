/**
 * Requests of the batch format, answered by SmolLM2 with its real weights.
 *
 * Example run: npm run jest -- tests/jobs/smollm2.test.ts
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { loadModel, type Model, type Piece } from "../../inference/index.ts";
import { type Answered, answerLine, type JobRequest, readJobLine } from "../../openai/index.ts";
import { greedy } from "../parity/greedy-answers.ts";
import { smollm2 } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { testWorker } from "../support/worker.ts";

let model: Model;
beforeAll(async () => {
  model = await loadModel(smollm2, { worker: await testWorker() });
});
afterAll(() => model?.close());

const lineOf = (url: string, body: object) =>
  JSON.stringify({ custom_id: "one", method: "POST", url, body: { model: "smollm2", ...body } });

test("greedy chats and completions are answered as transformers answers them", async () => {
  const { cases, max_tokens } = greedy.chats;
  for (const { message, text, stop, prompt_ids, answer_ids } of Object.values(cases).slice(0, 3)) {
    const ways = [
      ["/v1/chat/completions", { messages: [{ role: "user", content: message }] }],
      ["/v1/completions", { prompt: prompt_ids }],
    ] as const;
    for (const [url, prompt] of ways) {
      const { choices, usage } = await answer(lineOf(url, { ...prompt, max_tokens, temperature: 0 }));
      const [choice] = choices;
      expect(choice?.message?.content ?? choice?.text).toBe(text);
      expect(choice?.finish_reason).toBe(stop === "eos" ? "stop" : "length");
      expect(usage).toMatchObject({ prompt_tokens: prompt_ids.length, completion_tokens: answer_ids.length });
    }
  }
}, 120_000);

test(exhaustive(
  "the first of several sampled answers is the one that is asked for alone, the others are others",
), async () => {
  const body = { messages: [{ role: "user", content: "Tell me a story." }], max_tokens: 12, seed: 5 };
  const several = await answer(lineOf("/v1/chat/completions", { ...body, n: 3 }));
  const texts = several.choices.map(({ message }) => message?.content);
  const alone = await answer(lineOf("/v1/chat/completions", body));
  expect(alone.choices[0]?.message?.content).toBe(texts[0]);
  expect(new Set(texts).size).toBe(3);
}, 120_000);

test("tools, names and thoughts' effort are refused: SmolLM2's template shows none of them", () => {
  const chat = (more: object) => () =>
    readJobLine(lineOf("/v1/chat/completions", { messages: [{ role: "user", content: "hi" }], ...more }), model);
  expect(chat({ tools: [{ type: "function", function: { name: "f" } }] })).toThrow(
    "the model's chat template shows no tools",
  );
  expect(chat({ messages: [{ role: "user", name: "ada", content: "hi" }] })).toThrow(
    "messages[0].name: the model's chat format",
  );
  expect(chat({ reasoning_effort: "low" })).toThrow("reasoning_effort is for chats with a GPT-OSS");
});

// Implementation

interface Body {
  readonly choices: readonly {
    readonly message?: { readonly content: string };
    readonly text?: string;
    readonly finish_reason: string;
  }[];
  readonly usage: object;
}

async function answer(line: string): Promise<Body> {
  const request = readJobLine(line, model);
  return JSON.parse(answerLine(request, await answersTo(request))).response.body;
}

async function answersTo({ asks }: JobRequest): Promise<Answered[]> {
  const answers: Answered[] = [];
  for (const { prompt, options } of asks) {
    const pieces: Piece[] = [];
    const generation = model.generate(prompt, options);
    let next = await generation.next();
    for (; next.done !== true; next = await generation.next()) pieces.push(next.value);
    answers.push({ pieces, summary: next.value });
  }
  return answers;
}
