/** The cases that openai-harmony documents and tests itself: tests/harmony/documented.py has them, with their source. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { type Harmony, loadHarmony, type Message, type Role } from "../../inference/harmony/index.ts";
import { asOpenAi, renderings, type Trace, trace } from "./compare.ts";
import type { OpenAiMessage } from "./from-openai.ts";

const { rendered, parsed, lenient } = JSON.parse(
  readFileSync(new URL("fixtures/documented.json", import.meta.url), "utf8"),
) as {
  readonly rendered: readonly {
    readonly name: string;
    readonly messages: readonly OpenAiMessage[];
    readonly tokens: Readonly<Record<string, readonly number[]>>;
  }[];
  readonly parsed: readonly {
    readonly name: string;
    readonly role: Role | null;
    readonly ids: readonly number[];
    readonly trace: Trace;
  }[];
  readonly lenient: readonly {
    readonly name: string;
    readonly ids: readonly number[];
    readonly messages: readonly OpenAiMessage[];
  }[];
};

let harmony: Harmony;

beforeAll(async () => {
  harmony = await loadHarmony();
});

test.each(rendered)("renders to openai-harmony's tokens: $name", ({ messages, tokens }) => {
  expect(renderings(harmony, messages)).toEqual(tokens);
});

test("renders a response format as the text that the documentation shows", () => {
  const { tokens } = rendered.find(({ name }) => name === "a structured answer, as text")!;
  const schema = {
    properties: { items: { type: "array", description: "entries on the shopping list", items: { type: "string" } } },
    type: "object",
  };
  const messages: Message[] = [
    {
      role: "developer",
      content: {
        kind: "developer",
        instructions: "You are a helpful shopping assistant",
        responseFormats: [{ name: "shopping_list", description: "What to buy.", schema }],
      },
    },
    { role: "user", content: "I need to buy coffee, soda and eggs" },
  ];
  expect(harmony.renderForCompletion(messages)).toEqual(tokens.completion);
});

describe("parses as openai-harmony", () => {
  test.each(parsed)("$name", ({ ids, role, trace: wanted, name }) => {
    const { messages, problems } = harmony.parse(ids, { role: role ?? undefined });
    expect(messages.map(asOpenAi)).toEqual(wanted.messages);
    if (name.startsWith("an id that is none")) expect(problems.map(({ code }) => code)).toEqual(["token"]);
    else expect(problems).toEqual([]);
    // What it gives for bytes that are no character depends on the order of its buffers; whole characters do not.
    if (/are no character|is none/.test(name)) return;
    expect(trace(harmony, ids, role ?? undefined)).toEqual(wanted);
  });

  test.each(lenient)("what it refuses unless told to be lenient, and says so: $name", ({ ids, messages }) => {
    const ours = harmony.parse(ids, { role: "assistant" });
    expect(ours.messages.map(asOpenAi)).toEqual(messages);
    expect(ours.problems.map(({ code }) => code)).toEqual(["message"]);
  });
});
