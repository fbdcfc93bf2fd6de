/** Activations keep the axes. */
import { gelu, type Tensor } from "../index.ts";

declare const given: Tensor<"a" | "b">;

gelu(given) satisfies Tensor<"a" | "b">;
