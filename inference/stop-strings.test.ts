import { describe, expect, test } from "@jest/globals";
import { StopStrings } from "./stop-strings.ts";

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

  test("that overlap themselves are found", () => {
    expect(read(["aab"], ["a", "a", "a", "b"])).toEqual({ text: "a", stopped: true });
  });
});
