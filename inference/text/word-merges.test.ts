import { describe, expect, test } from "@jest/globals";
import { splitMix64 } from "../sampling/random.ts";
import { listedMerges, tokenMerges } from "./word-merges.ts";

/** tiktoken's own loop, in n² steps: the pair with the smallest id, the leftmost of several. */
function slowly(tokens: ReadonlyMap<string, number>, word: string): number[] {
  const parts = Array.from(word);
  for (;;) {
    const joins = parts.slice(1).map((right, at) => tokens.get(parts[at] + right) ?? Number.POSITIVE_INFINITY);
    const best = Math.min(...joins);
    if (!Number.isFinite(best)) return parts.map((part) => tokens.get(part)!);
    const at = joins.indexOf(best);
    parts.splice(at, 2, parts[at]! + parts[at + 1]!);
  }
}

function listOf(tokens: ReadonlyMap<string, number>): Map<string, number> {
  const urgency = new Map<string, number>();
  for (const [spelling, id] of tokens) {
    for (let cut = 1; cut < spelling.length; cut++) {
      const [left, right] = [spelling.slice(0, cut), spelling.slice(cut)];
      if (tokens.has(left) && tokens.has(right)) urgency.set(`${left} ${right}`, id);
    }
  }
  return urgency;
}

describe("merges", () => {
  test("that are tokens join what tiktoken's loop joins, in random words over random vocabularies", () => {
    let drawn = 0;
    const draw = (below: number): number => Number(splitMix64(9n, drawn++) % BigInt(below));
    for (let round = 0; round < 40; round++) {
      const tokens = new Map([..."abc"].map((letter, id) => [letter, id]));
      const spellings = [..."abc"];
      while (tokens.size < 30) {
        const spelling = spellings[draw(spellings.length)]! + spellings[draw(spellings.length)]!;
        if (!tokens.has(spelling)) spellings.push(spelling);
        if (!tokens.has(spelling)) tokens.set(spelling, tokens.size);
      }
      const encode = tokenMerges(tokens);
      for (let word = 0; word < 20; word++) {
        const text = Array.from({ length: 1 + draw(40) }, () => "abc"[draw(3)]).join("");
        const ids: number[] = [];
        encode(text, ids);
        expect(ids).toEqual(tokens.has(text) ? [tokens.get(text)] : slowly(tokens, text));
        // The same as a list, in which each way to put a token together is a merge.
        const listed: number[] = [];
        listedMerges(tokens, listOf(tokens), true)(text, listed);
        expect(listed).toEqual(ids);
      }
    }
  });

  test("that are tokens take a word that is a token for it, also where no merges lead there", () => {
    const ids: number[] = [];
    tokenMerges(new Map(Object.entries({ a: 0, b: 1, c: 2, abc: 3 })))("abc", ids);
    expect(ids).toEqual([3]);
  });

  test("of a list leave such a word to the merges, unless told otherwise", () => {
    const tokens = new Map(Object.entries({ a: 0, b: 1, c: 2, abc: 3, bc: 4 }));
    const encoded = (wholeWords: boolean) => {
      const ids: number[] = [];
      listedMerges(tokens, new Map([["b c", 0]]), wholeWords)("abc", ids);
      return ids;
    };
    expect(encoded(false)).toEqual([0, 4]);
    expect(encoded(true)).toEqual([3]);
  });
});
