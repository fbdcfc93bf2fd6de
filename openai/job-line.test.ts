import { describe, expect, test } from "@jest/globals";
import { InputError, RuntimeFailure } from "../dsl/errors.ts";
import { Harmony } from "../inference/harmony/index.ts";
import { byteTokenizer } from "../tests/support/byte-tokenizer.ts";
import { modelOf } from "../tests/support/scripted-answers.ts";
import { chatFields } from "./chat-request.ts";
import { completionFields } from "./completion-request.ts";
import { readJobLine } from "./job-line.ts";
import type { JobDefaults } from "./job-types.ts";
import { errorLine } from "./output-line.ts";

const tokenizer = byteTokenizer();
/** It shows roles and contents, and nothing else. */
const template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";
const model = modelOf({ tokenizer, template, context: 100 });
const base = modelOf({ tokenizer, context: 100 });
const gptOss = modelOf({ tokenizer, harmony: new Harmony(tokenizer), context: 2000 });

const chatUrl = "/v1/chat/completions";
const line = (body: unknown, more: object = {}) =>
  JSON.stringify({ custom_id: "one", method: "POST", url: chatUrl, body, ...more });
const user = { role: "user", content: "hi" };
const chat = (more: object, messages: unknown = [user]) => line({ model: "m", messages, ...more });
const completion = (more: object) => line({ model: "m", ...more }, { url: "/v1/completions" });
const call = (id: string, given = "{}") => ({ id, type: "function", function: { name: "f", arguments: given } });
const tool = (more: object = {}) => ({ type: "function", function: { name: "f", ...more } });
const deep = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

/** `code param: sentence`. */
function refusalOf(
  text: string,
  { on = model, ...defaults }: JobDefaults & { readonly on?: typeof model } = {},
): string {
  try {
    readJobLine(text, on, defaults);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return `${error.code} ${error.fields.param}: ${error.message}`;
  }
  return "taken";
}

const refusals = (texts: readonly string[], options?: Parameters<typeof refusalOf>[1]) =>
  `\n${texts.map((text) => refusalOf(text, options)).join("\n")}\n`;

