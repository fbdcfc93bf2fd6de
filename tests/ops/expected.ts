/** The numbers that make_expected.py wrote: what numpy, C and JAX say. */
import { readFileSync } from "node:fs";
import type { Element } from "../support/numbers.ts";

type Columns = Readonly<Record<string, readonly Element[]>>;

interface Functions {
  readonly x: readonly Element[];
  readonly unary: Columns;
  readonly left: readonly Element[];
  readonly right: readonly Element[];
  readonly binary: Columns;
}

/** By what they are expected of. */
export const expected = JSON.parse(
  readFileSync(new URL("fixtures/expected.json", import.meta.url), "utf8"),
  (_, value) => (typeof value === "string" ? special(value) : value),
) as {
  readonly functions: Functions & { readonly comparisons: Columns };
  readonly integers: Readonly<Record<"i8" | "u8" | "i32" | "u32" | "i64", Functions>>;
  readonly casts: Readonly<Record<"bf16" | "f16" | "f8e5m2" | "f8e4m3fn", Columns>>;
  readonly randomBits: readonly {
    readonly key: readonly number[];
    readonly shape: readonly number[];
    readonly bits: readonly number[];
    readonly uniform: readonly number[];
  }[];
  readonly quantised: { readonly values: readonly number[] } & Readonly<
    Record<"q8_0" | "int8", { readonly elements: readonly number[]; readonly scales: readonly number[] }>
  >;
  readonly activations: Readonly<Record<"x" | "erf" | "gelu" | "geluTanh" | "silu" | "relu", readonly Element[]>>;
};

/** Numbers that JSON lacks. */
function special(text: string): Element {
  if (text.endsWith("n") && text !== "nan") return BigInt(text.slice(0, -1));
  return { nan: Number.NaN, inf: Infinity, "-inf": -Infinity }[text] ?? Number(text);
}
