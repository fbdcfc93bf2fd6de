/** `topK` puts its own axis in the place of the other; sorting keeps the axes. */
import { axes, type Tensor } from "../index.ts";

const ax = axes({ row: 2, column: 5, choice: 2 });

declare const x: Tensor<"row" | "column">;

x.topK("column", ax.choice).values satisfies Tensor<"row" | "choice">;
x.topK("column", ax.choice).ids satisfies Tensor<"row" | "choice">;
x.sort("row").ids satisfies Tensor<"row" | "column">;
