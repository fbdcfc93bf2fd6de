import { describe, expect, test } from "@jest/globals";
import { StopStrings } from "./stop-strings.ts";
import { StreamingDecoder } from "./streaming-decoder.ts";

/** Feeds pieces until one stops, and gives all that came out. */
function read(stops: readonly string[], pieces: readonly string[]): { text: string; stopped: boolean } {
  const watch = new StopStrings(stops);
  let text = "";
  for (const piece of pieces) {
    const next = watch.push(piece);
    text += next.text;
    if (next.stopped) return { text, stopped: true };
  }
  return { text: text + watch.flush(), stopped: false };
}

describe("stop strings", () => {
  test("end the text before themselves, however it is cut into pieces", () => {
    const text = "one two END three";
    for (let size = 1; size <= text.length; size++) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
        text.slice(n * size, (n + 1) * size),
      );
      expect(read(["END"], pieces)).toEqual({ text: "one two ", stopped: true });
    }
  });

  test("hold back only what may begin one", () => {
    const watch = new StopStrings(["END"]);
    expect(watch.push("a").text).toBe("a");
    expect(watch.push("bE").text).toBe("b");
    expect(watch.push("N").text).toBe("");
    expect(watch.push("x").text).toBe("ENx");
  });

  test("give out what was held back when the text ends by itself", () => {
    expect(read(["END"], ["the EN"])).toEqual({ text: "the EN", stopped: false });
  });

  test("of several the first in the text counts", () => {
    expect(read(["\n\n", "b"], ["a", "b", "\n\n"])).toEqual({ text: "a", stopped: true });
  });

  test("of several the first to be complete counts, wherever the text is cut; then the longest", () => {
    expect(read(["abc", "b"], ["abc"])).toEqual({ text: "a", stopped: true });
    expect(read(["abc", "b"], ["a", "b", "c"])).toEqual({ text: "a", stopped: true });
    expect(read(["b", "ab"], ["xab"])).toEqual({ text: "x", stopped: true });
  });

  // By the definition, a character at a time, over an alphabet so small that stops overlap each other and themselves.
  test("give the same text however it is cut: 2000 random cases", () => {
    let state = 1;
    const below = (n: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    const word = (length: number) => Array.from({ length }, () => ["a", "b", "é", "😀"][below(4)]).join("");
    let stoppedCases = 0;
    for (let n = 0; n < 2000; n++) {
      const stops = Array.from({ length: 1 + below(3) }, () => word(1 + below(4)));
      const characters = Array.from(word(below(12)));
      const ends = characters.map((_, at) => {
        const soFar = characters.slice(0, at + 1).join("");
        const met = stops.filter((stop) => soFar.endsWith(stop)).map((stop) => soFar.length - stop.length);
        return met.length === 0 ? undefined : soFar.slice(0, Math.min(...met));
      });
      const cut = ends.find((text) => text !== undefined);
      const pieces: string[] = [];
      for (let at = 0; at < characters.length; ) {
        const size = below(4);
        pieces.push(characters.slice(at, at + size).join(""));
        at += size;
      }
      if (cut !== undefined) stoppedCases++;
      const expected = { text: cut ?? characters.join(""), stopped: cut !== undefined };
      expect({ stops, pieces, ...read(stops, pieces) }).toEqual({ stops, pieces, ...expected });
    }
    expect(stoppedCases).toBeGreaterThan(500);
    expect(stoppedCases).toBeLessThan(1900);
  });

  test("are found across characters that come in bytes", () => {
    // Tokens of one byte each, as a byte-level vocabulary has for what it does not know.
    const bytes = new TextEncoder().encode("say 👋🏽 STOP");
    const decoder = new StreamingDecoder(
      { bytesOf: (id) => Uint8Array.of(id), isSpecial: () => false },
      { skipSpecial: true, dropFirstSpace: false },
    );
    const pieces = Array.from(bytes, (byte) => decoder.push(byte));
    expect(read(["🏽 S"], pieces)).toEqual({ text: "say 👋", stopped: true });
    expect(read(["👋 "], pieces)).toEqual({ text: "say 👋🏽 STOP", stopped: false });
  });

  test("that overlap themselves are found", () => {
    expect(read(["aab"], ["a", "a", "a", "b"])).toEqual({ text: "a", stopped: true });
  });
});