describe("a line that is refused says where and why", () => {
  test("when it is no request", () => {
    expect(
      refusals([
        "{",
        "",
        "[]",
        "{}",
        line({}, { custom_id: 7 }),
        line({}, { custom_id: "" }),
        line({}, { method: "GET" }),
        line({}, { url: "/v1/embeddings" }),
        line([]),
        line({}, { priority: 1 }),
        line({}),
      ]),
    ).toMatchInlineSnapshot(`
"
invalid_json_line null: the line is not JSON: Expected property name or '}' in JSON at position 1
invalid_json_line null: the line is not JSON: Unexpected end of JSON input
invalid_type null: the line is a list of 0; wanted an object
missing_required_parameter custom_id: custom_id is missing; wanted a string
invalid_type custom_id: custom_id is 7; wanted a string
empty_string custom_id: custom_id is ""; wanted a string that is not empty
invalid_value method: method is "GET"; wanted POST
invalid_value url: url is "/v1/embeddings"; wanted /v1/chat/completions or /v1/completions
invalid_type body: body is a list of 0; wanted an object
unknown_parameter priority: priority is not known
missing_required_parameter model: body.model is missing; wanted a string
"
`);
  });

  test("when its messages are missing, empty or of another type", () => {
    expect(
      refusals([
        chat({}, null),
        line({ model: "m" }),
        chat({}, []),
        chat({}, "hi"),
        chat({}, ["hi"]),
        chat({}, [{ content: "hi" }]),
        chat({}, [{ role: "function", name: "f", content: "hi" }]),
        chat({}, [{ role: "user" }]),
        chat({}, [{ role: "user", content: null }]),
        chat({}, [{ role: "user", content: [] }]),
        chat({}, [{ role: "user", content: ["hi"] }]),
        chat({}, [{ role: "user", content: [{ type: "text" }] }]),
        chat({}, [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }]),
        chat({}, [
          {
            role: "user",
            content: [
              { type: "text", text: "a" },
              { type: "input_audio", input_audio: {} },
            ],
          },
        ]),
        chat({}, [{ ...user, tool_calls: [] }]),
        chat({}, [{ ...user, name: "ada" }]),
        chat({}, [user, { role: "assistant" }]),
        chat({}, [user, { role: "assistant", content: "no", refusal: "no" }]),
        chat({}, [user, { role: "assistant", content: "x", function_call: { name: "f", arguments: "{}" } }]),
      ]),
    ).toMatchInlineSnapshot(`
"
invalid_type messages: body.messages is null; wanted a list of messages
missing_required_parameter messages: body.messages is missing; wanted a list of messages
empty_array messages: body.messages is a list of 0; wanted at least one message
invalid_type messages: body.messages is "hi"; wanted a list of messages
invalid_type messages[0]: body.messages[0] is "hi"; wanted system, developer, user, assistant or tool
missing_required_parameter messages[0].role: body.messages[0].role is missing; wanted system, developer, user, assistant or tool
invalid_value messages[0].role: body.messages[0].role is "function"; wanted system, developer, user, assistant or tool
missing_required_parameter messages[0].content: body.messages[0].content is missing; wanted a string, or a list of parts of text
invalid_type messages[0].content: body.messages[0].content is null; wanted a string, or a list of parts of text
empty_array messages[0].content: body.messages[0].content is a list of 0; wanted at least one part
invalid_type messages[0].content[0]: body.messages[0].content[0] is "hi"; wanted a part of text
missing_required_parameter messages[0].content[0].text: body.messages[0].content[0].text is missing; wanted a string
invalid_value messages[0].content[0].type: body.messages[0].content[0].type is "image_url"; wanted text: the model reads nothing else
invalid_value messages[0].content[1].type: body.messages[0].content[1].type is "input_audio"; wanted text: the model reads nothing else
unknown_parameter messages[0].tool_calls: body.messages[0].tool_calls is not known
unsupported_parameter messages[0].name: body.messages[0].name: the model's chat format does not show it
missing_required_parameter messages[1].content: body.messages[1].content is missing; wanted content or tool_calls
unsupported_parameter messages[1].refusal: body.messages[1].refusal is "no": there are no refusals here; say it as content
unsupported_parameter messages[1].function_call: body.messages[1].function_call is an object: functions are called by tool_calls
"
`);
  });

  test("when calls and answers of tools do not fit", () => {
    const asked = { role: "assistant", tool_calls: [call("a")] };
    const answered = (id: string) => ({ role: "tool", tool_call_id: id, content: "x" });
    expect(
      refusals([
        chat({}, [user, answered("a")]),
        chat({}, [user, asked, answered("b")]),
        chat({}, [user, asked, answered("a"), answered("a")]),
        chat({}, [user, asked, user]),
        chat({}, [user, asked]),
        chat({}, [user, { role: "assistant", tool_calls: [call("a"), call("a")] }, answered("a")]),
        chat({}, [user, { role: "assistant", tool_calls: [call("a", "{")] }, answered("a")]),
        chat({}, [user, { role: "assistant", tool_calls: [call("a", "[1]")] }, answered("a")]),
        chat({}, [
          user,
          { role: "assistant", tool_calls: [call("a", '{"a": [12345678901234567890]}')] },
          answered("a"),
        ]),
        chat({}, [
          user,
          { role: "assistant", tool_calls: [call("a", `{"a": ${JSON.stringify(deep(200))}}`)] },
          answered("a"),
        ]),
        chat({}, [user, { role: "assistant", tool_calls: [{ ...call("a"), type: "custom" }] }, answered("a")]),
        chat({}, [user, { role: "tool", content: "x" }]),
        // The template shows no calls.
        chat({}, [user, { role: "assistant", content: "", tool_calls: [call("a")] }, answered("a")]),
      ]),
    ).toMatchInlineSnapshot(`
"
invalid_value messages[1].tool_call_id: body.messages[1].tool_call_id is "a"; wanted the id of a call just before it, unanswered
invalid_value messages[2].tool_call_id: body.messages[2].tool_call_id is "b"; wanted the id of a call just before it, unanswered
invalid_value messages[3].tool_call_id: body.messages[3].tool_call_id is "a"; wanted the id of a call just before it, unanswered
invalid_value messages[1].tool_calls: body.messages[1].tool_calls: the call "a" has no message of role tool that answers it
invalid_value messages[1].tool_calls: body.messages[1].tool_calls: the call "a" has no message of role tool that answers it
invalid_value messages[1].tool_calls: body.messages[1].tool_calls holds two calls of one id
invalid_value messages[1].tool_calls[0].function.arguments: body.messages[1].tool_calls[0].function.arguments: wanted a JSON object, nested at most 100 deep, of numbers up to 2^53
invalid_value messages[1].tool_calls[0].function.arguments: body.messages[1].tool_calls[0].function.arguments: wanted a JSON object, nested at most 100 deep, of numbers up to 2^53
invalid_value messages[1].tool_calls[0].function.arguments: body.messages[1].tool_calls[0].function.arguments: wanted a JSON object, nested at most 100 deep, of numbers up to 2^53
invalid_value messages[1].tool_calls[0].function.arguments: body.messages[1].tool_calls[0].function.arguments: wanted a JSON object, nested at most 100 deep, of numbers up to 2^53
invalid_value messages[1].tool_calls[0].type: body.messages[1].tool_calls[0].type is "custom"; wanted function: there are no other tools
missing_required_parameter messages[1].tool_call_id: body.messages[1].tool_call_id is missing; wanted a string
unsupported_parameter messages[1].tool_calls: body.messages[1].tool_calls: the model's chat format does not show it
"
`);
  });

  test("when a setting is out of range, or of another type", () => {
    expect(
      refusals([
        chat({ temperature: -0.1 }),
        chat({ temperature: 2.1 }),
        chat({ temperature: "1" }),
        chat({ top_p: 1.5 }),
        chat({ n: 0 }),
        chat({ n: 129 }),
        chat({ n: 1.5 }),
        chat({ seed: 2 ** 53 }),
        chat({ seed: 0.5 }),
        chat({ stop: ["a", "b", "c", "d", "e"] }),
        chat({ stop: [""] }),
        chat({ stop: 1 }),
        chat({ presence_penalty: 3 }),
        chat({ frequency_penalty: -3 }),
        chat({ logit_bias: [] }),
        chat({ logit_bias: { a: 1 } }),
        chat({ logit_bias: { "1": 101 } }),
        chat({ logit_bias: { "9999": 1 } }),
        chat({ stop_token_ids: [9999] }),
        chat({ stop_token_ids: [-1] }),
        chat({ top_k: -2 }),
        chat({ min_p: 2 }),
        chat({ repetition_penalty: 0 }),
        chat({ min_tokens: 5, max_tokens: 4 }),
        chat({ logprobs: 1 }),
        chat({ top_logprobs: 2 }),
        chat({ logprobs: true, top_logprobs: 21 }),
        chat({ max_tokens: 0 }),
        chat({ max_tokens: 1e300 }),
        chat({ max_tokens: 5, max_completion_tokens: 5 }),
        chat({ metadata: { a: 1 } }),
        chat({ colour: "blue" }),
      ]),
    ).toMatchInlineSnapshot(`
"
decimal_below_min_value temperature: body.temperature is -0.1; wanted a number from 0 to 2
decimal_above_max_value temperature: body.temperature is 2.1; wanted a number from 0 to 2
invalid_type temperature: body.temperature is "1"; wanted a number from 0 to 2
decimal_above_max_value top_p: body.top_p is 1.5; wanted a number from 0 to 1
integer_below_min_value n: body.n is 0; wanted a whole number from 1 to 128
integer_above_max_value n: body.n is 129; wanted a whole number from 1 to 128
invalid_type n: body.n is 1.5; wanted a whole number from 1 to 128
integer_above_max_value seed: body.seed is 9007199254740992; wanted a whole number from -(2^53 - 1) to 2^53 - 1
invalid_type seed: body.seed is 0.5; wanted a whole number from -(2^53 - 1) to 2^53 - 1
array_above_max_length stop: body.stop is a list of 5; wanted at most 4 strings
empty_string stop[0]: body.stop[0] is ""; wanted a string that is not empty
invalid_type stop: body.stop is 1; wanted a string, or a list of at most 4
decimal_above_max_value presence_penalty: body.presence_penalty is 3; wanted a number from -2 to 2
decimal_below_min_value frequency_penalty: body.frequency_penalty is -3; wanted a number from -2 to 2
invalid_type logit_bias: body.logit_bias is a list of 0; wanted an object of token ids
invalid_value logit_bias.a: body.logit_bias.a is no key; wanted a token id
decimal_above_max_value logit_bias.1: body.logit_bias.1 is 101; wanted a number from -100 to 100
invalid_value logit_bias.9999: body.logit_bias.9999 names token 9999; the vocabulary has ids 0 to 263
invalid_value stop_token_ids[0]: body.stop_token_ids[0] names token 9999; the vocabulary has ids 0 to 263
integer_below_min_value stop_token_ids[0]: body.stop_token_ids[0] is -1; wanted a whole number of at least 0
integer_below_min_value top_k: body.top_k is -2; wanted a whole number of at least -1
decimal_above_max_value min_p: body.min_p is 2; wanted a number from 0 to 1
decimal_below_min_value repetition_penalty: body.repetition_penalty is 0; wanted a number from 0.000001 to 1000000
invalid_value min_tokens: body.min_tokens is 5, and the answer has at most 4 tokens
invalid_type logprobs: body.logprobs is 1; wanted true or false
invalid_value top_logprobs: body.top_logprobs is given; wanted logprobs true beside it
integer_above_max_value top_logprobs: body.top_logprobs is 21; wanted a whole number from 0 to 20
integer_below_min_value max_tokens: body.max_tokens is 0; wanted a whole number of at least 1
integer_above_max_value max_tokens: body.max_tokens is 1e+300; wanted a whole number of at least 1
invalid_value max_tokens: body.max_tokens and body.max_completion_tokens are both given; wanted one of them
invalid_type metadata.a: body.metadata.a is 1; wanted a string
unknown_parameter colour: body.colour is not known
"
`);
    // JSON has larger numbers than JavaScript.
    expect(
      refusals([chat({ temperature: 0 }).replace('"temperature":0', '"temperature":1e999')]),
    ).toMatchInlineSnapshot(`
"
invalid_type temperature: body.temperature is Infinity; wanted a number from 0 to 2
"
`);
  });

  test("when it wants what cannot be promised", () => {
    expect(
      refusals([
        chat({ stream: true }),
        chat({ stream_options: { include_usage: true } }),
        chat({ response_format: { type: "json_object" } }),
        chat({ response_format: { type: "json_schema", json_schema: { name: "a", schema: {} } } }),
        chat({ tools: [tool()], tool_choice: "required" }),
        chat({ tools: [tool()], tool_choice: { type: "function", function: { name: "f" } } }),
        chat({ tools: [tool()], tool_choice: "any" }),
        chat({ tool_choice: "auto" }),
        chat({ tools: [] }),
        chat({ tools: [tool({ strict: true })] }),
        chat({ tools: [tool({ name: "a b" })] }),
        chat({ tools: [tool(), tool()] }),
        chat({ tools: [tool({ parameters: { a: deep(200) } })] }),
        chat({ tools: [{ type: "custom", custom: { name: "f" } }] }),
        // The template shows none.
        chat({ tools: [tool()] }),
        chat({ reasoning_effort: "low" }),
        chat({ reasoning_effort: "minimal" }),
        chat({ modalities: ["text", "audio"] }),
        chat({ store: true }),
        chat({ functions: [] }),
        completion({ prompt: "a", echo: true }),
        completion({ prompt: "a", suffix: "b" }),
        completion({ prompt: "a", best_of: 3 }),
        completion({ prompt: "a", logprobs: 6 }),
        completion({ prompt: "a", logprobs: true }),
      ]),
    ).toMatchInlineSnapshot(`
"
unsupported_value stream: body.stream is true: a batch's answers come whole
unsupported_parameter stream_options: body.stream_options is an object: a batch's answers come whole
unsupported_value response_format: body.response_format is an object: only text can be promised
unsupported_value response_format: body.response_format is an object: only text can be promised
unsupported_value tool_choice: body.tool_choice is "required"; wanted auto or none: that a model calls can not be promised
unsupported_value tool_choice: body.tool_choice is an object; wanted auto or none: that a model calls can not be promised
invalid_value tool_choice: body.tool_choice is "any"; wanted auto or none: that a model calls can not be promised
invalid_value tool_choice: body.tool_choice is "auto"; wanted tools beside it
empty_array tools: body.tools is a list of 0; wanted at least one tool
unsupported_value tools[0].function.strict: body.tools[0].function.strict is true: that arguments follow their schema can not be promised
invalid_value tools[0].function.name: body.tools[0].function.name is "a b"; wanted 1 to 64 letters, digits, _ and -
invalid_value tools[1].function.name: body.tools[1].function.name is "f"; another tool is called so
invalid_value tools[0].function.parameters: body.tools[0].function.parameters is an object; wanted a JSON schema, nested at most 100 deep
invalid_value tools[0].type: body.tools[0].type is "custom"; wanted function: there are no other tools
chat_tools_unseen tools: body.tools: the model's chat template shows no tools; describe them in a message, or take a model that was trained with tools
unsupported_parameter reasoning_effort: body.reasoning_effort is for chats with a GPT-OSS
invalid_value reasoning_effort: body.reasoning_effort is "minimal"; wanted low, medium or high
unsupported_value modalities: body.modalities is a list of 2: the model says text
unsupported_value store: body.store is true: nothing is stored
unsupported_parameter functions: body.functions is a list of 0: functions are given as tools
unsupported_value echo: body.echo is true: the prompt's own tokens are not told again
unsupported_value suffix: body.suffix is "b": the model fills no gaps
unsupported_value best_of: body.best_of is 3, and n is 1; wanted the same: answers are not compared
integer_above_max_value logprobs: body.logprobs is 6; wanted a whole number from 0 to 5
invalid_type logprobs: body.logprobs is true; wanted a whole number from 0 to 5
"
`);
  });

  test("when its prompt is missing, empty or too long", () => {
    expect(
      refusals([
        chat({}, [{ role: "user", content: "x".repeat(100) }]),
        chat({ max_tokens: 95 }),
        chat({ max_completion_tokens: 95 }),
        completion({}),
        completion({ prompt: null }),
        completion({ prompt: "" }),
        completion({ prompt: [] }),
        completion({ prompt: [[]] }),
        completion({ prompt: ["a", 1] }),
        completion({ prompt: [1, -1] }),
        completion({ prompt: [[1], [1, 9999]] }),
        completion({ prompt: ["a", "b".repeat(100)] }),
        completion({ prompt: "abc", max_tokens: 98 }),
      ]),
    ).toMatchInlineSnapshot(`
"
context_length_exceeded messages: the context holds 100 tokens; body.messages has 107, which leaves none to answer
context_length_exceeded messages: the context holds 100 tokens; 104 are asked for, 9 in body.messages and 95 as body.max_tokens
context_length_exceeded messages: the context holds 100 tokens; 104 are asked for, 9 in body.messages and 95 as body.max_completion_tokens
missing_required_parameter prompt: body.prompt is missing; wanted a string, a list of strings, a list of token ids, or a list of such lists
invalid_type prompt: body.prompt is null; wanted a string, a list of strings, a list of token ids, or a list of such lists
invalid_value prompt: body.prompt has no tokens; wanted at least one to go on from
empty_array prompt: body.prompt is a list of 0; wanted at least one prompt
empty_array prompt[0]: body.prompt[0] is a list of 0; wanted at least one token id
invalid_type prompt[1]: body.prompt[1] is 1; wanted string
integer_below_min_value prompt[1]: body.prompt[1] is -1; wanted a whole number of at least 0
token_unknown prompt[1]: body.prompt[1]: token 1 is 9999, and the vocabulary has ids 0 to 263
context_length_exceeded prompt[1]: the context holds 100 tokens; body.prompt[1] has 100, which leaves none to answer
context_length_exceeded prompt: the context holds 100 tokens; 101 are asked for, 3 in body.prompt and 98 as body.max_tokens
"
`);
    expect(refusals([chat({}), completion({ prompt: "a" })], { on: base })).toMatchInlineSnapshot(`
"
chat_template_missing messages: body.messages: the model has no chat template; give it a plain text instead
taken
"
`);
  });

  test("when it is for another model", () => {
    expect(refusals([chat({}), chat({ model: "other" })], { model: "m" })).toMatchInlineSnapshot(`
"
taken
model_not_found model: body.model is "other"; wanted "m", which is the one there is
"
`);
  });
});

