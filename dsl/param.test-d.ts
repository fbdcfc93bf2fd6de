/** Declared weights become tensors of the same axes; an unused one is undefined. */
import { axes, param, type Tensor, under, unused, type Weights } from "./index.ts";

const ax = axes({ row: 2, column: 3 });
const weights = () => ({
  norm: param("norm.weight", ax.row),
  layers: [0, 1].map((n) => ({ up: param(`layers.${n}.up`, ax.row, ax.column), bias: undefined })),
});
const partly = () =>
  under("layers.0.", { norm: param("norm", ax.row), gone: unused({ gate: param("gate", ax.column) }) });

declare const w: Weights<typeof weights>;
declare const some: Weights<typeof partly>;

w.norm satisfies Tensor<"row">;
w.layers[0]?.up satisfies Tensor<"row" | "column"> | undefined;
some.gone satisfies undefined;
