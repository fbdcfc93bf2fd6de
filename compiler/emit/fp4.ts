/** Reading FP4 (E2M1), in the form that is fast on the platform that the text is for. */
import { type Axis, axis } from "../../dsl/axes.ts";
import type { Emitter, Ssa } from "../../dsl/emitter.ts";
import type { Platform } from "../platform.ts";

// Public API

/** The two numbers of each byte along `into`, the low half first; bf16. */
export function decodeFp4(e: Emitter, platform: Platform, x: Ssa, into: Axis): Ssa {
  if (platform !== "cpu") return e.convert(e.bitcast(x, "f4e2m1fn", [...x.dims, into]), "bf16");
  // XLA on CPU converts this type one element at a time, and does whole numbers many at a time (docs/log.md).
  const wide = e.convert(x, "i32");
  const one = axis(into.name, 1);
  const halves = [decode(e, and(e, wide, 15)), decode(e, e.binary("shift_right_logical", wide, like(e, wide, 4)))];
  return e.concatenate(
    halves.map((half) => e.reshape(half, [...x.dims, one])),
    into.name,
  );
}

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
