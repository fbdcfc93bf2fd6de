/** Renaming, splitting and merging replace the axes that they name. */
import { axes, axis, type Tensor } from "../index.ts";

const ax = axes({ row: 2, column: 3, flat: 6, head: 2, dim: 3, depth: 2 });

declare const x: Tensor<"row" | "flat">;

x.rename("row", "line") satisfies Tensor<"line" | "flat">;
x.split("flat", [ax.head, ax.dim]) satisfies Tensor<"row" | "head" | "dim">;
x.merge(["row", "flat"], axis("all", 12)) satisfies Tensor<"all">;
// @ts-expect-error  the name is taken
x.rename("row", "flat");
// @ts-expect-error  no such axis
x.merge(["row", "dim"], ax.flat);
