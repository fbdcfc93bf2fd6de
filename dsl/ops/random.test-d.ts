/** Random words have the key's other axes and those asked for. */
import { axes, randomBits, randomUniform, type Tensor } from "../index.ts";

const ax = axes({ key: 2, batch: 3, row: 2, column: 5 });

declare const key: Tensor<"key">;
declare const keys: Tensor<"key" | "batch">;

randomBits(key, ax.row, ax.column) satisfies Tensor<"row" | "column">;
randomUniform(keys, ax.row) satisfies Tensor<"batch" | "row">;
