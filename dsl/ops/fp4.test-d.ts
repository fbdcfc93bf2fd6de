/** Decoding FP4 adds the axis of the two halves of a byte. */
import { axes, decodeFp4, type Tensor } from "../index.ts";

const ax = axes({ byte: 2, nibble: 2, every: 256 });

declare const x: Tensor<"block" | "byte">;

decodeFp4(x, ax.nibble) satisfies Tensor<"block" | "byte" | "nibble">;
