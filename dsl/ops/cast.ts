/** Changes of the element type: by value, or of the bits as they are. */
import type { Axis } from "../axes.ts";
import { axisOf, requireFresh, requireKind } from "../checks.ts";
import { type DType, dtypes } from "../dtype.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { shapeError } from "../shape-error.ts";
import { type Fresh, method } from "../tensor.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /**
     * The nearest value of another element type; floats become integers by dropping the fraction, and truth by not being
     * 0. What becomes of a float beyond an integer type's range is the platform's affair: on CPU the nearest there is, and
     * 0 for NaN. Integers wrap around in a narrower type.
     */
    cast(to: DType): Tensor<A>;
    /** The same bits read as another element type of the same width. */
    bitCast(to: DType): Tensor<A>;
    /** The same bits read as a narrower type, with a new innermost axis for the pieces, lowest bits first. */
    bitSplit<N extends string>(to: DType, into: Axis<Fresh<N, A>>): Tensor<A | N>;
    /** Pieces along an axis, lowest bits first, read as one element of a wider type. */
    bitMerge<K extends A>(to: DType, from: K): Tensor<Exclude<A, K>>;
  }
  interface AnyTensor {
    cast(to: DType): AnyTensor;
    bitCast(to: DType): AnyTensor;
    bitSplit(to: DType, into: Axis): AnyTensor;
    bitMerge(to: DType, from: string): AnyTensor;
  }
}

export const cast = defineOp<{ to: DType }>({
  name: "cast",
  touches: "view",
  infer: ([x], { to }) => [{ dtype: to, axes: (x as Value).axes }],
  lower: (e, [x], { to }) => [e.convert(x as Ssa, to)],
  meaning: ([x]) => ({ kind: "conversion", of: x as Value }),
  flops: () => 0,
});

export const bitCast = defineOp<{ to: DType; into?: Axis; from?: string }>({
  name: "bitCast",
  infer([input], { to, into, from }) {
    const x = input as Value;
    const name = into !== undefined ? "bitSplit" : from !== undefined ? "bitMerge" : "bitCast";
    requireKind(name, x, ["int", "uint", "float"]);
    if (to === "bool")
      throw shapeError("DTYPE", `${name}: bool is no pattern of bits`, [["operand", x]], "x.ne(0)", { to });
    const [own, wanted] = [dtypes[x.dtype].bits, dtypes[to].bits];
    const [pieces, joined] = [into?.size ?? 1, from === undefined ? 1 : axisOf(name, x, from).size];
    if (own * joined !== wanted * pieces) {
      throw shapeError(
        "BIT_WIDTH",
        `${name}: ${count(joined, x.dtype)} ${own * joined} bits, and ${count(pieces, to)} ${wanted * pieces}`,
        [["operand", x]],
        bitHint(own, wanted, to),
        { from: x.dtype, to, pieces, joined },
      );
    }
    if (into !== undefined) requireFresh("bitSplit", x, into);
    const axes = x.axes.filter(({ name }) => name !== from);
    return [{ dtype: to, axes: into === undefined ? axes : [...axes, into] }];
  },
  flops: () => 0,
  lower(e, [input], { to, into, from }) {
    const x = input as Ssa;
    const rest = x.dims.filter(({ name }) => name !== from);
    const innermostLast = [...rest, ...x.dims.filter(({ name }) => name === from)];
    return [e.bitcast(e.arrange(x, innermostLast), to, into === undefined ? rest : [...rest, into])];
  },
});

// Implementation

method("cast", function (to) {
  return to === this.dtype ? this : applyOne(cast, [this], { to });
});
method("bitCast", function (to) {
  return applyOne(bitCast, [this], { to });
});
method("bitSplit", function (to, into) {
  return applyOne(bitCast, [this], { to, into });
});
method("bitMerge", function (to, from) {
  return applyOne(bitCast, [this], { to, from });
});

const count = (n: number, dtype: DType): string => (n === 1 ? `${dtype} has` : `${n} of ${dtype} have`);

function bitHint(own: number, wanted: number, to: DType): string | undefined {
  if (own > wanted && own % wanted === 0) return `x.bitSplit("${to}", axis("piece", ${own / wanted}))`;
  return wanted > own && wanted % own === 0 ? `x.bitMerge("${to}", …) over an axis of ${wanted / own}` : undefined;
}
