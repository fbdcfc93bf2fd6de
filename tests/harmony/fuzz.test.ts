/** Streams of tokens that no model should emit. `npm run fuzz` parses a million of them. */
import { expect } from "@jest/globals";
import { loadHarmony } from "../../inference/harmony/index.ts";
import { testTable } from "../support/exhaustive.ts";
import { fuzz } from "./fuzz.ts";

testTable(
  "of %d mutated streams none throws, loses text, leaks a special token, or depends on how it is cut",
  [
    [4_000, 1],
    [20_000, 2],
  ],
  ([count]) => count === 4_000,
  async (count, seed) => {
    const { messages, problems } = fuzz(await loadHarmony(), count, seed);
    expect(messages).toBeGreaterThan(count);
    // Each kind of problem came up, so each way back was taken.
    const kinds = Object.keys(problems).sort();
    expect(kinds).toEqual(["channel", "end", "header", "message", "role", "start", "token"]);
  },
);
