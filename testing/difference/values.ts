/** How values are written in a report: by the operation that makes them, their element type and their axes. */
import type { AxisNames } from "../../compiler/index.ts";
import type { Operation, Place, Value } from "../mlir/module.ts";
import type { FunctionMap } from "../text-map.ts";
import type { Step, Walk } from "./walk.ts";

// Public API

/** A tensor's type, taken apart; `names` are absent where nobody knows them. */
export interface TypeParts {
  readonly dtype: string;
  readonly sizes: readonly number[];
  readonly names: AxisNames | undefined;
}

/** One side of a comparison, for those who write about it. */
export class Describer {
  readonly #walk: Walk;
  readonly #map: FunctionMap | undefined;
  /** The other side's axes, for values whose own are unknown. */
  readonly #borrowed: (value: Value) => AxisNames | undefined;

  constructor(walk: Walk, map: FunctionMap | undefined, borrowed: (value: Value) => AxisNames | undefined) {
    this.#walk = walk;
    this.#map = map;
    this.#borrowed = borrowed;
  }

  /** Names of a value's axes, when somebody knows them. */
  axesOf(value: Value): AxisNames | undefined {
    return this.knownAxes(value) ?? this.#borrowed(value);
  }

  /** The same, of an operand as its operation sees it: a `rename` costs nothing in the text. */
  operandAxes(operation: Operation, slot: number): AxisNames | undefined {
    const value = operation.operands[slot];
    const renamed = this.#map?.operations[this.#walk.stepOf(operation).number]?.renamed[slot];
    return value === undefined ? undefined : (renamed ?? this.axesOf(value));
  }

  /** Names of a value's axes, as this side has them written down. */
  knownAxes(value: Value): AxisNames | undefined {
    const owned = this.#owned(value);
    return owned?.length === sizesOf(value.type)?.length ? owned : undefined;
  }

  /** `f32 [batch 2, pos 3, embed 10]`, or the type as it is. */
  type(value: Value, names = this.axesOf(value)): string {
    const parts = this.parts(value);
    if (parts === undefined || names === undefined) return value.type;
    return `${parts.dtype} ${formatAxes({ ...parts, names })}`;
  }

  /** A value's type with the names of its axes; nothing for what is no tensor. */
  parts(value: Value): TypeParts | undefined {
    const sizes = sizesOf(value.type);
    const dtype = /(?:^tensor<|x)([a-z]\w*)>$/i.exec(value.type)?.[1];
    return sizes === undefined || dtype === undefined ? undefined : { dtype, sizes, names: this.axesOf(value) };
  }

  /** `w.up`, `%11 dot_general`, or a region's own value. */
  name(value: Value): string {
    if (value.maker !== undefined) return `${value.name} ${shortKind(value.maker.kind)}`;
    const { owner, index } = this.#walk.argumentOf(value);
    return owner === undefined ? (this.#map?.arguments[index]?.name ?? value.name) : value.name;
  }

  /** Where TypeScript made a step. */
  placeOf(step: Step): Place | undefined {
    return step.operation.place ?? (step.number < 0 ? undefined : this.#map?.operations[step.number]?.place);
  }

  #owned(value: Value): AxisNames | undefined {
    if (value.maker !== undefined) {
      const { number } = this.#walk.stepOf(value.maker);
      return this.#map?.operations[number]?.axes[value.index];
    }
    const { owner, index } = this.#walk.argumentOf(value);
    if (owner === undefined) return this.#map?.arguments[index]?.axes;
    // What a loop carries has the axes of what it gives back.
    const carried = owner.operation.results[index];
    return owner.operation.kind === "stablehlo.while" && carried !== undefined ? this.#owned(carried) : undefined;
  }
}

/** `[batch 2, pos 3]`. */
export function formatAxes({ sizes, names }: TypeParts): string {
  return `[${sizes.map((size, n) => (names?.[n] === undefined ? String(size) : `${names[n]} ${size}`)).join(", ")}]`;
}

/** `src/mlp.ts:12:7 (mlp.dot)`. */
export function formatPlace(place: Place | undefined): string {
  if (place === undefined) return "";
  const line = place.file === undefined ? "" : `${place.file}:${place.line}:${place.column}`;
  return [line, place.name === undefined || place.name === "" ? "" : `(${place.name})`].filter(Boolean).join(" ");
}

/** `stablehlo.add` is `add`. */
export function shortKind(kind: string): string {
  return kind.replace(/^stablehlo\./, "");
}

// Implementation

function sizesOf(type: string): readonly number[] | undefined {
  const match = /^tensor<((?:\d+x)*)[a-z]\w*>$/i.exec(type);
  if (match === null) return undefined;
  return (match[1] as string).split("x").slice(0, -1).map(Number);
}