test("whatever stands wherever, a line is taken or refused with a param, and nothing else is thrown", () => {
  const asked = { role: "assistant", content: null, tool_calls: [call("a", '{"a": 1}')] };
  const parameters = { type: "object", properties: { a: { type: "string", enum: ["b"] } }, required: ["a"] };
  const whole = {
    model: "m",
    messages: [user, asked, { role: "tool", tool_call_id: "a", content: "x" }],
    tools: [tool({ description: "d", parameters })],
  };
  const odd = [null, true, -1, 0.5, 2 ** 60, "", "a", "\ud800", [], [[]], {}, { a: {} }, ["a", 1], deep(300)];
  const proto = JSON.parse('{"__proto__": {"a": 1}, "constructor": 1}');
  let refused = 0;
  const attempt = (text: string) => {
    for (const on of [model, gptOss]) {
      const said = refusalOf(text, { on });
      if (said !== "taken") refused++;
      expect(said).toMatch(/^(taken|[a-z_]+ [^ ]+: )/);
    }
  };
  for (const value of [...odd, proto]) {
    for (const field of Object.keys(chatFields))
      attempt(line({ ...whole, tools: null, messages: [user], [field]: value }));
    for (const field of Object.keys(completionFields)) attempt(completion({ prompt: "a", [field]: value }));
    for (const field of ["custom_id", "method", "url", "body"]) attempt(line(whole, { [field]: value }));
    for (const path of pathsOf(whole)) attempt(line(replaced(whole, path, value)));
    attempt(JSON.stringify(value));
  }
  expect(refused).toBeGreaterThan(1000);
});

