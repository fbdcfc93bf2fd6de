import { beforeAll, describe, expect, test } from "@jest/globals";
import "../../tests/support/plain-snapshots.ts";
import { type Harmony, loadHarmony } from "./harmony.ts";
import type { Role } from "./messages.ts";
import { HEADER_LIMIT } from "./parser.ts";

let harmony: Harmony;

beforeAll(async () => {
  harmony = await loadHarmony();
});

/** What is read of a text with special tokens spelled: a message a line, and after them what was malformed. */
function read(text: string, role?: Role): string {
  const ids = harmony.tokenizer.encode(text, { parseSpecial: true });
  const { messages, problems } = harmony.parse(ids, { role });
  const lines = messages.map(({ role, name, recipient, channel, contentType, content, end }) => {
    const header = [
      name === undefined ? role : `${role}:${name}`,
      ...(channel === undefined ? [] : [`in ${channel}`]),
      ...(recipient === undefined ? [] : [`to ${recipient}`]),
      ...(contentType === undefined ? [] : [`as ${contentType}`]),
    ];
    return `${header.join(" ")}: ${JSON.stringify(content)}${end === undefined ? "" : ` ${end}`}`;
  });
  return [...lines, ...problems.map(({ code, text, position }) => `  ${code} at ${position}: ${text}`)].join("\n");
}

describe("what is well-formed", () => {
  test.each([
    ["<|start|>functions.f<|message|>1<|end|>", 'tool:functions.f: "1" end'],
    ["<|start|>user:ada<|message|>Hi<|end|>", 'user:ada: "Hi" end'],
    ["<|start|>tool to=assistant<|message|>1<|end|>", 'tool:tool to assistant: "1" end'],
    [
      "<|start|>assistant<|channel|>final <|constrain|>json<|message|>{}<|return|>",
      'assistant in final as <|constrain|>json: "{}" return',
    ],
    ["<|start|>assistant<|channel|>final<|message|>", 'assistant in final: ""'],
    ["", ""],
  ])("%s", (text, wanted) => {
    expect(read(text)).toBe(wanted);
  });

  test("events come as soon as they are certain, and the message under way is known", () => {
    const parser = harmony.parser({ role: "assistant" });
    const kinds = (text: string) =>
      harmony.tokenizer.encode(text, { parseSpecial: true }).map((id) => parser.push(id).map((event) => event.kind));
    expect(kinds("<|channel|>final")).toEqual([[], []]);
    expect(parser.current).toBeUndefined();
    expect(kinds("<|message|>")).toEqual([["header"]]);
    expect(parser.current).toEqual({ role: "assistant", channel: "final", content: "" });
    expect(kinds("💖")).toEqual([[], ["delta"]]);
    expect(parser.current?.content).toBe("💖");
    expect(kinds("<|return|>")).toEqual([["message"]]);
    expect(parser.current).toBeUndefined();
    expect(parser.end()).toEqual([]);
  });

  test("several tokens at once give their text in one piece", () => {
    const ids = harmony.tokenizer.encode("<|start|>assistant<|message|>one two three<|end|>", { parseSpecial: true });
    const header = { role: "assistant" };
    expect(harmony.parser().push(ids)).toEqual([
      { kind: "header", header },
      { kind: "delta", text: "one two three", header },
      { kind: "message", message: { ...header, content: "one two three", header: "assistant", end: "end" } },
    ]);
  });
});

describe("what is malformed is read as far as it goes, and said", () => {
  test.each([
    "plain text and nothing else",
    "<|channel|>analysis<|message|>thinking<|start|>assistant<|channel|>final<|message|>Hi<|return|>",
    "<|channel|>analysis<|message|>thinking<|channel|>final<|message|>Hi<|return|>",
    "<|channel|>analysis<|message|>a<|message|>b<|constrain|>c<|reserved_200017|>d<|end|>",
    "<|channel|>analysis<|message|>thinking<|end|>assistant<|channel|>final<|message|>Hi<|return|>",
    "<|channel|>analysis<|message|>thinking<|end|><|channel|>final<|message|>Hi<|return|>",
    "<|channel|>analysis<|message|>thinking<|end|><|message|>Hi<|return|>",
    "<|channel|>analysis<|message|>thinking<|end|>\\n<|start|>assistant<|channel|>final<|message|>Hi<|return|>",
    "<|channel|>analysis<|channel|>final<|message|>Hi<|return|>",
    "<|channel|><|message|>Hi<|return|>",
    "<|channel|> final<|message|>Hi<|return|>",
    "<|start|>assistant<|channel|>final<|message|>Hi<|return|>",
    "<|channel|>commentary to=functions.f <|constrain|>json{}<|call|>",
    "<|channel|>commentary to=functions.f please now <|constrain|>json<|message|>{}<|call|>",
    "<|channel|>final<|message|>Hi<|return|><|return|>",
    "<|channel|>final<|message|>Hi<|endoftext|><|endoftext|>",
    "I think<|channel|>analysis so<|channel|>final yes<|end|>",
    "<|return|>",
  ])("%s", (text) => {
    expect(read(text.replaceAll("\\n", "\n"), "assistant")).toMatchSnapshot();
  });

  test("a role that there is not", () => {
    expect(read("<|start|>helper<|message|>Hi<|end|><|start|><|message|>Hi<|end|>")).toMatchInlineSnapshot(`
assistant: "Hi" end
assistant: "Hi" end
  role at 2: helper is no role, and as a tool it would name a recipient
  role at 6: the header names no role
`);
  });

  test("a header without an end is content after a while, and what follows is heard at once", () => {
    const words = "word ".repeat(HEADER_LIMIT + 10).trim();
    const ids = harmony.tokenizer.encode(words);
    const parser = harmony.parser({ role: "assistant" });
    const events = ids.map((id) => parser.push(id));
    const first = events.findIndex((each) => each.some(({ kind }) => kind === "delta"));
    expect(first).toBe(HEADER_LIMIT);
    expect(events.at(-1)?.map(({ kind }) => kind)).toEqual(["delta"]);
    parser.end();
    expect(parser.messages).toMatchObject([{ role: "assistant", content: words }]);
    expect(parser.problems.map(({ code }) => code)).toEqual(["message"]);
  });

  test("ids outside the vocabulary are parsed as U+FFFD", () => {
    const ids = [...harmony.tokenizer.encode("<|start|>assistant<|message|>a", { parseSpecial: true }), -1, 3e9, 0.5];
    const { messages, problems } = harmony.parse(ids);
    expect(messages[0]?.content).toBe("a\uFFFD\uFFFD\uFFFD");
    expect(problems.map(({ text }) => text)).toEqual(["-1 is no token", "3000000000 is no token", "0.5 is no token"]);
  });
});
