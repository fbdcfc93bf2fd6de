/** Activations, element by element. Computed in f32 where a narrow float would lose the tails, and returned in the type of `x`. */
import type { Tensor } from "../tensor.ts";

/** What is positive, and 0 elsewhere. */
export function relu<A extends string>(x: Tensor<A>): Tensor<A> {
  return x.max(0);
}

/** x · sigmoid(x), also called swish (arXiv:1702.03118). */
export function silu<A extends string>(x: Tensor<A>): Tensor<A> {
  return inF32(x, (wide) => wide.mul(wide.sigmoid()));
}

/** x times the probability that a normal variable is below it (arXiv:1606.08415). */
export function gelu<A extends string>(x: Tensor<A>): Tensor<A> {
  return inF32(x, (wide) => wide.mul(0.5).mul(erf(wide.mul(Math.SQRT1_2)).add(1)));
}

/** The approximation of `gelu` by a hyperbolic tangent, which GPT-2 and Gemma were trained with. */
export function geluTanh<A extends string>(x: Tensor<A>): Tensor<A> {
  return inF32(x, (wide) => {
    const inner = wide
      .mul(wide)
      .mul(0.044715)
      .add(1)
      .mul(wide)
      .mul(Math.sqrt(2 / Math.PI));
    return wide.mul(0.5).mul(inner.tanh().add(1));
  });
}

/**
 * The error function, within 3e-7 of the true one: a quotient of two polynomials, exact at 0 and ±1 beyond ±4.
 *
 * @see Eigen, src/Core/MathFunctionsImpl.h `generic_fast_erf_float`, the form that XLA uses too
 */
export function erf<A extends string>(x: Tensor<A>): Tensor<A> {
  return inF32(x, (wide) => {
    const near = wide.max(-4).min(4);
    const square = near.mul(near);
    return near.mul(polynomial(square, numerator)).div(polynomial(square, denominator));
  });
}

// Implementation

/** Highest power first. */
const numerator = [
  -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
  -2.954599808540251e-3, -1.60960333262415e-2,
];
const denominator = [
  -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2,
];

/** By Horner's rule. */
function polynomial<A extends string>(x: Tensor<A>, [first, second, ...rest]: readonly number[]): Tensor<A> {
  return rest.reduce((sum, each) => sum.mul(x).add(each), x.mul(first as number).add(second as number));
}

function inF32<A extends string>(x: Tensor<A>, body: (wide: Tensor<A>) => Tensor<A>): Tensor<A> {
  return body(x.cast("f32")).cast(x.dtype);
}
