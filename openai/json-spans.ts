/**
 * Where the values of a JSON text stand.
 *
 * `JSON.parse` tells neither where a value ends nor how it was written; both matter where a model writes JSON amid text.
 * Source of the grammar: RFC 8259.
 */

// Public API

/** A value, and where it stands: from `start` up to `end`. */
export type JsonSpan = { readonly start: number; readonly end: number } & (
  | { readonly kind: "object"; readonly members: ReadonlyMap<string, JsonSpan> }
  | { readonly kind: "array"; readonly items: readonly JsonSpan[] }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "other" }
);

/** The value that begins at `at`, after white space; undefined where there is none, or it is nested very deeply. */
export function readJson(text: string, at: number): JsonSpan | undefined {
  return valueAt(text, at, 0);
}

// Implementation

const DEEPEST = 500;

const SPACE = /[ \t\n\r]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const OTHER = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;

/** The end of what a pattern matches at a place. */
function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

const afterSpace = (text: string, at: number): number => match(SPACE, text, at) ?? at;

function valueAt(text: string, from: number, depth: number): JsonSpan | undefined {
  const start = afterSpace(text, from);
  if (depth > DEEPEST) return undefined;
  if (text[start] === "{") return objectAt(text, start, depth);
  if (text[start] === "[") return arrayAt(text, start, depth);
  if (text[start] === '"') return stringAt(text, start);
  const end = match(OTHER, text, start);
  return end === undefined ? undefined : { kind: "other", start, end };
}

function stringAt(text: string, start: number): Extract<JsonSpan, { kind: "string" }> | undefined {
  const end = match(STRING, text, start);
  return end === undefined ? undefined : { kind: "string", start, end, value: JSON.parse(text.slice(start, end)) };
}

function objectAt(text: string, start: number, depth: number): JsonSpan | undefined {
  const members = new Map<string, JsonSpan>();
  const end = listAt(text, start, "}", (at) => {
    const key = stringAt(text, at);
    if (key === undefined) return undefined;
    const colon = afterSpace(text, key.end);
    const value = text[colon] === ":" ? valueAt(text, colon + 1, depth + 1) : undefined;
    // Of two of one name the last counts, as with JSON.parse.
    if (value !== undefined) members.set(key.value, value);
    return value?.end;
  });
  return end === undefined ? undefined : { kind: "object", start, end, members };
}

function arrayAt(text: string, start: number, depth: number): JsonSpan | undefined {
  const items: JsonSpan[] = [];
  const end = listAt(text, start, "]", (at) => {
    const item = valueAt(text, at, depth + 1);
    if (item !== undefined) items.push(item);
    return item?.end;
  });
  return end === undefined ? undefined : { kind: "array", start, end, items };
}

/** Where a list ends that opens at `start`. @param read  reads what stands between commas, and tells its end */
function listAt(
  text: string,
  start: number,
  close: string,
  read: (at: number) => number | undefined,
): number | undefined {
  let at = afterSpace(text, start + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    const end = read(at);
    if (end === undefined) return undefined;
    at = afterSpace(text, end);
    if (text[at] === close) return at + 1;
    if (text[at] !== ",") return undefined;
    at = afterSpace(text, at + 1);
  }
}
