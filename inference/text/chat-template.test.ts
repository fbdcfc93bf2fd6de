import { describe, expect, test } from "@jest/globals";
import { ChatTemplate, findChatTemplate, type RenderOptions } from "./chat-template.ts";

/** The template of SmolLM2-135M-Instruct (Apache-2.0), from its GGUF file. */
const CHATML =
  "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n" +
  "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}" +
  "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

const hi = [{ role: "user", content: "Hi" }];
const render = (source: string, options: RenderOptions = {}, messages = hi) =>
  ChatTemplate.parse(source, { bosToken: "<s>", eosToken: "</s>" }).render(messages, options);

describe("renders as transformers", () => {
  test("ChatML, with and without a system message and an answer to come", () => {
    expect(render(CHATML, { addGenerationPrompt: true })).toBe(
      "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n" +
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    );
    expect(render(CHATML, {}, [{ role: "system", content: "" }, ...hi])).toBe(
      "<|im_start|>system\n<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n",
    );
  });

  test("blocks take their line with them, and the last newline goes", () => {
    expect(render("  {% if true %}\na\n  {% endif %}\nb\n")).toBe("a\nb");
  });

  test("special tokens have their names, and an absent one is nothing", () => {
    expect(render("{{ bos_token }}|{{ eos_token }}|{{ pad_token }}|")).toBe("<s>|</s>||");
    expect(ChatTemplate.parse("{{ bos_token is defined }}").render(hi)).toBe("false");
  });

  test("tools are None to a template when none are given", () => {
    const source = "{{ 'none' if tools is none else tools | tojson }}";
    expect(render(source)).toBe("none");
    expect(render(source, { tools: [{ name: "f", text: 'é <b> "q"' }] })).toBe(
      '[{"name": "f", "text": "é <b> \\"q\\""}]',
    );
  });

  test("generation blocks are passed through", () => {
    expect(render("a{% generation %}b{% endgeneration %}c")).toBe("abc");
  });

  test("other variables reach the template, and may take a name that Jinja has", () => {
    expect(render("{{ enable_thinking }} {{ range }}", { enable_thinking: false, range: "x" })).toBe("false x");
  });

  test("the date is English, whatever the machine speaks", () => {
    const now = new Date(2024, 2, 5, 15, 8, 9);
    expect(render("{{ strftime_now('%d %b %Y, %A %-d %B %H:%M:%S %I %p %% %Q') }}", { now })).toBe(
      "05 Mar 2024, Tuesday 5 March 15:08:09 03 PM % %Q",
    );
  });

  test("the template can be rendered again, without memory of the first time", () => {
    const template = ChatTemplate.parse("{% set n = messages | length %}{{ n }}");
    expect([template.render(hi), template.render([...hi, ...hi])]).toEqual(["1", "2"]);
  });
});

describe("refuses", () => {
  test("messages that the template refuses, with its own sentence", () => {
    const source = "{{ raise_exception('System role not supported') }}";
    expect(() => render(source)).toThrowErrorMatchingInlineSnapshot(
      `"the chat template refuses these messages: System role not supported"`,
    );
    expect(() => render(source)).toThrow(
      expect.objectContaining({
        code: "CHAT_TEMPLATE_REFUSED",
        exitCode: 2,
        fields: { sentence: "System role not supported" },
      }),
    );
  });

  test("a text that isn't a template", () => {
    expect(() => ChatTemplate.parse("{% for m in %}")).toThrowErrorMatchingInlineSnapshot(`
"chat template: Unexpected token: CloseStatement
Cause: Unexpected token: CloseStatement"
`);
    expect(() => ChatTemplate.parse("{% if x %}")).toThrow(expect.objectContaining({ code: "CHAT_TEMPLATE_INVALID" }));
  });

  test("what cannot be rendered", () => {
    expect(() => render("{{ messages | nonsense }}")).toThrowErrorMatchingInlineSnapshot(`
"the chat template cannot be rendered: Unknown ArrayValue filter: nonsense
Cause: Unknown ArrayValue filter: nonsense"
`);
    expect(() => render("{{ nothing() }}")).toThrowErrorMatchingInlineSnapshot(`
"the chat template cannot be rendered: Cannot call something that is not a function: got UndefinedValue
Cause: Cannot call something that is not a function: got UndefinedValue"
`);
    expect(() => render("{{ range(1000000000) | length }}")).toThrowErrorMatchingInlineSnapshot(`
"the chat template cannot be rendered: range() of more than 100000 numbers
Cause: range() of more than 100000 numbers"
`);
    expect(() => render("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")).toThrow(
      expect.objectContaining({ code: "CHAT_TEMPLATE_FAILED" }),
    );
  });

  test("messages that aren't", () => {
    const template = ChatTemplate.parse(CHATML);
    const malformed = (messages: unknown) => () => template.render(messages as typeof hi);
    expect(malformed([{ content: "Hi" }])).toThrowErrorMatchingInlineSnapshot(
      `"chat: [0].role is missing; wanted a role"`,
    );
    expect(malformed("Hi")).toThrowErrorMatchingInlineSnapshot(`"chat: it is "Hi"; wanted a list of messages"`);
  });
});

describe("a model's template is", () => {
  const gguf = { "tokenizer.chat_template": "gguf", "general.name": "x" };

  test("that of chat_template.jinja, then of tokenizer_config.json, then of the GGUF file", () => {
    const tokenizerConfig = { chat_template: "config" };
    expect(findChatTemplate({ jinjaFile: "file", tokenizerConfig, ggufMetadata: gguf })).toBe("file");
    expect(findChatTemplate({ tokenizerConfig, ggufMetadata: gguf })).toBe("config");
    expect(findChatTemplate({ ggufMetadata: gguf })).toBe("gguf");
  });

  test("a file without a template has none", () => {
    expect(findChatTemplate({})).toBeUndefined();
    expect(findChatTemplate({ tokenizerConfig: { chat_template: null }, ggufMetadata: {} })).toBeUndefined();
  });

  test("one of several by name", () => {
    const tokenizerConfig = {
      chat_template: [
        { name: "default", template: "plain" },
        { name: "tool_use", template: "tools" },
      ],
    };
    expect(findChatTemplate({ tokenizerConfig })).toBe("plain");
    expect(findChatTemplate({ tokenizerConfig }, "tool_use")).toBe("tools");
    expect(findChatTemplate({ ggufMetadata: { ...gguf, "tokenizer.chat_template.rag": "r" } }, "rag")).toBe("r");
    expect(() => findChatTemplate({ tokenizerConfig }, "rag")).toThrowErrorMatchingInlineSnapshot(
      `"the model has no chat template called "rag"; it has: default, tool_use"`,
    );
  });

  test("refused when it isn't a text", () => {
    expect(() => findChatTemplate({ tokenizerConfig: { chat_template: 7 } })).toThrowErrorMatchingInlineSnapshot(
      `"tokenizer_config.json: chat_template is 7; wanted a template, or a list of named ones"`,
    );
    expect(() =>
      findChatTemplate({ ggufMetadata: { "tokenizer.chat_template": 7 } }),
    ).toThrowErrorMatchingInlineSnapshot(`"GGUF: tokenizer.chat_template is 7; wanted a template"`);
  });
});
