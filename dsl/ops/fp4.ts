/**
 * FP4 (E2M1), two a byte: the elements of MXFP4 (OCP Microscaling Formats 1.0).
 *
 * The magnitudes are 0, 0.5, 1, 1.5, 2, 3, 4 and 6, all exact in bf16.
 */
import { type Axis, axis } from "../axes.ts";
import { requireFresh, requireKind } from "../checks.ts";
import type { Emitter, Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

// Public API

/** The two elements of each byte, along `into` of 2, the low half first; bf16. */
export function decodeFp4<A extends string, N extends string>(bytes: Tensor<A>, into: Axis<N>): Tensor<A | N> {
  return applyOne(fp4, [bytes], { into }) as never;
}

export const fp4 = defineOp<{ into: Axis }>({
  name: "decodeFp4",
  infer([bytes], { into }) {
    const x = bytes as Value;
    requireKind("decodeFp4", x, ["uint"]);
    requireFresh("decodeFp4", x, into);
    return [{ dtype: "bf16", axes: [...x.axes, into] }];
  },
  lower(e, [bytes], { into }) {
    const x = bytes as Ssa;
    if (e.platform !== "cpu") return [e.convert(e.bitcast(x, "f4e2m1fn", [...x.dims, into]), "bf16")];
    // XLA on CPU converts this type one element at a time, and does whole numbers many at a time (docs/log.md).
    const wide = e.convert(x, "i32");
    const one = axis(into.name, 1);
    const halves = [decode(e, and(e, wide, 15)), decode(e, e.binary("shift_right_logical", wide, like(e, wide, 4)))];
    return [
      e.concatenate(
        halves.map((half) => e.reshape(half, [...x.dims, one])),
        into.name,
      ),
    ];
  },
  flops: () => 0,
});

// Implementation

/** The value of a code of four bits. */
function decode(e: Emitter, code: Ssa): Ssa {
  const magnitude = and(e, code, 7);
  // Twice the magnitude: 0 and 1 below 2, then (2 + the lowest bit) shifted by the exponent.
  const mantissa = e.binary("add", and(e, magnitude, 1), like(e, code, 2));
  const exponent = e.binary("subtract", e.binary("shift_right_logical", magnitude, like(e, code, 1)), like(e, code, 1));
  const normal = e.binary("shift_left", mantissa, e.binary("maximum", exponent, like(e, code, 0)));
  const twice = e.select(e.compare("LT", magnitude, like(e, code, 2)), magnitude, normal);
  const signed = e.select(e.compare("GT", code, like(e, code, 7)), e.unary("negate", twice), twice);
  const value = e.convert(signed, "bf16");
  return e.binary("multiply", value, e.arrange(e.constant(0.5, "bf16"), value.dims));
}

function and(e: Emitter, x: Ssa, mask: number): Ssa {
  return e.binary("and", x, like(e, x, mask));
}

function like(e: Emitter, x: Ssa, value: number): Ssa {
  return e.arrange(e.constant(value, x.dtype), x.dims);
}
