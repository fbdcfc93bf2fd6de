/** Values that come from nowhere: counting, constants. */
import { type Axis, elementsOf } from "../axes.ts";
import { type DType, holds } from "../dtype.ts";
import { InputError } from "../errors.ts";
import { applyOne } from "../graph.ts";
import { defineOp } from "../op.ts";
import { shapeError } from "../shape-error.ts";
import type { AnyTensor, Tensor } from "../tensor.ts";

// Public API

/** 0, 1, 2, … along one axis. */
export function iota<N extends string>(along: Axis<N>, dtype: DType = "i32"): Tensor<N> {
  // The axes given are those of the result, here and below.
  return untypedIota(along, dtype) as unknown as Tensor<N>;
}

/** The same number everywhere; a scalar without axes. */
export function full<const P extends readonly Axis[]>(
  value: number | boolean,
  dtype: DType,
  ...of: P
): Tensor<P[number]["name"]> {
  return untypedFull(value, dtype, of) as unknown as Tensor<P[number]["name"]>;
}

/**
 * Numbers known while tracing, row-major over `of`.
 *
 * @throws InputError when their count is not the product of the sizes
 */
export function constant<const P extends readonly Axis[]>(
  values: readonly (number | bigint | boolean)[],
  dtype: DType,
  ...of: P
): Tensor<P[number]["name"]> {
  const wanted = elementsOf(of);
  if (values.length !== wanted) {
    throw new InputError(
      "CONSTANT_SIZE",
      `constant over ${of.map(({ name }) => name).join(", ") || "no axes"} takes ${wanted} values, and ${values.length} were given`,
      {
        found: values.length,
        wanted,
      },
    );
  }
  return applyOne(constantOp, [], { values, dtype, axes: of }) as unknown as Tensor<P[number]["name"]>;
}

/** `iota`, inside the language. */
export function untypedIota(along: Axis, dtype: DType = "i32"): AnyTensor {
  return applyOne(iotaOp, [], { along: along.name, dtype, axes: [along] });
}

/** `full`, inside the language. */
export function untypedFull(value: number | boolean, dtype: DType, of: readonly Axis[] = []): AnyTensor {
  return applyOne(constantOp, [], { values: [value], dtype, axes: of });
}

export const iotaOp = defineOp<{ along: string; dtype: DType; axes: readonly Axis[] }>({
  name: "iota",
  infer(_, { along, dtype, axes }) {
    if (dtype !== "bool") return [{ dtype, axes }];
    const hint = `iota(ax.${along}, "i32")`;
    throw shapeError("DTYPE", `iota over '${along}' counts in numbers, and not in bool`, [], hint, { dtype });
  },
  lower: (e, _, { along, dtype, axes }) => [e.iota(dtype, axes, along)],
  flops: () => 0,
});

export const constantOp = defineOp<{
  values: readonly (number | bigint | boolean)[];
  dtype: DType;
  axes: readonly Axis[];
}>({
  name: "constant",
  infer(_, { values, dtype, axes }) {
    const wrong = values.findIndex((value) => !holds(dtype, value));
    if (wrong >= 0) {
      throw shapeError(
        "NUMBER_RANGE",
        `constant: ${values[wrong]}${values.length > 1 ? ` at ${wrong}` : ""} is not a value of ${dtype}`,
        [],
        undefined,
        { dtype, value: values[wrong], index: wrong },
      );
    }
    return [{ dtype, axes }];
  },
  lower(e, _, { values, dtype, axes }) {
    const [first] = values;
    if (values.length === 1 && first !== undefined) return [e.arrange(e.constant(first, dtype), axes)];
    return [e.dense(values, dtype, axes)];
  },
  meaning: (_, { values }) => (values.length === 1 ? { kind: "number", value: Number(values[0]) } : undefined),
  flops: () => 0,
});
