/** What configurations of any architecture are checked with: bounds that no model exceeds, and errors that list every fault. */
import { z } from "zod";
import { InputError } from "../dsl/index.ts";

// Public API

/** A count of something, such as layers: a whole number from 1. The bound is far beyond any model and keeps products exact. */
export const count = (most = 2 ** 24) => z.number().int().min(1).max(most);

/** A positive finite number. */
export const positive = z.number().positive().finite();

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
    return `${key}: found ${show(found)}; ${issue.message}`;
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
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
