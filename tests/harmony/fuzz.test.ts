/** Streams of tokens that no model should emit. `npm run fuzz` parses a million of them. */
import { expect, test } from "@jest/globals";
import { loadHarmony } from "../../inference/harmony/index.ts";
import { fuzz } from "./fuzz.ts";

test("of 20,000 mutated streams none throws, loses text, leaks a special token, or depends on how it is cut", async () => {
  const { messages, problems } = fuzz(await loadHarmony(), 20_000, 1);
  expect(messages).toBeGreaterThan(20_000);
  // Each kind of problem came up, so each way back was taken.
  const kinds = Object.keys(problems).sort();
  expect(kinds).toEqual(["channel", "end", "header", "message", "role", "start", "token"]);
});
