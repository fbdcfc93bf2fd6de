/** Positions of named axes in a memory order. */
import { type Axis, elementsOf } from "../dsl/axes.ts";

/** Where an axis stands, from 0, outermost first. Ops check their axes, so a missing one is a mistake of the compiler. */
export function position(dims: readonly Axis[], name: string): number {
  const at = dims.findIndex((axis) => axis.name === name);
  if (at < 0) throw new Error(`the compiler lost axis '${name}' of [${dims.map((axis) => axis.name).join(", ")}]`);
  return at;
}

/** Where axes stand. */
export function positions(dims: readonly Axis[], names: readonly string[]): number[] {
  return names.map((name) => position(dims, name));
}

/** The same order with another size for one axis. */
export function withSize(dims: readonly Axis[], along: string, size: number): Axis[] {
  return dims.map((axis) => (axis.name === along ? { name: along, size } : axis));
}

/** How many elements there are beside some axes. */
export function sizeBeside(dims: readonly Axis[], over: readonly string[]): number {
  return elementsOf(dims.filter(({ name }) => !over.includes(name)));
}
