/**
 * What may be said of a request's fields: that they are followed, have no effect or are refused; ranges of numbers.
 *
 * `null` is absence. A field's `meta` says what becomes of it, for docs/jobs.md.
 */
import { z } from "zod";

// Public API

/** What becomes of a field. */
export interface FieldMeta {
  readonly support: "yes" | "no effect" | "refused";
  readonly note: string;
}

/** A field that is followed. */
export const followed = <Schema extends z.ZodType>(schema: Schema, note: string) =>
  schema.nullish().meta({ support: "yes", note } satisfies FieldMeta as z.GlobalMeta);

/** A field that says nothing about the answer. */
export const withoutEffect = <Schema extends z.ZodType>(schema: Schema, note: string) =>
  schema.nullish().meta({ support: "no effect", note } satisfies FieldMeta as z.GlobalMeta);

/** A field that is refused, but for values that ask for nothing. @param taken  those, in words and as a check */
export const refusedField = (why: string, taken?: { readonly words: string; is(value: unknown): boolean }) =>
  refused(why, taken?.is)
    .optional()
    .meta({
      support: "refused",
      note: taken === undefined ? why : `${why}; ${taken.words} is taken`,
    } satisfies FieldMeta as z.GlobalMeta);

/** What `refusedField` takes: no. */
export const no = { words: "`false`", is: (value: unknown) => value === false };

/** A field that is understood and that nothing here can follow: taken are its absence, `null`, and what `but` takes. */
export function refused(why: string, but?: (value: unknown) => boolean) {
  return z.custom<unknown>((value) => value == null || but?.(value) === true, {
    params: { code: but === undefined ? "unsupported_parameter" : "unsupported_value" },
    message: why,
  });
}

export function between(low: number, high: number) {
  const wanted = `a number from ${low} to ${high}`;
  return z.number(wanted).min(low, wanted).max(high, wanted);
}

export function wholeFrom(low: number) {
  return wholeBetween(low, Number.POSITIVE_INFINITY);
}

export function wholeBetween(low: number, high: number) {
  const range = high === Number.POSITIVE_INFINITY ? `of at least ${low}` : `from ${low} to ${high}`;
  const wanted = `a whole number ${range}`;
  // `min` and `max` would not tell that it is whole.
  return z
    .int(wanted)
    .refine((value) => value >= low, { message: wanted, params: { code: "integer_below_min_value" } })
    .refine((value) => value <= high, { message: wanted, params: { code: "integer_above_max_value" } });
}
