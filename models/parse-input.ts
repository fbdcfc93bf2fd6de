/**
 * Checks what comes from outside (configurations, files, metadata, options) against a zod schema.
 *
 * A fault becomes an `InputError` that names the key, what was found there and what was wanted. A schema's own messages
 * are read as "what was wanted", so write them as noun phrases: `z.int("a whole number")`.
 */

import { z } from "zod";
import { InputError } from "../dsl/errors.ts";

// Public API

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
 * @throws InputError in one line, for the first fault; `fields` holds its key, what was found and what was wanted
 */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  { code, what }: InputOrigin,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const key = keyText([...issue.path, issue.keys[0]!]);
    throw new InputError(code, `${what}: ${key} is not known`, { key, unknown: issue.keys });
  }
  const key = keyText(issue.path);
  const found = describe(valueAt(value, issue.path));
  const wanted = wantedBy(issue);
  throw new InputError(code, `${what}: ${key || "it"} is ${found}; wanted ${wanted}`, { key, found, wanted });
}

/**
 * The same for a model's configuration, of which every fault is of interest at once.
 *
 * @param what  the file or header
 * @throws InputError with a line for each fault; `fields.faults` holds the lines
 */
export function parseConfig<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const key = issue.path.join(".") || "the whole";
    return `${key}: found ${written(valueAt(value, issue.path))}; wanted ${wantedBy(issue)}`;
  });
  throw noModel(what, faults);
}

/** The refusal of a configuration whose numbers make no model. */
export function noModel(what: string, faults: readonly string[]): InputError {
  const lines = faults.map((fault) => `  ${fault}`);
  return new InputError("CONFIG", [`${what} does not describe a model`, ...lines].join("\n"), { what, faults });
}

/** A count of something, such as layers: a whole number from 1. The bound is far beyond any model and keeps products exact. */
export const count = (most = 2 ** 24) => {
  const error = `a whole number from 1 to ${most}`;
  return z.number({ error }).int({ error }).min(1, { error }).max(most, { error });
};

/** A positive finite number, up to `most`. */
export const positive = (most = Number.MAX_VALUE) => {
  const error = most === Number.MAX_VALUE ? "a positive number" : `a positive number up to ${most}`;
  return z.number({ error }).positive({ error }).max(most, { error });
};

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

// Implementation

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | null | undefined)?.[step], value);
}

/** zod's own messages name the type that it expected; a schema's are noun phrases. */
function wantedBy({ message }: { readonly message: string }): string {
  return /^Invalid input: expected (.*), received /.exec(message)?.[1] ?? message;
}

/** A configuration's value as its file has it. */
function written(value: unknown): string {
  if (value === undefined) return "nothing";
  // JSON has no word for infinity, and large whole numbers are easier to count as they are written.
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