test("what asks for nothing is taken: null, and the values that are the case anyway", () => {
  const nothing = Object.fromEntries(
    "temperature top_p n stop seed presence_penalty frequency_penalty logit_bias user stream stream_options top_k min_p repetition_penalty min_tokens stop_token_ids max_tokens max_completion_tokens logprobs top_logprobs tools tool_choice parallel_tool_calls reasoning_effort response_format metadata store audio modalities functions function_call"
      .split(" ")
      .map((field) => [field, null]),
  );
  const plain = readJobLine(chat({}), model).asks;
  expect(readJobLine(chat(nothing), model).asks).toEqual(plain);
  const same = {
    stream: false,
    store: false,
    response_format: { type: "text" },
    modalities: ["text"],
    tool_choice: "none",
  };
  expect(readJobLine(chat({ ...same, user: "ada", metadata: { a: "b" }, service_tier: "flex" }), model).asks).toEqual(
    plain,
  );
  const one = readJobLine(completion({ prompt: "a" }), model).asks;
  expect(readJobLine(completion({ prompt: "a", echo: false, suffix: "", best_of: 1 }), model).asks).toEqual(one);
});

test("settings reach the sampler under its own names", () => {
  const body = {
    ...{ temperature: 0.5, top_p: 0, top_k: -1, min_p: 0.1, presence_penalty: 1, frequency_penalty: -1 },
    ...{
      repetition_penalty: 1.1,
      logit_bias: { "65": -100 },
      min_tokens: 2,
      max_tokens: 9,
      stop: "x",
      stop_token_ids: [66],
    },
    ...{ seed: 3, logprobs: true, top_logprobs: 4 },
  };
  expect(readJobLine(chat(body), model).asks).toEqual([
    {
      prompt: { messages: [user] },
      options: {
        ...{ temperature: 0.5, topP: Number.MIN_VALUE, topK: 0, minP: 0.1, presencePenalty: 1, frequencyPenalty: -1 },
        ...{
          repetitionPenalty: 1.1,
          logitBias: { "65": -100 },
          minTokens: 2,
          maxTokens: 9,
          stop: ["x"],
          stopTokens: [66],
        },
        ...{ seed: 3n, logprobs: 4 },
      },
    },
  ]);
});

