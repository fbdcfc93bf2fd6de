/**
 * Conversations as openai-harmony 0.0.8 renders and parses them. `npm run oracle:harmony` makes the fixture anew, and
 * compares thousands of others.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { type Harmony, loadHarmony } from "../../inference/harmony/index.ts";
import { digest, renderings, trace } from "./compare.ts";
import type { OpenAiMessage } from "./from-openai.ts";

interface Case {
  readonly messages: readonly OpenAiMessage[];
  readonly tokens: Readonly<Record<string, readonly [number, string]>>;
  readonly trace: string | null;
  readonly text: string;
  readonly ids: string;
}

const cases = JSON.parse(
  readFileSync(new URL("fixtures/conversations.json", import.meta.url), "utf8"),
) as readonly Case[];

let harmony: Harmony;

beforeAll(async () => {
  harmony = await loadHarmony();
});

describe(`${cases.length} conversations made at random`, () => {
  test("are rendered to openai-harmony's tokens, for completion, for training and with all thoughts", () => {
    const differ = cases.flatMap(({ messages, tokens }) => {
      const ours = Object.entries(renderings(harmony, messages)).map(([how, ids]) => [how, [ids.length, digest(ids)]]);
      return JSON.stringify(Object.fromEntries(ours)) === JSON.stringify(tokens) ? [] : [messages];
    });
    expect(differ).toEqual([]);
    expect(cases.length).toBeGreaterThan(200);
  });

  test("are parsed as openai-harmony parses them, token by token", () => {
    const differ = cases.flatMap(({ messages, trace: wanted }) => {
      if (wanted === null) return [];
      return digest(trace(harmony, renderings(harmony, messages).keeping)) === wanted ? [] : [messages];
    });
    expect(differ).toEqual([]);
  });

  test("have texts that are encoded to its ids, and come back from them", () => {
    for (const { text, ids } of cases) {
      const ours = harmony.tokenizer.encode(text);
      expect({ text, ids: digest(ours) }).toEqual({ text, ids });
      expect(harmony.tokenizer.decode(ours)).toBe(text);
    }
  });
});
