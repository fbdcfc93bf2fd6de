/**
 * Eight bits an element, with a scale for each block of 32 (`q8_0`, GGML's form) or for each row (`int8`).
 *
 * An element is scale · q, q from -127 to 127; the scale is the largest magnitude over 127. A row's scale could be
 * multiplied after the product; a block's cannot.
 */
import { type Axis, axis } from "../axes.ts";
import { tensorOf, untyped } from "../graph.ts";
import type { AnyTensor } from "../tensor.ts";
import { blockAxes, blockElements } from "./blocks.ts";
import type { Packing } from "./packing.ts";

/** GGML's Q8_0: scales in f16. */
export const q8_0: Packing = {
  parts(of) {
    const scales = blockAxes("q8_0", of);
    return [
      { name: "elements", dtype: "i8", axes: [...scales, axis("element", blockElements)] },
      { name: "scales", dtype: "f16", axes: scales },
    ];
  },
  unpack(parts, of, dtype) {
    const [elements, scales] = parts.map(untyped) as [AnyTensor, AnyTensor];
    const along = of.at(-1) as Axis;
    const block = blockAxes("q8_0", [along])[0] as Axis;
    const values = elements.cast("f32").mul(scales.cast("f32"));
    return tensorOf(values.cast(dtype).merge([block.name, "element"], along));
  },
  pack(values, of) {
    const last = of.at(-1) as Axis;
    const blocks = untyped(values).split(last.name, [...blockAxes("q8_0", [last]), axis("element", blockElements)]);
    const { elements, scales } = quantise(blocks, "element");
    return [elements, scales.cast("f16")].map(tensorOf);
  },
};

/** A scale for each row: one for each output channel. */
export const int8: Packing = {
  parts(of) {
    return [
      { name: "elements", dtype: "i8", axes: of },
      { name: "scales", dtype: "f32", axes: of.slice(0, -1) },
    ];
  },
  unpack(parts, _, dtype) {
    const [elements, scales] = parts.map(untyped) as [AnyTensor, AnyTensor];
    return tensorOf(elements.cast("f32").mul(scales).cast(dtype));
  },
  pack(values, of) {
    const { elements, scales } = quantise(untyped(values), (of.at(-1) as Axis).name);
    return [elements, scales].map(tensorOf);
  },
};

// Implementation

function quantise(values: AnyTensor, over: string): Record<"elements" | "scales", AnyTensor> {
  const scales = values.abs().maxOver(over).div(127);
  // A block of zeros has no scale to divide by.
  const inverse = ones(scales).div(scales).where(scales.gt(0), 0);
  return { elements: roundAway(values.mul(inverse)).cast("i8"), scales };
}

/** To the nearest whole number, halves away from 0, as C does and so GGML. */
function roundAway(x: AnyTensor): AnyTensor {
  const magnitude = x.abs();
  const whole = magnitude.floor();
  const isUp = magnitude.sub(whole).ge(0.5);
  return whole.add(isUp.cast("f32")).mul(x.sign());
}

/** Ones of the same axes. */
function ones(like: AnyTensor): AnyTensor {
  return like.mul(0).add(1);
}
