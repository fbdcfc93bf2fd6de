import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { splitMix64 } from "../inference/sampling/random.ts";
import { type JsonSpan, readJson } from "./json-spans.ts";

/** The value of a span, put together from its parts. */
function assemble(span: JsonSpan, text: string): unknown {
  if (span.kind === "object") {
    return Object.fromEntries([...span.members].map(([key, member]) => [key, assemble(member, text)]));
  }
  if (span.kind === "array") return span.items.map((item) => assemble(item, text));
  return span.kind === "string" ? span.value : JSON.parse(text.slice(span.start, span.end));
}

const parsed = (text: string): unknown => {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
};

const read = (text: string): unknown => {
  const span = readJson(text, 0);
  return span === undefined || /[^ \t\n\r]/.test(text.slice(span.end)) ? undefined : { value: assemble(span, text) };
};

describe("a JSON text's values", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    '"a"',
    '"b\\n"',
    '"\\u00e9',
    '"',
    "1",
    "-0.5e3",
    "01",
    "true",
    "nul",
    "null",
    "\u0001",
  ];

  test("are where JSON.parse finds them, in 20,000 texts of pieces, and nowhere else", () => {
    let whole = 0;
    const differing: string[] = [];
    for (let n = 0; n < 20_000; n++) {
      const length = 1 + Number(splitMix64(1n, n) % 9n);
      const text = Array.from(
        { length },
        (_, at) => pieces[Number(splitMix64(BigInt(n), at) % BigInt(pieces.length))],
      ).join("");
      const wanted = parsed(text);
      if (wanted !== undefined) whole++;
      if (!isDeepStrictEqual(read(text), wanted)) differing.push(text);
    }
    expect(differing).toEqual([]);
    expect(whole).toBeGreaterThan(500);
  });

  test("are where JSON.parse finds them when a large one is changed at a place", () => {
    const text = JSON.stringify({ a: [1, { b: 'x"\\y', c: null }, []], "ü😀": { d: -1.5e-7, e: [true, false, ""] } });
    const differing: string[] = [];
    for (let at = 0; at < text.length; at++) {
      for (const put of ["", "x", '"', "}", ",,"]) {
        const changed = text.slice(0, at) + put + text.slice(at + 1);
        if (!isDeepStrictEqual(read(changed), parsed(changed))) differing.push(changed);
      }
    }
    expect(differing).toEqual([]);
  });

  test("end where the object ends, also amid text, and are absent when nesting does not end", () => {
    expect(readJson('say {"a": "}"} and more', 4)).toMatchObject({ start: 4, end: 14 });
    expect(readJson("[".repeat(100_000), 0)).toBeUndefined();
    expect(readJson("", 0)).toBeUndefined();
  });
});
