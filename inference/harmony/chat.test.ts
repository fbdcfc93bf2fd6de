import { describe, expect, test } from "@jest/globals";
import { refusalOf } from "../../tests/support/refusal.ts";
import type { ChatMessage } from "../text/chat-template.ts";
import { harmonyMessages } from "./chat.ts";
import { developerMessage, functionTools, systemMessage } from "./messages.ts";

const now = new Date(2025, 5, 28, 23, 59);
const read = (...chat: readonly ChatMessage[]) => harmonyMessages(chat, { now }).slice(1);

describe("a chat in Harmony", () => {
  test("begins with a system message that names the day and the effort", () => {
    const [system] = harmonyMessages([{ role: "user", content: "hi" }], { now, reasoning: "high" });
    expect(system).toEqual(systemMessage({ conversationStartDate: "2025-06-28", reasoning: "high" }));
    const own = systemMessage({ reasoning: "low" });
    expect(harmonyMessages([own as ChatMessage & typeof own])).toEqual([own]);
  });

  test("has what is a system prompt elsewhere as a developer's instructions, and an assistant's text as its answer", () => {
    expect(
      read(
        { role: "system", content: "Be brief." },
        { role: "user", content: [{ type: "text", text: "a" }, "b"] },
        { role: "assistant", content: "c", reasoning_content: "hm" },
      ),
    ).toEqual([
      { role: "developer", content: { kind: "developer", instructions: "Be brief." } },
      { role: "user", content: "ab" },
      { role: "assistant", channel: "analysis", content: "hm" },
      { role: "assistant", channel: "final", content: "c" },
    ]);
  });

  test("has tools beside the first instructions, or in a message of the developer that is made", () => {
    const tool = { name: "f", description: "" };
    const developer = (instructions?: string) =>
      developerMessage({ ...(instructions === undefined ? {} : { instructions }), tools: [functionTools([tool])] });
    const user = { role: "user", content: "hi" } as const;
    const said = (...chat: readonly ChatMessage[]) => harmonyMessages(chat, { now, tools: [tool] });
    expect(said(user).slice(1)).toEqual([developer(), user]);
    const [, ...instructed] = said({ role: "system", content: "Be brief." }, user, {
      role: "developer",
      content: "Now.",
    });
    expect(instructed).toEqual([developer("Be brief."), user, developerMessage({ instructions: "Now." })]);
    const system = systemMessage();
    expect(said(system as ChatMessage & typeof system, user)).toEqual([system, developer(), user]);
    expect(
      refusalOf(() => said(developer() as ChatMessage & ReturnType<typeof developer>, user)),
    ).toMatchInlineSnapshot(`
InputError CHAT_MESSAGES_INVALID
chat: messages[0] is a developer message in Harmony's own form; wanted instructions alone beside tools
`);
  });

  test("has calls of tools, and answers that name them or their calls", () => {
    const calls = [
      { id: "1", type: "function", function: { name: "f", arguments: '{"a": 1}' } },
      { id: "2", name: "browser.search", arguments: { query: "x" } },
    ];
    expect(
      read(
        { role: "assistant", content: "I look.", tool_calls: calls },
        { role: "tool", tool_call_id: "1", content: "one" },
        { role: "tool", name: "g", content: "two" },
        { role: "tool", tool_call_id: "2", content: "three" },
      ),
    ).toEqual([
      { role: "assistant", channel: "commentary", content: "I look." },
      {
        ...{ role: "assistant", channel: "commentary", recipient: "functions.f" },
        ...{ contentType: "<|constrain|>json", content: '{"a": 1}' },
      },
      {
        ...{ role: "assistant", channel: "commentary", recipient: "browser.search" },
        ...{ contentType: "<|constrain|>json", content: '{"query":"x"}' },
      },
      { role: "tool", name: "functions.f", recipient: "assistant", channel: "commentary", content: "one" },
      { role: "tool", name: "functions.g", recipient: "assistant", channel: "commentary", content: "two" },
      { role: "tool", name: "browser.search", recipient: "assistant", channel: "commentary", content: "three" },
    ]);
  });

  test("refuses what it cannot say", () => {
    const refused = (...chat: readonly ChatMessage[]) => refusalOf(() => read(...chat));
    expect(refused({ role: "bot" })).toMatchInlineSnapshot(`
InputError CHAT_MESSAGES_INVALID
chat: messages[0].role is bot; wanted system, developer, user, assistant or tool
`);
    expect(refused({ role: "tool", content: "x" })).toMatchInlineSnapshot(`
InputError CHAT_MESSAGES_INVALID
chat: messages[0] is a tool's answer without a name; wanted a name, or the tool_call_id of a call before it
`);
    expect(refused({ role: "user", content: [{ type: "image_url", image_url: "x" }] })).toMatchInlineSnapshot(`
InputError CHAT_MESSAGES_INVALID
chat: messages[0].content[0] is {"type":"image_url","image_url":"x"}; wanted text: the model reads nothing else
`);
    expect(refused({ role: "assistant", tool_calls: [{ function: {} }] })).toMatchInlineSnapshot(`
InputError CHAT_MESSAGES_INVALID
chat: messages[0].tool_calls[0] is {"function":{}}; wanted a function with a name
`);
    expect(refused({ role: "assistant", tool_calls: "f" })).toMatchInlineSnapshot(`
InputError CHAT_MESSAGES_INVALID
chat: messages[0].tool_calls is "f"; wanted a list of calls
`);
    const own = systemMessage();
    expect(refusalOf(() => harmonyMessages([own], { reasoning: "low" }))).toMatchInlineSnapshot(`
InputError CHAT_MESSAGES_INVALID
chat: messages is a system message of their own; wanted none, or no reasoning beside it
`);
  });
});
