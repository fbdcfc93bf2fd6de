/**
 * Checks what comes from outside (files, metadata, options) against a zod schema, and says what is wrong in one line.
 *
 * The first problem becomes an `InputError` that names the key, what was found there and what was wanted. A schema's
 * own messages are read as "what was wanted", so write them as noun phrases: `z.int("a whole number")`.
 */

import type { z } from "zod";
import { InputError } from "../dsl/errors.ts";

/** Where a value comes from, for the error. */
export interface InputOrigin {
  /** The error's code, for programs. */
  readonly code: string;
  /** What is being read, for people: `tokenizer.json`, `sampling options`. */
  readonly what: string;
}

/**
 * `value`, typed and with the schema's defaults filled in.
 *
 * @throws InputError naming the key, what was found and what was wanted; `fields` holds the three
 */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  { code, what }: InputOrigin,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = [...issue.path];
  if (issue.code === "unrecognized_keys") {
    const key = keyText([...path, issue.keys[0]!]);
    throw new InputError(code, `${what}: ${key} is not known`, { key, unknown: issue.keys });
  }
  const key = keyText(path);
  const found = describe(path.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown>)?.[part], value));
  const wanted = /^Invalid input: expected (.*), received /.exec(issue.message)?.[1] ?? issue.message;
  throw new InputError(code, `${what}: ${key || "it"} is ${found}; wanted ${wanted}`, { key, found, wanted });
}

/** A short description of any value: numbers and short strings as they are, lists by length, absent ones as "missing". */
export function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function") return "a function";
  return String(value);
}

/** `a.b[3]` for the path of a value; keys that hold dots stay as they are, as in `tokenizer.ggml.tokens[3]`. */
export function keyText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    "",
  );
}
