import { beforeAll, describe, expect, test } from "@jest/globals";
import { byteTokenizer } from "../../tests/support/byte-tokenizer.ts";
import { refusalOf } from "../../tests/support/refusal.ts";
import { browserTool } from "./builtin-tools.ts";
import { Harmony, loadHarmony } from "./harmony.ts";
import { withoutOldAnalysis } from "./history.ts";
import { developerMessage, functionTools, type Message, systemMessage, toolResult } from "./messages.ts";
import { typeOf } from "./signatures.ts";

let harmony: Harmony;

beforeAll(async () => {
  harmony = await loadHarmony();
});

const spelled = (messages: readonly Message[]): string => harmony.tokenizer.decode(harmony.render(messages));

describe("messages", () => {
  test("are rendered with what they say, and nothing that a user typed becomes a special token", () => {
    const messages: Message[] = [
      systemMessage({ conversationStartDate: "2025-06-28", reasoning: "low", channels: null }),
      developerMessage({ instructions: "Be brief.", tools: [functionTools([{ name: "f", description: "Does it." }])] }),
      { role: "user", name: "ada", content: ["<|end|>", " two parts"] },
      {
        role: "assistant",
        channel: "commentary",
        recipient: "functions.f",
        contentType: "<|constrain|>json",
        content: "{}",
      },
      toolResult("functions.f", "done"),
    ];
    expect(spelled(messages)).toMatchInlineSnapshot(`
<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.
Knowledge cutoff: 2024-06
Current date: 2025-06-28

Reasoning: low<|end|><|start|>developer<|message|># Instructions

Be brief.

# Tools

## functions

namespace functions {

// Does it.
type f = () => any;

} // namespace functions<|end|><|start|>user:ada<|message|><|end|> two parts<|end|><|start|>assistant to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}<|call|><|start|>functions.f to=assistant<|channel|>commentary<|message|>done<|end|>
`);
    const ends = harmony.render(messages).filter((id) => id === harmony.tokens.end);
    expect(ends).toHaveLength(4);
  });

  test("response formats stand at the end of the developer message", () => {
    const format = { name: "list", description: "What to buy.\nIn order.", schema: { type: "object", limit: 1e21 } };
    expect(
      spelled([developerMessage({ instructions: "Help.", responseFormats: [format, { name: "b", schema: {} }] })]),
    ).toMatchInlineSnapshot(`
<|start|>developer<|message|># Instructions

Help.

# Response Formats

## list

// What to buy.
// In order.
{"type":"object","limit":1e21}

## b

{}<|end|>
`);
  });

  test("the model's own tokens will do, where a tokenizer has them", () => {
    const tiny = new Harmony(byteTokenizer());
    const ids = tiny.renderForCompletion([{ role: "user", content: "hi" }]);
    expect(tiny.tokenizer.decode(ids)).toBe("<|start|>user<|message|>hi<|end|><|start|>assistant");
  });

  test("thoughts stay while tools are called, and go once there is an answer", () => {
    const thought: Message = { role: "assistant", channel: "analysis", content: "hm" };
    const call: Message = { role: "assistant", channel: "commentary", recipient: "f", content: "{}" };
    const answer: Message = { role: "assistant", channel: "final", content: "4" };
    const asked: Message = { role: "user", content: "?" };
    expect(withoutOldAnalysis([asked, thought, call])).toEqual([asked, thought, call]);
    expect(withoutOldAnalysis([asked, thought, answer, asked])).toEqual([asked, answer, asked]);
    expect(withoutOldAnalysis([asked, answer, asked, thought, call])).toEqual([asked, answer, asked, thought, call]);
  });
});

test("a schema that refers to others is any, as openai-harmony has it", () => {
  expect(typeOf({ $ref: "#/x" })).toBe("any");
  expect(typeOf({ anyOf: [{ type: "string" }] })).toBe("any");
  expect(typeOf(undefined)).toBe("any");
});

describe("refuses", () => {
  const refused = (message: unknown): string =>
    refusalOf(() => harmony.render([{ role: "user", content: "" }, message as Message]));

  test("a role that there is not", () => {
    expect(refused({ role: "bot", content: "" })).toMatchInlineSnapshot(`
InputError HARMONY_MESSAGE
messages[1].role is bot; wanted system, developer, user, assistant, tool
`);
  });
  test("a tool without a name", () => {
    expect(refused({ role: "tool", content: "" })).toMatchInlineSnapshot(`
InputError HARMONY_MESSAGE
messages[1].name is missing; wanted the name of the tool, such as functions.get_weather
`);
  });
  test("a message without content", () => {
    expect(refused({ role: "user" })).toMatchInlineSnapshot(`
InputError HARMONY_MESSAGE
messages[1].content is missing; wanted a text, or content of the kind system or developer
`);
    expect(refused({ role: "user", content: ["a", { type: "image" }] })).toMatchInlineSnapshot(`
InputError HARMONY_MESSAGE
messages[1].content[1] is {"type":"image"}; wanted a text, or content of the kind system or developer
`);
  });
  test("what a system message says, said by another", () => {
    expect(refused({ role: "user", content: { kind: "system" } })).toMatchInlineSnapshot(`
InputError HARMONY_MESSAGE
messages[1].content is what a system message says, in one of the role user; wanted text
`);
  });
  test("two namespaces of one name", () => {
    expect(refused(systemMessage({ tools: [browserTool, browserTool] }))).toMatchInlineSnapshot(`
InputError HARMONY_MESSAGE
messages[1].content.tools is two namespaces called browser; wanted one of each name
`);
  });
  test("an effort that there is not", () => {
    expect(refused(systemMessage({ reasoning: "extreme" as "high" }))).toMatchInlineSnapshot(`
InputError HARMONY_MESSAGE
messages[1].content.reasoning is extreme; wanted low, medium, high
`);
  });
  test("a header that is no text", () => {
    expect(refused({ role: "user", content: "", channel: 7 })).toMatchInlineSnapshot(`
InputError HARMONY_MESSAGE
messages[1].channel is 7; wanted a text
`);
  });
  test("a tokenizer without the tokens of the format", () => {
    expect(
      refusalOf(() => new Harmony(byteTokenizer({ without: ["<|call|>", "<|constrain|>"] }))),
    ).toMatchInlineSnapshot(`
InputError HARMONY_TOKENS_MISSING
Harmony needs the special tokens <|start|>, <|message|>, <|channel|>, <|constrain|>, <|end|>, <|return|>, <|call|>; the tokenizer lacks <|constrain|>, <|call|>
`);
  });
});
