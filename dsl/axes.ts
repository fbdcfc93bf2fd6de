/** Axes: a name, which is a type, and a size, which is a fact of the trace. */
import { InputError } from "./errors.ts";

// Public API

/** A name and a size. Covariant, so `[Axis<"a">, Axis<"b">]` infers the union `"a" | "b"`. */
export interface Axis<out N extends string = string> {
  readonly name: N;
  readonly size: number;
}

/** What an axis means to whoever splits tensors over devices: a model says it once, by name. */
export type AxisRole = "rows" | "heads" | "width" | "vocabulary" | "experts";

/** The names of a union of axes. */
export type NameOf<T> = T extends Axis<infer N> ? N : never;

/**
 * Declares all axes of a model in one place: `axes({ embed: 2880 }).embed` is an `Axis<"embed">`.
 *
 * @throws InputError when a size is not a positive whole number
 */
export function axes<const S extends Record<string, number>>(sizes: S): { readonly [N in keyof S & string]: Axis<N> } {
  const entries = Object.entries(sizes).map(([name, size]) => [name, axis(name, size)]);
  return Object.fromEntries(entries) as { readonly [N in keyof S & string]: Axis<N> };
}

/** One axis. */
export function axis<const N extends string>(name: N, size: number): Axis<N> {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new InputError("AXIS_SIZE", `axis '${name}' has size ${size}, and a size is a whole number from 1`, {
      axis: name,
      size,
    });
  }
  return { name, size };
}

/** How many elements a value of these axes has; 1 without axes. */
export function elementsOf(of: readonly Axis[]): number {
  return of.reduce((all, { size }) => all * size, 1);
}

/** Axes as errors and graph dumps write them: `[batch 2, pos 8, embed 2880]`. */
export function formatAxes(of: readonly Axis[]): string {
  return `[${of.map(({ name, size }) => `${name} ${size}`).join(", ")}]`;
}
