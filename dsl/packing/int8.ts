/**
 * Eight bits an element, with a scale for each block of 32 (`q8_0`, GGML's form) or for each row (`int8`).
 *
 * An element is scale · q, q from -127 to 127; the scale is the largest magnitude over 127. A row's scale could be
 * multiplied after the product; a block's cannot.
 */
import { type Axis, axis } from "../axes.ts";
import type { Tensor } from "../tensor.ts";
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
  unpack([elements, scales], of, dtype) {
    const along = of.at(-1) as Axis;
    const block = blockAxes("q8_0", [along])[0] as Axis;
    const values = (elements as Tensor<string>).cast("f32").mul((scales as Tensor<string>).cast("f32") as never);
    return values.cast(dtype).merge([block.name, "element"], along) as Tensor<string>;
  },
  pack(values, of) {
    const last = of.at(-1) as Axis;
    const [block] = blockAxes("q8_0", [last]);
    const blocks = values.split(last.name, [block, axis("element", blockElements)] as never);
    const { elements, scales } = quantise(blocks as unknown as Tensor<string>, "element");
    return [elements, scales.cast("f16")] as unknown as readonly Tensor<string>[];
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
  unpack([elements, scales], _, dtype) {
    return (elements as Tensor<string>)
      .cast("f32")
      .mul(scales as never)
      .cast(dtype);
  },
  pack(values, of) {
    const { elements, scales } = quantise(values, (of.at(-1) as Axis).name);
    return [elements, scales];
  },
};

// Implementation

function quantise<A extends string>(values: Tensor<A>, over: string) {
  const any = values as unknown as Tensor<string>;
  const scales = any.abs().maxOver(over).div(127) as unknown as Tensor<string>;
  // A block of zeros has no scale to divide by.
  const inverse = full1(scales)
    .div(scales as never)
    .where(scales.gt(0) as never, 0);
  return { elements: roundAway(any.mul(inverse as never)).cast("i8"), scales };
}

/** To the nearest whole number, halves away from 0, as C does and so GGML. */
function roundAway(x: Tensor<string>): Tensor<string> {
  const magnitude = x.abs();
  const whole = magnitude.floor();
  const isUp = magnitude.sub(whole as never).ge(0.5);
  return whole.add(isUp.cast("f32") as never).mul(x.sign() as never) as Tensor<string>;
}

/** Ones of the same axes. */
function full1(like: Tensor<string>): Tensor<string> {
  return like.mul(0).add(1) as Tensor<string>;
}
