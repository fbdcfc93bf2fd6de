/**
 * OpenAI's batch format against what others say of it: the types of OpenAI's client, transformers, openai-harmony.
 *
 * Example run: npm run jest -- tests/jobs/format.test.ts
 * Fixtures anew: npm run oracle:jobs
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Ajv, type ValidateFunction } from "ajv";
import { loadHarmony } from "../../inference/harmony/index.ts";
import { type Model, tokenizerFromJson } from "../../inference/index.ts";
import { chatFields } from "../../openai/chat-request.ts";
import { completionFields } from "../../openai/completion-request.ts";
import { answerLine, readJobLine } from "../../openai/index.ts";
import { byteTokenizerJson } from "../support/byte-tokenizer.ts";
import { answersOf, modelOf } from "../support/scripted-answers.ts";

const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");
const { requestFields, ...schemas } = JSON.parse(read("fixtures/schemas.json")) as {
  readonly requestFields: Readonly<Record<"chat" | "completion", readonly string[]>>;
  readonly chat: object;
  readonly completion: object;
  readonly error: object;
};
const { date, cases } = JSON.parse(read("fixtures/chats.json")) as {
  readonly date: string;
  readonly cases: Readonly<Record<string, ChatCase>>;
};

interface ChatCase {
  readonly body: object;
  readonly rendered: string;
  readonly harmony: readonly number[];
}

const chatUrl = "/v1/chat/completions";
const lineOf = (body: object, url = chatUrl, id = "one") =>
  JSON.stringify({ custom_id: id, method: "POST", url, body: { model: "m", ...body } });

const tokenizer = tokenizerFromJson(byteTokenizerJson(), { eos_token: "<|return|>" });
const bytes = (text: string) => tokenizer.encode(text, { parseSpecial: true, addSpecial: false });
const end = tokenizer.specialTokens.get("<|return|>") as number;
const plain = modelOf({ tokenizer, template: read("tools.jinja"), context: 4000 });

let gptOss: Model;
beforeAll(async () => {
  const harmony = await loadHarmony();
  gptOss = modelOf({ tokenizer: harmony.tokenizer, harmony, context: 4000 });
  jest.useFakeTimers({ now: new Date(`${date}T12:00:00`), doNotFake: ["nextTick", "queueMicrotask", "performance"] });
});
afterAll(() => void jest.useRealTimers());

describe("a chat request", () => {
  test.each(Object.keys(cases))("%s: is rendered as transformers renders it by the same template", (name) => {
    const { body, rendered } = cases[name] as ChatCase;
    const { reasoning_effort: _, ...rest } = body as Readonly<Record<string, unknown>>;
    const [ask] = readJobLine(lineOf(rest), plain).asks;
    expect(tokenizer.decode(plain.encode(ask!.prompt))).toBe(rendered);
  });

  test.each(Object.keys(cases))("%s: is what openai-harmony makes of it, token for token", (name) => {
    const { body, harmony } = cases[name] as ChatCase;
    const [ask] = readJobLine(lineOf(body), gptOss).asks;
    expect(gptOss.encode(ask!.prompt, { reasoning: ask!.options.reasoning })).toEqual(harmony);
  });

  test("has a word on every field that OpenAI's client knows", () => {
    expect(requestFields.chat.filter((field) => !(field in chatFields))).toEqual([]);
    expect(requestFields.completion.filter((field) => !(field in completionFields))).toEqual([]);
    expect(requestFields.chat.length).toBeGreaterThan(30);
  });
});

describe("a response to a chat", () => {
  test("tells text, why it ended, tokens and their log-probabilities, and is what OpenAI's client reads", async () => {
    const said = [...bytes("Hi 😀"), end];
    const { choices, usage, ...head } = await chat({ ...hello, logprobs: true, top_logprobs: 2, n: 2 }, plain, [
      said,
      said,
    ]);
    expect(head).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
      object: "chat.completion",
      created: Date.parse(`${date}T12:00:00`) / 1000,
      model: "m",
      system_fingerprint: expect.stringMatching(/^fp_[0-9a-f]{10}$/),
    });
    expect(choices).toHaveLength(2);
    expect(choices[1]).toMatchObject({ index: 1, finish_reason: "stop" });
    expect(choices[0]?.message).toEqual({ role: "assistant", content: "Hi 😀", refusal: null });
    const content = choices[0]?.logprobs?.content ?? [];
    expect(content.map(({ token }) => token)).toEqual(["H", "i", " ", "\\xf0", "\\x9f", "\\x98", "\\x80"]);
    expect(Buffer.from(content.flatMap((each) => each.bytes)).toString()).toBe("Hi 😀");
    expect(content[0]?.top_logprobs.map(({ bytes }) => bytes)).toEqual([[72], [0]]);
    expect(content[0]?.logprob).toBe(content[0]?.top_logprobs[0]?.logprob);
    const prompt = plain.encode(readJobLine(lineOf(hello), plain).asks[0]!.prompt).length;
    expect(usage).toEqual({
      prompt_tokens: prompt,
      completion_tokens: 16,
      total_tokens: prompt + 16,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    });
  });

  test("ends before a stop string, and so do its log-probabilities", async () => {
    const { choices } = await chat({ ...hello, logprobs: true, stop: ["cd", "x"] }, plain, [bytes("abcd")]);
    expect(choices[0]).toMatchObject({ message: { content: "ab" }, finish_reason: "stop" });
    expect(choices[0]?.logprobs?.content.map(({ token }) => token)).toEqual(["a", "b"]);
  });

  test("that used up its tokens says so", async () => {
    const { choices } = await chat({ ...hello, max_completion_tokens: 2 }, plain, [bytes("abcd")]);
    expect(choices[0]).toMatchObject({ message: { content: "ab" }, logprobs: null, finish_reason: "length" });
  });

  test("holds the calls of tools that were offered, their arguments as they were written", async () => {
    const text =
      'I look.\n<tool_call>\n{"name": "clock", "arguments": {"id": 12345678901234567890, "t": "</tool_call>"}}\n</tool_call>';
    const { choices } = await chat({ ...hello, tools: [clock] }, plain, [[...bytes(text), end]]);
    expect(choices[0]).toMatchObject({ finish_reason: "tool_calls" });
    expect(choices[0]?.message).toEqual({
      role: "assistant",
      content: "I look.",
      refusal: null,
      tool_calls: [
        {
          id: expect.stringMatching(/^call_[0-9a-f]{24}$/),
          type: "function",
          function: { name: "clock", arguments: '{"id": 12345678901234567890, "t": "</tool_call>"}' },
        },
      ],
    });
    const without = await chat(hello, plain, [[...bytes(text), end]]);
    expect(without.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: text } });
  });

  test("holds one call where parallel ones are not wanted, and no content where there is none", async () => {
    const call =
      '<tool_call>[{"name": "clock", "arguments": {}}, {"name": "clock", "arguments": {"a": 1}}]</tool_call>';
    const said = [[...bytes(call), end]];
    const both = await chat({ ...hello, tools: [clock] }, plain, said);
    expect(both.choices[0]?.message).toMatchObject({ content: null });
    expect(both.choices[0]?.message.tool_calls).toHaveLength(2);
    const one = await chat({ ...hello, tools: [clock], parallel_tool_calls: false }, plain, said);
    expect(one.choices[0]?.message.tool_calls?.map((each) => each.function.arguments)).toEqual(["{}"]);
  });

  test("is the same bytes when it is made again, and others for another custom_id", async () => {
    const line = async (id: string) => {
      const request = readJobLine(lineOf({ ...hello, tools: [clock] }, chatUrl, id), plain);
      const call = '<tool_call>{"name": "clock", "arguments": {}}</tool_call>';
      return answerLine(request, await answersOf(plain, request, [[...bytes(call), end]])).replace(/"seed.*?,/, "");
    };
    expect(await line("one")).toBe(await line("one"));
    const ids = (text: string) => text.match(/(?:batch_req|req|chatcmpl|call)[-_][0-9a-f]{24,}/g) ?? [];
    const all = [...ids(await line("one")), ...ids(await line("two"))];
    expect(all).toHaveLength(8);
    expect(new Set(all).size).toBe(8);
  });

  test("lists near ties of all its choices in a field of its own", async () => {
    const request = readJobLine(lineOf({ ...hello, n: 2 }), plain);
    const answers = await answersOf(plain, request, [[end], [end]]);
    expect(request.respond(answers)).not.toHaveProperty("tsxla");
    const [first, second] = answers as [(typeof answers)[0], (typeof answers)[0]];
    const tied = { ...second, summary: { ...second.summary, nearTies: [{ index: 0, margin: 2e-5 }] } };
    expect(request.respond([first, tied])).toMatchObject({
      tsxla: { near_ties: [{ choice: 1, index: 0, margin: 2e-5 }] },
    });
  });
});

describe("a GPT-OSS's response", () => {
  const spoken = (text: string) => gptOss.tokenizer!.encode(text, { parseSpecial: true });

  test("has its thoughts as reasoning, counts them, and tells log-probabilities of the answer alone", async () => {
    const said = spoken(
      "<|channel|>analysis<|message|>They greet.<|end|><|start|>assistant<|channel|>final<|message|>Hi you<|return|>",
    );
    const { choices, usage } = await chat({ ...hello, logprobs: true, reasoning_effort: "low" }, gptOss, [said]);
    expect(choices[0]?.message).toEqual({
      role: "assistant",
      content: "Hi you",
      refusal: null,
      reasoning: "They greet.",
    });
    expect(choices[0]?.finish_reason).toBe("stop");
    expect(choices[0]?.logprobs?.content.map(({ token }) => token)).toEqual(["Hi", " you"]);
    expect(usage.completion_tokens_details.reasoning_tokens).toBe(spoken("They greet.").length);
    expect(usage.completion_tokens).toBe(said.length);
  });

  const calling =
    "<|channel|>analysis<|message|>The time?<|end|><|start|>assistant<|channel|>commentary<|message|>I look.<|end|>" +
    '<|start|>assistant<|channel|>commentary to=functions.clock <|constrain|>json<|message|>{"id": 12345678901234567890}<|call|>';

  test("holds its calls, and what it says beside them", async () => {
    const { choices } = await chat({ ...hello, tools: [clock] }, gptOss, [spoken(calling)]);
    expect(choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: "I look.",
        reasoning: "The time?",
        tool_calls: [{ type: "function", function: { name: "clock", arguments: '{"id": 12345678901234567890}' } }],
      },
    });
  });

  test("holds a call that was cut off, as far as it came", async () => {
    const said = spoken(calling);
    const { choices } = await chat({ ...hello, tools: [clock], max_tokens: said.length - 3 }, gptOss, [said]);
    expect(choices[0]).toMatchObject({ finish_reason: "length" });
    expect(choices[0]?.message.tool_calls?.[0]?.function.arguments).toMatch(/^\{"id": \d+$/);
  });

  test("has a call as text where no tools were offered, so that nothing is lost", async () => {
    const { choices } = await chat({ ...hello, tools: [clock], tool_choice: "none" }, gptOss, [spoken(calling)]);
    expect(choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { content: 'I look.\n{"id": 12345678901234567890}' },
    });
    expect(choices[0]?.message).not.toHaveProperty("tool_calls");
  });

  test("that ended among thoughts has no content and says so", async () => {
    const said = spoken("<|channel|>analysis<|message|>Let me see");
    const { choices, usage } = await chat({ ...hello, max_tokens: said.length, logprobs: true }, gptOss, [said]);
    expect(choices[0]).toMatchObject({ finish_reason: "length", message: { content: "", reasoning: "Let me see" } });
    expect(choices[0]?.logprobs?.content).toEqual([]);
    expect(usage.completion_tokens_details.reasoning_tokens).toBe(3);
  });

  test("goes into the next request as it came", async () => {
    const { choices } = await chat({ ...hello, tools: [clock] }, gptOss, [spoken(calling)]);
    const { message } = choices[0]!;
    const answer = { role: "tool", tool_call_id: message.tool_calls?.[0]?.id, content: "noon" };
    const next = { tools: [clock], messages: [...hello.messages, message, answer] };
    const [ask] = readJobLine(lineOf(next), gptOss).asks;
    const text = gptOss.tokenizer!.decode(gptOss.encode(ask!.prompt));
    expect(text.slice(text.indexOf("<|start|>assistant"))).toBe(
      [
        "<|start|>assistant<|channel|>analysis<|message|>The time?<|end|>",
        "<|start|>assistant<|channel|>commentary<|message|>I look.<|end|>",
        "<|start|>assistant to=functions.clock<|channel|>commentary <|constrain|>json<|message|>",
        '{"id": 12345678901234567890}<|call|>',
        "<|start|>functions.clock to=assistant<|channel|>commentary<|message|>noon<|end|><|start|>assistant",
      ].join(""),
    );
  });

  test("ends before a stop string of its answer, and so do its log-probabilities; thoughts may hold it", async () => {
    const said = spoken(
      "<|channel|>analysis<|message|>Not you.<|end|><|start|>assistant<|channel|>final<|message|>Hi you there",
    );
    const { choices } = await chat({ ...hello, logprobs: true, stop: " you" }, gptOss, [said]);
    expect(choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "Hi", reasoning: "Not you." } });
    expect(choices[0]?.logprobs?.content.map(({ token }) => token)).toEqual(["Hi"]);
  });
});

describe("a completion", () => {
  const url = "/v1/completions";

  test("answers each prompt n times, the first prompt's answers first", async () => {
    const request = readJobLine(lineOf({ prompt: ["ab", "c"], n: 2, max_tokens: 1, logprobs: 1 }, url), plain);
    expect(request.asks.map(({ prompt }) => prompt)).toEqual(["ab", "ab", "c", "c"]);
    const body = await completion(request, ["w", "x", "y", "z"].map(bytes));
    expect(body.choices.map(({ index, text }) => `${index} ${text}`)).toEqual(["0 w", "1 x", "2 y", "3 z"]);
    expect(body.choices[3]).toMatchObject({ finish_reason: "length" });
    expect(body.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 });
  });

  test("tells log-probabilities by spelling, places in characters, the chosen token beside the likeliest", async () => {
    const request = readJobLine(lineOf({ prompt: [97, 98], max_tokens: 6, logprobs: 0 }, url), plain);
    const { choices } = await completion(request, [bytes("é😀")]);
    expect(choices[0]?.logprobs).toEqual({
      tokens: ["c3", "a9", "f0", "9f", "98", "80"].map((byte) => `bytes:\\x${byte}`),
      token_logprobs: Array(6).fill(expect.any(Number)),
      top_logprobs: ["c3", "a9", "f0", "9f", "98", "80"].map((byte) => ({ [`bytes:\\x${byte}`]: expect.any(Number) })),
      text_offset: [0, 0, 1, 1, 1, 1],
    });
  });

  test("has 16 tokens unless it says otherwise, or as many as the context has left", () => {
    const tokensOf = (prompt: unknown) => readJobLine(lineOf({ prompt }, url), plain).asks[0]?.options.maxTokens;
    expect(tokensOf("a")).toBe(16);
    expect(tokensOf(Array(3990).fill(97))).toBe(10);
  });
});

test("answer 0 has the request's seed whatever n is, the others have seeds of their own", () => {
  const seeds = (more: object, id = "one") =>
    readJobLine(lineOf({ ...hello, ...more }, chatUrl, id), plain).asks.map(({ options }) => options.seed);
  expect(seeds({ seed: 7 })).toEqual([7n]);
  expect(seeds({ seed: -1 })).toEqual([2n ** 64n - 1n]);
  expect(seeds({ seed: 7, n: 3 })[0]).toBe(7n);
  expect(new Set(seeds({ seed: 7, n: 3 })).size).toBe(3);
  expect(seeds({})).toEqual(seeds({}));
  expect(seeds({})).not.toEqual(seeds({}, "two"));
});

// Implementation

const hello = { messages: [{ role: "user", content: "Hello" }] };
const clock = { type: "function", function: { name: "clock", description: "Tells the time." } };

interface ChatBody {
  readonly choices: readonly {
    readonly message: {
      readonly content: string | null;
      readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly arguments: string } }[];
    };
    readonly logprobs: { readonly content: readonly ChatToken[] } | null;
    readonly finish_reason: string;
  }[];
  readonly usage: {
    readonly completion_tokens: number;
    readonly completion_tokens_details: { readonly reasoning_tokens: number };
  };
}

interface ChatToken {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: number[];
  readonly top_logprobs: readonly ChatToken[];
}

interface CompletionBody {
  readonly choices: readonly { readonly index: number; readonly text: string; readonly logprobs: unknown }[];
  readonly usage: object;
}

const ajv = new Ajv({ strict: false });
const validators = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, ajv.compile(schema)]));

/** The body of a response, which has to be what OpenAI's client reads, but for fields that are tsxla's own. */
async function chat(body: object, model: Model, said: readonly (readonly number[])[]): Promise<ChatBody> {
  const request = readJobLine(lineOf(body), model);
  const made = bodyOf(answerLine(request, await answersOf(model, request, said)));
  const plain = structuredClone(made) as { choices: { message: { reasoning?: unknown } }[] };
  for (const { message } of plain.choices) delete message.reasoning;
  requireValid("chat", plain);
  return made as ChatBody;
}

async function completion(
  request: ReturnType<typeof readJobLine>,
  said: readonly (readonly number[])[],
): Promise<CompletionBody> {
  const made = bodyOf(answerLine(request, await answersOf(plain, request, said)));
  requireValid("completion", made);
  return made as CompletionBody;
}

function bodyOf(line: string): unknown {
  const { id, custom_id, response, error } = JSON.parse(line);
  expect({ id, custom_id, error }).toEqual({
    id: expect.stringMatching(/^batch_req_[0-9a-f]{32}$/),
    custom_id: "one",
    error: null,
  });
  expect(response).toMatchObject({ status_code: 200, request_id: expect.stringMatching(/^req_[0-9a-f]{32}$/) });
  return response.body;
}

function requireValid(name: string, value: unknown): void {
  const validate = validators[name] as ValidateFunction;
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
}
