/** What configurations of any architecture are checked with: bounds that no model exceeds, and errors that list every fault. */
import { z } from "zod";
import { InputError } from "../dsl/index.ts";

// Public API

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

/**
 * Checks a configuration.
 *
 * @param what  the file or header, for the error
 * @throws InputError that names every key, what was found and what was wanted
 */
export function parseConfig<S extends z.ZodType>(schema: S, value: unknown, what: string): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => {
    const key = issue.path.join(".") || "the whole";
    const found = issue.path.reduce<unknown>(
      (at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step],
      value,
    );
    // The schema's own messages are noun phrases; zod's tell the type that it expected.
    const wanted = /^Invalid input: expected (.*), received /.exec(issue.message)?.[1] ?? issue.message;
    return `${key}: found ${show(found)}; wanted ${wanted}`;
  });
  throw new InputError(
    "CONFIG",
    [`${what} does not describe a model`, ...faults.map((fault) => `  ${fault}`)].join("\n"),
    {
      what,
      faults,
    },
  );
}

// Implementation

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  // JSON has no word for infinity, and large whole numbers are easier to count as they are written.
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