describe("the line of a request that failed", () => {
  const parse = (text: string): unknown => JSON.parse(text);

  test("has a response with the error where the request is wrong", () => {
    const error = errorOf(() => readJobLine(chat({ n: 0 }), model));
    expect(error).toMatchObject({ fields: { customId: "one", status: 400 } });
    expect(parse(errorLine(error, { customId: "one" }))).toEqual({
      id: expect.stringMatching(/^batch_req_[0-9a-f]{32}$/),
      custom_id: "one",
      response: {
        status_code: 400,
        request_id: expect.stringMatching(/^req_[0-9a-f]{32}$/),
        body: {
          error: {
            message: "body.n is 0; wanted a whole number from 1 to 128",
            type: "invalid_request_error",
            param: "n",
            code: "integer_below_min_value",
          },
        },
      },
      error: null,
    });
    const unknown = errorOf(() => readJobLine(chat({}), model, { model: "other" }));
    expect(parse(errorLine(unknown, { customId: "one" }))).toMatchObject({ response: { status_code: 404 } });
  });

  test("names its place where it has no custom_id", () => {
    const error = errorOf(() => readJobLine("{", model));
    expect(parse(errorLine(error, { line: 7 }))).toMatchObject({
      custom_id: null,
      response: { body: { error: { message: expect.stringMatching(/^line 7: the line is not JSON: /), param: null } } },
    });
    expect(errorLine(error, { line: 7 })).not.toBe(errorLine(error, { line: 8 }));
  });

  test("has an error of its own where the run failed", () => {
    const failure = new RuntimeFailure("LOGITS_INVALID", "logits are NaN");
    expect(parse(errorLine(failure, { customId: "one" }))).toMatchObject({
      custom_id: "one",
      response: null,
      error: { code: "logits_invalid", message: "logits are NaN" },
    });
    expect(parse(errorLine(new Error("oh"), { customId: "one" }))).toMatchObject({
      error: { code: "server_error", message: "oh" },
    });
  });
});

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** Where the values of a value stand, itself left out. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const below = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return below.flatMap(([key, each]) => [[...path, key], ...pathsOf(each, [...path, key])]);
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}
