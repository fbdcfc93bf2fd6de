/** An operation written as text has the axes that its result is given. */
import { axes, stablehlo, type Tensor } from "../index.ts";

const ax = axes({ row: 2, column: 3 });

declare const x: Tensor<"row">;

stablehlo("stablehlo.abs", [{ value: x, order: [ax.row] }], "", {
  dtype: "f32",
  axes: [ax.row],
}) satisfies Tensor<"row">;
